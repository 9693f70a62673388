/**
 * MurmurHash3 (x86, 32 bits), memcached's default hash of keys.
 */

import type { Bytes } from '../memory/bytes.ts';

const C1 = 0xcc9e2d51 | 0;
const C2 = 0x1b873593;

/** Where the word ended that murmur3Word has hashed. */
let wordEnd = 0;

export function murmur3WordEnd(): number {
  return wordEnd;
}

/** Hash of `length` bytes at `start`, as a signed int32. */
export function murmur3(key: Bytes, start: number, length: number, seed: number): number {
  const { u8, view } = key;
  let hash = seed | 0;
  const blocks = start + (length & ~3);
  for (let i = start; i < blocks; i += 4) hash = mix(hash, view.getInt32(i, true));
  const rest = length & 3;
  if (rest !== 0) {
    let k = u8[blocks];
    if (rest > 1) k |= u8[blocks + 1] << 8;
    if (rest > 2) k |= u8[blocks + 2] << 16;
    hash ^= scramble(k);
  }
  return finish(hash, length);
}

/**
 * Hash of the bytes from `start` to the first one that is not above a space, or to `limit`:
 * finds where a key ends and hashes it in one pass. Bytes behind `limit` may be read.
 */
export function murmur3Word(key: Bytes, start: number, limit: number, seed: number): number {
  const { u8, view } = key;
  let hash = seed | 0;
  const last = Math.min(limit, u8.length) - 4;
  let at = start;
  let k = 0;
  for (; at <= last; at += 4) {
    k = view.getInt32(at, true);
    if (((k - 0x21212121) & ~k & 0x80808080) !== 0) break;
    hash = mix(hash, k);
  }
  k = 0;
  let shift = 0;
  while (at < limit && u8[at] > 0x20) {
    k |= u8[at++] << shift;
    shift += 8;
    if (shift === 32) {
      hash = mix(hash, k);
      k = 0;
      shift = 0;
    }
  }
  if (shift !== 0) hash ^= scramble(k);
  wordEnd = at;
  return finish(hash, at - start);
}

function scramble(k: number): number {
  const product = Math.imul(k, C1);
  return Math.imul((product << 15) | (product >>> 17), C2);
}

function mix(hash: number, k: number): number {
  const mixed = hash ^ scramble(k);
  return (Math.imul((mixed << 13) | (mixed >>> 19), 5) + 0xe6546b64) | 0;
}

function finish(hash: number, length: number): number {
  let h = hash ^ length;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}
