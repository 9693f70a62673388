/**
 * Moving value bytes in and out of items, whole or in chains of data chunks.
 *
 * Short runs are copied byte by byte, long ones by Buffer.copy: the call costs as much as about 100
 * bytes of loop. TypedArray.prototype.set is slow on shared memory and is not used.
 */
import { at, CHUNK_CLASS_I32, DATA_HEADER_BYTES, DATA_NEXT_I32 } from '../memory/layout.ts';
import type { Memory } from '../memory/memory.ts';
import { firstDataWord, isLarge, valueAt } from './item.ts';

const COPY_CALL_BYTES = 96;

/** Copies bytes between any two buffers. */
export function copyBytes(
  source: Buffer,
  sourceStart: number,
  target: Uint8Array,
  targetStart: number,
  length: number,
): void {
  if (length > COPY_CALL_BYTES) {
    source.copy(target, targetStart, sourceStart, sourceStart + length);
    return;
  }
  for (let i = 0; i < length; i++) target[targetStart + i] = source[sourceStart + i];
}

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
  target: Uint8Array,
  targetStart: number,
  length: number,
): void {
  const { i32, u8 } = memory;
  if (!isLarge(i32, ref)) {
    copyBytes(u8, valueAt(i32, ref) + offset, target, targetStart, length);
    return;
  }
  let skip = offset;
  let done = 0;
  let chunk = i32[firstDataWord(i32, ref)];
  while (done < length && chunk !== 0) {
    const capacity = dataCapacity(memory, chunk);
    if (skip < capacity) {
      const run = Math.min(capacity - skip, length - done);
      copyBytes(u8, dataAt(chunk) + skip, target, targetStart + done, run);
      done += run;
      skip = 0;
    } else {
      skip -= capacity;
    }
    chunk = i32[at(chunk) + DATA_NEXT_I32];
  }
}
