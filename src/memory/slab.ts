/**
 * The slab allocator: chunks of the classes, taken from pages and given back.
 *
 * Every class has a free list (doubly linked, so that the page mover can take any chunk out) and at
 * most one page that is being carved: chunks behind the carving mark were never touched and cost no
 * memory yet. The state word of a chunk (free, used, moved) is the truth; lists can be rebuilt from
 * it after a thread has died in the middle of changing them.
 *
 * `do...` functions are for callers that hold the lock of the class.
 */
import {
  ACTOR_BYTES,
  at,
  CHUNK_CLASS_I32,
  CHUNK_NEXT_I32,
  CHUNK_PREV_I32,
  CHUNK_STATE_I32,
  CLASS_BYTES,
  CLASS_CARVE_PAGE_I32,
  CLASS_CHUNK_BYTES_I32,
  CLASS_FREE_COUNT_I32,
  CLASS_FREE_HEAD_I32,
  CLASS_PAGES_I32,
  CLASS_PER_PAGE_I32,
  CLASS_USED_I32,
  ITEM_HASH_NEXT_I32,
  JOURNAL_ALLOC_I32,
  PAGE_CARVED_I32,
  PAGE_CLASS_I32,
  PAGE_ENTRY_BYTES,
  PAGE_MOVING_I32,
  STATE_FREE,
  STATE_MOVED,
  STATE_USED,
  wordOf,
} from './layout.ts';
import { lock, RANK_CLASS, unlock } from './lock.ts';
import type { Memory } from './memory.ts';
import { pageEntry, pageRef, takePage } from './pages.ts';

/** One thread's access to the allocator. */
export class Slab {
  readonly memory: Memory;
  readonly actor: number;
  readonly i32: Int32Array;
  private readonly classes: number;
  private readonly journal: number;
  private readonly pageTable: number;
  private readonly pagesUnit: number;

  constructor(memory: Memory, actor: number) {
    this.memory = memory;
    this.actor = actor;
    this.i32 = memory.i32;
    this.classes = wordOf(memory.layout.classes);
    this.journal = wordOf(memory.layout.actors + actor * ACTOR_BYTES);
    this.pageTable = wordOf(memory.layout.pageTable);
    this.pagesUnit = memory.layout.pages / 8;
  }

  /** The smallest class whose chunks hold this many bytes, or 0. */
  classFor(bytes: number): number {
    const sizes = this.memory.classSizes;
    let low = 1;
    let high = this.memory.classLargest;
    if (bytes > sizes[high]) return 0;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (sizes[middle] < bytes) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** First word of a class's record. */
  classWord(id: number): number {
    return this.classes + id * (CLASS_BYTES / 4);
  }

  lockClass(id: number): void {
    lock(this.i32, this.classWord(id), RANK_CLASS, this.actor);
  }

  unlockClass(id: number): void {
    unlock(this.i32, this.classWord(id));
  }

  /**
   * A chunk of the class, in state USED and owned by this actor, or 0 when there is neither a free
   * one nor a page to be had.
   */
  doAlloc(id: number): number {
    const { i32 } = this;
    const word = this.classWord(id);
    let ref = i32[word + CLASS_FREE_HEAD_I32];
    if (ref === 0) {
      ref = this.doCarve(id, word);
      if (ref === 0) return 0;
      // Should we die before this, it is one more free chunk.
      i32[this.journal + JOURNAL_ALLOC_I32] = ref;
    } else {
      i32[this.journal + JOURNAL_ALLOC_I32] = ref;
      const next = i32[at(ref) + CHUNK_NEXT_I32];
      i32[word + CLASS_FREE_HEAD_I32] = next;
      if (next !== 0) i32[at(next) + CHUNK_PREV_I32] = 0;
      i32[word + CLASS_FREE_COUNT_I32]--;
    }
    i32[word + CLASS_USED_I32]++;
    const chunk = at(ref);
    i32[chunk + ITEM_HASH_NEXT_I32] = this.actor + 1;
    i32[chunk + CHUNK_CLASS_I32] = id;
    i32[chunk + CHUNK_STATE_I32] = STATE_USED;
    return ref;
  }

  /** Gives a chunk back to its class; one in a page on the move is left to the page mover. */
  doFree(ref: number, id: number): void {
    const { i32 } = this;
    const word = this.classWord(id);
    const chunk = at(ref);
    i32[word + CLASS_USED_I32]--;
    const page = ((ref >>> 0) - this.pagesUnit) >>> 17;
    if (i32[this.pageTable + page * (PAGE_ENTRY_BYTES / 4) + PAGE_MOVING_I32] !== 0) {
      i32[chunk + CHUNK_STATE_I32] = STATE_MOVED;
      return;
    }
    i32[chunk + CHUNK_CLASS_I32] = id;
    i32[chunk + CHUNK_STATE_I32] = STATE_FREE;
    this.doLinkFree(ref, id);
  }

  /** Puts a chunk whose state is FREE already at the head of the free list. */
  doLinkFree(ref: number, id: number): void {
    const { i32 } = this;
    const word = this.classWord(id);
    const head = i32[word + CLASS_FREE_HEAD_I32];
    i32[at(ref) + CHUNK_NEXT_I32] = head;
    i32[at(ref) + CHUNK_PREV_I32] = 0;
    if (head !== 0) i32[at(head) + CHUNK_PREV_I32] = ref;
    i32[word + CLASS_FREE_HEAD_I32] = ref;
    i32[word + CLASS_FREE_COUNT_I32]++;
  }

  /** Frees a chunk, taking the lock of its class. */
  free(ref: number, id: number): void {
    this.lockClass(id);
    this.doFree(ref, id);
    this.unlockClass(id);
  }

  /** Takes a free chunk out of the free list, wherever it stands in it. */
  doUnlinkFree(ref: number, id: number): void {
    const { i32 } = this;
    const word = this.classWord(id);
    const next = i32[at(ref) + CHUNK_NEXT_I32];
    const prev = i32[at(ref) + CHUNK_PREV_I32];
    if (prev === 0) i32[word + CLASS_FREE_HEAD_I32] = next;
    else i32[at(prev) + CHUNK_NEXT_I32] = next;
    if (next !== 0) i32[at(next) + CHUNK_PREV_I32] = prev;
    i32[word + CLASS_FREE_COUNT_I32]--;
  }

  /** Chunks of the class that could be handed out without another page: free or not yet carved. */
  freeChunks(id: number): number {
    const { i32 } = this;
    const word = this.classWord(id);
    return i32[word + CLASS_FREE_COUNT_I32] + this.uncarved(word);
  }

  /**
   * Carves up to `most` chunks of the class's page into the free list; false when no page of it is
   * left to carve.
   */
  doCarveFree(id: number, most: number): boolean {
    const word = this.classWord(id);
    for (let n = 0; n < most && this.i32[word + CLASS_CARVE_PAGE_I32] !== 0; n++) {
      this.doLinkFree(this.doCarve(id, word), id);
    }
    return this.i32[word + CLASS_CARVE_PAGE_I32] !== 0;
  }

  private uncarved(word: number): number {
    const { i32 } = this;
    const carving = i32[word + CLASS_CARVE_PAGE_I32];
    if (carving === 0) return 0;
    const carved = i32[pageEntry(this.memory, carving - 1) + PAGE_CARVED_I32];
    return i32[word + CLASS_PER_PAGE_I32] - carved;
  }

  /** The next untouched chunk of the page being carved, or of a new page; 0 when there is none. */
  private doCarve(id: number, word: number): number {
    const { i32, memory } = this;
    let carving = i32[word + CLASS_CARVE_PAGE_I32];
    if (carving === 0) {
      const page = takePage(memory, this.actor, i32[word + CLASS_PAGES_I32] === 0);
      if (page === -1) return 0;
      i32[pageEntry(memory, page) + PAGE_CLASS_I32] = id;
      i32[word + CLASS_PAGES_I32]++;
      carving = page + 1;
      i32[word + CLASS_CARVE_PAGE_I32] = carving;
    }
    const entry = pageEntry(memory, carving - 1);
    const carved = i32[entry + PAGE_CARVED_I32];
    const ref =
      (pageRef(memory, carving - 1) + carved * (i32[word + CLASS_CHUNK_BYTES_I32] / 8)) | 0;
    // The state word comes first: what counts as carved must have one.
    i32[at(ref) + CHUNK_STATE_I32] = STATE_FREE;
    i32[entry + PAGE_CARVED_I32] = carved + 1;
    if (carved + 1 === i32[word + CLASS_PER_PAGE_I32]) i32[word + CLASS_CARVE_PAGE_I32] = 0;
    return ref;
  }
}

/**
 * Calls back with every carved chunk of a page. Who does not hold the lock of its class must be the
 * maintainer, who alone moves pages, and finds chunks in any state.
 */
export function forEachChunk(memory: Memory, page: number, visit: (ref: number) => void): void {
  const { i32 } = memory;
  const entry = pageEntry(memory, page);
  const id = i32[entry + PAGE_CLASS_I32];
  if (id <= 0) return;
  const units = memory.classSizes[id] / 8;
  const first = pageRef(memory, page);
  const carved = i32[entry + PAGE_CARVED_I32];
  for (let index = 0; index < carved; index++) visit((first + index * units) | 0);
}
