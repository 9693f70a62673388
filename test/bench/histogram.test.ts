// The latency histogram against percentiles of the sorted durations.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Histogram } from '../../bench/histogram.ts';
import { Random } from '../../bench/random.ts';

function exactPercentile(sorted: readonly number[], share: number): number {
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
}

test('percentiles are within one part in 64 of the exact ones, never below', () => {
  const random = new Random(5);
  const histogram = new Histogram();
  const durations: number[] = [];
  for (let i = 0; i < 50_000; i++) {
    const ms = 0.0001 * 10 ** (random.fraction() * 8);
    durations.push(ms);
    histogram.record(ms);
  }
  durations.sort((a, b) => a - b);
  for (const share of [0, 0.01, 0.5, 0.9, 0.99, 0.999, 1]) {
    const exact = exactPercentile(durations, share);
    const found = histogram.percentileMs(share);
    // A duration is cut to a whole number of 0.1 µs first.
    assert.ok(found >= exact - 0.0001, `${share}: ${found} is below ${exact}`);
    assert.ok(found <= exact * (1 + 1 / 64) + 0.0001, `${share}: ${found} is above ${exact}`);
  }
  assert.equal(histogram.total, 50_000);
});

test('short durations are exact to 0.1 µs', () => {
  for (let units = 0; units < 128; units++) {
    const histogram = new Histogram();
    histogram.record((units + 0.5) / 10_000);
    assert.equal(histogram.percentileMs(1), units / 10_000);
  }
});

test('the longest duration is exact, also beyond the range of a bucket', () => {
  const histogram = new Histogram();
  histogram.record(1);
  histogram.record(1234.5678);
  assert.equal(histogram.maxMs, 1234.5678);
  assert.equal(histogram.percentileMs(1), 1234.5678);
  histogram.record(1e12);
  assert.equal(histogram.maxMs, 0x7fffffff / 10_000);
});

test('an empty histogram and one that was reset answer 0', () => {
  const histogram = new Histogram();
  assert.equal(histogram.percentileMs(0.5), 0);
  histogram.record(5);
  histogram.reset();
  assert.equal(histogram.percentileMs(0.5), 0);
  assert.equal(histogram.maxMs, 0);
  assert.equal(histogram.total, 0);
});
