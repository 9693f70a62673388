// The bench's key sequences: a skewed or unseeded sequence would make every ratio meaningless
// without anything looking wrong.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { permutation, Random, requestSequence, Zipf } from '../../bench/random.ts';

const UNIFORM = { kind: 'uniform', exponent: 0 } as const;

test('zipf ranks are drawn with frequencies proportional to 1 / rank^s', () => {
  const count = 1000;
  const draws = 400_000;
  for (const exponent of [0.8, 1, 1.2]) {
    const zipf = new Zipf(count, exponent);
    const random = new Random(7);
    const seen = new Float64Array(count);
    for (let i = 0; i < draws; i++) seen[zipf.rank(random.fraction())]++;
    let norm = 0;
    for (let rank = 1; rank <= count; rank++) norm += rank ** -exponent;
    for (const rank of [1, 2, 3, 10, 100]) {
      const expected = (draws * rank ** -exponent) / norm;
      const tolerance = 5 * Math.sqrt(expected);
      assert.ok(
        Math.abs(seen[rank - 1] - expected) < tolerance,
        `s=${exponent} rank ${rank}: ${seen[rank - 1]} draws, expected ${expected.toFixed(0)}`,
      );
    }
  }
});

test('zipf maps the ends of the distribution to the first and the last rank', () => {
  const zipf = new Zipf(10, 1);
  assert.equal(zipf.rank(0), 0);
  assert.equal(zipf.rank(1 - 2 ** -32), 9);
});

test('a permutation holds every number once', () => {
  const order = permutation(5000, new Random(3));
  assert.deepEqual(
    [...order].sort((a, b) => a - b),
    Array.from({ length: 5000 }, (_, i) => i),
  );
  assert.notDeepEqual(
    [...order.subarray(0, 20)],
    Array.from({ length: 20 }, (_, i) => i),
  );
});

test('a request sequence has the share of sets and the keys that were asked for', () => {
  const length = 100_000;
  const sequence = requestSequence(length, 500, UNIFORM, 0.1, new Random(1));
  const keys = new Float64Array(500);
  let sets = 0;
  for (const entry of sequence) {
    if (entry < 0) sets++;
    keys[entry < 0 ? ~entry : entry]++;
  }
  assert.ok(Math.abs(sets - 10_000) < 5 * Math.sqrt(9000), `${sets} sets`);
  for (const seen of keys) assert.ok(Math.abs(seen - 200) < 6 * Math.sqrt(200), `${seen} draws`);
});

test('the same seed gives the same sequence, another seed another', () => {
  const make = (seed: number): Int32Array =>
    requestSequence(1000, 100, { kind: 'zipf', exponent: 1 }, 0.5, new Random(seed));
  assert.deepEqual(make(1), make(1));
  assert.notDeepEqual(make(1), make(2));
});

test('the popular keys of a zipf sequence are not the first keys', () => {
  const zipf = { kind: 'zipf', exponent: 1 } as const;
  const sequence = requestSequence(50_000, 1000, zipf, 0, new Random(9));
  const seen = new Float64Array(1000);
  for (const key of sequence) seen[key]++;
  const popular = [...seen.keys()].sort((a, b) => seen[b] - seen[a]).slice(0, 5);
  assert.notDeepEqual(popular, [0, 1, 2, 3, 4]);
});
