/**
 * What the threads of the server share about connections and workers, beside the slab: connections
 * per worker (so that accepting one does not scan the connection table) and rare events for
 * `stats`.
 */
import { atomicAdd, atomicCompareExchange, atomicLoad, atomicStore } from '../memory/atomics.ts';

const RESTARTS = 0;
const DISABLED_MS = 1;
const HELD = 2;
const CERTIFICATES_AT = 3;
const TLS_SESSIONS = 4;
const TLS_HANDSHAKE_ERRORS = 5;
const TLS_PROTOCOL_ERRORS = 6;
const STOP_ASKED = 7;
const WORKERS_AT = 8;
/** Int32 words of a worker: its connections, and the id of the thread that serves it. */
const WORKER_WORDS = 2;

/** A thread's view of that state. */
export class ServerState {
  readonly buffer: SharedArrayBuffer;
  readonly workers: number;
  readonly #i32: Int32Array;

  constructor(buffer: SharedArrayBuffer) {
    this.buffer = buffer;
    this.#i32 = new Int32Array(buffer);
    this.workers = (this.#i32.length - WORKERS_AT) / WORKER_WORDS;
  }

  /** Connections that the worker serves or is about to. */
  connections(worker: number): number {
    return atomicLoad(this.#i32, WORKERS_AT + worker * WORKER_WORDS);
  }

  addConnections(worker: number, change: number): void {
    atomicAdd(this.#i32, WORKERS_AT + worker * WORKER_WORDS, change);
  }

  /** The worker's thread is gone, and its connections with it. */
  clearWorker(worker: number): void {
    atomicStore(this.#i32, WORKERS_AT + worker * WORKER_WORDS, 0);
    atomicStore(this.#i32, WORKERS_AT + worker * WORKER_WORDS + 1, 0);
  }

  /** Node's id of the thread that serves this worker number; 0 before it has begun. */
  threadId(worker: number): number {
    return atomicLoad(this.#i32, WORKERS_AT + worker * WORKER_WORDS + 1);
  }

  setThreadId(worker: number, id: number): void {
    atomicStore(this.#i32, WORKERS_AT + worker * WORKER_WORDS + 1, id);
  }

  totalConnections(): number {
    let total = 0;
    for (let worker = 0; worker < this.workers; worker++) total += this.connections(worker);
    return total;
  }

  /** Threads replaced since the start. */
  restarts(): number {
    return atomicLoad(this.#i32, RESTARTS);
  }

  countRestart(): void {
    atomicAdd(this.#i32, RESTARTS, 1);
  }

  /** Milliseconds during which new connections had to wait (no_maxconns_fast). */
  disabledMs(): number {
    return atomicLoad(this.#i32, DISABLED_MS);
  }

  addDisabledMs(ms: number): void {
    atomicAdd(this.#i32, DISABLED_MS, Math.round(ms));
  }

  /** Second of the clock at which the certificates were read. */
  certificatesAt(): number {
    return atomicLoad(this.#i32, CERTIFICATES_AT);
  }

  setCertificatesAt(second: number): void {
    atomicStore(this.#i32, CERTIFICATES_AT, second);
  }

  /** TLS sessions that were begun and not resumed. */
  tlsSessions(): number {
    return atomicLoad(this.#i32, TLS_SESSIONS) >>> 0;
  }

  countTlsSession(): void {
    atomicAdd(this.#i32, TLS_SESSIONS, 1);
  }

  tlsHandshakeErrors(): number {
    return atomicLoad(this.#i32, TLS_HANDSHAKE_ERRORS) >>> 0;
  }

  countTlsHandshakeError(): void {
    atomicAdd(this.#i32, TLS_HANDSHAKE_ERRORS, 1);
  }

  /** Errors of TLS on connections that were through their handshake. */
  tlsProtocolErrors(): number {
    return atomicLoad(this.#i32, TLS_PROTOCOL_ERRORS) >>> 0;
  }

  countTlsProtocolError(): void {
    atomicAdd(this.#i32, TLS_PROTOCOL_ERRORS, 1);
  }

  /** True for the first that asks the server to stop: a second signal would end it at once. */
  askStop(): boolean {
    return atomicCompareExchange(this.#i32, STOP_ASKED, 0, 1) === 0;
  }

  /** Accepted connections that wait for one of the served ones to close. */
  held(): number {
    return atomicLoad(this.#i32, HELD);
  }

  setHeld(count: number): void {
    atomicStore(this.#i32, HELD, count);
  }
}

/** Makes the state for a number of workers. */
export function createServerState(workers: number): ServerState {
  return new ServerState(new SharedArrayBuffer((WORKERS_AT + workers * WORKER_WORDS) * 4));
}
