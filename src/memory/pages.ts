/**
 * The pool of slab pages: fresh ones up to the limit (-m), and those that classes gave back.
 *
 * When the limit is lowered (cache_memlimit), pages above it leave the pool and are given up. Their
 * memory stays with the process, as no part of a SharedArrayBuffer can be given back, but it is the
 * first to be used when the limit is raised again.
 *
 * A page on its way from the pool to a class is marked with the actor that carries it, so that it
 * is not lost when that thread dies.
 */
import {
  HEAD_PAGE_COUNT,
  HEAD_PAGE_FRESH,
  HEAD_PAGE_LIMIT,
  HEAD_PAGE_LOCK,
  HEAD_PAGE_POOL,
  HEAD_PAGE_POOL_COUNT,
  HEAD_PAGE_RETIRED,
  HEAD_PAGE_SHRINKING,
  PAGE_CARVED_I32,
  PAGE_CLASS_I32,
  PAGE_ENTRY_BYTES,
  PAGE_MOVING_I32,
  PAGE_NEXT_I32,
  PAGE_RETIRED,
  wordOf,
} from './layout.ts';
import { lock, RANK_PAGES, unlock } from './lock.ts';
import type { Memory } from './memory.ts';

/** First word of a page's entry in the page table. */
export function pageEntry(memory: Memory, page: number): number {
  return wordOf(memory.layout.pageTable + page * PAGE_ENTRY_BYTES);
}

/** Ref of the first chunk of a page. */
export function pageRef(memory: Memory, page: number): number {
  return ((memory.layout.pages / 8 + page * 131_072) | 0) as number;
}

/** The page that a chunk lies in. */
export function pageOf(memory: Memory, ref: number): number {
  return ((ref >>> 0) - memory.layout.pages / 8) >>> 17;
}

/**
 * Takes a page for a class, from the pool if there is one; -1 when the limit is reached.
 * `beyondLimit` is for a class without any page, which gets its first one even then.
 */
export function takePage(memory: Memory, actor: number, beyondLimit: boolean): number {
  const { i32, layout } = memory;
  // In a full cache every set asks: there the lock, which all threads share, is not taken.
  const isFull = i32[HEAD_PAGE_POOL] === 0 && i32[HEAD_PAGE_COUNT] >= i32[HEAD_PAGE_LIMIT];
  if (isFull && !beyondLimit) return -1;
  lock(i32, HEAD_PAGE_LOCK, RANK_PAGES, actor);
  let page = -1;
  const pooled = i32[HEAD_PAGE_POOL];
  // A pooled page is in use already, as far as the limit is concerned: see setPageLimit.
  if (pooled !== 0 || i32[HEAD_PAGE_COUNT] < i32[HEAD_PAGE_LIMIT] || beyondLimit) {
    if (pooled !== 0) {
      page = pooled - 1;
      i32[HEAD_PAGE_POOL] = i32[pageEntry(memory, page) + PAGE_NEXT_I32];
      i32[HEAD_PAGE_POOL_COUNT]--;
    } else if (i32[HEAD_PAGE_RETIRED] !== 0) {
      page = i32[HEAD_PAGE_RETIRED] - 1;
      i32[HEAD_PAGE_RETIRED] = i32[pageEntry(memory, page) + PAGE_NEXT_I32];
    } else if (i32[HEAD_PAGE_FRESH] < layout.pageCountMax) {
      page = i32[HEAD_PAGE_FRESH];
      i32[HEAD_PAGE_FRESH] = page + 1;
    }
    if (page !== -1) {
      const entry = pageEntry(memory, page);
      i32[entry + PAGE_CLASS_I32] = -(actor + 2);
      i32[entry + PAGE_CARVED_I32] = 0;
      i32[entry + PAGE_MOVING_I32] = 0;
      i32[HEAD_PAGE_COUNT]++;
    }
  }
  unlock(i32, HEAD_PAGE_LOCK);
  return page;
}

/** Takes an empty page back from a class: into the pool, or out of use if the limit says so. */
export function returnPage(memory: Memory, actor: number, page: number): void {
  const { i32 } = memory;
  const entry = pageEntry(memory, page);
  lock(i32, HEAD_PAGE_LOCK, RANK_PAGES, actor);
  const retire = i32[HEAD_PAGE_SHRINKING] !== 0 && doCountPages(i32) > i32[HEAD_PAGE_LIMIT];
  // First of all: a page without class is a pooled one, whatever else we do not get to.
  i32[entry + PAGE_CLASS_I32] = retire ? PAGE_RETIRED : 0;
  i32[entry + PAGE_CARVED_I32] = 0;
  i32[entry + PAGE_MOVING_I32] = 0;
  const list = retire ? HEAD_PAGE_RETIRED : HEAD_PAGE_POOL;
  i32[entry + PAGE_NEXT_I32] = i32[list];
  i32[list] = page + 1;
  if (!retire) i32[HEAD_PAGE_POOL_COUNT]++;
  i32[HEAD_PAGE_COUNT]--;
  unlock(i32, HEAD_PAGE_LOCK);
}

/**
 * Sets how many pages there may be. If there are more, those of the pool are given up at once, and
 * those of classes as the maintainer empties them.
 */
export function setPageLimit(memory: Memory, actor: number, limit: number): void {
  const { i32 } = memory;
  lock(i32, HEAD_PAGE_LOCK, RANK_PAGES, actor);
  i32[HEAD_PAGE_LIMIT] = limit;
  while (i32[HEAD_PAGE_POOL] !== 0 && doCountPages(i32) > limit) {
    const page = i32[HEAD_PAGE_POOL] - 1;
    const entry = pageEntry(memory, page);
    i32[entry + PAGE_CLASS_I32] = PAGE_RETIRED;
    i32[HEAD_PAGE_POOL] = i32[entry + PAGE_NEXT_I32];
    i32[HEAD_PAGE_POOL_COUNT]--;
    i32[entry + PAGE_NEXT_I32] = i32[HEAD_PAGE_RETIRED];
    i32[HEAD_PAGE_RETIRED] = page + 1;
  }
  i32[HEAD_PAGE_SHRINKING] = doCountPages(i32) > limit ? 1 : 0;
  unlock(i32, HEAD_PAGE_LOCK);
}

/** Whether classes still have pages to give up; if `noMore` there are none that they could. */
export function isShrinking(memory: Memory, actor: number, noMore: boolean): boolean {
  const { i32 } = memory;
  if (i32[HEAD_PAGE_SHRINKING] === 0) return false;
  lock(i32, HEAD_PAGE_LOCK, RANK_PAGES, actor);
  if (noMore || doCountPages(i32) <= i32[HEAD_PAGE_LIMIT]) i32[HEAD_PAGE_SHRINKING] = 0;
  const shrinking = i32[HEAD_PAGE_SHRINKING] !== 0;
  unlock(i32, HEAD_PAGE_LOCK);
  return shrinking;
}

/** Pages of classes and pool together. The caller holds the pool. */
function doCountPages(i32: Int32Array): number {
  return i32[HEAD_PAGE_COUNT] + i32[HEAD_PAGE_POOL_COUNT];
}

/**
 * Makes the pool right again from the page table, after the thread that held its lock has died. The
 * caller owns that lock; pages that the dead actor was carrying return to the pool.
 */
export function rebuildPool(memory: Memory, deadActor: number): void {
  const { i32 } = memory;
  let count = 0;
  let pooled = 0;
  i32[HEAD_PAGE_POOL] = 0;
  i32[HEAD_PAGE_RETIRED] = 0;
  for (let page = i32[HEAD_PAGE_FRESH] - 1; page >= 0; page--) {
    const entry = pageEntry(memory, page);
    if (i32[entry + PAGE_CLASS_I32] === -(deadActor + 2)) i32[entry + PAGE_CLASS_I32] = 0;
    const owner = i32[entry + PAGE_CLASS_I32];
    if (owner !== 0 && owner !== PAGE_RETIRED) {
      count++;
      continue;
    }
    const list = owner === 0 ? HEAD_PAGE_POOL : HEAD_PAGE_RETIRED;
    i32[entry + PAGE_NEXT_I32] = i32[list];
    i32[list] = page + 1;
    if (owner === 0) pooled++;
  }
  i32[HEAD_PAGE_POOL_COUNT] = pooled;
  i32[HEAD_PAGE_COUNT] = count;
}
