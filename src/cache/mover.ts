/**
 * The page mover: empties a page of one class so that another can have it.
 *
 * Living items are not evicted for it if their class has free chunks elsewhere: they are copied
 * there and take the old one's place in bucket and list. What is in use at that moment (an upload,
 * a value being sent) is waited for. A page that cannot be emptied is given up and goes back to
 * work.
 *
 * Runs in the maintainer's thread only. Which page goes where is decided in automove.ts.
 */
import {
  ACTOR_BYTES,
  at,
  CHUNK_CLASS_I32,
  CHUNK_NEXT_I32,
  CHUNK_STATE_I32,
  CLASS_CARVE_PAGE_I32,
  CLASS_PAGES_I32,
  DATA_HEAD_I32,
  DATA_NEXT_I32,
  HEAD_MOVE_BUSY,
  HEAD_MOVE_RUNNING,
  JOURNAL_CHUNK_I32,
  JOURNAL_MOVE_FROM_I32,
  JOURNAL_MOVE_TO_I32,
  PAGE_CARVED_I32,
  PAGE_CLASS_I32,
  PAGE_MOVING_I32,
  STATE_DATA,
  STATE_FREE,
  STATE_LARGE,
  STATE_LINKED,
  STATE_MOVED,
  wordOf,
} from '../memory/layout.ts';
import { pageEntry, pageRef, returnPage, takePage } from '../memory/pages.ts';
import { forEachChunk } from '../memory/slab.ts';
import {
  SLAB_BUSY,
  SLAB_CHUNK_RESCUES,
  SLAB_EVICTIONS,
  SLAB_MOVES,
  SLAB_RESCUES,
} from './counters.ts';
import { isDead } from './expiry.ts';
import { firstDataWord, refcountOf, setOwner } from './item.ts';
import type { Store } from './store.ts';

/** Rounds over a page before it is given up, and the pause between them. */
const ROUNDS_MAX = 200;
const ROUND_PAUSE_MS = 5;
/** Chunks handled per taking of the class lock. */
const CHUNKS_PER_LOCK = 256;

/** What `slab_reassign_last_busy_status` says, by the number in HEAD_MOVE_BUSY. */
export const MOVE_BUSY_NAMES = ['none', 'busy_active', 'busy_uploading', 'busy_floating'] as const;
const BUSY_ACTIVE = 1;
const BUSY_UPLOADING = 2;
const BUSY_FLOATING = 3;

export class PageMover {
  private readonly store: Store;
  private readonly i32: Int32Array;
  private readonly journal: number;
  private readonly pause: (ms: number) => void;
  /** The page that could not be emptied last; -1 if the last one could. */
  private lastGivenUp = -1;

  /** `pause` sleeps between rounds while something in the page is in use. */
  constructor(store: Store, pause: (ms: number) => void) {
    this.store = store;
    this.i32 = store.memory.i32;
    this.journal = wordOf(store.memory.layout.actors + store.actor * ACTOR_BYTES);
    this.pause = pause;
  }

  /**
   * Moves a page of class `source` to class `destination` (0: to the pool); source 0 takes one from
   * the pool. False when the source cannot spare one or it could not be emptied.
   */
  move(source: number, destination: number): boolean {
    const { i32, store } = this;
    if (source === 0) return this.give(destination);
    const page = this.claimPage(source);
    if (page === -1) return false;
    i32[HEAD_MOVE_RUNNING] = 1;
    const empty = this.emptyPage(page, source);
    this.lastGivenUp = empty ? -1 : page;
    if (empty) this.release(page, source);
    else this.giveUp(page, source);
    i32[HEAD_MOVE_RUNNING] = 0;
    if (!empty) return false;
    store.count(SLAB_MOVES, 1);
    if (destination !== 0) this.give(destination);
    return true;
  }

  /** Picks a page of a class that has at least two, and marks it as moving; -1 if there is none. */
  private claimPage(source: number): number {
    const { i32, store } = this;
    const { memory, slab } = store;
    const word = slab.classWord(source);
    slab.lockClass(source);
    let found = -1;
    if (i32[word + CLASS_PAGES_I32] > 1) {
      const carving = i32[word + CLASS_CARVE_PAGE_I32] - 1;
      const { pageCountMax } = memory.layout;
      for (let step = 1; step <= pageCountMax && found === -1; step++) {
        // Not the one again that was given up just now, if there are others.
        const page = (this.lastGivenUp + step) % pageCountMax;
        if (i32[pageEntry(memory, page) + PAGE_CLASS_I32] !== source) continue;
        // The page being carved has the fewest items, but is about to get more.
        if (page !== carving) found = page;
      }
    }
    if (found !== -1) i32[pageEntry(memory, found) + PAGE_MOVING_I32] = 1;
    slab.unlockClass(source);
    return found;
  }

  /** Round after round until every chunk of the page is MOVED; false when that takes too long. */
  private emptyPage(page: number, id: number): boolean {
    this.withdrawFree(page, id);
    for (let round = 0; round < ROUNDS_MAX; round++) {
      let busy = 0;
      forEachChunk(this.store.memory, page, (ref) => {
        if (!this.emptyChunk(ref, id)) busy++;
      });
      if (busy === 0) return true;
      this.store.count(SLAB_BUSY, busy);
      this.pause(ROUND_PAUSE_MS);
    }
    return false;
  }

  /** Takes the page's free chunks out of the free list. */
  private withdrawFree(page: number, id: number): void {
    const { i32, store } = this;
    const { memory, slab } = store;
    const units = memory.classSizes[id] / 8;
    const carved = i32[pageEntry(memory, page) + PAGE_CARVED_I32];
    for (let start = 0; start < carved; start += CHUNKS_PER_LOCK) {
      slab.lockClass(id);
      for (let n = start; n < Math.min(carved, start + CHUNKS_PER_LOCK); n++) {
        this.doWithdraw((pageRef(memory, page) + n * units) | 0, id);
      }
      slab.unlockClass(id);
    }
  }

  private doWithdraw(ref: number, id: number): void {
    if ((this.i32[at(ref)] & STATE_FREE) === 0) return;
    this.store.slab.doUnlinkFree(ref, id);
    this.i32[at(ref)] = STATE_MOVED;
  }

  /** Gets one chunk out of the way; false when it is in use right now. */
  private emptyChunk(ref: number, id: number): boolean {
    const { slab } = this.store;
    const { i32 } = this;
    const state = i32[at(ref)];
    if ((state & STATE_MOVED) !== 0) return true;
    if ((state & STATE_FREE) !== 0) {
      slab.lockClass(id);
      this.doWithdraw(ref, id);
      slab.unlockClass(id);
      return (this.i32[at(ref)] & STATE_MOVED) !== 0;
    }
    if ((state & STATE_DATA) !== 0) return this.rescueData(ref, id);
    if ((state & STATE_LINKED) !== 0) return this.rescueItem(ref, id);
    i32[HEAD_MOVE_BUSY] = BUSY_FLOATING;
    return false;
  }

  /** Copies a linked item to another chunk, or ends it if it is dead or there is no other chunk. */
  private rescueItem(ref: number, id: number): boolean {
    const { i32, store } = this;
    const { table, lists, slab, unlinker } = store;
    const hash = table.hashOf(ref);
    table.lockStripe(hash);
    const same = (i32[at(ref)] & STATE_LINKED) !== 0 && table.hashOf(ref) === hash;
    if (!same || refcountOf(i32, ref) !== 0 || !table.doContains(hash, ref)) {
      i32[HEAD_MOVE_BUSY] = BUSY_ACTIVE;
      table.unlockStripe(hash);
      return false;
    }
    const copy = isDead(store.memory, ref) ? 0 : this.allocElsewhere(id);
    if (copy === 0) {
      if (!isDead(store.memory, ref)) store.count(SLAB_EVICTIONS, 1);
      unlinker.doUnlink(ref, hash);
    } else {
      i32[this.journal + JOURNAL_MOVE_FROM_I32] = ref;
      i32[this.journal + JOURNAL_MOVE_TO_I32] = copy;
      this.copyChunk(ref, copy, id);
      for (let data = this.firstData(copy); data !== 0; data = i32[at(data) + DATA_NEXT_I32]) {
        i32[at(data) + DATA_HEAD_I32] = copy;
      }
      table.doReplace(hash, ref, copy);
      const listClass = lists.classOf(ref);
      slab.lockClass(listClass);
      lists.doSubstitute(ref, copy);
      i32[at(copy) + CHUNK_STATE_I32] |= STATE_LINKED;
      setOwner(i32, ref, store.actor);
      i32[at(ref) + CHUNK_STATE_I32] &= ~(STATE_LINKED | STATE_LARGE);
      slab.unlockClass(listClass);
      slab.free(ref, id);
      i32[this.journal + JOURNAL_MOVE_FROM_I32] = 0;
      i32[this.journal + JOURNAL_MOVE_TO_I32] = 0;
      store.count(SLAB_RESCUES, 1);
    }
    table.unlockStripe(hash);
    return (i32[at(ref)] & STATE_MOVED) !== 0;
  }

  /** Copies a data chunk of a linked large item, or ends the item if there is no other chunk. */
  private rescueData(ref: number, id: number): boolean {
    const { i32, store } = this;
    const { table, slab, unlinker } = store;
    const head = i32[at(ref) + DATA_HEAD_I32];
    if (head === 0 || (i32[at(head)] & STATE_LINKED) === 0) {
      i32[HEAD_MOVE_BUSY] = BUSY_UPLOADING;
      return false;
    }
    const hash = table.hashOf(head);
    table.lockStripe(hash);
    const before = this.dataPredecessor(head, hash, ref);
    if (before === -1) {
      i32[HEAD_MOVE_BUSY] = BUSY_ACTIVE;
      table.unlockStripe(hash);
      return false;
    }
    const copy = isDead(store.memory, head) ? 0 : this.allocElsewhere(id);
    if (copy === 0) {
      if (!isDead(store.memory, head)) store.count(SLAB_EVICTIONS, 1);
      unlinker.doUnlink(head, hash);
    } else {
      this.copyChunk(ref, copy, id);
      i32[this.journal + JOURNAL_CHUNK_I32] = ref;
      setOwner(i32, ref, store.actor);
      i32[before] = copy;
      slab.free(ref, id);
      store.count(SLAB_CHUNK_RESCUES, 1);
    }
    table.unlockStripe(hash);
    return (i32[at(ref)] & STATE_MOVED) !== 0;
  }

  /**
   * The word that points to a data chunk in the chain of its item; -1 unless the item is what it
   * seemed to be before its stripe was locked, and not in use.
   */
  private dataPredecessor(head: number, hash: number, ref: number): number {
    const { i32, store } = this;
    const state = i32[at(head)];
    if ((state & STATE_LINKED) === 0 || (state & STATE_LARGE) === 0) return -1;
    if (store.table.hashOf(head) !== hash || !store.table.doContains(hash, head)) return -1;
    if (refcountOf(i32, head) !== 0) return -1;
    let word = firstDataWord(i32, head);
    while (i32[word] !== ref) {
      if (i32[word] === 0) return -1;
      word = at(i32[word]) + DATA_NEXT_I32;
    }
    return word;
  }

  private firstData(ref: number): number {
    const { i32 } = this;
    return (i32[at(ref)] & STATE_LARGE) === 0 ? 0 : i32[firstDataWord(i32, ref)];
  }

  /** A chunk of the class outside the moving page, if there is one without taking a new page. */
  private allocElsewhere(id: number): number {
    const { slab } = this.store;
    slab.lockClass(id);
    const ref = slab.freeChunks(id) > 0 ? slab.doAlloc(id) : 0;
    slab.unlockClass(id);
    return ref;
  }

  /** Makes an unlinked copy of a chunk, which stays owned by this actor; its state comes last. */
  private copyChunk(from: number, to: number, id: number): void {
    const { i32 } = this;
    const { u8, classSizes } = this.store.memory;
    const start = (from >>> 0) * 8;
    const skip = CHUNK_NEXT_I32 * 4;
    u8.copy(u8, (to >>> 0) * 8 + skip, start + skip, start + classSizes[id]);
    i32[at(to) + CHUNK_CLASS_I32] = i32[at(from) + CHUNK_CLASS_I32];
    i32[at(to) + CHUNK_STATE_I32] = i32[at(from) + CHUNK_STATE_I32] & ~STATE_LINKED;
  }

  /** The page is empty: out of its class, into the pool. */
  private release(page: number, id: number): void {
    const { store, i32 } = this;
    store.slab.lockClass(id);
    i32[store.slab.classWord(id) + CLASS_PAGES_I32]--;
    returnPage(store.memory, store.actor, page);
    store.slab.unlockClass(id);
  }

  /** The page could not be emptied: what was withdrawn from it becomes free again. */
  giveUp(page: number, id: number): void {
    const { store, i32 } = this;
    const { slab, memory } = store;
    slab.lockClass(id);
    i32[pageEntry(memory, page) + PAGE_MOVING_I32] = 0;
    forEachChunk(memory, page, (ref) => {
      if ((i32[at(ref)] & STATE_MOVED) === 0) return;
      i32[at(ref)] = STATE_FREE;
      slab.doLinkFree(ref, id);
    });
    slab.unlockClass(id);
  }

  /** Lets a class carve a page of the pool; what it still has of another is carved before. */
  private give(id: number): boolean {
    const { store, i32 } = this;
    const { memory, slab } = store;
    const word = slab.classWord(id);
    slab.lockClass(id);
    while (slab.doCarveFree(id, CHUNKS_PER_LOCK)) {
      slab.unlockClass(id);
      slab.lockClass(id);
    }
    const page = takePage(memory, store.actor, false);
    if (page !== -1) {
      i32[pageEntry(memory, page) + PAGE_CLASS_I32] = id;
      i32[word + CLASS_PAGES_I32]++;
      i32[word + CLASS_CARVE_PAGE_I32] = page + 1;
    }
    slab.unlockClass(id);
    return page !== -1;
  }
}
