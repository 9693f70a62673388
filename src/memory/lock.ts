/**
 * The mutex over shared memory, and the order in which locks may be taken.
 *
 * A lock is one int32: 0 free, else the holder (actor + 1), with WAITERS set when somebody may be
 * asleep on it (the futex mutex of Drepper's "Futexes are tricky", with the holder in the word, so
 * that the locks of a dead thread can be found and freed). A contender spins a little before it
 * sleeps: critical sections are shorter than a wake-up by three orders of magnitude.
 *
 * Lock order (take from top to bottom, never two of one rank, except by tryLock):
 *
 *   STRIPE  a part of the hash table, and the items in its buckets
 *   CLASS   free list and LRU lists of a slab class
 *   PAGES   the pool of pages
 *   PREFIX  table of prefix statistics
 *   LOG     watchers, and the reading end of the log rings
 *
 * Eviction goes against the order, from a list (CLASS) to the item's stripe: only by tryLock,
 * giving up on an item whose stripe is busy.
 */
import {
  atomicCompareExchange,
  atomicExchange,
  atomicLoad,
  atomicNotify,
  atomicWait,
} from './atomics.ts';

export const RANK_STRIPE = 1;
export const RANK_CLASS = 2;
export const RANK_PAGES = 3;
export const RANK_PREFIX = 4;
export const RANK_LOG = 5;

const WAITERS = 1 << 30;
const SPINS = 100;
/** A sleeper looks again this often: the holder may have died, and its lock been freed. */
const WAIT_MS = 50;

/** Thrown instead of waiting longer than setLockPatience allows. */
export class LockTimeout extends Error {}

let patienceMs = Number.POSITIVE_INFINITY;

/** How long this thread waits for a lock from now on; Infinity (the default) is for ever. */
export function setLockPatience(ms: number): void {
  patienceMs = ms;
}

/** Locks held by this thread with their ranks; only kept while checking is on. */
const held: { word: number; rank: number }[] = [];
let checking = false;

/** Turns on the check of the lock order in this thread (tests and debug builds). */
export function checkLockOrder(on: boolean): void {
  checking = on;
  held.length = 0;
}

/** How many locks this thread holds; counted only while checking is on. */
export function locksHeld(): number {
  return held.length;
}

/** Takes the lock at this word for the actor, sleeping as long as it must. */
export function lock(i32: Int32Array, word: number, rank: number, actor: number): void {
  if (checking) checkOrder(word, rank);
  if (atomicCompareExchange(i32, word, 0, actor + 1) !== 0) lockContended(i32, word, actor);
  if (checking) held.push({ word, rank });
}

/** Takes the lock if it is free; exempt from the lock order, since it cannot wait. */
export function tryLock(i32: Int32Array, word: number, rank: number, actor: number): boolean {
  if (atomicCompareExchange(i32, word, 0, actor + 1) !== 0) return false;
  if (checking) held.push({ word, rank });
  return true;
}

/** Frees a lock that this thread holds. */
export function unlock(i32: Int32Array, word: number): void {
  if (checking) forget(word);
  if ((atomicExchange(i32, word, 0) & WAITERS) !== 0) atomicNotify(i32, word, 1);
}

/** Which actor holds the lock, or -1. */
export function lockHolder(i32: Int32Array, word: number): number {
  return (atomicLoad(i32, word) & ~WAITERS) - 1;
}

/** Frees a lock on behalf of a dead thread and wakes all that wait for it. */
export function forceUnlock(i32: Int32Array, word: number): void {
  atomicExchange(i32, word, 0);
  atomicNotify(i32, word, Number.POSITIVE_INFINITY);
}

function lockContended(i32: Int32Array, word: number, actor: number): void {
  for (let spin = 0; spin < SPINS; spin++) {
    if (atomicLoad(i32, word) === 0 && atomicCompareExchange(i32, word, 0, actor + 1) === 0) return;
  }
  const giveUpAt = performance.now() + patienceMs;
  // Having slept, we cannot know whether others still do: take the lock with WAITERS set.
  for (;;) {
    const seen = atomicLoad(i32, word);
    if (seen === 0) {
      if (atomicCompareExchange(i32, word, 0, (actor + 1) | WAITERS) === 0) return;
      continue;
    }
    if ((seen & WAITERS) !== 0 || atomicCompareExchange(i32, word, seen, seen | WAITERS) === seen) {
      atomicWait(i32, word, seen | WAITERS, WAIT_MS);
      if (performance.now() > giveUpAt) throw new LockTimeout();
    }
  }
}

function checkOrder(word: number, rank: number): void {
  for (const other of held) {
    if (other.word === word) throw new Error(`lock ${word} taken twice`);
    if (other.rank >= rank) throw new Error(`lock of rank ${rank} taken under rank ${other.rank}`);
  }
}

function forget(word: number): void {
  const index = held.findIndex((entry) => entry.word === word);
  if (index === -1) throw new Error(`lock ${word} freed but not held`);
  held.splice(index, 1);
}
