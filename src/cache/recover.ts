/**
 * What is done when a thread has died in the middle of its work: an exception, terminate(), a heap
 * limit. Its locks are still taken, so nobody else has touched what it was changing.
 *
 *   1. The pool of pages, and every class whose lock it held, are rebuilt from the state words of
 *      the chunks. The NEXT chain of a list is whole at any moment but for one item, so order is
 *      kept.
 *   2. A half-done split of a hash stripe is finished, a half-done page move is given up.
 *   3. The items it was touching are named in its journal and in the slots of its connections. Each
 *      ends up as one of: linked in bucket and list, pinned by another connection, or free.
 *   4. Its connections' slots and its locks are freed.
 *
 * Only the main thread recovers, one dead thread at a time.
 */

import { connectionsOf, connectionWord, releaseConnection } from '../memory/connections.ts';
import {
  ACTOR_BYTES,
  at,
  CHUNK_STATE_I32,
  CONN_PINNED_I32,
  CONN_UPLOAD_I32,
  DATA_HEAD_I32,
  DATA_NEXT_I32,
  HEAD_CRAWLER_RUNNING,
  HEAD_HASH_EXPANDING,
  HEAD_HASH_POWER,
  HEAD_MOVE_RUNNING,
  HEAD_MOVE_SOURCE,
  HEAD_PAGE_FRESH,
  HEAD_PAGE_LOCK,
  HEAD_PREFIX_LOCK,
  ITEM_HASH_NEXT_I32,
  JOURNAL_ALLOC_I32,
  JOURNAL_IN_PLACE_I32,
  JOURNAL_MOVE_FROM_I32,
  JOURNAL_MOVE_TO_I32,
  PAGE_CARVED_I32,
  PAGE_CLASS_I32,
  PAGE_MOVING_I32,
  STATE_DATA,
  STATE_FLAGS,
  STATE_LARGE,
  STATE_LINKED,
  STATE_REF_ONE,
  STATE_USED,
  STRIPE_BYTES,
  wordOf,
} from '../memory/layout.ts';
import {
  forceUnlock,
  lock,
  lockHolder,
  RANK_PAGES,
  setLockPatience,
  unlock,
} from '../memory/lock.ts';
import type { Memory } from '../memory/memory.ts';
import { pageEntry, pageOf, pageRef, rebuildPool } from '../memory/pages.ts';
import { removeWatchersOf } from '../memory/watchers.ts';
import type { CacheConfig } from './config.ts';
import { chunkClassOf, firstDataWord, refcountOf } from './item.ts';
import { MAINTAINER_ACTOR } from './maintainer.ts';
import { PageMover } from './mover.ts';
import { clearClaim } from './orders.ts';
import { rebuildClass } from './rebuild.ts';
import { Store } from './store.ts';

/** What recovery found and did, for the log. */
export interface RecoveryReport {
  readonly stripesFreed: number;
  readonly classesRebuilt: number;
  readonly connectionsClosed: number;
}

const MAIN_ACTOR = 0;

/** No living thread keeps a lock that long, but for an append of hundreds of megabytes. */
const LOCK_PATIENCE_MS = 200;

/**
 * Repairs what the dead thread of this actor left behind, and frees what it held. Throws
 * LockTimeout when it cannot get a lock, because another thread died with it that is not recovered
 * yet: to be called again when that may have been done. It goes on from where it was.
 */
export function recoverActor(memory: Memory, config: CacheConfig, actor: number): RecoveryReport {
  setLockPatience(LOCK_PATIENCE_MS);
  try {
    return new Recovery(memory, config, actor).run();
  } finally {
    setLockPatience(Number.POSITIVE_INFINITY);
  }
}

class Recovery {
  private readonly memory: Memory;
  private readonly i32: Int32Array;
  private readonly store: Store;
  private readonly dead: number;
  private readonly journal: number;

  constructor(memory: Memory, config: CacheConfig, dead: number) {
    this.memory = memory;
    this.i32 = memory.i32;
    this.store = new Store(memory, config, MAIN_ACTOR);
    this.dead = dead;
    this.journal = wordOf(memory.layout.actors + dead * ACTOR_BYTES);
  }

  run(): RecoveryReport {
    const stripes = this.heldStripes();
    this.repairPool();
    const classes = this.rebuildHeldClasses();
    this.awaitClasses();
    if (this.i32[HEAD_HASH_EXPANDING] !== 0 && this.dead === MAINTAINER_ACTOR) {
      this.finishExpansion(stripes);
    }
    const slots = connectionsOf(this.memory, this.dead - 2);
    const touched = this.touchedChunks(slots);
    this.settleMove(stripes);
    for (const ref of touched) this.settle(ref, stripes);
    for (let word = this.journal + JOURNAL_ALLOC_I32; word <= this.journalEnd; word++) {
      this.i32[word] = 0;
    }
    removeWatchersOf(this.memory, MAIN_ACTOR, this.dead);
    for (const slot of slots) releaseConnection(this.memory, slot);
    if (this.dead === MAINTAINER_ACTOR) this.giveUpMoves();
    for (const stripe of stripes) forceUnlock(this.i32, this.store.table.stripeWord(stripe));
    clearClaim(this.memory, this.dead);
    if (lockHolder(this.i32, HEAD_PREFIX_LOCK) === this.dead) {
      forceUnlock(this.i32, HEAD_PREFIX_LOCK);
    }
    return {
      stripesFreed: stripes.size,
      classesRebuilt: classes,
      connectionsClosed: slots.length,
    };
  }

  private get journalEnd(): number {
    return this.journal + JOURNAL_IN_PLACE_I32;
  }

  /** Numbers of the stripes whose locks the dead thread holds. */
  private heldStripes(): Set<number> {
    const held = new Set<number>();
    const { stripes, stripeCount } = this.memory.layout;
    for (let stripe = 0; stripe < stripeCount; stripe++) {
      const word = wordOf(stripes + stripe * STRIPE_BYTES);
      if (lockHolder(this.i32, word) === this.dead) held.add(stripe);
    }
    return held;
  }

  private repairPool(): void {
    const { i32, memory, dead } = this;
    if (lockHolder(i32, HEAD_PAGE_LOCK) === dead) {
      rebuildPool(memory, dead);
      forceUnlock(i32, HEAD_PAGE_LOCK);
      return;
    }
    lock(i32, HEAD_PAGE_LOCK, RANK_PAGES, MAIN_ACTOR);
    rebuildPool(memory, dead);
    unlock(i32, HEAD_PAGE_LOCK);
  }

  private rebuildHeldClasses(): number {
    let rebuilt = 0;
    for (let id = 1; id <= this.memory.classLargest; id++) {
      const word = this.store.slab.classWord(id);
      if (lockHolder(this.i32, word) !== this.dead) continue;
      rebuildClass(this.store, id);
      forceUnlock(this.i32, word);
      rebuilt++;
    }
    return rebuilt;
  }

  /** Nothing is changed before all classes can be had: half of a change could not be repeated. */
  private awaitClasses(): void {
    for (let id = 1; id <= this.memory.classLargest; id++) {
      this.store.slab.lockClass(id);
      this.store.slab.unlockClass(id);
    }
  }

  private finishExpansion(held: Set<number>): void {
    const power = this.i32[HEAD_HASH_POWER];
    for (const stripe of held) this.store.table.doSplitStripe(stripe, power);
    // Stripes that are done are passed over; the held ones are, so none of them is locked here.
    this.store.table.expand(held);
  }

  /** All chunks that the dead thread may have been changing. */
  private touchedChunks(slots: number[]): Set<number> {
    const { i32 } = this;
    const touched = new Set<number>();
    for (let word = this.journal; word <= this.journalEnd; word++) touched.add(i32[word]);
    for (const slot of slots) {
      touched.add(i32[connectionWord(this.memory, slot) + CONN_UPLOAD_I32]);
      touched.add(i32[connectionWord(this.memory, slot) + CONN_PINNED_I32]);
    }
    for (const ref of touched) if (!this.isChunk(ref)) touched.delete(ref);
    return touched;
  }

  /**
   * Whether a chunk begins at this ref now. Parts of the journal are not cleared when their work is
   * done, and the page may have gone to another class since: the ref may point into a value.
   */
  private isChunk(ref: number): boolean {
    const { i32, memory } = this;
    if (ref === 0) return false;
    const page = pageOf(memory, ref);
    const entry = pageEntry(memory, page);
    const id = i32[entry + PAGE_CLASS_I32];
    if (id <= 0) return false;
    const index = ((ref >>> 0) - (pageRef(memory, page) >>> 0)) / (memory.classSizes[id] / 8);
    return Number.isInteger(index) && index < i32[entry + PAGE_CARVED_I32];
  }

  /** Brings one chunk into a lawful state; see the top of the file. */
  private settle(ref: number, held: Set<number>): void {
    const { i32, store } = this;
    const state = i32[at(ref)];
    if ((state & STATE_USED) === 0) return;
    if ((state & STATE_DATA) !== 0) {
      this.settleData(ref);
      return;
    }
    let settled = false;
    while (!settled) {
      // In other hands the chunk may be getting a new key right now: look again under the lock.
      const hash = store.table.hashOf(ref);
      this.withStripe(hash, held, () => {
        settled = store.table.hashOf(ref) === hash;
        if (settled) this.doSettleItem(ref, hash);
      });
    }
  }

  private doSettleItem(ref: number, hash: number): void {
    const { i32, store } = this;
    const word = at(ref) + CHUNK_STATE_I32;
    if ((i32[word] & STATE_USED) === 0) return;
    const reachable = store.table.doContains(hash, ref);
    const linked = (i32[word] & STATE_LINKED) !== 0;
    const pins = this.pins(ref);
    // Only if need be: the state of another's upload is not ours to write.
    if (refcountOf(i32, ref) !== pins) {
      i32[word] = (i32[word] & STATE_FLAGS) + pins * STATE_REF_ONE;
    }
    if (linked && reachable) {
      if (ref === i32[this.journal + JOURNAL_IN_PLACE_I32]) store.unlinker.doUnlink(ref, hash);
    } else if (linked) {
      const id = store.lists.classOf(ref);
      store.slab.lockClass(id);
      const large = store.unlinker.doDrop(ref, id);
      store.slab.unlockClass(id);
      if (large !== 0) store.unlinker.freeLarge(large);
    } else if (reachable) {
      const id = store.lists.classOf(ref);
      store.slab.lockClass(id);
      store.lists.doLink(ref);
      i32[word] |= STATE_LINKED;
      store.slab.unlockClass(id);
    } else if (pins === 0 && !this.isAnothers(ref)) {
      store.unlinker.free(ref);
    }
  }

  /**
   * Whether an item that is not linked belongs to a living thread. If its owner word names no
   * actor, it was kept alive by pins alone (0), or was on its way into or out of a bucket (a ref).
   */
  private isAnothers(ref: number): boolean {
    const actor = this.i32[at(ref) + ITEM_HASH_NEXT_I32] - 1;
    return actor >= 0 && actor < this.memory.layout.actorCount && actor !== this.dead;
  }

  /** A data chunk cut off its item, or not yet in its chain, is freed. */
  private settleData(ref: number): void {
    const { i32, store } = this;
    if (i32[at(ref) + ITEM_HASH_NEXT_I32] !== this.dead + 1) return;
    const head = i32[at(ref) + DATA_HEAD_I32];
    if (head !== 0 && (i32[at(head)] & STATE_LARGE) !== 0) {
      let chunk = i32[firstDataWord(i32, head)];
      while (chunk !== 0 && chunk !== ref) chunk = i32[at(chunk) + DATA_NEXT_I32];
      if (chunk === ref) return;
    }
    store.slab.free(ref, chunkClassOf(i32, ref));
  }

  /**
   * An item that was being moved is moved if its bucket has the copy already, else it stays. A
   * large item and its copy share their data chunks: only one may keep them.
   */
  private settleMove(held: Set<number>): void {
    const { i32, store } = this;
    const from = i32[this.journal + JOURNAL_MOVE_FROM_I32];
    const to = i32[this.journal + JOURNAL_MOVE_TO_I32];
    if (from === 0 || to === 0) return;
    const hash = store.table.hashOf(to);
    this.withStripe(hash, held, () => {
      const moved = store.table.doContains(hash, to);
      const keeper = moved ? to : from;
      const other = moved ? from : to;
      if ((i32[at(keeper)] & STATE_LARGE) === 0) return;
      // It stays a large item, of no data: what it is decides which lists it is taken out of.
      if ((i32[at(other)] & STATE_LARGE) !== 0) i32[firstDataWord(i32, other)] = 0;
      let chunk = i32[firstDataWord(i32, keeper)];
      for (; chunk !== 0; chunk = i32[at(chunk) + DATA_NEXT_I32]) {
        i32[at(chunk) + DATA_HEAD_I32] = keeper;
      }
    });
  }

  private giveUpMoves(): void {
    const { i32, memory, store } = this;
    const mover = new PageMover(store, () => {});
    for (let page = 0; page < i32[HEAD_PAGE_FRESH]; page++) {
      const entry = pageEntry(memory, page);
      if (i32[entry + PAGE_MOVING_I32] === 0) continue;
      mover.giveUp(page, i32[entry + PAGE_CLASS_I32]);
    }
    i32[HEAD_MOVE_RUNNING] = 0;
    i32[HEAD_CRAWLER_RUNNING] = 0;
    i32[HEAD_MOVE_SOURCE] = 0;
  }

  /** Connections of living threads that have this item pinned. */
  private pins(ref: number): number {
    let count = 0;
    for (const slot of this.openSlots()) {
      if (this.i32[connectionWord(this.memory, slot) + CONN_PINNED_I32] === ref) count++;
    }
    return count;
  }

  private openSlots(): number[] {
    const workers = Array.from({ length: this.memory.config.workers }, (_, worker) => worker);
    const living = workers.filter((worker) => worker !== this.dead - 2);
    return living.flatMap((worker) => connectionsOf(this.memory, worker));
  }

  /** Runs with the stripe locked: by the dead thread if it still is, else by us. */
  private withStripe(hash: number, held: Set<number>, run: () => void): void {
    const { table } = this.store;
    const stripe = hash & (this.memory.layout.stripeCount - 1);
    if (held.has(stripe)) {
      run();
      return;
    }
    table.lockStripe(hash);
    run();
    table.unlockStripe(hash);
  }
}
