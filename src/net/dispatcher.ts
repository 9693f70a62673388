/**
 * Gives each accepted connection to the worker with the fewest, and keeps to the limit of `-c`.
 *
 * The limit is counted here and not left to descriptors running out: a connection too many is told
 * so and closed (maxconns_fast) or waits until another one closes.
 */
import type { Socket } from 'node:net';
import { count, LISTEN_DISABLED, REJECTED_CONNS, TOTAL_CONNS } from '../cache/counters.ts';
import { claimConnection } from '../memory/connections.ts';
import { HEAD_LISTENING } from '../memory/layout.ts';
import type { Memory } from '../memory/memory.ts';
import { endpointText } from './listener.ts';
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
  /** Moves the socket to a worker's thread. */
  readonly send: (worker: number, socket: Socket, slot: number, listener: number) => void;
}

/** Where the slot for a unix connection goes. */
export interface Answer {
  alive(): boolean;
  send(slot: number): void;
}

/** A connection that asks to be let in. */
interface Arrival {
  /** Lets it in; there is room and a worker. */
  admit(): void;
  refuse(): void;
}

/** The main thread's side of every connection. */
export class Dispatcher {
  readonly #options: DispatcherOptions;
  readonly #held: Arrival[] = [];
  /** Workers whose thread died and is not replaced yet. */
  readonly #suspended = new Set<number>();
  #next = 0;
  #heldSince = 0;
  #closed = false;

  constructor(options: DispatcherOptions) {
    this.#options = options;
    this.#setListening(true);
  }

  /** Takes a paused, untouched socket from a listener, of which there is a table. */
  accept(socket: Socket, listener: number): void {
    this.#arrive({
      admit: () => this.#dispatch(socket, listener),
      refuse: () => this.#refuse(socket),
    });
  }

  /**
   * Claims a slot for a connection that a worker accepted itself (unix socket) and answers with it,
   * or with -1 when there is no room. Answers nothing if the worker is gone by then: a slot that
   * was claimed while it is repaired would never be freed.
   */
  claimFor(worker: number, peer: string, listener: string, answer: Answer): void {
    this.#arrive({
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

  /** Gives the worker no more connections until restore. */
  suspend(worker: number): void {
    this.#suspended.add(worker);
  }

  restore(worker: number): void {
    this.#suspended.delete(worker);
  }

  /** Takes no more connections and refuses those that wait. */
  close(): void {
    this.#closed = true;
    for (const arrival of this.#held.splice(0)) arrival.refuse();
    this.#setListening(false);
  }

  #arrive(arrival: Arrival): void {
    const { fast, heldMax, state } = this.#options;
    const noWorker = this.#suspended.size === state.workers;
    if (this.#closed) {
      arrival.refuse();
    } else if (!noWorker && !this.#isFull() && this.#held.length === 0) {
      arrival.admit();
    } else if ((fast && this.#isFull()) || this.#held.length >= heldMax) {
      arrival.refuse();
    } else {
      this.#hold(arrival);
    }
  }

  #isFull(): boolean {
    return this.#options.state.totalConnections() >= this.#options.maxConns;
  }

  #dispatch(socket: Socket, listenerIndex: number): void {
    const worker = this.#leastBusy();
    const peer = endpointText(socket.remoteAddress, socket.remotePort);
    const listener = endpointText(socket.localAddress, socket.localPort);
    const slot = this.#claim(worker, peer, listener);
    if (slot === -1) this.#refuse(socket);
    else this.#options.send(worker, socket, slot, listenerIndex);
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

  #refuse(socket: Socket): void {
    count(this.#options.memory, MAIN_ACTOR, REJECTED_CONNS, 1);
    socket.on('error', () => undefined);
    socket.write(TOO_MANY);
    socket.destroySoon();
  }

  #hold(arrival: Arrival): void {
    if (this.#held.length === 0) {
      count(this.#options.memory, MAIN_ACTOR, LISTEN_DISABLED, 1);
      this.#heldSince = performance.now();
      this.#setListening(false);
      setTimeout(() => this.#release(), HELD_CHECK_MS);
    }
    this.#held.push(arrival);
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
