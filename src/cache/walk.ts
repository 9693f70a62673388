/**
 * Walks all items of the hash table, a few at a time, while others go on changing it.
 *
 * Every item that is there from the beginning to the end is met, and met once: bucket by bucket, so
 * that moves between lists, pages and chunks do not matter. A table that grows meanwhile splits
 * bucket b into b and b + n; buckets are therefore taken in the order of their reversed numbers, in
 * which the two stand side by side.
 */
import { at, ITEM_HASH_NEXT_I32 } from '../memory/layout.ts';
import type { Store } from './store.ts';

/** Buckets looked at per taking of a stripe's lock. */
const BUCKETS_PER_LOCK = 64;

/** Takes the items of a walk. */
export interface Visitor {
  /** How many items it can take now, and how many at best. */
  room(): number;
  readonly roomMax: number;
  /** Takes an item, whose stripe is locked. Only called when there is room. */
  visit(ref: number): void;
}

export class TableWalk {
  private readonly store: Store;
  private stripe = 0;
  private bucket = 0;
  private bucketCount = 0;
  /** Items at the end of the bucket's chain that were not shown yet; -1: none of it was. */
  private left = -1;

  constructor(store: Store) {
    this.store = store;
  }

  get isOver(): boolean {
    return this.stripe === this.store.memory.layout.stripeCount;
  }

  /** Shows the next items of a stripe, as many as it may at once; false when there was no room. */
  proceed(visitor: Visitor): boolean {
    const { table } = this.store;
    const { stripe } = this;
    table.lockStripe(stripe);
    const count = table.bucketCount(stripe);
    // Half of the chain is in another bucket now: it is begun anew, and some come twice. That is
    // for chains longer than roomMax, in tables that are far too small.
    if (count !== this.bucketCount) this.left = -1;
    this.bucketCount = count;
    let hadRoom = true;
    for (let n = 0; n < BUCKETS_PER_LOCK && hadRoom && this.stripe === stripe; n++) {
      hadRoom = this.doShowBucket(visitor);
      if (hadRoom) this.nextBucket();
    }
    table.unlockStripe(stripe);
    return hadRoom;
  }

  /** Shows what is left of the bucket's chain; false when the visitor can take no more. */
  private doShowBucket(visitor: Visitor): boolean {
    const { i32 } = this.store.memory;
    const first = this.store.table.doFirst(this.stripe, this.bucket);
    let length = 0;
    for (let ref = first; ref !== 0; ref = i32[at(ref) + ITEM_HASH_NEXT_I32]) length++;
    if (this.left === -1) {
      if (length > visitor.room() && length <= visitor.roomMax) return false;
      // New items come to the head of the chain, so the end of it is what can be counted on.
      this.left = length;
    }
    let skip = Math.max(0, length - this.left);
    for (let ref = first; ref !== 0; ref = i32[at(ref) + ITEM_HASH_NEXT_I32]) {
      if (skip-- > 0) continue;
      if (visitor.room() === 0) return false;
      visitor.visit(ref);
      this.left--;
    }
    this.left = -1;
    return true;
  }

  /** Adds 1 at the highest bit of the bucket's number, carrying downwards. */
  private nextBucket(): void {
    let bit = this.bucketCount >>> 1;
    while (bit !== 0 && (this.bucket & bit) !== 0) {
      this.bucket &= ~bit;
      bit >>>= 1;
    }
    this.bucket |= bit;
    if (bit !== 0) return;
    this.stripe++;
    this.bucketCount = 0;
  }
}
