/**
 * The source of cas ids: 64 bits, strictly increasing over all threads, so that flush_all can say
 * "everything stored before now" and a client can compare.
 *
 * The low half is an atomic counter. The high half cannot change in the same step, so there are two
 * words for it, used in turn: one while the low half is below 2^31, the other above. Whoever comes
 * through the middle of one half writes the word of the other: 2^30 ids before it is needed, and
 * 2^30 ids after the last one that it belonged to, which a slow thread may still be about to read.
 */
import { atomicAdd } from './atomics.ts';
import { HEAD_CAS_HIGH_A, HEAD_CAS_HIGH_B, HEAD_CAS_LOW } from './layout.ts';

/** Half-way from 0 to 2^31, and from 2^31 to 2^32, as int32. */
const MIDDLE_BELOW = 0x4000_0000;
const MIDDLE_ABOVE = -0x4000_0000;

/** Takes the next id: returns its low half (signed); casHigh gives the high half of that id. */
export function nextCasLow(i32: Int32Array): number {
  const low = (atomicAdd(i32, HEAD_CAS_LOW, 1) + 1) | 0;
  if (low === MIDDLE_BELOW) i32[HEAD_CAS_HIGH_B] = i32[HEAD_CAS_HIGH_A];
  else if (low === MIDDLE_ABOVE) i32[HEAD_CAS_HIGH_A] = (i32[HEAD_CAS_HIGH_B] + 1) | 0;
  return low;
}

/** High half of the id whose low half nextCasLow has just returned. */
export function casHigh(i32: Int32Array, low: number): number {
  return low >= 0 ? i32[HEAD_CAS_HIGH_A] : i32[HEAD_CAS_HIGH_B];
}

/** Whether cas a is smaller than cas b, as unsigned 64-bit numbers. */
export function casBefore(aHigh: number, aLow: number, bHigh: number, bLow: number): boolean {
  if (aHigh !== bHigh) return aHigh >>> 0 < bHigh >>> 0;
  return aLow >>> 0 < bLow >>> 0;
}
