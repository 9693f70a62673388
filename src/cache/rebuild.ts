/**
 * Rebuilds what the lock of a slab class guards - free list, LRU lists, counts - from the state
 * words of the chunks, after the thread that held the lock has died. The caller owns the lock.
 */
import {
  at,
  CHUNK_NEXT_I32,
  CHUNK_PREV_I32,
  CLASS_CARVE_PAGE_I32,
  CLASS_FREE_COUNT_I32,
  CLASS_FREE_HEAD_I32,
  CLASS_PAGES_I32,
  CLASS_PER_PAGE_I32,
  CLASS_USED_I32,
  HEAD_PAGE_FRESH,
  LRU_COUNT,
  PAGE_CARVED_I32,
  PAGE_CLASS_I32,
  PAGE_MOVING_I32,
  STATE_DATA,
  STATE_FREE,
  STATE_LINKED,
  STATE_USED,
  TENANT_COUNT,
} from '../memory/layout.ts';
import { pageEntry } from '../memory/pages.ts';
import { forEachChunk } from '../memory/slab.ts';
import { lruOf, tenantOf } from './item.ts';
import type { Store } from './store.ts';

/** In the PREV word: an item that has not yet found its place. No ref has this value. */
const UNPLACED = -1;

/** Rebuilds free list, lists and counts of a class. */
export function rebuildClass(store: Store, id: number): void {
  rebuildFreeList(store, id);
  rebuildLists(store, id);
}

function rebuildFreeList(store: Store, id: number): void {
  const { memory, slab } = store;
  const { i32 } = memory;
  const word = slab.classWord(id);
  i32[word + CLASS_FREE_HEAD_I32] = 0;
  i32[word + CLASS_FREE_COUNT_I32] = 0;
  i32[word + CLASS_USED_I32] = 0;
  i32[word + CLASS_PAGES_I32] = 0;
  i32[word + CLASS_CARVE_PAGE_I32] = 0;
  forEachPage(store, id, (page) => {
    const entry = pageEntry(memory, page);
    i32[word + CLASS_PAGES_I32]++;
    const whole = i32[entry + PAGE_CARVED_I32] === i32[word + CLASS_PER_PAGE_I32];
    if (!whole && i32[entry + PAGE_MOVING_I32] === 0) i32[word + CLASS_CARVE_PAGE_I32] = page + 1;
    forEachChunk(memory, page, (ref) => {
      const state = i32[at(ref)];
      if ((state & STATE_USED) !== 0) i32[word + CLASS_USED_I32]++;
      if ((state & STATE_FREE) === 0) return;
      slab.doLinkFree(ref, id);
    });
  });
}

function rebuildLists(store: Store, id: number): void {
  const { memory, lists } = store;
  const { i32 } = memory;
  forEachListed(store, id, (ref) => {
    i32[at(ref) + CHUNK_PREV_I32] = UNPLACED;
  });
  for (let tenant = 0; tenant < TENANT_COUNT; tenant++) {
    const orders = Array.from({ length: LRU_COUNT }, (_, lru) => lists.head(tenant, id, lru));
    lists.doClear(tenant, id);
    for (const [lru, head] of orders.entries()) {
      relink(store, lru, tenant, head);
    }
  }
  // What was on its way into a list, or from one to another, goes to the head.
  forEachListed(store, id, (ref) => {
    if (i32[at(ref) + CHUNK_PREV_I32] === UNPLACED) lists.doLink(ref);
  });
}

/** Follows the old NEXT chain as far as it is whole, and appends its items in the same order. */
function relink(store: Store, lru: number, tenant: number, head: number): void {
  const { i32 } = store.memory;
  let ref = head;
  while (ref !== 0) {
    const state = i32[at(ref)];
    const placed = i32[at(ref) + CHUNK_PREV_I32] !== UNPLACED;
    const next = i32[at(ref) + CHUNK_NEXT_I32];
    if ((state & STATE_LINKED) === 0 || placed) break;
    if (lruOf(i32, ref) !== lru || tenantOf(i32, ref) !== tenant) break;
    store.lists.doAppend(ref);
    ref = next;
  }
}

/** Calls back with every linked item of the class's lists. */
function forEachListed(store: Store, id: number, visit: (ref: number) => void): void {
  const { memory } = store;
  const largest = memory.classLargest;
  const check = (ref: number): void => {
    const state = memory.i32[at(ref)];
    if ((state & STATE_LINKED) === 0 || (state & STATE_DATA) !== 0) return;
    if (store.lists.classOf(ref) === id) visit(ref);
  };
  // The heads of large items lie in any class.
  for (let page = 0; page < memory.i32[HEAD_PAGE_FRESH]; page++) {
    const owner = memory.i32[pageEntry(memory, page) + PAGE_CLASS_I32];
    if (owner === id || (id === largest && owner > 0)) forEachChunk(memory, page, check);
  }
}

function forEachPage(store: Store, id: number, visit: (page: number) => void): void {
  const { memory } = store;
  for (let page = 0; page < memory.i32[HEAD_PAGE_FRESH]; page++) {
    if (memory.i32[pageEntry(memory, page) + PAGE_CLASS_I32] === id) visit(page);
  }
}
