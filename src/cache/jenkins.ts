/**
 * Bob Jenkins' lookup3 ("hashlittle"), which memcached calls jenkins: three words are mixed with
 * every 12 bytes of the key.
 */
import type { Bytes } from '../memory/bytes.ts';

function rotate(x: number, bits: number): number {
  return (x << bits) | (x >>> (32 - bits));
}

/** The little-endian word at `at`, of which `left` bytes belong to the key; the others count 0. */
function word(bytes: DataView, at: number, left: number): number {
  if (left >= 4) {
    return bytes.getInt32(at, true);
  }
  let value = 0;
  for (let i = 0; i < left; i++) value |= bytes.getUint8(at + i) << (8 * i);
  return value;
}

/** Hash of `length` bytes at `start`, as a signed int32. */
export function jenkins(key: Bytes, start: number, length: number, seed: number): number {
  const { view } = key;
  let a = (0xdeadbeef + length + seed) | 0;
  let b = a;
  let c = a;
  let at = start;
  let left = length;
  if (left === 0) return c;
  for (; left > 12; left -= 12) {
    a = (a + word(view, at, 4)) | 0;
    b = (b + word(view, at + 4, 4)) | 0;
    c = (c + word(view, at + 8, 4)) | 0;
    a = ((a - c) | 0) ^ rotate(c, 4);
    c = (c + b) | 0;
    b = ((b - a) | 0) ^ rotate(a, 6);
    a = (a + c) | 0;
    c = ((c - b) | 0) ^ rotate(b, 8);
    b = (b + a) | 0;
    a = ((a - c) | 0) ^ rotate(c, 16);
    c = (c + b) | 0;
    b = ((b - a) | 0) ^ rotate(a, 19);
    a = (a + c) | 0;
    c = ((c - b) | 0) ^ rotate(b, 4);
    b = (b + a) | 0;
    at += 12;
  }
  a = (a + word(view, at, left)) | 0;
  b = (b + word(view, at + 4, left - 4)) | 0;
  c = (c + word(view, at + 8, left - 8)) | 0;
  c = ((c ^ b) - rotate(b, 14)) | 0;
  a = ((a ^ c) - rotate(c, 11)) | 0;
  b = ((b ^ a) - rotate(a, 25)) | 0;
  c = ((c ^ b) - rotate(b, 16)) | 0;
  a = ((a ^ c) - rotate(c, 4)) | 0;
  b = ((b ^ a) - rotate(a, 14)) | 0;
  return ((c ^ b) - rotate(b, 24)) | 0;
}
