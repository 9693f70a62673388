/**
 * Reading and writing the fields of an item header. All functions take a ref; the layout of the
 * header is drawn in memory/layout.ts.
 */

import { MEMCACHED_HEADER_BYTES } from '../memory/classes.ts';
import {
  at,
  CHUNK_CLASS_I32,
  CHUNK_STATE_I32,
  HEAD_CLOCK,
  ITEM_CAS_HIGH_I32,
  ITEM_CAS_LOW_I32,
  ITEM_HASH_NEXT_I32,
  ITEM_HEADER_BYTES,
  ITEM_TIME_I32,
  ITEM_VALUE_BYTES_I32,
  LRU_COUNT,
  STATE_CFLAGS,
  STATE_KEY_BINARY,
  STATE_LARGE,
  STATE_OWN_CAS,
  STATE_REF_SHIFT,
} from '../memory/layout.ts';

/** Longest key, in bytes (protocol.txt). */
export const KEY_BYTES_MAX = 250;

/** Space, line feed and NUL: where tokens.ts and the engine end a word or a line. */
const ENDS_WORD = new Uint8Array(256);
for (const byte of [0x20, 0x0a, 0]) ENDS_WORD[byte] = 1;

/** What a cas id takes in memcached, if items have any. */
export const CAS_BYTES = 8;
const CRLF_BYTES = 2;

/**
 * What memcached would need for an item of this size, cas and line end included: the number that
 * `-I` limits, so that the same items are refused.
 */
export function memcachedItemBytes(keyBytes: number, flags: number, valueBytes: number): number {
  const suffix = flags === 0 ? 0 : 4;
  return MEMCACHED_HEADER_BYTES + CAS_BYTES + keyBytes + 1 + suffix + valueBytes + CRLF_BYTES;
}

/** What an item takes with us: header, client flags, key and value. */
export function itemBytesFor(keyBytes: number, flags: number, valueBytes: number): number {
  return ITEM_HEADER_BYTES + (flags === 0 ? 0 : 4) + keyBytes + valueBytes;
}

/** Bytes of an item as counted in `stats` (bytes, mem_requested). */
export function itemBytes(i32: Int32Array, ref: number): number {
  const word = at(ref);
  return (
    ITEM_HEADER_BYTES +
    suffixBytes(i32[word]) +
    ((i32[word + CHUNK_CLASS_I32] >>> 8) & 0xff) +
    i32[word + ITEM_VALUE_BYTES_I32]
  );
}

/** Bytes between header and key: client flags, and the first data chunk of a large item. */
function suffixBytes(state: number): number {
  return ((state & STATE_CFLAGS) === 0 ? 0 : 4) + ((state & STATE_LARGE) === 0 ? 0 : 4);
}

/** References held on a linked item besides its being linked. */
export function refcountOf(i32: Int32Array, ref: number): number {
  return i32[at(ref) + CHUNK_STATE_I32] >>> STATE_REF_SHIFT;
}

/** Slab class of the item's own chunk. */
export function chunkClassOf(i32: Int32Array, ref: number): number {
  return i32[at(ref) + CHUNK_CLASS_I32] & 63;
}

/** LRU_HOT, LRU_WARM, LRU_COLD or LRU_TEMP. */
export function lruOf(i32: Int32Array, ref: number): number {
  return (i32[at(ref) + CHUNK_CLASS_I32] >>> 6) & (LRU_COUNT - 1);
}

export function setLru(i32: Int32Array, ref: number, lru: number): void {
  const word = at(ref) + CHUNK_CLASS_I32;
  i32[word] = (i32[word] & ~0xc0) | (lru << 6);
}

export function keyBytesOf(i32: Int32Array, ref: number): number {
  return (i32[at(ref) + CHUNK_CLASS_I32] >>> 8) & 0xff;
}

export function tenantOf(i32: Int32Array, ref: number): number {
  return i32[at(ref) + CHUNK_CLASS_I32] >>> 16;
}

/** The upper 24 bits of the class word, by which a look-up rejects most items in one comparison. */
export function identityOf(tenant: number, keyBytes: number): number {
  return keyBytes | (tenant << 8);
}

/** Packs class, list, key length and tenant into the class word. */
export function classWordOf(
  chunkClass: number,
  lru: number,
  keyBytes: number,
  tenant: number,
): number {
  return chunkClass | (lru << 6) | (keyBytes << 8) | (tenant << 16);
}

/** Byte offset of the key in the buffer. */
export function keyAt(i32: Int32Array, ref: number): number {
  return (ref >>> 0) * 8 + ITEM_HEADER_BYTES + suffixBytes(i32[at(ref)]);
}

/** Byte offset of the value of an item that is not large. */
export function valueAt(i32: Int32Array, ref: number): number {
  return keyAt(i32, ref) + keyBytesOf(i32, ref);
}

export function valueBytesOf(i32: Int32Array, ref: number): number {
  return i32[at(ref) + ITEM_VALUE_BYTES_I32];
}

/** Seconds since the item was last used; the time of one with a chosen cas id may be ahead. */
export function idleSecondsOf(i32: Int32Array, ref: number): number {
  return Math.max(0, i32[HEAD_CLOCK] - i32[at(ref) + ITEM_TIME_I32]);
}

/** Client flags as unsigned 32 bits. */
export function clientFlagsOf(i32: Int32Array, ref: number): number {
  const word = at(ref);
  if ((i32[word] & STATE_CFLAGS) === 0) return 0;
  return i32[word + ITEM_HEADER_BYTES / 4] >>> 0;
}

export function setClientFlags(i32: Int32Array, ref: number, flags: number): void {
  i32[at(ref) + ITEM_HEADER_BYTES / 4] = flags | 0;
}

/** Word that holds the first data chunk of a large item. */
export function firstDataWord(i32: Int32Array, ref: number): number {
  const word = at(ref);
  return word + ITEM_HEADER_BYTES / 4 + ((i32[word] & STATE_CFLAGS) === 0 ? 0 : 1);
}

export function isLarge(i32: Int32Array, ref: number): boolean {
  return (i32[at(ref)] & STATE_LARGE) !== 0;
}

export function setCas(i32: Int32Array, ref: number, high: number, low: number): void {
  const word = at(ref);
  i32[word + ITEM_CAS_LOW_I32] = low;
  i32[word + ITEM_CAS_HIGH_I32] = high;
}

/** Gives an item a cas id of a client's choice, which linking it keeps. */
export function setOwnCas(i32: Int32Array, ref: number, high: number, low: number): void {
  i32[at(ref) + CHUNK_STATE_I32] |= STATE_OWN_CAS;
  setCas(i32, ref, high, low);
}

/** Whether the key came in base64, and may hold any bytes. */
export function isKeyBinary(i32: Int32Array, ref: number): boolean {
  return (i32[at(ref) + CHUNK_STATE_I32] & STATE_KEY_BINARY) !== 0;
}

/**
 * Whether the key may not stand on a line as it is: it came in base64, or by the binary protocol
 * with a byte that would end the word or the line, so that no text command could name it.
 */
export function isKeyUnfit(i32: Int32Array, u8: Uint8Array, ref: number): boolean {
  if (isKeyBinary(i32, ref)) return true;
  const start = keyAt(i32, ref);
  const end = start + keyBytesOf(i32, ref);
  for (let i = start; i < end; i++) if (ENDS_WORD[u8[i]] !== 0) return true;
  return false;
}

/** Whether this is the item's cas id. */
export function casIs(i32: Int32Array, ref: number, high: number, low: number): boolean {
  const word = at(ref);
  return i32[word + ITEM_CAS_LOW_I32] === (low | 0) && i32[word + ITEM_CAS_HIGH_I32] === (high | 0);
}

/** While an item is unlinked its hash chain word names its owner. */
export function setOwner(i32: Int32Array, ref: number, actor: number): void {
  i32[at(ref) + ITEM_HASH_NEXT_I32] = actor + 1;
}
