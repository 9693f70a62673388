/**
 * Keeps a copy below a rate, so that caches which serve meanwhile do not feel it.
 */
import { setTimeout as sleep } from 'node:timers/promises';

/** After a stall the copy goes on at its rate; what was not used is lost but for so much. */
const CARRY_MS = 100;
const ITEMS_PER_ROUND_MAX = 100;
const ROUNDS_PER_SECOND = 10;

/** A bound on items and bytes per second; 0 is none. */
export class Pace {
  readonly #itemsPerSecond: number;
  readonly #bytesPerSecond: number;
  #dueMs = 0;

  constructor(itemsPerSecond: number, bytesPerSecond: number) {
    this.#itemsPerSecond = itemsPerSecond;
    this.#bytesPerSecond = bytesPerSecond;
  }

  /** How many items to take at a time: at a low rate few, so that they do not come in bursts. */
  get itemsPerRound(): number {
    if (this.#itemsPerSecond === 0) return ITEMS_PER_ROUND_MAX;
    const even = Math.ceil(this.#itemsPerSecond / ROUNDS_PER_SECOND);
    return Math.min(ITEMS_PER_ROUND_MAX, even);
  }

  /** Waits until so many items and bytes more are within the rate. */
  async spend(items: number, bytes: number): Promise<void> {
    const wait = this.waitAfter(items, bytes, performance.now());
    if (wait > 0) await sleep(wait);
  }

  /** The milliseconds to wait at `nowMs` after items and bytes have been moved. */
  waitAfter(items: number, bytes: number, nowMs: number): number {
    const forItems = this.#itemsPerSecond === 0 ? 0 : (items * 1000) / this.#itemsPerSecond;
    const forBytes = this.#bytesPerSecond === 0 ? 0 : (bytes * 1000) / this.#bytesPerSecond;
    this.#dueMs = Math.max(this.#dueMs, nowMs - CARRY_MS) + Math.max(forItems, forBytes);
    return this.#dueMs - nowMs;
  }
}
