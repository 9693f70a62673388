/**
 * Fills the value of a new item from front to back, as its bytes arrive. Large items get their data
 * chunks only when there is something to put in: an announced length costs no memory.
 */
import { type Bytes, copyBytes } from '../memory/bytes.ts';
import { at, DATA_NEXT_I32 } from '../memory/layout.ts';
import type { Memory } from '../memory/memory.ts';
import type { Allocator } from './alloc.ts';
import { firstDataWord, isLarge, tenantOf, valueAt, valueBytesOf } from './item.ts';
import { dataAt, dataCapacity } from './value.ts';

/** Where an upload stands; one per connection, reused from item to item. */
export class ValueWriter {
  private readonly memory: Memory;
  private readonly allocator: Allocator;
  private ref = 0;
  private written = 0;
  /** The data chunk being filled and how far; 0 for an item that is not large. */
  private chunk = 0;
  private chunkUsed = 0;

  constructor(memory: Memory, allocator: Allocator) {
    this.memory = memory;
    this.allocator = allocator;
  }

  /** Starts with an item fresh from the allocator. */
  begin(ref: number): void {
    this.ref = ref;
    this.written = 0;
    this.chunk = 0;
    this.chunkUsed = 0;
  }

  /** Bytes of value still to come. */
  get missing(): number {
    return valueBytesOf(this.memory.i32, this.ref) - this.written;
  }

  /**
   * Adds bytes to the value; at most `missing`. False when there is no memory for them: the item is
   * then to be discarded.
   */
  write(source: Bytes, start: number, length: number): boolean {
    const { memory, ref } = this;
    if (!isLarge(memory.i32, ref)) {
      copyBytes(source, start, memory.bytes, valueAt(memory.i32, ref) + this.written, length);
      this.written += length;
      return true;
    }
    let done = 0;
    while (done < length) {
      let room = this.chunk === 0 ? 0 : dataCapacity(memory, this.chunk) - this.chunkUsed;
      if (room === 0) {
        if (!this.addChunk()) return false;
        room = dataCapacity(memory, this.chunk);
      }
      const run = Math.min(room, length - done);
      copyBytes(source, start + done, memory.bytes, dataAt(this.chunk) + this.chunkUsed, run);
      this.chunkUsed += run;
      this.written += run;
      done += run;
    }
    return true;
  }

  /** Adds the value of another item. The caller makes sure that it does not change meanwhile. */
  writeFrom(other: number): boolean {
    const { memory } = this;
    const { i32, bytes } = memory;
    const length = valueBytesOf(i32, other);
    if (!isLarge(i32, other)) return this.write(bytes, valueAt(i32, other), length);
    let left = length;
    let chunk = i32[firstDataWord(i32, other)];
    while (left > 0 && chunk !== 0) {
      const run = Math.min(left, dataCapacity(memory, chunk));
      if (!this.write(bytes, dataAt(chunk), run)) return false;
      left -= run;
      chunk = i32[at(chunk) + DATA_NEXT_I32];
    }
    return true;
  }

  private addChunk(): boolean {
    const { ref, memory } = this;
    const tenant = tenantOf(memory.i32, ref);
    const chunk = this.allocator.addDataChunk(ref, tenant, this.chunk, this.missing);
    if (chunk === 0) return false;
    this.chunk = chunk;
    this.chunkUsed = 0;
    return true;
  }
}
