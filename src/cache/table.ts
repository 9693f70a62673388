/**
 * The hash table: chains of items, bucket by bucket, each stripe of buckets under its own lock.
 *
 * It grows in place. A table of 2^p buckets is the first half of one of 2^(p+1), and the items of
 * bucket b go to b or b + 2^p. Both belong to the same stripe, since a stripe is chosen by the
 * lowest bits of the hash; so the table expands stripe by stripe, each holding its own mask, and a
 * request waits for one stripe at most.
 */
import { type Bytes, equalBytes } from '../memory/bytes.ts';
import {
  ACTOR_BYTES,
  at,
  CHUNK_CLASS_I32,
  HEAD_HASH_EXPANDING,
  HEAD_HASH_POWER,
  ITEM_HASH_NEXT_I32,
  ITEM_VALUE_BYTES_I32,
  JOURNAL_LINK_I32,
  STRIPE_BYTES,
  STRIPE_MASK_I32,
  wordOf,
} from '../memory/layout.ts';
import { lock, RANK_STRIPE, tryLock, unlock } from '../memory/lock.ts';
import type { Memory } from '../memory/memory.ts';
import { chooseHash, hashKey } from './hash.ts';
import { identityOf, keyAt, keyBytesOf, tenantOf } from './item.ts';

/** How many look-ups can be prepared at once. */
export const TOUCH_MAX = 16;
/** Words that come into the processor's caches together. */
const LINE_WORDS = 16;

/** One thread's access to the hash table. */
export class Table {
  readonly memory: Memory;
  private readonly actor: number;
  private readonly i32: Int32Array;
  private readonly bytes: Bytes;
  private readonly buckets: number;
  private readonly stripes: number;
  private readonly stripeMask: number;
  /** What touch has read. */
  private readonly touched = new Int32Array(TOUCH_MAX);

  constructor(memory: Memory, actor: number) {
    this.memory = memory;
    this.actor = actor;
    this.i32 = memory.i32;
    this.bytes = memory.bytes;
    this.buckets = wordOf(memory.layout.hashTable);
    this.stripes = wordOf(memory.layout.stripes);
    this.stripeMask = memory.layout.stripeCount - 1;
    chooseHash(memory.config.hashAlgorithm);
  }

  /** The word of the lock that covers this hash. */
  stripeWord(hash: number): number {
    return this.stripes + (hash & this.stripeMask) * (STRIPE_BYTES / 4);
  }

  lockStripe(hash: number): void {
    lock(this.i32, this.stripeWord(hash), RANK_STRIPE, this.actor);
  }

  tryLockStripe(hash: number): boolean {
    return tryLock(this.i32, this.stripeWord(hash), RANK_STRIPE, this.actor);
  }

  unlockStripe(hash: number): void {
    unlock(this.i32, this.stripeWord(hash));
  }

  /** Hash of an item's own key. */
  hashOf(ref: number): number {
    const { i32 } = this;
    return hashKey(this.bytes, keyAt(i32, ref), keyBytesOf(i32, ref), tenantOf(i32, ref));
  }

  /** The item with this key, or 0. The caller holds the stripe. */
  doFind(hash: number, tenant: number, key: Bytes, start: number, length: number): number {
    const { i32, bytes } = this;
    const identity = identityOf(tenant, length);
    let ref = i32[this.bucketWord(hash)];
    while (ref !== 0) {
      const word = at(ref);
      if (
        i32[word + CHUNK_CLASS_I32] >>> 8 === identity &&
        equalBytes(bytes, keyAt(i32, ref), key, start, length)
      ) {
        return ref;
      }
      ref = i32[word + ITEM_HASH_NEXT_I32];
    }
    return 0;
  }

  /**
   * Reads what look-ups of these hashes will read, all at once, so that they do not wait for it one
   * after another. Without locks: nothing is made of what is read, and a reference in a bucket
   * leads to a chunk whether or not it is the item's any more.
   */
  touch(hashes: Int32Array, count: number): void {
    const { i32, touched } = this;
    for (let i = 0; i < count; i++) touched[i] = i32[this.bucketWord(hashes[i])];
    let sum = 0;
    for (let i = 0; i < count; i++) {
      const word = at(touched[i]);
      sum ^= i32[word] ^ i32[word + LINE_WORDS];
    }
    // The one may not be the item, but the next in its chain; and a value may be longer.
    for (let i = 0; i < count; i++) {
      const word = at(touched[i]);
      sum ^= i32[at(i32[word + ITEM_HASH_NEXT_I32])];
      const bytes = i32[word + ITEM_VALUE_BYTES_I32];
      if (bytes > 64) sum ^= i32[word + 2 * LINE_WORDS];
      if (bytes > 128) sum ^= i32[word + 3 * LINE_WORDS];
    }
    touched[0] = sum;
  }

  /** Puts an item into its bucket. The caller holds the stripe. */
  doInsert(hash: number, ref: number): void {
    const { i32 } = this;
    const bucket = this.bucketWord(hash);
    i32[at(ref) + ITEM_HASH_NEXT_I32] = i32[bucket];
    i32[bucket] = ref;
  }

  /**
   * Puts an item in the place of another. One store: a reader of the chain finds one of the two.
   */
  doReplace(hash: number, old: number, ref: number): void {
    const { i32 } = this;
    const word = this.predecessorWord(hash, old);
    i32[at(ref) + ITEM_HASH_NEXT_I32] = i32[at(old) + ITEM_HASH_NEXT_I32];
    if (word !== -1) i32[word] = ref;
  }

  /** Takes an item out of its bucket; false when it was not there. The caller holds the stripe. */
  doRemove(hash: number, ref: number): boolean {
    const word = this.predecessorWord(hash, ref);
    if (word === -1) return false;
    this.i32[word] = this.i32[at(ref) + ITEM_HASH_NEXT_I32];
    return true;
  }

  /** Whether the item is in its bucket. The caller holds the stripe. */
  doContains(hash: number, ref: number): boolean {
    return this.predecessorWord(hash, ref) !== -1;
  }

  /** How many buckets a stripe has: a power of 2, which only grows. The caller holds it. */
  bucketCount(stripe: number): number {
    const mask = this.i32[this.stripes + stripe * (STRIPE_BYTES / 4) + STRIPE_MASK_I32];
    return (mask + 1) / (this.stripeMask + 1);
  }

  /** The first item of the nth bucket of a stripe, or 0. The caller holds the stripe. */
  doFirst(stripe: number, bucket: number): number {
    return this.i32[this.buckets + stripe + bucket * (this.stripeMask + 1)];
  }

  /** Calls back with the first item of every bucket of a stripe. The caller holds the stripe. */
  forEachBucket(stripe: number, visit: (bucketWord: number) => void): void {
    const mask = this.i32[this.stripes + stripe * (STRIPE_BYTES / 4) + STRIPE_MASK_I32];
    for (let bucket = stripe; bucket <= mask; bucket += this.stripeMask + 1) {
      visit(this.buckets + bucket);
    }
  }

  /**
   * Doubles the table, stripe by stripe; false when it has reached its largest size. Maintainer
   * only, or whoever finishes the work of a dead one: a stripe that is done already is passed over,
   * and so are those in `except`, whose locks are still held by the dead.
   */
  expand(except?: Set<number>): boolean {
    const { i32 } = this;
    const power = i32[HEAD_HASH_POWER];
    if (power >= this.memory.layout.hashPowerMax) return false;
    i32[HEAD_HASH_EXPANDING] = 1;
    for (let stripe = 0; stripe <= this.stripeMask; stripe++) {
      if (except?.has(stripe)) continue;
      this.lockStripe(stripe);
      this.doSplitStripe(stripe, power);
      this.unlockStripe(stripe);
    }
    i32[HEAD_HASH_POWER] = power + 1;
    i32[HEAD_HASH_EXPANDING] = 0;
    return true;
  }

  /**
   * Splits the buckets of a stripe. The caller holds it. Can be repeated over a half-done stripe:
   * an item on its way is in the journal (JOURNAL_LINK), and moved ones do not move again.
   */
  doSplitStripe(stripe: number, power: number): void {
    const { i32 } = this;
    const size = 2 ** power;
    const maskWord = this.stripes + stripe * (STRIPE_BYTES / 4) + STRIPE_MASK_I32;
    if (i32[maskWord] >= size) return;
    const journal = wordOf(this.memory.layout.actors + this.actor * ACTOR_BYTES) + JOURNAL_LINK_I32;
    for (let bucket = stripe; bucket < size; bucket += this.stripeMask + 1) {
      let link = this.buckets + bucket;
      const upper = this.buckets + bucket + size;
      for (let ref = i32[link]; ref !== 0; ref = i32[link]) {
        const next = at(ref) + ITEM_HASH_NEXT_I32;
        if ((this.hashOf(ref) & size) === 0) {
          link = next;
          continue;
        }
        i32[journal] = ref;
        i32[link] = i32[next];
        i32[next] = i32[upper];
        i32[upper] = ref;
      }
    }
    i32[journal] = 0;
    i32[maskWord] = size * 2 - 1;
  }

  private bucketWord(hash: number): number {
    const mask = this.i32[this.stripeWord(hash) + STRIPE_MASK_I32];
    return this.buckets + (hash & mask);
  }

  /** The word that points to this item: the bucket or the chain word before it; -1 if none does. */
  private predecessorWord(hash: number, ref: number): number {
    const { i32 } = this;
    let word = this.bucketWord(hash);
    while (i32[word] !== ref) {
      if (i32[word] === 0) return -1;
      word = at(i32[word]) + ITEM_HASH_NEXT_I32;
    }
    return word;
  }
}
