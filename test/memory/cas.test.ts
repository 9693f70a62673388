/**
 * Checks that cas ids are unique and increase without a gap over all threads, also where their low
 * half wraps: at 2^31 it turns negative as int32, at 2^32 the high half changes.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { casBefore, casHigh, nextCasLow } from '../../src/memory/cas.ts';
import { HEAD_CAS_LOW } from '../../src/memory/layout.ts';
import { runThreads } from './threads.ts';

const THREADS = 4;
const IDS_PER_THREAD = 20_000;
const TWO_31 = 2 ** 31;
const TWO_32 = 2 ** 32;

/** The words as they are when `last` was the id given out last. */
function wordsAt(last: number): Int32Array<SharedArrayBuffer> {
  const i32 = new Int32Array(new SharedArrayBuffer(256));
  const high = Math.floor(last / TWO_32);
  i32[HEAD_CAS_LOW] = (last % TWO_32) | 0;
  i32[HEAD_CAS_LOW + 1] = last % TWO_32 < TWO_31 ? high : high + 1;
  i32[HEAD_CAS_LOW + 2] = high;
  return i32;
}

function nextId(i32: Int32Array): number {
  const low = nextCasLow(i32);
  return (casHigh(i32, low) >>> 0) * TWO_32 + (low >>> 0);
}

const BORDERS: ReadonlyArray<readonly [string, number]> = [
  ['0', 0],
  ['2^31', TWO_31 - 30_000],
  ['2^32', TWO_32 - 30_000],
  ['3·2^31', 3 * TWO_31 - 30_000],
  ['2^33', 2 * TWO_32 - 30_000],
];

for (const [name, last] of BORDERS) {
  test(`${THREADS} threads around ${name} get every id once, each in rising order`, async () => {
    const i32 = wordsAt(last);
    const taken = Array.from(
      { length: THREADS },
      () => new Float64Array(new SharedArrayBuffer(8 * IDS_PER_THREAD)),
    );
    await runThreads(taken.map((ids) => ({ kind: 'cas' as const, i32, ids })));
    for (const ids of taken) {
      for (let at = 1; at < ids.length; at++) assert.ok(ids[at] > ids[at - 1]);
    }
    const all = Float64Array.from(taken.flatMap((ids) => [...ids])).sort();
    assert.equal(all.length, THREADS * IDS_PER_THREAD);
    for (const [at, id] of all.entries()) assert.equal(id, last + 1 + at);
  });
}

test('one thread walks over all crossings in turn', () => {
  for (let crossing = 1; crossing <= 6; crossing++) {
    const i32 = wordsAt(crossing * TWO_31 - 3);
    for (let step = -2; step <= 3; step++) assert.equal(nextId(i32), crossing * TWO_31 + step);
  }
});

test('a thread that is slow to read its high half gets the right one', () => {
  for (let crossing = 1; crossing <= 4; crossing++) {
    const i32 = wordsAt(crossing * TWO_31 - 2);
    const slow = nextCasLow(i32);
    assert.equal(nextId(i32), crossing * TWO_31);
    assert.equal((casHigh(i32, slow) >>> 0) * TWO_32 + (slow >>> 0), crossing * TWO_31 - 1);
  }
});

test('the middle of each half prepares the next', () => {
  let last = 0;
  const i32 = wordsAt(last);
  for (let quarter = 1; quarter <= 12; quarter++) {
    // Nothing happens between the quarters.
    last = quarter * 2 ** 30 - 2;
    i32[HEAD_CAS_LOW] = (last % TWO_32) | 0;
    for (let step = 1; step <= 4; step++) assert.equal(nextId(i32), last + step);
  }
});

test('casBefore compares as unsigned 64-bit numbers do', () => {
  const half = () =>
    fc.oneof(
      fc.constantFrom(0, 1, 0x7fff_ffff, -0x8000_0000, -1),
      fc.integer({ min: -0x8000_0000, max: 0x7fff_ffff }),
    );
  const big = (high: number, low: number) => (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);
  fc.assert(
    fc.property(half(), half(), half(), half(), (aHigh, aLow, bHigh, bLow) => {
      assert.equal(casBefore(aHigh, aLow, bHigh, bLow), big(aHigh, aLow) < big(bHigh, bLow));
      assert.equal(casBefore(aHigh, aLow, aHigh, aLow), false);
    }),
  );
});
