// Reads and checks replies of the binary protocol. Every request carries its item's number as the
// opaque, so a reply to another request is told from the header, and one with another value by it.

import type { Items } from './items.ts';
import { Expected, type ReplyCounts, ReplyReader, wrong } from './reply-reader.ts';

const MAGIC = 0x81;
const HEADER = 24;
const OPCODE_GET = 0;
const OPCODE_SET = 1;
const STATUS_OK = 0;
const STATUS_NOT_FOUND = 1;
/** The client flags before the value. */
const GET_EXTRAS = 4;

/** Checks the replies of one connection. */
export class BinaryReplies extends ReplyReader {
  /** An item stands for a get of it, `~item` for a set. */
  readonly #expected: Expected;
  /** Bytes of an error text that are still to come. */
  #skip = 0;

  /** `maxWords`: most requests that can be under way at once. */
  constructor(items: Items, counts: ReplyCounts, maxWords: number) {
    super(items, counts);
    this.#expected = new Expected(maxWords);
  }

  /** A request has one key, so the key says it all. */
  override expectGet(): void {}

  override expectKey(item: number): void {
    this.#expected.push(item);
  }

  override expectStored(item: number): void {
    this.#expected.push(~item);
  }

  protected override scan(bytes: Uint8Array, start: number, end: number): number {
    let at = start;
    while (at < end) {
      const skipped = Math.min(this.#skip, end - at);
      this.#skip -= skipped;
      at += skipped;
      if (at + HEADER > end) break;
      const next = this.#packet(bytes, at, end);
      if (next < 0) break;
      at = next;
    }
    return at;
  }

  protected override piecesEnded(): number {
    return 1;
  }

  /** Checks one packet; returns where it ends, or -1 when a part is missing. */
  #packet(bytes: Uint8Array, start: number, end: number): number {
    if (this.#expected.length === 0) wrong(bytes, start, end, 'bytes that no request asked for');
    const expected = this.#expected.peek();
    const opcode = expected < 0 ? OPCODE_SET : OPCODE_GET;
    const item = expected < 0 ? ~expected : expected;
    const bodyLength = readUint32(bytes, start + 8);
    const status = (bytes[start + 6] << 8) | bytes[start + 7];
    if (bytes[start] !== MAGIC || bytes[start + 1] !== opcode) {
      wrong(bytes, start, end, 'a reply of another kind');
    }
    if (readUint32(bytes, start + 12) !== item) wrong(bytes, start, end, 'another opaque');
    const at = start + HEADER;
    if (opcode === OPCODE_GET && status === STATUS_NOT_FOUND) {
      this.#skip = bodyLength;
      this.#complete();
      this.counts.misses++;
      return at;
    }
    if (status !== STATUS_OK) wrong(bytes, start, end, `status ${status}`);
    if (opcode === OPCODE_SET) {
      if (bodyLength !== 0) wrong(bytes, start, end, 'a set reply with a body');
      this.#complete();
      this.counts.stores++;
      return at;
    }
    return this.#value(bytes, at, end, bodyLength, item);
  }

  /** Checks extras and value of a hit. */
  #value(bytes: Uint8Array, at: number, end: number, bodyLength: number, item: number): number {
    const header = at - HEADER;
    const size = bodyLength - GET_EXTRAS;
    if (bytes[header + 3] !== 0 || bytes[header + 4] !== GET_EXTRAS || size < 0) {
      wrong(bytes, header, end, 'a hit with other parts than flags and value');
    }
    if (size > this.items.maxValueLength) wrong(bytes, header, end, 'a value that is too long');
    const valueAt = at + GET_EXTRAS;
    if (valueAt > end) return -1;
    if (readUint32(bytes, at) !== 0) wrong(bytes, header, end, 'other flags');
    const next = valueAt + size;
    if (next > end) {
      if (!this.beginPieces(bytes, valueAt, end, size, item, false)) return -1;
      this.#expected.drop(1);
      return end;
    }
    this.hit(bytes, valueAt, size, item);
    this.#complete();
    return next;
  }

  #complete(): void {
    this.#expected.drop(1);
    this.completed++;
  }
}

function readUint32(bytes: Uint8Array, at: number): number {
  return ((bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3]) >>> 0;
}
