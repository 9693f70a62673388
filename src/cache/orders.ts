/**
 * What other threads ask of the maintainer: to move a page to a class, to crawl, to wake up, to
 * stop. Orders are words in shared memory. An order is refused while another one is waiting.
 */
import {
  atomicAdd,
  atomicCompareExchange,
  atomicLoad,
  atomicNotify,
  atomicStore,
} from '../memory/atomics.ts';
import { CLASS_COUNT_MAX } from '../memory/classes.ts';
import {
  HEAD_CRAWL_CLASSES,
  HEAD_CRAWL_OWNER,
  HEAD_MAINTAINER_STOP,
  HEAD_MAINTAINER_WAKE,
  HEAD_MOVE_DESTINATION,
  HEAD_MOVE_RUNNING,
  HEAD_MOVE_SOURCE,
} from '../memory/layout.ts';
import type { Memory } from '../memory/memory.ts';

/** As source of a page move: the class that can best spare one. */
export const ANY_CLASS = -1;
/** As source of a page move: the pool. 0, which is the pool elsewhere, is no order. */
export const POOL_SOURCE = CLASS_COUNT_MAX;
/** Values of HEAD_CRAWL_OWNER that are not an actor + 1. */
const NO_CRAWL = 0;
const CRAWL_ORDERED = -1;

/** Wakes the maintainer from its pause. */
function wakeMaintainer(memory: Memory): void {
  atomicAdd(memory.i32, HEAD_MAINTAINER_WAKE, 1);
  atomicNotify(memory.i32, HEAD_MAINTAINER_WAKE, 1);
}

/** Makes runMaintainer return after the step it is at. */
export function requestMaintainerStop(memory: Memory): void {
  atomicStore(memory.i32, HEAD_MAINTAINER_STOP, 1);
  wakeMaintainer(memory);
}

/**
 * Orders one page to move from `source` (a class, ANY_CLASS or POOL_SOURCE) to `destination` (a
 * class, or 0 for the pool). False when an order is waiting already or a page is on its way.
 */
export function orderPageMove(
  memory: Memory,
  actor: number,
  source: number,
  destination: number,
): boolean {
  const { i32 } = memory;
  if (i32[HEAD_MOVE_RUNNING] !== 0) return false;
  // The source is written last: it is what the maintainer looks at. 0 is no order.
  if (atomicCompareExchange(i32, HEAD_MOVE_SOURCE, 0, claimOf(actor)) !== 0) return false;
  i32[HEAD_MOVE_DESTINATION] = destination;
  atomicStore(i32, HEAD_MOVE_SOURCE, source);
  wakeMaintainer(memory);
  return true;
}

/** Value of HEAD_MOVE_SOURCE while the actor writes an order. */
function claimOf(actor: number): number {
  return ANY_CLASS - 1 - actor;
}

/** Whether the value of HEAD_MOVE_SOURCE is an order, and not none or one that is being written. */
export function isOrder(source: number): boolean {
  return source > 0 || source === ANY_CLASS;
}

/**
 * Orders a crawl for dead items. `classes` has bit id % 32 of word id / 32 set for each class.
 * False while a crawl that was ordered, or a dump, is not over.
 */
export function orderCrawl(memory: Memory, actor: number, classes: Int32Array): boolean {
  const { i32 } = memory;
  if (!claimCrawl(memory, actor)) return false;
  i32[HEAD_CRAWL_CLASSES] = classes[0];
  i32[HEAD_CRAWL_CLASSES + 1] = classes[1];
  atomicStore(i32, HEAD_CRAWL_OWNER, CRAWL_ORDERED);
  wakeMaintainer(memory);
  return true;
}

/** Whether a crawl is ordered and not over. */
export function isCrawlOrdered(i32: Int32Array): boolean {
  return atomicLoad(i32, HEAD_CRAWL_OWNER) === CRAWL_ORDERED;
}

/** Whether the order is for this class, too. */
export function isCrawlOrderedFor(i32: Int32Array, id: number): boolean {
  return (i32[HEAD_CRAWL_CLASSES + (id >>> 5)] & (1 << (id & 31))) !== 0;
}

/** The ordered crawl is over; maintainer only. */
export function endOrderedCrawl(i32: Int32Array): void {
  atomicStore(i32, HEAD_CRAWL_OWNER, NO_CRAWL);
}

/** Makes the actor the one that walks all items for a client; false while there is another. */
export function claimCrawl(memory: Memory, actor: number): boolean {
  return atomicCompareExchange(memory.i32, HEAD_CRAWL_OWNER, NO_CRAWL, actor + 1) === NO_CRAWL;
}

/** Ends what claimCrawl began, for a living thread or a dead one. */
export function releaseCrawl(memory: Memory, actor: number): void {
  atomicCompareExchange(memory.i32, HEAD_CRAWL_OWNER, actor + 1, NO_CRAWL);
}

/** Takes back the orders that a dead thread has not finished writing, and ends its dump. */
export function clearClaim(memory: Memory, actor: number): void {
  atomicCompareExchange(memory.i32, HEAD_MOVE_SOURCE, claimOf(actor), 0);
  releaseCrawl(memory, actor);
}
