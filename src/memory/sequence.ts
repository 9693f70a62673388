/**
 * Numbers of 64 bits that strictly increase over all threads.
 *
 * A sequence is three words of shared memory. The low half is an atomic counter. The high half
 * cannot change in the same step, so there are two words for it, used in turn: one while the low
 * half is below 2^31, the other above. Whoever comes through the middle of one half writes the word
 * of the other: 2^30 numbers before it is needed, and 2^30 after the last one that it belonged to,
 * which a slow thread may still be about to read.
 */
import { atomicAdd } from './atomics.ts';

/** Half-way from 0 to 2^31, and from 2^31 to 2^32, as int32. */
const MIDDLE_BELOW = 0x4000_0000;
const MIDDLE_ABOVE = -0x4000_0000;

/** Takes the next number of the sequence at this word: returns its low half (signed). */
export function nextLow(i32: Int32Array, word: number): number {
  const low = (atomicAdd(i32, word, 1) + 1) | 0;
  if (low === MIDDLE_BELOW) i32[word + 2] = i32[word + 1];
  else if (low === MIDDLE_ABOVE) i32[word + 1] = (i32[word + 2] + 1) | 0;
  return low;
}

/** High half of the number whose low half nextLow has just returned. */
export function highOf(i32: Int32Array, word: number, low: number): number {
  return low >= 0 ? i32[word + 1] : i32[word + 2];
}

/** Whether number a is smaller than b, unsigned. */
export function isBefore(aHigh: number, aLow: number, bHigh: number, bLow: number): boolean {
  if (aHigh !== bHigh) return aHigh >>> 0 < bHigh >>> 0;
  return aLow >>> 0 < bLow >>> 0;
}
