// Reads and checks the server's replies. Every reply is held against the request it answers: a
// bench that only counts bytes would also praise a server that answers wrongly.

import { type Items, KEY_LENGTH, readKey } from './items.ts';

const FULL_CHECK_INTERVAL = 64;
const CR = 13;
const LF = 10;
const SPACE = 32;
const ZERO = 48;
const LETTER_V = 86;
const STORED = Buffer.from('STORED\r\n');
const END = Buffer.from('END\r\n');
const VALUE = Buffer.from('VALUE ');
const META_VALUE = Buffer.from('VA ');
const META_MISS = Buffer.from('EN\r\n');
const META_KEY = Buffer.from(' k');
/** What stands for a meta get among the expected requests, where others have their keys counted. */
const META = -1;
/** "VALUE", a space, the key and " 0 ": where the length's digits begin. */
const DIGITS_AT = VALUE.length + KEY_LENGTH + 3;

/** A reply that is not the one that memcached's protocol prescribes for the request. */
export class WrongReply extends Error {
  override name = 'WrongReply';
}

/** What the replies of one measurement came to. */
export interface ReplyCounts {
  hits: number;
  misses: number;
  stores: number;
  /** Hits of which every byte of the value was compared. */
  fullyChecked: number;
}

/** The requests of one connection that wait for their replies, oldest first, with their keys. */
class Expected {
  readonly #ring: Int32Array;
  readonly #mask: number;
  #head = 0;
  #tail = 0;

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

/** Checks the replies of one connection; feed() takes them in pieces of any size. */
export class ReplyReader {
  readonly #items: Items;
  readonly #counts: ReplyCounts;
  readonly #expected: Expected;
  /** The beginning of a reply (or of a value in it) whose rest has not arrived. */
  #held = new Uint8Array(256);
  #heldLength = 0;
  /** Keys that are left of the get whose reply is being read, or -1 between replies. */
  #keysLeft = -1;
  /** Where the last scan stopped: at the first byte of something incomplete, or at the end. */
  #scanned = 0;
  #hitsSinceFullCheck = 0;

  /** `maxWords`: most requests, plus keys in them, that can be under way at once. */
  constructor(items: Items, counts: ReplyCounts, maxWords: number) {
    this.#items = items;
    this.#counts = counts;
    this.#expected = new Expected(maxWords);
  }

  /** Notes a get of `keys` keys, each of which follows with expectKey(). */
  expectGet(keys: number): void {
    this.#expected.push(keys);
  }

  expectKey(item: number): void {
    this.#expected.push(item);
  }

  /** Notes an `mg <key> k v`. */
  expectMeta(item: number): void {
    this.#expected.push(META);
    this.#expected.push(item);
  }

  expectStored(): void {
    this.#expected.push(0);
  }

  /**
   * Takes bytes of the server and returns how many requests they completed.
   * Throws WrongReply when they are not what the requests must be answered with.
   */
  feed(bytes: Uint8Array, length: number): number {
    if (this.#heldLength === 0) {
      const completed = this.#scan(bytes, length);
      if (this.#scanned < length) this.#hold(bytes.subarray(this.#scanned, length));
      return completed;
    }
    this.#hold(bytes.subarray(0, length));
    const completed = this.#scan(this.#held, this.#heldLength);
    if (this.#scanned > 0) this.#held.copyWithin(0, this.#scanned, this.#heldLength);
    this.#heldLength -= this.#scanned;
    return completed;
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

  #scan(bytes: Uint8Array, length: number): number {
    let at = 0;
    let completed = 0;
    while (at < length) {
      if (this.#keysLeft < 0 && this.#expected.length === 0) {
        wrong(bytes, at, length, 'bytes that no request asked for');
      }
      if (this.#keysLeft < 0 && this.#expected.peek() === 0) {
        if (!matches(bytes, at, length, STORED)) break;
        at += STORED.length;
        this.#expected.drop(1);
        this.#counts.stores++;
        completed++;
        continue;
      }
      if (this.#keysLeft < 0 && this.#expected.peek() === META) {
        const end = this.#meta(bytes, at, length);
        if (end < 0) break;
        at = end;
        completed++;
        continue;
      }
      if (this.#keysLeft < 0) {
        this.#keysLeft = this.#expected.peek();
        this.#expected.drop(1);
      }
      if (bytes[at] === LETTER_V) {
        const end = this.#value(bytes, at, length);
        if (end < 0) break;
        at = end;
      } else {
        if (!matches(bytes, at, length, END)) break;
        at += END.length;
        this.#counts.misses += this.#keysLeft;
        this.#expected.drop(this.#keysLeft);
        this.#keysLeft = -1;
        completed++;
      }
    }
    this.#scanned = at;
    return completed;
  }

  /** Checks one value with its header; returns where it ends, or -1 when a part is missing. */
  #value(bytes: Uint8Array, start: number, length: number): number {
    let at = start + DIGITS_AT;
    let size = 0;
    for (; at < length && bytes[at] !== CR; at++) {
      const digit = bytes[at] - 48;
      if (digit < 0 || digit > 9) wrong(bytes, start, length, 'a malformed VALUE line');
      size = size * 10 + digit;
    }
    if (size > this.#items.maxValueLength) wrong(bytes, start, length, 'a value that is too long');
    const end = at + 2 + size + 2;
    if (end > length) return -1;
    const item = readKey(bytes, start + VALUE.length);
    if (!isHeader(bytes, start) || item < 0 || bytes[at + 1] !== LF) {
      wrong(bytes, start, length, 'a malformed VALUE line');
    }
    this.#skipTo(item, bytes, start, length);
    this.#hit(bytes, at + 2, size, item);
    return end;
  }

  /** Checks the reply to a meta get; returns where it ends, or -1 when a part is missing. */
  #meta(bytes: Uint8Array, start: number, length: number): number {
    if (bytes[start] !== LETTER_V) {
      if (!matches(bytes, start, length, META_MISS)) return -1;
      this.#expected.drop(2);
      this.#counts.misses++;
      return start + META_MISS.length;
    }
    if (!matches(bytes, start, length, META_VALUE)) return -1;
    let at = start + META_VALUE.length;
    let size = 0;
    for (; at < length && bytes[at] !== SPACE; at++) {
      const digit = bytes[at] - 48;
      if (digit < 0 || digit > 9) wrong(bytes, start, length, 'a malformed VA line');
      size = size * 10 + digit;
    }
    if (size > this.#items.maxValueLength) wrong(bytes, start, length, 'a value that is too long');
    const valueAt = at + META_KEY.length + KEY_LENGTH + 2;
    const end = valueAt + size + 2;
    if (end > length) return -1;
    const item = readKey(bytes, at + META_KEY.length);
    this.#expected.drop(1);
    matches(bytes, at, length, META_KEY);
    if (bytes[valueAt - 1] !== LF || item !== this.#expected.peek()) {
      wrong(bytes, start, length, 'a VA line for another key');
    }
    this.#expected.drop(1);
    this.#hit(bytes, valueAt, size, item);
    return end;
  }

  /** Checks and counts a value and the line end behind it. */
  #hit(bytes: Uint8Array, at: number, size: number, item: number): void {
    const end = at + size + 2;
    if (!this.#items.looksRight(bytes, at, size, item)) {
      wrong(bytes, at, end, 'a value that was not stored under this key');
    }
    if (++this.#hitsSinceFullCheck === FULL_CHECK_INTERVAL) {
      this.#hitsSinceFullCheck = 0;
      this.#counts.fullyChecked++;
      if (!this.#items.isRight(bytes, at, size, item)) {
        wrong(bytes, at, end, 'a value with wrong bytes inside');
      }
    }
    if (bytes[end - 2] !== CR || bytes[end - 1] !== LF) {
      wrong(bytes, at, end, 'a value that does not end with CR LF');
    }
    this.#counts.hits++;
  }

  /** Takes the keys up to and with this one off the request; those before it were misses. */
  #skipTo(item: number, bytes: Uint8Array, at: number, length: number): void {
    for (; this.#keysLeft > 0; this.#keysLeft--) {
      const key = this.#expected.peek();
      this.#expected.drop(1);
      if (key === item) {
        this.#keysLeft--;
        return;
      }
      this.#counts.misses++;
    }
    wrong(bytes, at, length, 'a key that was not asked for');
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
function matches(bytes: Uint8Array, at: number, length: number, text: Uint8Array): boolean {
  const present = Math.min(text.length, length - at);
  for (let i = 0; i < present; i++) {
    if (bytes[at + i] !== text[i]) wrong(bytes, at, length, 'a reply of another kind');
  }
  return present === text.length;
}

function wrong(bytes: Uint8Array, at: number, length: number, what: string): never {
  const excerpt = Buffer.from(bytes.subarray(at, Math.min(length, at + 80))).toString('latin1');
  throw new WrongReply(`the server sent ${what}: ${JSON.stringify(excerpt)}`);
}
