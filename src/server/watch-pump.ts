/**
 * Keeps the watchers of a worker supplied: looks into the threads' log rings every few
 * milliseconds, and has the transport send what has come for its own watchers.
 *
 * It runs only while the worker has a watcher, and takes a fifth of the worker's time at most: what
 * it does not get to is dropped by those who log, not waited for.
 */

import { WATCHER_COUNT, WATCHER_OWNER_I32, WATCHER_SLOT_I32 } from '../memory/log-layout.ts';
import type { Memory } from '../memory/memory.ts';
import { hasBytes, watcherWord } from '../memory/watchers.ts';
import { LogReader } from '../protocol/log-reader.ts';

/** Records read in one go. */
const RECORDS_PER_ROUND = 1000;
const PAUSE_MIN_MS = 1;
const PAUSE_MAX_MS = 100;
/** How much longer the pause after a round that found nothing is than the one before. */
const PAUSE_GROWTH = 1.125;
/** A round is followed by this many times its own duration. */
const REST_FACTOR = 4;

export class WatchPump {
  readonly #memory: Memory;
  readonly #actor: number;
  readonly #poke: (slot: number) => void;
  readonly #reader: LogReader;
  #running = false;
  #pauseMs = PAUSE_MIN_MS;

  /** `poke` is told the connections for which lines wait. */
  constructor(memory: Memory, actor: number, poke: (slot: number) => void) {
    this.#memory = memory;
    this.#actor = actor;
    this.#poke = poke;
    this.#reader = new LogReader(memory, actor);
  }

  /** The worker has a watcher now. */
  start(): void {
    this.#pauseMs = PAUSE_MIN_MS;
    if (this.#running) return;
    this.#running = true;
    this.#plan(PAUSE_MIN_MS);
  }

  #plan(ms: number): void {
    // A worker that has nothing else to do may end.
    setTimeout(() => this.#round(), ms).unref();
  }

  #round(): void {
    const startedAt = performance.now();
    const found = this.#reader.drain(RECORDS_PER_ROUND) > 0;
    const poked = this.#pokeOwn();
    if (!this.#running) return;
    this.#pauseMs =
      found || poked ? PAUSE_MIN_MS : Math.min(this.#pauseMs * PAUSE_GROWTH, PAUSE_MAX_MS);
    this.#plan(Math.max(this.#pauseMs, (performance.now() - startedAt) * REST_FACTOR));
  }

  /** Has lines sent, true if there are any, and notes whether the worker has a watcher still. */
  #pokeOwn(): boolean {
    const { i32 } = this.#memory;
    let poked = false;
    this.#running = false;
    for (let watcher = 0; watcher < WATCHER_COUNT; watcher++) {
      const word = watcherWord(this.#memory, watcher);
      if (i32[word + WATCHER_OWNER_I32] !== this.#actor + 1) continue;
      this.#running = true;
      if (!hasBytes(this.#memory, watcher)) continue;
      poked = true;
      this.#poke(i32[word + WATCHER_SLOT_I32]);
    }
    return poked;
  }
}
