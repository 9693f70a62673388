/**
 * Where the bytes of a value lie in the shared memory, as a list of stretches: for whoever sends a
 * value from there without a copy. The item must be pinned as long as the list is used.
 */
import { at, DATA_NEXT_I32 } from '../memory/layout.ts';
import type { Memory } from '../memory/memory.ts';
import { firstDataWord, isLarge, valueAt } from './item.ts';
import { dataAt, dataCapacity } from './value.ts';

/** Stretches in one list; with chunks of the usual largest size these are 32 MB. */
export const VALUE_PIECES_MAX = 64;
/** Words of a stretch: its beginning in units of 8 bytes, the bytes above that, its length. */
export const PIECE_WORDS = 3;

const UNIT_BYTES = 8;

export class ValuePieces {
  /** count x PIECE_WORDS. */
  readonly words = new Int32Array(VALUE_PIECES_MAX * PIECE_WORDS);
  count = 0;

  /** Lists the value from `offset` on, up to `end`, as far as there is room; returns how far. */
  list(memory: Memory, ref: number, offset: number, end: number): number {
    const { i32 } = memory;
    if (!isLarge(i32, ref)) {
      this.add(valueAt(i32, ref) + offset, end - offset);
      return end;
    }
    let position = 0;
    let listed = offset;
    let chunk = i32[firstDataWord(i32, ref)];
    while (listed < end && chunk !== 0 && this.count < VALUE_PIECES_MAX) {
      const capacity = dataCapacity(memory, chunk);
      if (listed < position + capacity) {
        const run = Math.min(position + capacity, end) - listed;
        this.add(dataAt(chunk) + listed - position, run);
        listed += run;
      }
      position += capacity;
      chunk = i32[at(chunk) + DATA_NEXT_I32];
    }
    return listed;
  }

  private add(byte: number, length: number): void {
    const { words } = this;
    const word = this.count++ * PIECE_WORDS;
    const above = byte % UNIT_BYTES;
    words[word] = (byte - above) / UNIT_BYTES;
    words[word + 1] = above;
    words[word + 2] = length;
  }
}
