/**
 * Moving value bytes in and out of items, whole or in chains of data chunks.
 */
import { type Bytes, copyBytes } from '../memory/bytes.ts';
import { at, CHUNK_CLASS_I32, DATA_HEADER_BYTES, DATA_NEXT_I32 } from '../memory/layout.ts';
import type { Memory } from '../memory/memory.ts';
import { firstDataWord, isLarge, valueAt } from './item.ts';

/** Bytes of value that a data chunk holds. */
export function dataCapacity(memory: Memory, chunk: number): number {
  return memory.classSizes[memory.i32[at(chunk) + CHUNK_CLASS_I32] & 63] - DATA_HEADER_BYTES;
}

/** Byte offset of a data chunk's bytes in the buffer. */
export function dataAt(chunk: number): number {
  return (chunk >>> 0) * 8 + DATA_HEADER_BYTES;
}

/** Copies `length` bytes of the value from `offset` on to a target. */
export function readValue(
  memory: Memory,
  ref: number,
  offset: number,
  target: Bytes,
  targetStart: number,
  length: number,
): void {
  const { i32, bytes } = memory;
  if (!isLarge(i32, ref)) {
    copyBytes(bytes, valueAt(i32, ref) + offset, target, targetStart, length);
    return;
  }
  let skip = offset;
  let done = 0;
  let chunk = i32[firstDataWord(i32, ref)];
  while (done < length && chunk !== 0) {
    const capacity = dataCapacity(memory, chunk);
    if (skip < capacity) {
      const run = Math.min(capacity - skip, length - done);
      copyBytes(bytes, dataAt(chunk) + skip, target, targetStart + done, run);
      done += run;
      skip = 0;
    } else {
      skip -= capacity;
    }
    chunk = i32[at(chunk) + DATA_NEXT_I32];
  }
}
