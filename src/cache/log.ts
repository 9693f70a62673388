/**
 * What threads report of their work to those who `watch`: a record per event in the thread's ring.
 *
 * While nobody watches, an event costs its caller one plain load and a branch (`wants`). Records
 * are binary and written in place; protocol/log-line.ts makes text of them, in the reader's thread.
 */
import type { Bytes } from '../memory/bytes.ts';
import {
  at,
  CHUNK_STATE_I32,
  CONN_BYTES,
  CONN_PEER_AT,
  HEAD_CLOCK,
  HEAD_LOG_GID,
  HEAD_WATCHED,
  ITEM_EXPTIME_I32,
  STATE_FETCHED,
} from '../memory/layout.ts';
import {
  RECORD_BYTES_I32,
  RECORD_CLASS_I32,
  RECORD_CONNECTION_I32,
  RECORD_DETAIL_I32,
  RECORD_GID_HIGH_I32,
  RECORD_GID_LOW_I32,
  RECORD_STATUS_I32,
  RECORD_TEXT_AT,
  RECORD_TEXT_LENGTH_I32,
  RECORD_TIME_F64,
  RECORD_TTL_I32,
  RECORD_TYPE_I32,
} from '../memory/log-layout.ts';
import { LogRing } from '../memory/log-ring.ts';
import type { Memory } from '../memory/memory.ts';
import { highOf, nextLow } from '../memory/sequence.ts';
import { count, LOG_WORKER_DROPPED, LOG_WORKER_WRITTEN } from './counters.ts';
import { idleSecondsOf, keyAt, keyBytesOf, valueBytesOf } from './item.ts';
import type { Lists } from './lists.ts';

/* What can be watched: flags of HEAD_WATCHED. */
export const WATCH_FETCHERS = 1;
export const WATCH_MUTATIONS = 2;
export const WATCH_EVICTIONS = 4;
export const WATCH_CONNEVENTS = 8;
export const WATCH_DELETIONS = 16;
export const WATCH_SYSEVENTS = 32;
/** Streams that memcached takes the names of, and that have nothing to report here. */
export const WATCH_SILENT = 64;

/* Types of records. */
export const RECORD_GET = 1;
export const RECORD_STORE = 2;
export const RECORD_EVICTION = 3;
export const RECORD_DELETION = 4;
export const RECORD_OPENED = 5;
export const RECORD_CLOSED = 6;
const RECORD_PAGE_MOVE = 7;

/** The WATCH_ flag of each type of record. */
export const FLAG_OF_RECORD: readonly number[] = [
  0,
  WATCH_FETCHERS,
  WATCH_MUTATIONS,
  WATCH_EVICTIONS,
  WATCH_DELETIONS,
  WATCH_CONNEVENTS,
  WATCH_CONNEVENTS,
  WATCH_SYSEVENTS,
];

/* What a look-up came to. */
export const GET_NOT_FOUND = 0;
export const GET_FOUND = 1;
export const GET_FLUSHED_AWAY = 2;
export const GET_HAS_EXPIRED = 3;

/* What became of a storage command beyond the results of Updater.commit. */
const STORE_TOO_LARGE = 4;
const STORE_NO_MEMORY = 5;

/* Which command deleted an item. */
export const DELETED_BY_DELETE = 1;
export const DELETED_BY_META = 2;

/** More than this between two clocks, and the wall clock was set. */
const CLOCK_SLACK_MS = 2;

/** One thread's log. */
export class Log {
  /** The connection that is being served: its number stands in the records. */
  connection = 0;
  private readonly memory: Memory;
  private readonly i32: Int32Array;
  private readonly lists: Lists;
  private readonly ring: LogRing;
  private readonly actor: number;
  /** Wall clock minus monotonic clock, ms: the wall clock alone has no microseconds. */
  private origin = 0;

  constructor(memory: Memory, actor: number, lists: Lists) {
    this.memory = memory;
    this.i32 = memory.i32;
    this.lists = lists;
    this.ring = new LogRing(memory, actor);
    this.actor = actor;
  }

  /** Whether somebody watches this (a WATCH_ flag). */
  wants(flag: number): boolean {
    return (this.i32[HEAD_WATCHED] & flag) !== 0;
  }

  /** A look-up (WATCH_FETCHERS): `ref` is 0 unless it is GET_FOUND. */
  fetched(status: number, key: Bytes, start: number, length: number, ref: number): void {
    const word = this.begin(RECORD_GET, key.u8, start, length);
    if (word === -1) return;
    const { i32 } = this;
    i32[word + RECORD_STATUS_I32] = status;
    i32[word + RECORD_CLASS_I32] = ref === 0 ? 0 : this.lists.classOf(ref);
    i32[word + RECORD_BYTES_I32] = ref === 0 ? 0 : valueBytesOf(i32, ref);
    this.ring.publish();
  }

  /** A storage command came to a result (WATCH_MUTATIONS); `mode` is a MODE_ of update.ts. */
  stored(result: number, mode: number, ref: number): void {
    const { i32 } = this;
    const word = this.beginItem(RECORD_STORE, ref);
    if (word === -1) return;
    const exptime = i32[at(ref) + ITEM_EXPTIME_I32];
    i32[word + RECORD_STATUS_I32] = result;
    i32[word + RECORD_DETAIL_I32] = mode;
    i32[word + RECORD_TTL_I32] = exptime === 0 ? 0 : exptime - i32[HEAD_CLOCK];
    this.ring.publish();
  }

  /** A storage command got no item, for its size or for want of memory (WATCH_MUTATIONS). */
  refused(tooLarge: boolean, mode: number, key: Bytes, start: number, length: number): void {
    const word = this.begin(RECORD_STORE, key.u8, start, length);
    if (word === -1) return;
    const { i32 } = this;
    i32[word + RECORD_STATUS_I32] = tooLarge ? STORE_TOO_LARGE : STORE_NO_MEMORY;
    i32[word + RECORD_DETAIL_I32] = mode;
    i32[word + RECORD_TTL_I32] = 0;
    i32[word + RECORD_CLASS_I32] = 0;
    i32[word + RECORD_BYTES_I32] = 0;
    this.ring.publish();
  }

  /** An item is about to be evicted (WATCH_EVICTIONS). */
  evicted(ref: number): void {
    const { i32 } = this;
    const word = this.beginItem(RECORD_EVICTION, ref);
    if (word === -1) return;
    const item = at(ref);
    const exptime = i32[item + ITEM_EXPTIME_I32];
    const now = i32[HEAD_CLOCK];
    i32[word + RECORD_STATUS_I32] = (i32[item + CHUNK_STATE_I32] & STATE_FETCHED) === 0 ? 0 : 1;
    i32[word + RECORD_TTL_I32] = exptime > 0 ? exptime - now : -1;
    i32[word + RECORD_DETAIL_I32] = idleSecondsOf(i32, ref);
    this.ring.publish();
  }

  /** An item is about to be deleted by a command (WATCH_DELETIONS): a DELETED_BY_. */
  deleted(command: number, ref: number): void {
    const word = this.beginItem(RECORD_DELETION, ref);
    if (word === -1) return;
    this.i32[word + RECORD_DETAIL_I32] = command;
    this.ring.publish();
  }

  /** A connection was opened (WATCH_CONNEVENTS). */
  opened(slot: number): void {
    const word = this.beginConnection(RECORD_OPENED, slot);
    if (word !== -1) this.ring.publish();
  }

  /** A connection was closed, for a CLOSE_ reason of connections.ts (WATCH_CONNEVENTS). */
  closed(slot: number, reason: number): void {
    const word = this.beginConnection(RECORD_CLOSED, slot);
    if (word === -1) return;
    this.i32[word + RECORD_STATUS_I32] = reason;
    this.ring.publish();
  }

  /** The page mover was told to move a page by itself, and did or could not (WATCH_SYSEVENTS). */
  pageMoved(source: number, destination: number, done: boolean): void {
    const word = this.begin(RECORD_PAGE_MOVE, this.memory.u8, 0, 0);
    if (word === -1) return;
    this.i32[word + RECORD_CLASS_I32] = source;
    this.i32[word + RECORD_DETAIL_I32] = destination;
    this.i32[word + RECORD_STATUS_I32] = done ? 1 : 0;
    this.ring.publish();
  }

  private beginItem(type: number, ref: number): number {
    const { i32 } = this;
    const word = this.begin(type, this.memory.u8, keyAt(i32, ref), keyBytesOf(i32, ref));
    if (word === -1) return -1;
    i32[word + RECORD_CLASS_I32] = this.lists.classOf(ref);
    i32[word + RECORD_BYTES_I32] = valueBytesOf(i32, ref);
    return word;
  }

  /** The text of the record is the peer's address as `stats conns` shows it. */
  private beginConnection(type: number, slot: number): number {
    const { memory } = this;
    const peer = memory.layout.connections + slot * CONN_BYTES + CONN_PEER_AT;
    const word = this.begin(type, memory.u8, peer + 1, memory.u8[peer]);
    if (word !== -1) this.i32[word + RECORD_CONNECTION_I32] = slot;
    return word;
  }

  /** A record with its time, number and text; -1, and counted as dropped, without room for it. */
  private begin(type: number, text: Uint8Array, start: number, length: number): number {
    const { i32, memory } = this;
    const word = this.ring.reserve(RECORD_TEXT_AT + length);
    if (word === -1) {
      count(memory, this.actor, LOG_WORKER_DROPPED, 1);
      return -1;
    }
    count(memory, this.actor, LOG_WORKER_WRITTEN, 1);
    const low = nextLow(i32, HEAD_LOG_GID);
    i32[word + RECORD_TYPE_I32] = type;
    memory.f64[word / 2 + RECORD_TIME_F64] = this.now();
    i32[word + RECORD_GID_LOW_I32] = low;
    i32[word + RECORD_GID_HIGH_I32] = highOf(i32, HEAD_LOG_GID, low);
    i32[word + RECORD_CONNECTION_I32] = this.connection;
    i32[word + RECORD_TEXT_LENGTH_I32] = length;
    const target = word * 4 + RECORD_TEXT_AT;
    for (let i = 0; i < length; i++) memory.u8[target + i] = text[start + i];
    return word;
  }

  /** Microseconds since 1970. */
  private now(): number {
    const monotonic = performance.now();
    const wall = Date.now();
    const drift = wall - (this.origin + monotonic);
    if (drift > CLOCK_SLACK_MS || drift < -CLOCK_SLACK_MS) this.origin = wall - monotonic;
    return Math.floor((this.origin + monotonic) * 1000);
  }
}
