/**
 * The source of cas ids: 64 bits, strictly increasing over all threads, so that flush_all can say
 * "everything stored before now" and a client can compare.
 */
import { HEAD_CAS_LOW } from './layout.ts';
import { highOf, isBefore, nextLow } from './sequence.ts';

/** Takes the next id: returns its low half (signed); casHigh gives the high half of that id. */
export function nextCasLow(i32: Int32Array): number {
  return nextLow(i32, HEAD_CAS_LOW);
}

/** High half of the id whose low half nextCasLow has just returned. */
export function casHigh(i32: Int32Array, low: number): number {
  return highOf(i32, HEAD_CAS_LOW, low);
}

/** Whether cas a is smaller than cas b, as unsigned numbers. */
export function casBefore(aHigh: number, aLow: number, bHigh: number, bLow: number): boolean {
  return isBefore(aHigh, aLow, bHigh, bLow);
}
