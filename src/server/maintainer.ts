/**
 * Starts the maintainer's thread, and again when it dies. A plain Worker and no piscina task: it
 * blocks its thread, so of what piscina gives (tasks and replies over a port) nothing would reach
 * it.
 */
import { Worker } from 'node:worker_threads';
import type { CacheConfig } from '../cache/config.ts';
import { requestMaintainerStop } from '../cache/orders.ts';
import type { Memory } from '../memory/memory.ts';
import type { ServerState } from '../net/state.ts';
import { reasonOf } from './errors.ts';
import { logLine } from './log.ts';
import type { MaintainerData } from './maintainer-thread.ts';
import { recoverThread } from './recovery.ts';

const MAINTAINER_ACTOR = 1;
const CRASH_LOOP_MS = 1000;
const CRASH_LOOP_DEATHS = 5;

/** What the maintainer is started from. */
export interface MaintainerOptions {
  readonly memory: Memory;
  readonly cache: CacheConfig;
  readonly state: ServerState;
  /** Called when it cannot be kept alive. */
  readonly onHopeless: (reason: string) => void;
}

/** The main thread's hold on the maintainer. */
export class Maintainer {
  readonly #options: MaintainerOptions;
  #thread: Worker;
  #ended: Promise<void>;
  #quickDeaths = 0;
  #stopping = false;

  constructor(options: MaintainerOptions) {
    this.#options = options;
    [this.#thread, this.#ended] = this.#start();
  }

  /** Resolves when the thread has left its round and ended. */
  stop(): Promise<void> {
    this.#stopping = true;
    requestMaintainerStop(this.#options.memory);
    return this.#ended;
  }

  /** Ends the thread at once, for a stop that takes too long. */
  async terminate(): Promise<void> {
    await this.#thread.terminate();
  }

  /** Ends the thread at once; it will be replaced. For tests of that. */
  kill(): void {
    this.#thread.terminate();
  }

  #start(): [Worker, Promise<void>] {
    const { memory, cache } = this.#options;
    const workerData: MaintainerData = { memory: memory.buffer, cache };
    const startedAt = performance.now();
    const thread = new Worker(MAINTAINER_FILE, { workerData, name: 'maintainer' });
    let reason = 'it ended by itself';
    thread.on('error', (error) => {
      reason = reasonOf(error);
    });
    const ended = new Promise<void>((resolve) => {
      thread.on('exit', () => {
        resolve();
        this.#onExit(performance.now() - startedAt, reason);
      });
    });
    return [thread, ended];
  }

  async #onExit(livedMs: number, reason: string): Promise<void> {
    if (this.#stopping) return;
    const { memory, cache, state, onHopeless } = this.#options;
    if (!(await recoverThread(memory, cache, MAINTAINER_ACTOR))) {
      onHopeless(`the maintainer died (${reason}) with locks that cannot be freed`);
      return;
    }
    if (this.#stopping) return;
    state.countRestart();
    this.#quickDeaths = livedMs < CRASH_LOOP_MS ? this.#quickDeaths + 1 : 0;
    if (this.#quickDeaths >= CRASH_LOOP_DEATHS) {
      onHopeless(`the maintainer cannot be kept alive: ${reason}`);
      return;
    }
    logLine(`the maintainer died (${reason}) and is replaced`);
    [this.#thread, this.#ended] = this.#start();
  }
}

/** This file's neighbour, `.ts` in the checkout and `.js` when compiled. */
const MAINTAINER_FILE = new URL(`./maintainer-thread${import.meta.url.slice(-3)}`, import.meta.url);
