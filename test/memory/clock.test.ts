/** Checks the clock and how it reads a client's exptime, at the borders between its meanings. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { clockStarted, realtime, startClock, tickClock } from '../../src/memory/clock.ts';
import { HEAD_CLOCK } from '../../src/memory/layout.ts';
import { makeMemory } from '../support/cache.ts';

/** The longest time that counts from now on. */
const DAYS_30 = 30 * 24 * 60 * 60;
const START_MS = 1_700_000_000_750;
const SECOND_ZERO = 1_700_000_000 - 62;
const memory = makeMemory({ memoryLimit: 1024 * 1024, memoryMax: 1024 * 1024 });

function startAt(elapsedMs: number): void {
  startClock(memory, START_MS);
  tickClock(memory, elapsedMs);
}

test('second 0 is 62 seconds before the start, in whole seconds', () => {
  startClock(memory, START_MS);
  assert.equal(memory.i32[HEAD_CLOCK], 62);
  assert.equal(clockStarted(memory), SECOND_ZERO);
});

test('the clock counts whole seconds that have passed', () => {
  for (const [elapsedMs, second] of [
    [0, 62],
    [999, 62],
    [1000, 63],
    [3_600_500, 3662],
  ]) {
    startAt(elapsedMs);
    assert.equal(memory.i32[HEAD_CLOCK], second);
  }
  assert.equal(clockStarted(memory), SECOND_ZERO);
});

// A clock that shows 100; the last second that is over is 99.
const EXPTIMES: ReadonlyArray<readonly [string, number, number]> = [
  ['0 is never', 0, 0],
  ['-1 is over', -1, 1],
  ['the smallest int32 is over', -(2 ** 31), 1],
  ['1 is the next second', 1, 101],
  ['30 days are from now', DAYS_30, 100 + DAYS_30],
  ['a second more is in January 1970', DAYS_30 + 1, 1],
  ['second 0 itself is over', SECOND_ZERO, 1],
  ['the second after it is second 1', SECOND_ZERO + 1, 1],
  ['a moment just past', SECOND_ZERO + 99, 99],
  ['now', SECOND_ZERO + 100, 100],
  ['a moment to come', SECOND_ZERO + 5000, 5000],
  ['the largest int32', 2 ** 31 - 1, 2 ** 31 - 1 - SECOND_ZERO],
];

for (const [name, exptime, second] of EXPTIMES) {
  test(`exptime: ${name}`, () => {
    startAt(38_000);
    assert.equal(realtime(memory, exptime), second);
  });
}

test('any exptime becomes a second that an item can hold, and only 0 becomes 0', () => {
  const elapsed = fc.integer({ min: 0, max: 10 * 365 * 86_400 });
  const exptime = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
  fc.assert(
    fc.property(elapsed, exptime, (seconds, wanted) => {
      startAt(seconds * 1000);
      const second = realtime(memory, wanted);
      assert.equal(second, second | 0);
      assert.ok(second >= 0);
      assert.equal(second === 0, wanted === 0);
    }),
  );
});
