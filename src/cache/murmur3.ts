/**
 * MurmurHash3 (x86, 32 bits), memcached's default hash of keys.
 */

import type { Bytes } from '../memory/bytes.ts';

const C1 = 0xcc9e2d51 | 0;
const C2 = 0x1b873593;

/** Hash of `length` bytes at `start`, as a signed int32. */
export function murmur3(key: Bytes, start: number, length: number, seed: number): number {
  const { u8, view } = key;
  let hash = seed | 0;
  const blocks = start + (length & ~3);
  let k = 0;
  for (let i = start; i < blocks; i += 4) {
    k = view.getInt32(i, true);
    k = Math.imul(k, C1);
    k = (k << 15) | (k >>> 17);
    hash ^= Math.imul(k, C2);
    hash = (hash << 13) | (hash >>> 19);
    hash = (Math.imul(hash, 5) + 0xe6546b64) | 0;
  }
  const rest = length & 3;
  if (rest !== 0) {
    k = u8[blocks];
    if (rest > 1) k |= u8[blocks + 1] << 8;
    if (rest > 2) k |= u8[blocks + 2] << 16;
    k = Math.imul(k, C1);
    k = (k << 15) | (k >>> 17);
    hash ^= Math.imul(k, C2);
  }
  hash ^= length;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}
