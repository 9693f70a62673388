/**
 * Feeds the watchers: takes the records out of all threads' rings, puts each into words once, and
 * adds the line to the ring of every watcher that wants it.
 *
 * Any worker that serves a watcher may do it, on a timer; whoever finds the log lock free does it
 * for all. A worker that dies at it leaves the rings as they are for the next one.
 */
import { count, LOG_WATCHER_SENT, LOG_WATCHER_SKIPPED } from '../cache/counters.ts';
import { FLAG_OF_RECORD } from '../cache/log.ts';
import { HEAD_LOG_LOCK } from '../memory/layout.ts';
import { RANK_LOG, tryLock, unlock } from '../memory/lock.ts';
import {
  RECORD_GID_HIGH_I32,
  RECORD_GID_LOW_I32,
  RECORD_TYPE_I32,
  WATCHER_COUNT,
  WATCHER_FLAGS_I32,
  WATCHER_GID_HIGH_I32,
  WATCHER_GID_LOW_I32,
  WATCHER_OWNER_I32,
  WATCHER_SKIPPED_I32,
} from '../memory/log-layout.ts';
import { LogRing } from '../memory/log-ring.ts';
import type { Memory } from '../memory/memory.ts';
import { isBefore } from '../memory/sequence.ts';
import { doPutBytes, watcherRoom, watcherWord } from '../memory/watchers.ts';
import { LOG_LINE_BYTES_MAX, putLogLine } from './log-line.ts';

/** Room for the line that says how many were skipped. */
const SKIPPED_BYTES_MAX = 128;
/** Records taken from a ring before the next ring has its turn. */
const RECORDS_PER_TURN = 64;

/** One thread's reading end of all rings. */
export class LogReader {
  private readonly memory: Memory;
  private readonly actor: number;
  private readonly rings: LogRing[] = [];
  private readonly line = Buffer.alloc(LOG_LINE_BYTES_MAX);

  constructor(memory: Memory, actor: number) {
    this.memory = memory;
    this.actor = actor;
    for (let writer = 0; writer < memory.layout.actorCount; writer++) {
      this.rings.push(new LogRing(memory, writer));
    }
  }

  /**
   * Hands at most `limit` records to the watchers, unless another thread is at it. Returns how many
   * there were.
   */
  drain(limit: number): number {
    const { i32 } = this.memory;
    if (!tryLock(i32, HEAD_LOG_LOCK, RANK_LOG, this.actor)) return 0;
    let done = 0;
    let before = -1;
    while (done !== before && done < limit) {
      before = done;
      for (const ring of this.rings) done += this.doDrainRing(ring);
    }
    unlock(i32, HEAD_LOG_LOCK);
    return done;
  }

  private doDrainRing(ring: LogRing): number {
    let done = 0;
    for (let word = ring.oldest(); word !== -1; word = ring.oldest()) {
      this.doShow(word);
      ring.release(word);
      if (++done === RECORDS_PER_TURN) break;
    }
    return done;
  }

  /** Gives one record to all watchers that want it. */
  private doShow(record: number): void {
    const { memory } = this;
    const { i32 } = memory;
    const flag = FLAG_OF_RECORD[i32[record + RECORD_TYPE_I32]];
    let length = 0;
    for (let watcher = 0; watcher < WATCHER_COUNT; watcher++) {
      const word = watcherWord(memory, watcher);
      if (i32[word + WATCHER_OWNER_I32] === 0) continue;
      if ((i32[word + WATCHER_FLAGS_I32] & flag) === 0) continue;
      if (this.isOlder(record, word)) continue;
      if (length === 0) length = putLogLine(memory, record, this.line);
      this.doAdd(watcher, word, length);
    }
  }

  private isOlder(record: number, watcher: number): boolean {
    const { i32 } = this.memory;
    return isBefore(
      i32[record + RECORD_GID_HIGH_I32],
      i32[record + RECORD_GID_LOW_I32],
      i32[watcher + WATCHER_GID_HIGH_I32],
      i32[watcher + WATCHER_GID_LOW_I32],
    );
  }

  /** Adds the line at hand, if there is room, and how many there was none for. */
  private doAdd(watcher: number, word: number, length: number): void {
    const { memory, actor, line } = this;
    const { i32 } = memory;
    if (watcherRoom(memory, watcher) < length + SKIPPED_BYTES_MAX) {
      i32[word + WATCHER_SKIPPED_I32]++;
      count(memory, actor, LOG_WATCHER_SKIPPED, 1);
      return;
    }
    const skipped = i32[word + WATCHER_SKIPPED_I32];
    if (skipped > 0) {
      const note = Buffer.from(`skipped=${skipped}\n`);
      doPutBytes(memory, watcher, note, note.length);
      i32[word + WATCHER_SKIPPED_I32] = 0;
    }
    doPutBytes(memory, watcher, line, length);
    count(memory, actor, LOG_WATCHER_SENT, 1);
  }
}
