// Reads and checks replies of the text protocol, to classic commands and to meta commands.

import { type Items, KEY_LENGTH, readKey } from './items.ts';
import { Expected, isLineEnd, type ReplyCounts, ReplyReader, wrong } from './reply-reader.ts';

const CR = 13;
const LF = 10;
const SPACE = 32;
const ZERO = 48;
const LETTER_S = 83;
const LETTER_E = 69;
const LETTER_V = 86;
const STORED = Buffer.from('STORED\r\n');
const META_STORED = Buffer.from('HD\r\n');
/** memcached says so when it is filled faster than its maintainer thread makes room. */
const REFUSED = Buffer.from('SERVER_ERROR out of memory storing object\r\n');
const END = Buffer.from('END\r\n');
const VALUE = Buffer.from('VALUE ');
const META_VALUE = Buffer.from('VA ');
const META_MISS = Buffer.from('EN\r\n');
const META_KEY = Buffer.from(' k');
/** What stands for a set among the expected requests, where gets have their keys counted. */
const SET = 0;
/** "VALUE", a space, the key and " 0 ": where the length's digits begin. */
const DIGITS_AT = VALUE.length + KEY_LENGTH + 3;

/** Checks the replies of one connection. */
export class TextReplies extends ReplyReader {
  readonly #expected: Expected;
  readonly #meta: boolean;
  readonly #stored: Uint8Array;
  /** Keys that are left of the get whose reply is being read, or -1 between replies. */
  #keysLeft = -1;

  /**
   * `meta`: requests are `mg <key> k v` and `ms`. `maxWords`: most requests, plus keys in them,
   * that can be under way at once.
   */
  constructor(items: Items, counts: ReplyCounts, meta: boolean, maxWords: number) {
    super(items, counts);
    this.#expected = new Expected(maxWords);
    this.#meta = meta;
    this.#stored = meta ? META_STORED : STORED;
  }

  override expectGet(keys: number): void {
    this.#expected.push(keys);
  }

  override expectKey(item: number): void {
    this.#expected.push(item);
  }

  override expectStored(): void {
    this.#expected.push(SET);
  }

  protected override scan(bytes: Uint8Array, start: number, end: number): number {
    let at = start;
    while (at < end) {
      if (this.#keysLeft < 0 && this.#expected.length === 0) {
        wrong(bytes, at, end, 'bytes that no request asked for');
      }
      if (this.#keysLeft < 0 && this.#expected.peek() === SET) {
        const isRefused = bytes[at] === LETTER_S && bytes[at + 1] === LETTER_E;
        const reply = isRefused ? REFUSED : this.#stored;
        if (!matches(bytes, at, end, reply)) break;
        at += reply.length;
        this.#expected.drop(1);
        if (isRefused) this.counts.refused++;
        else this.counts.stores++;
        this.completed++;
        continue;
      }
      if (this.#meta) {
        const next = this.#metaGet(bytes, at, end);
        if (next < 0) break;
        at = next;
        continue;
      }
      if (this.#keysLeft < 0) {
        this.#keysLeft = this.#expected.peek();
        this.#expected.drop(1);
      }
      if (bytes[at] === LETTER_V) {
        const next = this.#value(bytes, at, end);
        if (next < 0) break;
        at = next;
      } else {
        if (!matches(bytes, at, end, END)) break;
        at += END.length;
        this.counts.misses += this.#keysLeft;
        this.#expected.drop(this.#keysLeft);
        this.#keysLeft = -1;
        this.completed++;
      }
    }
    return at;
  }

  protected override piecesEnded(): number {
    return this.#meta ? 1 : 0;
  }

  /** Checks one value with its header; returns where it ends, or -1 when a part is missing. */
  #value(bytes: Uint8Array, start: number, end: number): number {
    let at = start + DIGITS_AT;
    let size = 0;
    for (; at < end && bytes[at] !== CR; at++) {
      const digit = bytes[at] - 48;
      if (digit < 0 || digit > 9) wrong(bytes, start, end, 'a malformed VALUE line');
      size = size * 10 + digit;
    }
    if (size > this.items.maxValueLength) wrong(bytes, start, end, 'a value that is too long');
    const valueAt = at + 2;
    if (valueAt > end) return -1;
    const next = valueAt + size + 2;
    const item = readKey(bytes, start + VALUE.length);
    if (!isHeader(bytes, start) || item < 0 || bytes[at + 1] !== LF) {
      wrong(bytes, start, end, 'a malformed VALUE line');
    }
    if (next <= end) {
      this.#skipTo(item, bytes, start, end);
      this.hit(bytes, valueAt, size, item);
      if (!isLineEnd(bytes, next - 2)) wrong(bytes, start, end, 'a value without a line end');
      return next;
    }
    if (!this.beginPieces(bytes, valueAt, end, size, item, true)) return -1;
    this.#skipTo(item, bytes, start, end);
    return end;
  }

  /** Checks the reply to a meta get; returns where it ends, or -1 when a part is missing. */
  #metaGet(bytes: Uint8Array, start: number, end: number): number {
    if (bytes[start] !== LETTER_V) {
      if (!matches(bytes, start, end, META_MISS)) return -1;
      this.#expected.drop(2);
      this.counts.misses++;
      this.completed++;
      return start + META_MISS.length;
    }
    if (!matches(bytes, start, end, META_VALUE)) return -1;
    let at = start + META_VALUE.length;
    let size = 0;
    for (; at < end && bytes[at] !== SPACE; at++) {
      const digit = bytes[at] - 48;
      if (digit < 0 || digit > 9) wrong(bytes, start, end, 'a malformed VA line');
      size = size * 10 + digit;
    }
    if (size > this.items.maxValueLength) wrong(bytes, start, end, 'a value that is too long');
    const valueAt = at + META_KEY.length + KEY_LENGTH + 2;
    if (valueAt > end) return -1;
    const item = readKey(bytes, at + META_KEY.length);
    matches(bytes, at, end, META_KEY);
    const next = valueAt + size + 2;
    if (next > end && !this.beginPieces(bytes, valueAt, end, size, item, true)) return -1;
    this.#expected.drop(1);
    if (bytes[valueAt - 1] !== LF || item !== this.#expected.peek()) {
      wrong(bytes, start, end, 'a VA line for another key');
    }
    this.#expected.drop(1);
    if (next > end) return end;
    this.hit(bytes, valueAt, size, item);
    if (!isLineEnd(bytes, next - 2)) wrong(bytes, start, end, 'a value without a line end');
    this.completed++;
    return next;
  }

  /** Takes the keys up to and with this one off the request; those before it were misses. */
  #skipTo(item: number, bytes: Uint8Array, at: number, end: number): void {
    for (; this.#keysLeft > 0; this.#keysLeft--) {
      const key = this.#expected.peek();
      this.#expected.drop(1);
      if (key === item) {
        this.#keysLeft--;
        return;
      }
      this.counts.misses++;
    }
    wrong(bytes, at, end, 'a key that was not asked for');
  }
}

function isHeader(bytes: Uint8Array, at: number): boolean {
  for (let i = 0; i < VALUE.length; i++) {
    if (bytes[at + i] !== VALUE[i]) return false;
  }
  const flags = at + VALUE.length + KEY_LENGTH;
  return bytes[flags] === SPACE && bytes[flags + 1] === ZERO && bytes[flags + 2] === SPACE;
}

/** Whether all of `text` stands at `at`: false when it is cut short, WrongReply when it differs. */
function matches(bytes: Uint8Array, at: number, end: number, text: Uint8Array): boolean {
  const present = Math.min(text.length, end - at);
  for (let i = 0; i < present; i++) {
    if (bytes[at + i] !== text[i]) wrong(bytes, at, end, 'a reply of another kind');
  }
  return present === text.length;
}
