/** cas ids: unique, increasing, and carried over from half to half, whoever asks. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { casBefore, casHigh, nextCasLow } from '../../src/memory/cas.ts';
import { HEAD_CAS_HIGH_A, HEAD_CAS_HIGH_B, HEAD_CAS_LOW } from '../../src/memory/layout.ts';
import { inThreads } from './threads.ts';

function headAt(low: number, highA = 0, highB = 0): Int32Array {
  const i32 = new Int32Array(new SharedArrayBuffer(4096));
  i32[HEAD_CAS_LOW] = low;
  i32[HEAD_CAS_HIGH_A] = highA;
  i32[HEAD_CAS_HIGH_B] = highB;
  return i32;
}

function next(i32: Int32Array): bigint {
  const low = nextCasLow(i32);
  return (BigInt(casHigh(i32, low) >>> 0) << 32n) | BigInt(low >>> 0);
}

test('ids start at 1 and count up', () => {
  const i32 = headAt(0);
  assert.deepEqual([next(i32), next(i32), next(i32)], [1n, 2n, 3n]);
});

test('ids go on across 2^31, 2^32, 3 * 2^31, and so on', () => {
  const i32 = headAt(0);
  for (let half = 1n; half < 6n; half++) {
    const crossing = half << 31n;
    i32[HEAD_CAS_LOW] = Number(BigInt.asIntN(32, crossing - 3n));
    for (let id = crossing - 2n; id < crossing + 3n; id++) assert.equal(next(i32), id);
  }
});

for (const [name, start, highA] of [
  ['2^31', 2 ** 31 - 15_000, 0],
  ['2^32', -15_000, 1],
] as const) {
  test(`ids of three threads are unique and increasing across ${name}`, async () => {
    const i32 = headAt(start, highA);
    const rounds = 10_000;
    const lists = await inThreads(3, (actor) => ({ task: 'cas', i32, actor, rounds }));
    for (const ids of lists) {
      for (let i = 1; i < ids.length; i++) assert.ok(ids[i - 1] < ids[i]);
    }
    const all = lists.flat().sort((a, b) => (a < b ? -1 : 1));
    const first = BigInt(start >>> 0) + 1n;
    assert.deepEqual([all[0], all.at(-1)], [first, first + 29_999n]);
    assert.equal(new Set(all).size, 30_000);
  });
}

test('casBefore compares 64 unsigned bits', () => {
  const ids = [0n, 1n, 2n ** 31n, 2n ** 32n - 1n, 2n ** 32n, 2n ** 63n, 2n ** 64n - 1n];
  const half = (id: bigint, shift: bigint): number => Number(BigInt.asIntN(32, id >> shift));
  for (const a of ids) {
    for (const b of ids) {
      assert.equal(casBefore(half(a, 32n), half(a, 0n), half(b, 32n), half(b, 0n)), a < b);
    }
  }
});
