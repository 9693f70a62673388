/**
 * Taking items out: of their bucket, of their list, and back to the allocator. Everything that ends
 * an item's life goes through here: delete, replacement, expiry, flush, eviction.
 *
 * The order is fixed so that a thread may die at any point of it: out of the bucket first (nobody
 * can find it any more), then out of the list and free, with the item named in the journal all
 * along.
 */
import {
  ACTOR_BYTES,
  at,
  CHUNK_STATE_I32,
  DATA_NEXT_I32,
  HEAD_SIZES_ENABLED,
  JOURNAL_CHUNK_I32,
  JOURNAL_UNLINK_I32,
  JOURNAL_VICTIM_I32,
  STATE_LARGE,
  STATE_LINKED,
  STATE_REF_ONE,
  STATE_REF_SHIFT,
  wordOf,
} from '../memory/layout.ts';
import type { Memory } from '../memory/memory.ts';
import type { Slab } from '../memory/slab.ts';
import { chunkClassOf, firstDataWord, refcountOf, setOwner } from './item.ts';
import type { Lists } from './lists.ts';
import { trackSize } from './sizes.ts';
import type { Table } from './table.ts';

/** One thread's way of ending items. */
export class Unlinker {
  private readonly memory: Memory;
  private readonly i32: Int32Array;
  private readonly slab: Slab;
  private readonly table: Table;
  private readonly lists: Lists;
  private readonly journal: number;

  constructor(memory: Memory, slab: Slab, table: Table, lists: Lists) {
    this.memory = memory;
    this.i32 = memory.i32;
    this.slab = slab;
    this.table = table;
    this.lists = lists;
    this.journal = wordOf(memory.layout.actors + slab.actor * ACTOR_BYTES);
  }

  /** Ends a linked item. The caller holds its stripe and no class. */
  doUnlink(ref: number, hash: number): void {
    const { i32, slab } = this;
    i32[this.journal + JOURNAL_UNLINK_I32] = ref;
    this.table.doRemove(hash, ref);
    const id = this.lists.classOf(ref);
    slab.lockClass(id);
    const large = this.doDrop(ref, id);
    slab.unlockClass(id);
    if (large !== 0) this.freeLarge(large);
    i32[this.journal + JOURNAL_UNLINK_I32] = 0;
  }

  /**
   * Ends a linked item whose list's class lock the caller holds, with its stripe held by tryLock.
   * Returns the item if it is large and must be freed with freeLarge once the class is let go.
   */
  doUnlinkVictim(ref: number, hash: number): number {
    this.i32[this.journal + JOURNAL_VICTIM_I32] = ref;
    this.table.doRemove(hash, ref);
    return this.doDrop(ref, this.lists.classOf(ref));
  }

  /**
   * Takes an item that no bucket refers to out of its list, and frees it unless it is large or
   * pinned. The caller holds the class of its list. Returns it if it is to be freed with freeLarge.
   */
  doDrop(ref: number, id: number): number {
    const { i32 } = this;
    const word = at(ref) + CHUNK_STATE_I32;
    if (i32[HEAD_SIZES_ENABLED] !== 0) trackSize(this.memory, ref, -1);
    this.lists.doUnlink(ref);
    const state = i32[word];
    const pinned = state >>> STATE_REF_SHIFT !== 0;
    // An item that is not linked must have an owner, if only for the sake of a recovery. A pinned
    // one has none: whoever unpins it last frees it.
    setOwner(i32, ref, pinned ? -1 : this.slab.actor);
    i32[word] = state & ~STATE_LINKED;
    if (pinned) return 0;
    if ((state & STATE_LARGE) !== 0) return ref;
    this.slab.doFree(ref, id);
    return 0;
  }

  /** Frees an item that is not linked and not pinned: a discarded upload, a last unpin. */
  free(ref: number): void {
    if ((this.i32[at(ref) + CHUNK_STATE_I32] & STATE_LARGE) !== 0) this.freeLarge(ref);
    else this.slab.free(ref, chunkClassOf(this.i32, ref));
  }

  /** Frees the chunks of an unlinked large item one by one, then its head. */
  freeLarge(ref: number): void {
    const { i32, slab } = this;
    i32[this.journal + JOURNAL_VICTIM_I32] = ref;
    const first = firstDataWord(i32, ref);
    for (let chunk = i32[first]; chunk !== 0; chunk = i32[first]) {
      i32[this.journal + JOURNAL_CHUNK_I32] = chunk;
      setOwner(i32, chunk, slab.actor);
      i32[first] = i32[at(chunk) + DATA_NEXT_I32];
      slab.free(chunk, chunkClassOf(i32, chunk));
    }
    slab.free(ref, chunkClassOf(i32, ref));
    i32[this.journal + JOURNAL_VICTIM_I32] = 0;
  }

  /** Drops one reference; frees the item if it was the last and the item is no longer linked. */
  doUnpin(ref: number): void {
    const { i32 } = this;
    const word = at(ref) + CHUNK_STATE_I32;
    i32[word] -= STATE_REF_ONE;
    if (refcountOf(i32, ref) !== 0 || (i32[word] & STATE_LINKED) !== 0) return;
    setOwner(i32, ref, this.slab.actor);
    this.free(ref);
  }
}
