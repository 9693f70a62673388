/**
 * Checks the mutex: it excludes, says who holds it, wakes sleepers, can be freed for the dead, and
 * with checking on refuses what could end in a deadlock.
 */
import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { setAtomicsHook } from '../../src/memory/atomics.ts';
import {
  checkLockOrder,
  forceUnlock,
  lock,
  lockHolder,
  locksHeld,
  RANK_CLASS,
  RANK_PAGES,
  RANK_STRIPE,
  tryLock,
  unlock,
} from '../../src/memory/lock.ts';
import type { CountTask } from './contender.ts';
import { runThreads } from './threads.ts';

const LOCK = 0;
const OTHER_LOCK = 16;
const COUNTER = 32;
const INSIDE = 33;
const THREADS = 4;
const ROUNDS = 20_000;

const words = (): Int32Array<SharedArrayBuffer> => new Int32Array(new SharedArrayBuffer(256));

afterEach(() => {
  checkLockOrder(false);
  setAtomicsHook(null);
});

const counting = (
  i32: Int32Array<SharedArrayBuffer>,
  actor: number,
  rounds: number,
): CountTask => ({
  kind: 'count',
  i32,
  actor,
  lockWord: LOCK,
  counterWord: COUNTER,
  insideWord: INSIDE,
  rounds,
});

/** The synchronising accesses that a step makes. */
function accesses(step: () => void): string[] {
  const seen: string[] = [];
  setAtomicsHook((operation) => seen.push(operation));
  step();
  setAtomicsHook(null);
  return seen;
}

/** Waits until a thread is asleep on the lock, or about to be. */
async function untilContended(i32: Int32Array): Promise<void> {
  const uncontended = Atomics.load(i32, LOCK);
  while (Atomics.load(i32, LOCK) === uncontended) await pause(1);
}

test('threads that add to a plain word under the lock lose nothing and are alone', async () => {
  const i32 = words();
  const tasks = Array.from({ length: THREADS }, (_, actor) => counting(i32, actor, ROUNDS));
  const intruders = await runThreads(tasks);
  assert.deepEqual(intruders, Array(THREADS).fill(0));
  assert.equal(i32[COUNTER], THREADS * ROUNDS);
  assert.equal(i32[LOCK], 0);
});

test('the holder is in the word, for every actor', () => {
  const i32 = words();
  assert.equal(lockHolder(i32, LOCK), -1);
  for (const actor of [0, 1, 2, 65]) {
    lock(i32, LOCK, RANK_CLASS, actor);
    assert.equal(lockHolder(i32, LOCK), actor);
    unlock(i32, LOCK);
    assert.equal(lockHolder(i32, LOCK), -1);
  }
});

test('the holder can be told while others wait, and unlocking lets them in', async () => {
  const i32 = words();
  lock(i32, LOCK, RANK_CLASS, 7);
  const waiting = runThreads([counting(i32, 1, 1)]);
  await untilContended(i32);
  assert.equal(lockHolder(i32, LOCK), 7);
  assert.equal(i32[COUNTER], 0);
  assert.deepEqual(
    accesses(() => unlock(i32, LOCK)),
    ['exchange', 'notify'],
  );
  assert.deepEqual(await waiting, [0]);
  assert.equal(i32[COUNTER], 1);
});

test('nobody is woken when nobody waits', () => {
  const i32 = words();
  lock(i32, LOCK, RANK_CLASS, 1);
  assert.deepEqual(
    accesses(() => unlock(i32, LOCK)),
    ['exchange'],
  );
});

test('the lock of a dead holder can be freed, and all that wait for it go on', async () => {
  const i32 = words();
  lock(i32, LOCK, RANK_CLASS, 7);
  const waiting = runThreads([counting(i32, 1, 1), counting(i32, 2, 1)]);
  await untilContended(i32);
  assert.deepEqual(
    accesses(() => forceUnlock(i32, LOCK)),
    ['exchange', 'notify'],
  );
  assert.deepEqual(await waiting, [0, 0]);
  assert.equal(i32[COUNTER], 2);
  assert.equal(lockHolder(i32, LOCK), -1);
});

test('tryLock takes a free lock and leaves a held one as it is', () => {
  const i32 = words();
  assert.equal(tryLock(i32, LOCK, RANK_STRIPE, 1), true);
  assert.equal(tryLock(i32, LOCK, RANK_STRIPE, 2), false);
  assert.equal(lockHolder(i32, LOCK), 1);
  unlock(i32, LOCK);
  assert.equal(tryLock(i32, LOCK, RANK_STRIPE, 2), true);
});

test('locks may be taken from lower to higher rank only', () => {
  const i32 = words();
  checkLockOrder(true);
  lock(i32, LOCK, RANK_CLASS, 1);
  assert.throws(() => lock(i32, OTHER_LOCK, RANK_STRIPE, 1), /rank 1 taken under rank 2/);
  assert.throws(() => lock(i32, OTHER_LOCK, RANK_CLASS, 1), /rank 2 taken under rank 2/);
  assert.equal(lockHolder(i32, OTHER_LOCK), -1);
  lock(i32, OTHER_LOCK, RANK_PAGES, 1);
  assert.equal(locksHeld(), 2);
  unlock(i32, OTHER_LOCK);
  unlock(i32, LOCK);
  assert.equal(locksHeld(), 0);
});

test('tryLock may go against the order, but counts', () => {
  const i32 = words();
  checkLockOrder(true);
  lock(i32, LOCK, RANK_CLASS, 1);
  assert.equal(tryLock(i32, OTHER_LOCK, RANK_STRIPE, 1), true);
  assert.equal(locksHeld(), 2);
});

test('taking a lock twice and freeing one that is not held are told', () => {
  const i32 = words();
  checkLockOrder(true);
  assert.throws(() => unlock(i32, LOCK), /not held/);
  lock(i32, LOCK, RANK_CLASS, 1);
  assert.throws(() => lock(i32, LOCK, RANK_PAGES, 1), /taken twice/);
});
