/** The mutex: exclusion between real threads, its order, and what frees the locks of the dead. */
import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
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
import { inThreads, startThread } from './threads.ts';

const COUNTER = 8;
const words = (): Int32Array => new Int32Array(new SharedArrayBuffer(64));

afterEach(() => checkLockOrder(false));

test('threads that take the lock exclude each other', async () => {
  const i32 = words();
  const rounds = 40_000;
  await inThreads(3, (actor) => ({ task: 'count', i32, actor, rounds }));
  assert.equal(i32[COUNTER], 3 * rounds);
  assert.equal(lockHolder(i32, 0), -1);
});

test('the same threads without the lock lose counts: the test above can fail', async () => {
  for (let tries = 0; tries < 20; tries++) {
    const i32 = words();
    await inThreads(3, (actor) => ({ task: 'countUnlocked', i32, actor, rounds: 200_000 }));
    if (i32[COUNTER] < 600_000) return;
  }
  assert.fail('an unlocked counter lost nothing in 20 tries');
});

test('the lock word names its holder', () => {
  const i32 = words();
  lock(i32, 0, RANK_STRIPE, 5);
  assert.equal(lockHolder(i32, 0), 5);
  assert.equal(tryLock(i32, 0, RANK_STRIPE, 6), false);
  unlock(i32, 0);
  assert.equal(lockHolder(i32, 0), -1);
  assert.equal(tryLock(i32, 0, RANK_STRIPE, 6), true);
  assert.equal(lockHolder(i32, 0), 6);
});

test('with the check on, locks against the order throw, except by tryLock', () => {
  const i32 = words();
  checkLockOrder(true);
  lock(i32, 1, RANK_CLASS, 2);
  assert.throws(() => lock(i32, 0, RANK_STRIPE, 2), /rank 1 taken under rank 2/);
  assert.throws(() => lock(i32, 2, RANK_CLASS, 2), /rank 2 taken under rank 2/);
  assert.throws(() => lock(i32, 1, RANK_PAGES, 2), /lock 1 taken twice/);
  assert.throws(() => unlock(i32, 3), /lock 3 freed but not held/);
  assert.equal(tryLock(i32, 0, RANK_STRIPE, 2), true);
  lock(i32, 4, RANK_PAGES, 2);
  assert.equal(locksHeld(), 3);
  for (const word of [4, 0, 1]) unlock(i32, word);
  assert.equal(locksHeld(), 0);
});

test('forceUnlock frees the lock of a dead thread and wakes all that wait', async () => {
  const i32 = words();
  lock(i32, 0, RANK_STRIPE, 9);
  const waiting = [2, 3].map((actor) => startThread({ task: 'count', i32, actor, rounds: 100 }));
  // They are asleep, or about to be, once one of them has marked the word.
  while (Atomics.load(i32, 0) === 10) await new Promise((resolve) => setTimeout(resolve, 1));
  assert.equal(lockHolder(i32, 0), 9);
  forceUnlock(i32, 0);
  await Promise.all(waiting);
  assert.equal(i32[COUNTER], 200);
});
