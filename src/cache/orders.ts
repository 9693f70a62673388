/**
 * What other threads ask of the maintainer: to move a page to a class, to wake up, to stop. Orders
 * are words in shared memory; a newer one replaces one that was not yet taken up.
 */
import { atomicAdd, atomicCompareExchange, atomicNotify, atomicStore } from '../memory/atomics.ts';
import {
  HEAD_MAINTAINER_STOP,
  HEAD_MAINTAINER_WAKE,
  HEAD_MOVE_DESTINATION,
  HEAD_MOVE_SOURCE,
} from '../memory/layout.ts';
import type { Memory } from '../memory/memory.ts';

/** As source of a page move: the class that can best spare one. */
export const ANY_CLASS = -1;

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
 * Orders one page to move from `source` (a class, or ANY_CLASS) to `destination` (a class, or 0 for
 * the pool). False when an order is waiting already.
 */
export function orderPageMove(
  memory: Memory,
  actor: number,
  source: number,
  destination: number,
): boolean {
  const { i32 } = memory;
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

/** Takes back the order that a dead thread has not finished writing. */
export function clearClaim(memory: Memory, actor: number): void {
  atomicCompareExchange(memory.i32, HEAD_MOVE_SOURCE, claimOf(actor), 0);
}
