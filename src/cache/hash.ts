/**
 * The key hash, in the algorithm of `-o hash_algorithm`. The tenant is the seed, so that the same
 * key of two tenants lands in different buckets.
 *
 * All threads of a cache must agree, so the choice stands in the shared memory's config, and a
 * thread takes it from there when it opens its hash table. It is a variable of this module and not
 * a parameter: hashKey runs once per key of every request.
 */
import type { Bytes } from '../memory/bytes.ts';
import { jenkins } from './jenkins.ts';
import { murmur3, murmur3Word, murmur3WordEnd } from './murmur3.ts';
import { xxh3 } from './xxh3.ts';

/** Names as memcached has them; MemoryConfig.hashAlgorithm is an index into this list. */
export const HASH_ALGORITHMS: readonly string[] = ['murmur3', 'jenkins', 'xxh3'];

const MURMUR3 = 0;
const JENKINS = 1;

let algorithm = MURMUR3;
let chosen = false;

/**
 * Makes this thread use an algorithm. A thread serves one cache: throws when another one has been
 * chosen before, since the items found so far could not be found again.
 */
export function chooseHash(index: number): void {
  if (chosen && index !== algorithm) {
    throw new Error(`this thread hashes with ${HASH_ALGORITHMS[algorithm]} already`);
  }
  algorithm = index;
  chosen = true;
}

/** Hash of `length` key bytes at `start`, as a signed int32. */
export function hashKey(key: Bytes, start: number, length: number, tenant: number): number {
  if (algorithm === MURMUR3) return murmur3(key, start, length, tenant);
  if (algorithm === JENKINS) return jenkins(key, start, length, tenant);
  return xxh3(key, start, length, tenant);
}

let wordEnd = 0;

/** Where the key ended that hashWord has hashed. */
export function hashedWordEnd(): number {
  return algorithm === MURMUR3 ? murmur3WordEnd() : wordEnd;
}

/**
 * Hash of the key that ends at the first byte not above a space, or at `limit`. With murmur3 one
 * pass does both, which saves half of the time.
 */
export function hashWord(key: Bytes, start: number, limit: number, tenant: number): number {
  if (algorithm === MURMUR3) return murmur3Word(key, start, limit, tenant);
  const { u8 } = key;
  wordEnd = start;
  while (wordEnd < limit && u8[wordEnd] > 0x20) wordEnd++;
  return hashKey(key, start, wordEnd - start, tenant);
}
