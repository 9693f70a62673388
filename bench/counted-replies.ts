// Counts the replies of the null server by their length alone: they are filler, and what they
// answer is known. Only servers that make no claim to be a cache are read in this way.

import type { Items } from './items.ts';
import { Expected, type ReplyCounts, ReplyReader, wrong } from './reply-reader.ts';

/** How many bytes the null server answers with. */
export interface ReplyLengths {
  readonly get: number;
  readonly set: number;
}

/** Counts the replies of one connection. */
export class CountedReplies extends ReplyReader {
  /** Keys of each get under way; 0 stands for a set. */
  readonly #expected: Expected;
  readonly #lengths: ReplyLengths;
  #arrived = 0;

  /** `maxWords`: most requests that can be under way at once. */
  constructor(items: Items, counts: ReplyCounts, lengths: ReplyLengths, maxWords: number) {
    super(items, counts);
    this.#expected = new Expected(maxWords);
    this.#lengths = lengths;
  }

  override expectGet(keys: number): void {
    this.#expected.push(keys);
  }

  override expectKey(): void {}

  override expectStored(): void {
    this.#expected.push(0);
  }

  protected override scan(bytes: Uint8Array, start: number, end: number): number {
    this.#arrived += end - start;
    while (this.#arrived > 0) {
      if (this.#expected.length === 0) wrong(bytes, start, end, 'bytes that nobody asked for');
      const keys = this.#expected.peek();
      const length = keys === 0 ? this.#lengths.set : this.#lengths.get;
      if (this.#arrived < length) break;
      this.#arrived -= length;
      this.#expected.drop(1);
      this.completed++;
      if (keys === 0) this.counts.stores++;
      else this.counts.hits += keys;
    }
    return end;
  }

  /** Nothing is taken in pieces here. */
  protected override piecesEnded(): number {
    return 0;
  }
}
