/**
 * The table of connections, in shared memory: what `-c` counts, what `stats conns` lists, and what
 * a connection holds in the slab (an upload, a pinned item), so that it can be released after the
 * thread that served it has died.
 *
 * The main thread claims slots and writes their texts; the worker that serves a connection owns the
 * rest of its slot and frees it.
 */
import { atomicLoad, atomicStore } from './atomics.ts';
import {
  CONN_BYTES,
  CONN_LAST_COMMAND_I32,
  CONN_LISTEN_AT,
  CONN_PEER_AT,
  CONN_PINNED_I32,
  CONN_STATE_I32,
  CONN_TEXT_BYTES,
  CONN_UPLOAD_I32,
  CONN_WORKER_I32,
  HEAD_CLOCK,
  HEAD_CONN_NEXT,
  wordOf,
} from './layout.ts';
import type { Memory } from './memory.ts';

const STATE_SLOT_FREE = 0;
const STATE_SLOT_OPEN = 1;
const STATE_SLOT_LISTENING = 2;
const STATE_SLOT_DATAGRAM = 3;
/** Worker of a slot that belongs to a listener. */
const NO_WORKER = -2;

/* Why a connection was closed, as the log says it. */

/** The other end broke off, or sent what no connection survives. */
export const CLOSE_ERROR = 0;
/** The client hung up or said `quit`. */
export const CLOSE_NORMAL = 1;
export const CLOSE_IDLE = 2;
/** The server stops. */
export const CLOSE_SHUTDOWN = 3;

/** One line of `stats conns`. */
export interface ConnectionInfo {
  readonly slot: number;
  readonly worker: number;
  readonly peer: string;
  readonly listener: string;
  /** A listening socket, not a connection. */
  readonly listening: boolean;
  /** A socket for datagrams: of everybody who sends them, and without a peer of its own. */
  readonly datagram: boolean;
  readonly secondsSinceLastCommand: number;
}

/** First word of a slot. */
export function connectionWord(memory: Memory, slot: number): number {
  return wordOf(memory.layout.connections + slot * CONN_BYTES);
}

/**
 * Claims a slot for a connection that `worker` will serve; -1 when all are taken. Main thread only.
 * The texts are cut to 79 bytes.
 */
export function claimConnection(
  memory: Memory,
  worker: number,
  peer: string,
  listener: string,
): number {
  const { i32, layout } = memory;
  const { connectionCount } = layout;
  for (let tried = 0; tried < connectionCount; tried++) {
    // Slots are taken in turn, so that the next one is most likely free.
    const slot = (i32[HEAD_CONN_NEXT] + tried) % connectionCount;
    const word = connectionWord(memory, slot);
    if (atomicLoad(i32, word + CONN_STATE_I32) !== STATE_SLOT_FREE) continue;
    i32[HEAD_CONN_NEXT] = slot + 1;
    i32[word + CONN_WORKER_I32] = worker;
    i32[word + CONN_UPLOAD_I32] = 0;
    i32[word + CONN_PINNED_I32] = 0;
    i32[word + CONN_LAST_COMMAND_I32] = i32[HEAD_CLOCK];
    writeText(memory, slot, CONN_PEER_AT, peer);
    writeText(memory, slot, CONN_LISTEN_AT, listener);
    atomicStore(i32, word + CONN_STATE_I32, STATE_SLOT_OPEN);
    return slot;
  }
  return -1;
}

/** Enters a listening socket, so that `stats conns` can show it. Main thread only. */
export function claimListener(memory: Memory, address: string): void {
  const slot = claimConnection(memory, NO_WORKER, address, '');
  if (slot === -1) return;
  atomicStore(memory.i32, connectionWord(memory, slot) + CONN_STATE_I32, STATE_SLOT_LISTENING);
}

/**
 * Enters a socket for datagrams, which `worker` serves; -1 when all slots are taken. Main thread
 * only.
 */
export function claimDatagrams(memory: Memory, worker: number, address: string): number {
  const slot = claimConnection(memory, worker, address, '');
  if (slot === -1) return -1;
  atomicStore(memory.i32, connectionWord(memory, slot) + CONN_STATE_I32, STATE_SLOT_DATAGRAM);
  return slot;
}

/** Frees the slot of a closed connection. By the worker that served it, or for a dead one. */
export function releaseConnection(memory: Memory, slot: number): void {
  atomicStore(memory.i32, connectionWord(memory, slot) + CONN_STATE_I32, STATE_SLOT_FREE);
}

/** Slots of the open connections of a worker. */
export function connectionsOf(memory: Memory, worker: number): number[] {
  const slots: number[] = [];
  for (let slot = 0; slot < memory.layout.connectionCount; slot++) {
    const word = connectionWord(memory, slot);
    if (memory.i32[word + CONN_STATE_I32] === STATE_SLOT_FREE) continue;
    if (memory.i32[word + CONN_WORKER_I32] === worker) slots.push(slot);
  }
  return slots;
}

/** All open connections, for `stats conns`. */
export function listConnections(memory: Memory): ConnectionInfo[] {
  const { i32 } = memory;
  const list: ConnectionInfo[] = [];
  for (let slot = 0; slot < memory.layout.connectionCount; slot++) {
    const word = connectionWord(memory, slot);
    if (i32[word + CONN_STATE_I32] === STATE_SLOT_FREE) continue;
    list.push({
      slot,
      worker: i32[word + CONN_WORKER_I32],
      peer: readText(memory, slot, CONN_PEER_AT),
      listener: readText(memory, slot, CONN_LISTEN_AT),
      listening: i32[word + CONN_STATE_I32] === STATE_SLOT_LISTENING,
      datagram: i32[word + CONN_STATE_I32] === STATE_SLOT_DATAGRAM,
      secondsSinceLastCommand: i32[HEAD_CLOCK] - i32[word + CONN_LAST_COMMAND_I32],
    });
  }
  return list;
}

function writeText(memory: Memory, slot: number, offset: number, text: string): void {
  const start = memory.layout.connections + slot * CONN_BYTES + offset;
  const length = Math.min(text.length, CONN_TEXT_BYTES - 1);
  // Not Buffer.write: compiled, it aborts the process on arrays of more than 4 GiB (Node 26.10).
  for (let i = 0; i < length; i++) memory.u8[start + 1 + i] = text.charCodeAt(i);
  memory.u8[start] = length;
}

function readText(memory: Memory, slot: number, offset: number): string {
  const start = memory.layout.connections + slot * CONN_BYTES + offset;
  return memory.u8.toString('latin1', start + 1, start + 1 + memory.u8[start]);
}
