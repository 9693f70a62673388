/**
 * The ring of log records that each thread writes and whoever feeds the watchers reads: one writer,
 * one reader, no lock between them.
 *
 * A record is there when the writer has moved its mark past it, and its room is free when the
 * reader has moved its own: a thread may die in the middle of either and the ring stays readable.
 * A ring that is full takes no record; the writer goes on and counts what it dropped.
 */
import { atomicLoad, atomicStore } from './atomics.ts';
import { wordOf } from './layout.ts';
import {
  LOG_RING_HEAD_BYTES,
  LOG_RING_READ_I32,
  LOG_RING_WRITE_I32,
  RECORD_SIZE_I32,
} from './log-layout.ts';
import type { Memory } from './memory.ts';

/** One end of the ring of an actor. */
export class LogRing {
  private readonly i32: Int32Array;
  private readonly head: number;
  private readonly start: number;
  private readonly words: number;
  /** Where the writer goes on once the record at hand is complete. */
  private next = 0;

  constructor(memory: Memory, actor: number) {
    const { logRings, logRingBytes } = memory.layout;
    this.i32 = memory.i32;
    this.head = wordOf(logRings + actor * logRingBytes);
    this.start = this.head + LOG_RING_HEAD_BYTES / 4;
    this.words = (logRingBytes - LOG_RING_HEAD_BYTES) / 4;
  }

  /** First word of a new record of this many bytes, or -1 when there is no room for it. */
  reserve(bytes: number): number {
    const { i32, head, start, words } = this;
    const size = Math.ceil(bytes / 8) * 2;
    const write = i32[head + LOG_RING_WRITE_I32];
    const read = atomicLoad(i32, head + LOG_RING_READ_I32);
    let at = write;
    if (write >= read) {
      // The marks must not meet: that would be an empty ring.
      if (write + size > words || (write + size === words && read === 0)) {
        if (size >= read) return -1;
        if (write < words) i32[start + write + RECORD_SIZE_I32] = 0;
        at = 0;
      }
    } else if (write + size >= read) {
      return -1;
    }
    i32[start + at + RECORD_SIZE_I32] = size;
    this.next = at + size === words ? 0 : at + size;
    return start + at;
  }

  /** Hands the record that was reserved to the reader. */
  publish(): void {
    atomicStore(this.i32, this.head + LOG_RING_WRITE_I32, this.next);
  }

  /** First word of the oldest record, or -1 when there is none. Reader only. */
  oldest(): number {
    const { i32, head, start } = this;
    const write = atomicLoad(i32, head + LOG_RING_WRITE_I32);
    const read = i32[head + LOG_RING_READ_I32];
    if (read === write) return -1;
    return i32[start + read + RECORD_SIZE_I32] === 0 ? start : start + read;
  }

  /** Frees the room of the oldest record, which starts at this word. Reader only. */
  release(record: number): void {
    const { i32, start, words } = this;
    const end = record - start + i32[record + RECORD_SIZE_I32];
    atomicStore(i32, this.head + LOG_RING_READ_I32, end === words ? 0 : end);
  }
}
