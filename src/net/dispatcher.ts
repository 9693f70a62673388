/**
 * Gives each accepted connection to the worker with the fewest, and keeps to the limit of `-c`.
 *
 * The limit is counted here and not left to descriptors running out: a connection too many is told
 * so and closed (maxconns_fast) or waits until another one closes.
 */
import { count, LISTEN_DISABLED, REJECTED_CONNS, TOTAL_CONNS } from '../cache/counters.ts';
import { claimConnection } from '../memory/connections.ts';
import { HEAD_LISTENING } from '../memory/layout.ts';
import type { Memory } from '../memory/memory.ts';
import type { Arrival } from './arrivals.ts';
import type { ServerState } from './state.ts';

const TOO_MANY = 'ERROR Too many open connections\r\n';
/** The actor number of the main thread, under which it counts. */
const MAIN_ACTOR = 0;
/** How often connections that wait are looked at, ms; as often as memcached does. */
const HELD_CHECK_MS = 10;

/** What the dispatcher needs to know. */
export interface DispatcherOptions {
  readonly memory: Memory;
  readonly state: ServerState;
  readonly maxConns: number;
  /** maxconns_fast: refuse at once instead of letting wait. */
  readonly fast: boolean;
  /** How many may wait; more are refused. The backlog of the listeners. */
  readonly heldMax: number;
}

/** Where the slot for a unix connection goes. */
export interface Answer {
  alive(): boolean;
  send(slot: number): void;
}

/** What a connection that asks to be let in can be told. */
interface Entry {
  /** Lets it in; there is room and a worker. */
  admit(): void;
  refuse(): void;
}

/** The main thread's side of every connection. Connections wait for the first worker. */
export class Dispatcher {
  readonly #options: DispatcherOptions;
  readonly #held: Entry[] = [];
  /** Workers that are not there yet, or died and are not replaced yet. */
  readonly #suspended: Set<number>;
  #next = 0;
  #heldSince = 0;
  #closed = false;

  constructor(options: DispatcherOptions) {
    this.#options = options;
    this.#suspended = new Set(Array.from({ length: options.state.workers }, (_, worker) => worker));
    this.#setListening(true);
  }

  /** Takes an accepted connection. */
  accept(arrival: Arrival): void {
    this.#enter({
      admit: () => this.#dispatch(arrival),
      refuse: () => this.#refuse(arrival),
    });
  }

  /**
   * Claims a slot for a connection that a worker accepted itself (unix socket) and answers with it,
   * or with -1 when there is no room. Answers nothing if the worker is gone by then: a slot that
   * was claimed while it is repaired would never be freed.
   */
  claimFor(worker: number, peer: string, listener: string, answer: Answer): void {
    this.#enter({
      admit: () => {
        if (this.#suspended.has(worker) || !answer.alive()) return;
        answer.send(this.#claim(worker, peer, listener));
      },
      refuse: () => {
        count(this.#options.memory, MAIN_ACTOR, REJECTED_CONNS, 1);
        if (answer.alive()) answer.send(-1);
      },
    });
  }

  /** Gives the worker connections from now on. */
  restore(worker: number): void {
    this.#suspended.delete(worker);
  }

  /** Gives the worker no more connections until restore. */
  suspend(worker: number): void {
    this.#suspended.add(worker);
  }

  /** Takes no more connections and refuses those that wait. */
  close(): void {
    this.#closed = true;
    for (const entry of this.#held.splice(0)) entry.refuse();
    this.#setListening(false);
  }

  #enter(entry: Entry): void {
    const { fast, heldMax, state } = this.#options;
    const noWorker = this.#suspended.size === state.workers;
    if (this.#closed) {
      entry.refuse();
    } else if (!noWorker && !this.#isFull() && this.#held.length === 0) {
      entry.admit();
    } else if ((fast && this.#isFull()) || this.#held.length >= heldMax) {
      entry.refuse();
    } else {
      this.#hold(entry);
    }
  }

  #isFull(): boolean {
    return this.#options.state.totalConnections() >= this.#options.maxConns;
  }

  #dispatch(arrival: Arrival): void {
    const worker = this.#leastBusy();
    const slot = this.#claim(worker, arrival.peer, arrival.local);
    if (slot === -1) this.#refuse(arrival);
    else arrival.send(worker, slot);
  }

  #claim(worker: number, peer: string, listener: string): number {
    const { memory, state } = this.#options;
    const slot = claimConnection(memory, worker, peer, listener);
    if (slot === -1) return -1;
    state.addConnections(worker, 1);
    count(memory, MAIN_ACTOR, TOTAL_CONNS, 1);
    return slot;
  }

  /** Fewest connections; among equals the next in turn. There must be one that is not suspended. */
  #leastBusy(): number {
    const { state } = this.#options;
    let best = -1;
    let fewest = 0;
    for (let step = 0; step < state.workers; step++) {
      const worker = (this.#next + step) % state.workers;
      if (this.#suspended.has(worker)) continue;
      const connections = state.connections(worker);
      if (best !== -1 && connections >= fewest) continue;
      best = worker;
      fewest = connections;
    }
    this.#next = (best + 1) % state.workers;
    return best;
  }

  #refuse(arrival: Arrival): void {
    count(this.#options.memory, MAIN_ACTOR, REJECTED_CONNS, 1);
    arrival.refuse(TOO_MANY);
  }

  #hold(entry: Entry): void {
    if (this.#held.length === 0) {
      count(this.#options.memory, MAIN_ACTOR, LISTEN_DISABLED, 1);
      this.#heldSince = performance.now();
      this.#setListening(false);
      setTimeout(() => this.#release(), HELD_CHECK_MS);
    }
    this.#held.push(entry);
    this.#options.state.setHeld(this.#held.length);
  }

  /** Gives room that has come up to those that wait, in their order. */
  #release(): void {
    if (this.#closed) return;
    const { state } = this.#options;
    while (this.#held.length > 0 && !this.#isFull() && this.#suspended.size < state.workers) {
      this.#held.shift()?.admit();
    }
    state.setHeld(this.#held.length);
    if (this.#held.length > 0) {
      setTimeout(() => this.#release(), HELD_CHECK_MS);
      return;
    }
    state.addDisabledMs(performance.now() - this.#heldSince);
    this.#setListening(true);
  }

  #setListening(on: boolean): void {
    this.#options.memory.i32[HEAD_LISTENING] = on ? 1 : 0;
  }
}
