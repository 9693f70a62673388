/**
 * The connections that watch the log, and the lines that wait to be sent to each: a ring of bytes,
 * filled by whoever holds the log lock and emptied by the thread that serves the connection.
 *
 * A watcher that does not read fills its ring and then loses lines, which are counted.
 */
import { atomicLoad, atomicStore } from './atomics.ts';
import { HEAD_LOG_GID, HEAD_LOG_LOCK, HEAD_WATCHED, HEAD_WATCHER_COUNT, wordOf } from './layout.ts';
import { forceUnlock, lock, lockHolder, RANK_LOG, unlock } from './lock.ts';
import {
  WATCHER_COUNT,
  WATCHER_FLAGS_I32,
  WATCHER_GID_HIGH_I32,
  WATCHER_GID_LOW_I32,
  WATCHER_HEAD_BYTES,
  WATCHER_OWNER_I32,
  WATCHER_READ_I32,
  WATCHER_SKIPPED_I32,
  WATCHER_SLOT_I32,
  WATCHER_WRITE_I32,
} from './log-layout.ts';
import type { Memory } from './memory.ts';
import { highOf, nextLow } from './sequence.ts';

/** First word of a watcher. */
export function watcherWord(memory: Memory, watcher: number): number {
  return wordOf(memory.layout.watchers + watcher * memory.layout.watcherBytes);
}

/** Bytes of lines that a watcher can have waiting. */
function capacityOf(memory: Memory): number {
  return memory.layout.watcherBytes - WATCHER_HEAD_BYTES;
}

/**
 * Makes a connection of the actor a watcher of what `flags` name (WATCH_ flags, see cache/log.ts),
 * from now on. Returns its number, or -1 when there are as many as there can be.
 */
export function addWatcher(memory: Memory, actor: number, slot: number, flags: number): number {
  const { i32 } = memory;
  lock(i32, HEAD_LOG_LOCK, RANK_LOG, actor);
  let watcher = 0;
  while (watcher < WATCHER_COUNT && i32[watcherWord(memory, watcher)] !== 0) watcher++;
  if (watcher < WATCHER_COUNT) {
    const word = watcherWord(memory, watcher);
    const low = nextLow(i32, HEAD_LOG_GID);
    i32[word + WATCHER_FLAGS_I32] = flags;
    i32[word + WATCHER_SLOT_I32] = slot;
    i32[word + WATCHER_GID_LOW_I32] = low;
    i32[word + WATCHER_GID_HIGH_I32] = highOf(i32, HEAD_LOG_GID, low);
    i32[word + WATCHER_SKIPPED_I32] = 0;
    i32[word + WATCHER_WRITE_I32] = 0;
    i32[word + WATCHER_READ_I32] = 0;
    i32[word + WATCHER_OWNER_I32] = actor + 1;
    doSumUp(memory);
  }
  unlock(i32, HEAD_LOG_LOCK);
  return watcher < WATCHER_COUNT ? watcher : -1;
}

/** Ends a watcher; its connection is gone. */
export function removeWatcher(memory: Memory, actor: number, watcher: number): void {
  const { i32 } = memory;
  lock(i32, HEAD_LOG_LOCK, RANK_LOG, actor);
  i32[watcherWord(memory, watcher) + WATCHER_OWNER_I32] = 0;
  doSumUp(memory);
  unlock(i32, HEAD_LOG_LOCK);
}

/** Ends the watchers that a dead thread served, and frees the log lock if it held it. */
export function removeWatchersOf(memory: Memory, actor: number, dead: number): void {
  const { i32 } = memory;
  if (lockHolder(i32, HEAD_LOG_LOCK) === dead) forceUnlock(i32, HEAD_LOG_LOCK);
  lock(i32, HEAD_LOG_LOCK, RANK_LOG, actor);
  for (let watcher = 0; watcher < WATCHER_COUNT; watcher++) {
    const word = watcherWord(memory, watcher) + WATCHER_OWNER_I32;
    if (i32[word] === dead + 1) i32[word] = 0;
  }
  doSumUp(memory);
  unlock(i32, HEAD_LOG_LOCK);
}

/** Tells all threads what is watched, and how many watch. The caller holds the log lock. */
function doSumUp(memory: Memory): void {
  const { i32 } = memory;
  let flags = 0;
  let count = 0;
  for (let watcher = 0; watcher < WATCHER_COUNT; watcher++) {
    const word = watcherWord(memory, watcher);
    if (i32[word + WATCHER_OWNER_I32] === 0) continue;
    flags |= i32[word + WATCHER_FLAGS_I32];
    count++;
  }
  i32[HEAD_WATCHER_COUNT] = count;
  atomicStore(i32, HEAD_WATCHED, flags);
}

/** Bytes that a watcher's ring has room for. */
export function watcherRoom(memory: Memory, watcher: number): number {
  const { i32 } = memory;
  const word = watcherWord(memory, watcher);
  const capacity = capacityOf(memory);
  const used = i32[word + WATCHER_WRITE_I32] - atomicLoad(i32, word + WATCHER_READ_I32);
  // Full and empty must differ: one byte always stays free.
  return capacity - 1 - ((used + capacity) % capacity);
}

/** Adds bytes to a watcher's ring, which has room for them. The caller holds the log lock. */
export function doPutBytes(memory: Memory, watcher: number, bytes: Buffer, length: number): void {
  const { i32, u8 } = memory;
  const word = watcherWord(memory, watcher);
  const start = word * 4 + WATCHER_HEAD_BYTES;
  const capacity = capacityOf(memory);
  const write = i32[word + WATCHER_WRITE_I32];
  const run = Math.min(length, capacity - write);
  bytes.copy(u8, start + write, 0, run);
  bytes.copy(u8, start, run, length);
  atomicStore(i32, word + WATCHER_WRITE_I32, (write + length) % capacity);
}

/** Moves bytes that wait for a watcher to a target, at most `room`; returns how many. */
export function takeBytes(
  memory: Memory,
  watcher: number,
  target: Buffer,
  targetStart: number,
  room: number,
): number {
  const { i32, u8 } = memory;
  const word = watcherWord(memory, watcher);
  const start = word * 4 + WATCHER_HEAD_BYTES;
  const capacity = capacityOf(memory);
  let taken = 0;
  let read = i32[word + WATCHER_READ_I32];
  const write = atomicLoad(i32, word + WATCHER_WRITE_I32);
  while (read !== write && taken < room) {
    const run = Math.min(room - taken, (write > read ? write : capacity) - read);
    u8.copy(target, targetStart + taken, start + read, start + read + run);
    taken += run;
    read = (read + run) % capacity;
  }
  atomicStore(i32, word + WATCHER_READ_I32, read);
  return taken;
}

/** Whether lines wait for a watcher. */
export function hasBytes(memory: Memory, watcher: number): boolean {
  const { i32 } = memory;
  const word = watcherWord(memory, watcher);
  return atomicLoad(i32, word + WATCHER_WRITE_I32) !== i32[word + WATCHER_READ_I32];
}
