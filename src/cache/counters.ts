/**
 * Names and places of all counters. Each thread counts in its own part of the shared memory with
 * plain stores, so counting never contends; whoever reads adds the parts up.
 */
import {
  ACTOR_BYTES,
  ACTOR_JOURNAL_BYTES,
  COUNTER_CLASS_COUNT,
  COUNTER_GLOBAL_COUNT,
} from '../memory/layout.ts';
import type { Memory } from '../memory/memory.ts';

/* Counters of a thread. */
export const GET_CMDS = 0;
export const GET_MISSES = 1;
export const GET_EXPIRED = 2;
export const GET_FLUSHED = 3;
export const TOUCH_CMDS = 4;
export const TOUCH_MISSES = 5;
export const DELETE_MISSES = 6;
export const INCR_MISSES = 7;
export const DECR_MISSES = 8;
export const CAS_MISSES = 9;
export const FLUSH_CMDS = 10;
export const META_CMDS = 11;
export const STORE_TOO_LARGE = 12;
export const STORE_NO_MEMORY = 13;
export const TOTAL_ITEMS = 14;
export const BYTES_READ = 15;
export const BYTES_WRITTEN = 16;
export const CONN_YIELDS = 17;
export const TOTAL_CONNS = 18;
export const REJECTED_CONNS = 19;
export const LISTEN_DISABLED = 20;
export const IDLE_KICKS = 21;
export const CRAWLER_STARTS = 22;
export const SLAB_MOVES = 23;
export const SLAB_RESCUES = 24;
export const SLAB_EVICTIONS = 25;
export const SLAB_BUSY = 26;
export const SLAB_CHUNK_RESCUES = 27;
export const LRU_JUGGLES = 28;
export const AUTH_CMDS = 29;
export const AUTH_ERRORS = 30;
export const AUTH_TIMEOUTS = 31;
export const LOG_WORKER_DROPPED = 56;
export const LOG_WORKER_WRITTEN = 57;
export const LOG_WATCHER_SKIPPED = 58;
export const LOG_WATCHER_SENT = 59;

/* Counters of a thread per slab class. */
export const CLASS_SET_CMDS = 0;
export const CLASS_GET_HITS_HOT = 1; // + LRU id
export const CLASS_TOUCH_HITS = 5;
export const CLASS_DELETE_HITS = 6;
export const CLASS_INCR_HITS = 7;
export const CLASS_DECR_HITS = 8;
export const CLASS_CAS_HITS = 9;
export const CLASS_CAS_BADVAL = 10;

/* Item statistics of a (tenant, class), kept under the lock of the class. */
export const ITEM_EVICTED = 0;
export const ITEM_EVICTED_NONZERO = 1;
export const ITEM_EVICTED_TIME = 2;
export const ITEM_OUTOFMEMORY = 3;
export const ITEM_TAILREPAIRS = 4;
export const ITEM_RECLAIMED = 5;
export const ITEM_EXPIRED_UNFETCHED = 6;
export const ITEM_EVICTED_UNFETCHED = 7;
export const ITEM_EVICTED_ACTIVE = 8;
export const ITEM_CRAWLER_RECLAIMED = 9;
export const ITEM_CRAWLER_CHECKED = 10;
export const ITEM_LRUTAIL_REFLOCKED = 11;
export const ITEM_MOVES_TO_COLD = 12;
export const ITEM_MOVES_TO_WARM = 13;
export const ITEM_MOVES_WITHIN = 14;
export const ITEM_DIRECT_RECLAIMS = 15;

/** First Float64 word of an actor's counters. */
export function countersOf(memory: Memory, actor: number): number {
  return (memory.layout.actors + actor * ACTOR_BYTES + ACTOR_JOURNAL_BYTES) / 8;
}

/** First Float64 word of an actor's counters of a class. */
export function classCountersOf(memory: Memory, actor: number, id: number): number {
  return countersOf(memory, actor) + COUNTER_GLOBAL_COUNT + id * COUNTER_CLASS_COUNT;
}

/** A counter added up over all threads. */
export function sumCounter(memory: Memory, counter: number): number {
  let sum = 0;
  for (let actor = 0; actor < memory.layout.actorCount; actor++) {
    sum += memory.f64[countersOf(memory, actor) + counter];
  }
  return sum;
}

/** A counter of a class added up over all threads. */
export function sumClassCounter(memory: Memory, id: number, counter: number): number {
  let sum = 0;
  for (let actor = 0; actor < memory.layout.actorCount; actor++) {
    sum += memory.f64[classCountersOf(memory, actor, id) + counter];
  }
  return sum;
}

/** Adds to a counter of an actor; only by the thread of that actor. */
export function count(memory: Memory, actor: number, counter: number, amount: number): void {
  memory.f64[countersOf(memory, actor) + counter] += amount;
}

/** Zeroes all counters of all threads (`stats reset`); counts in flight may survive it. */
export function resetCounters(memory: Memory): void {
  for (let actor = 0; actor < memory.layout.actorCount; actor++) {
    const start = countersOf(memory, actor);
    memory.f64.fill(0, start, classCountersOf(memory, actor, 64));
  }
}
