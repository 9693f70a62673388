// What all readers of replies share: bytes that wait for their rest, large values that arrive in
// pieces, and the counts. Every reply is held against the request it answers: a bench that only
// counts bytes would also praise a server that answers wrongly.

import { edgesAreRight, type Items, pieceIsRight } from './items.ts';

const FULL_CHECK_INTERVAL = 64;
/** From this length on an incomplete value is checked piece by piece instead of being kept. */
const LARGE_VALUE = 4096;
const CR = 13;
const LF = 10;

/** A reply that is not the one that memcached's protocol prescribes for the request. */
export class WrongReply extends Error {
  override name = 'WrongReply';
}

/** What the replies of one measurement came to. */
export interface ReplyCounts {
  hits: number;
  misses: number;
  stores: number;
  /** Stores that the server had no memory for. */
  refused: number;
  /** Hits of which every byte of the value was compared. */
  fullyChecked: number;
}

/** The requests of one connection that wait for their replies, oldest first, as words. */
export class Expected {
  readonly #ring: Int32Array;
  readonly #mask: number;
  #head = 0;
  #tail = 0;

  /** `capacity`: most words at a time. */
  constructor(capacity: number) {
    this.#ring = new Int32Array(1 << (32 - Math.clz32(capacity)));
    this.#mask = this.#ring.length - 1;
  }

  get length(): number {
    return (this.#tail - this.#head) & this.#mask;
  }

  push(word: number): void {
    this.#ring[this.#tail] = word;
    this.#tail = (this.#tail + 1) & this.#mask;
  }

  peek(): number {
    return this.#ring[this.#head];
  }

  drop(words: number): void {
    this.#head = (this.#head + words) & this.#mask;
  }
}

/** Reads the replies of one connection; feed() takes them in pieces of any size. */
export abstract class ReplyReader {
  protected readonly items: Items;
  protected readonly counts: ReplyCounts;
  /** The beginning of a reply (or of a value in it) whose rest has not arrived. */
  #held = new Uint8Array(256);
  #heldLength = 0;
  #hitsSinceFullCheck = 0;
  /** The large value that arrives in pieces, its line end included: size, and what came of it. */
  #pieceSize = 0;
  #pieceSeen = 0;
  #pieceItem = 0;
  #pieceValue = 0;

  constructor(items: Items, counts: ReplyCounts) {
    this.items = items;
    this.counts = counts;
  }

  /** Notes a get of `keys` keys, each of which follows with expectKey(). */
  abstract expectGet(keys: number): void;
  abstract expectKey(item: number): void;
  /** Notes a set of an item. */
  abstract expectStored(item: number): void;

  /**
   * Reads replies, adds those that are complete to `completed`, and returns where the first one
   * that is cut off begins.
   */
  protected abstract scan(bytes: Uint8Array, start: number, end: number): number;
  /** The value that beginPieces() announced is there: how many requests that completes. */
  protected abstract piecesEnded(): number;
  protected completed = 0;

  /**
   * Takes bytes of the server and returns how many requests they completed.
   * Throws WrongReply when they are not what the requests must be answered with.
   */
  feed(bytes: Uint8Array, start: number, end: number): number {
    this.completed = 0;
    let at = start;
    if (this.#pieceSize > 0) {
      at = this.#takePiece(bytes, start, end);
      if (at === end && this.#pieceSize > 0) return 0;
    }
    if (this.#heldLength === 0) {
      const scanned = this.scan(bytes, at, end);
      if (scanned < end) this.#hold(bytes.subarray(scanned, end));
      return this.completed;
    }
    this.#hold(bytes.subarray(at, end));
    const scanned = this.scan(this.#held, 0, this.#heldLength);
    if (scanned > 0) this.#held.copyWithin(0, scanned, this.#heldLength);
    this.#heldLength -= scanned;
    return this.completed;
  }

  #hold(bytes: Uint8Array): void {
    const length = this.#heldLength + bytes.length;
    if (length > this.#held.length) {
      const larger = new Uint8Array(2 * length);
      larger.set(this.#held.subarray(0, this.#heldLength));
      this.#held = larger;
    }
    this.#held.set(bytes, this.#heldLength);
    this.#heldLength = length;
  }

  /**
   * Takes the beginning of a value, from `at` to the end of what has arrived, and all that follows
   * until it is whole; false when it is so short that it may as well be kept until then.
   * `lineEnd`: CR LF come behind it.
   */
  protected beginPieces(
    bytes: Uint8Array,
    at: number,
    end: number,
    size: number,
    item: number,
    lineEnd: boolean,
  ): boolean {
    if (size < LARGE_VALUE) return false;
    if (size !== this.items.valueLength(item)) wrong(bytes, at, end, 'a value of another length');
    this.#pieceSize = size + (lineEnd ? 2 : 0);
    this.#pieceValue = size;
    this.#pieceSeen = 0;
    this.#pieceItem = item;
    this.#takePiece(bytes, at, end);
    return true;
  }

  #takePiece(bytes: Uint8Array, start: number, end: number): number {
    const length = Math.min(end - start, this.#pieceSize - this.#pieceSeen);
    const size = this.#pieceValue;
    const seen = this.#pieceSeen;
    const ofValue = Math.max(0, Math.min(length, size - seen));
    const full = this.#hitsSinceFullCheck === FULL_CHECK_INTERVAL - 1;
    const right = full
      ? pieceIsRight(bytes, start, ofValue, this.#pieceItem, seen)
      : edgesAreRight(bytes, start, ofValue, this.#pieceItem, seen);
    if (!right) wrong(bytes, start, end, 'a value that was not stored under this key');
    for (let i = ofValue; i < length; i++) {
      const expected = seen + i === size ? CR : LF;
      if (bytes[start + i] !== expected) wrong(bytes, start, end, 'a value without a line end');
    }
    this.#pieceSeen += length;
    if (this.#pieceSeen === this.#pieceSize) {
      this.#pieceSize = 0;
      this.#countHit(full);
      this.completed += this.piecesEnded();
    }
    return start + length;
  }

  /** Checks and counts a value that is there as a whole. */
  protected hit(bytes: Uint8Array, at: number, size: number, item: number): void {
    const end = at + size;
    if (!this.items.looksRight(bytes, at, size, item)) {
      wrong(bytes, at, end, 'a value that was not stored under this key');
    }
    const full = this.#hitsSinceFullCheck === FULL_CHECK_INTERVAL - 1;
    if (full && !this.items.isRight(bytes, at, size, item)) {
      wrong(bytes, at, end, 'a value with wrong bytes inside');
    }
    this.#countHit(full);
  }

  #countHit(full: boolean): void {
    this.counts.hits++;
    this.#hitsSinceFullCheck = full ? 0 : this.#hitsSinceFullCheck + 1;
    if (full) this.counts.fullyChecked++;
  }
}

/** Whether CR LF stand at `at`. */
export function isLineEnd(bytes: Uint8Array, at: number): boolean {
  return bytes[at] === CR && bytes[at + 1] === LF;
}

/** Throws WrongReply with an excerpt of what was sent. */
export function wrong(bytes: Uint8Array, at: number, end: number, what: string): never {
  const excerpt = Buffer.from(bytes.subarray(at, Math.min(end, at + 80))).toString('latin1');
  throw new WrongReply(`the server sent ${what}: ${JSON.stringify(excerpt)}`);
}
