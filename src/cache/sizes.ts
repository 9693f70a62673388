/**
 * The histogram of item sizes behind `stats sizes`: items per 32 bytes of size. Off unless asked
 * for (`-o track_sizes`, `stats sizes_enable`), since it costs an atomic addition per link and
 * unlink.
 *
 * When it is switched on in mid-flight, only items with a later cas id are counted, in and out;
 * never those whose id was chosen by a client.
 */
import { atomicAdd } from '../memory/atomics.ts';
import { casBefore, casHigh, nextCasLow } from '../memory/cas.ts';
import {
  at,
  CHUNK_STATE_I32,
  HEAD_SIZES_CAS_HIGH,
  HEAD_SIZES_CAS_LOW,
  HEAD_SIZES_ENABLED,
  ITEM_CAS_HIGH_I32,
  ITEM_CAS_LOW_I32,
  STATE_OWN_CAS,
  wordOf,
} from '../memory/layout.ts';
import type { Memory } from '../memory/memory.ts';
import { SIZES_STEP } from '../memory/stats-layout.ts';
import { itemBytes } from './item.ts';

/** Counts an item in (+1) or out (-1); only while tracking is on. */
export function trackSize(memory: Memory, ref: number, change: number): void {
  const { i32, layout } = memory;
  const word = at(ref);
  if ((i32[word + CHUNK_STATE_I32] & STATE_OWN_CAS) !== 0) return;
  const low = i32[word + ITEM_CAS_LOW_I32];
  const high = i32[word + ITEM_CAS_HIGH_I32];
  if (casBefore(high, low, i32[HEAD_SIZES_CAS_HIGH], i32[HEAD_SIZES_CAS_LOW])) return;
  const bucket = Math.ceil(itemBytes(i32, ref) / SIZES_STEP);
  if (bucket < layout.sizesCount) atomicAdd(i32, wordOf(layout.sizes) + bucket, change);
}

/** Starts tracking from now on, if it is not on yet. */
export function enableSizes(memory: Memory): void {
  const { i32, layout } = memory;
  if (i32[HEAD_SIZES_ENABLED] !== 0) return;
  const start = wordOf(layout.sizes);
  for (let bucket = 0; bucket < layout.sizesCount; bucket++) {
    if (i32[start + bucket] !== 0) i32[start + bucket] = 0;
  }
  const low = nextCasLow(i32);
  i32[HEAD_SIZES_CAS_LOW] = low;
  i32[HEAD_SIZES_CAS_HIGH] = casHigh(i32, low);
  i32[HEAD_SIZES_ENABLED] = 1;
}

export function disableSizes(memory: Memory): void {
  memory.i32[HEAD_SIZES_ENABLED] = 0;
}

/** The histogram as (size, items) pairs, empty buckets left out; null when tracking is off. */
export function sizesHistogram(memory: Memory): [number, number][] | null {
  const { i32, layout } = memory;
  if (i32[HEAD_SIZES_ENABLED] === 0) return null;
  const rows: [number, number][] = [];
  const start = wordOf(layout.sizes);
  for (let bucket = 0; bucket < layout.sizesCount; bucket++) {
    if (i32[start + bucket] !== 0) rows.push([bucket * SIZES_STEP, i32[start + bucket]]);
  }
  return rows;
}
