// The pace of a copy: never faster than asked for, whatever the clock does between the steps.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Pace } from '../../src/tools/pace.ts';

/** Moves items at a pace on a clock of its own; each step takes some time by itself. */
function run(pace: Pace, steps: readonly { items: number; bytes: number; tookMs: number }[]) {
  let now = 1000;
  for (const { items, bytes, tookMs } of steps) {
    now += tookMs;
    now += Math.max(0, pace.waitAfter(items, bytes, now));
  }
  return now - 1000;
}

const step = fc.record({
  items: fc.integer({ min: 1, max: 100 }),
  bytes: fc.integer({ min: 1, max: 100_000 }),
  tookMs: fc.integer({ min: 0, max: 300 }),
});

test('neither items nor bytes pass their bound', () => {
  fc.assert(
    fc.property(
      fc.array(step, { minLength: 1, maxLength: 50 }),
      fc.integer({ min: 1, max: 10_000 }),
      fc.integer({ min: 1000, max: 10_000_000 }),
      (steps, items, bytes) => {
        const took = run(new Pace(items, bytes), steps);
        const sum = (name: 'items' | 'bytes') => steps.reduce((all, s) => all + s[name], 0);
        // A tenth of a second may be made up for.
        assert.ok(sum('items') <= (items * (took + 101)) / 1000);
        assert.ok(sum('bytes') <= (bytes * (took + 101)) / 1000);
      },
    ),
  );
});

test('0 is no bound', () => {
  const pace = new Pace(0, 0);
  assert.equal(run(pace, [{ items: 1e9, bytes: 1e12, tookMs: 0 }]), 0);
  assert.equal(pace.itemsPerRound, 100);
});

test('a low rate takes few items at a time', () => {
  assert.equal(new Pace(1, 0).itemsPerRound, 1);
  assert.equal(new Pace(250, 0).itemsPerRound, 25);
  assert.equal(new Pace(20_000, 0).itemsPerRound, 100);
});
