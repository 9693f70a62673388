// The items that the load generator stores and expects back. Key and value follow from the item's
// number, so requests are written and replies are checked by arithmetic alone, without a table that
// would push the replies out of the processor's cache.

import type { Random } from './random.ts';

const KEY_PREFIX = 'bench-';
const KEY_DIGITS = 9;
/** Length of every key in bytes: a prefix and the item's number. */
export const KEY_LENGTH = KEY_PREFIX.length + KEY_DIGITS;
/** Values carry 24 bits of the item's number in every 4 bytes, so there may be this many items. */
export const MAX_ITEMS = 1 << 24;

const PREFIX_BYTES = Buffer.from(KEY_PREFIX);
const GET_BYTES = Buffer.from('get');
const SET_BYTES = Buffer.from('set ');
const META_GET_BYTES = Buffer.from('mg');
const META_FLAGS_BYTES = Buffer.from(' k v\r\n');
const META_SET_BYTES = Buffer.from('ms ');
const DIGIT_GROUPS = Buffer.from(
  Array.from({ length: 1000 }, (_, n) => String(n).padStart(3, '0')).join(''),
);
const PATTERN_PERIOD = 64;
const SPACE = 32;
const CR = 13;
const LF = 10;
const BINARY_MAGIC = 0x80;
/** Length of a binary packet's header. */
export const BINARY_HEADER = 24;
/** Flags and exptime. */
const BINARY_SET_EXTRAS = 8;
const BINARY_GET = 0;
const BINARY_SET = 1;

/** The byte of item `item`'s value at `index`: a part of the number and of the place, printable. */
function valueByte(item: number, index: number): number {
  return 48 + (((item >>> ((index & 3) * 6)) + index * 31) & 63);
}

/** The items of one load: how many there are and how long their values are. */
export class Items {
  readonly count: number;
  readonly maxValueLength: number;
  /** Longest a set request can be, in bytes. */
  readonly maxSetLength: number;
  readonly #lengths: Uint32Array;
  readonly #lengthTexts: ReadonlyMap<number, Buffer>;
  readonly #metaLengthTexts: ReadonlyMap<number, Buffer>;

  /** `valueLengths`: every item gets one of these at random; at least 1 byte each. */
  constructor(count: number, valueLengths: readonly number[], random: Random) {
    if (count < 1 || count > MAX_ITEMS) {
      throw new RangeError(`the number of keys must be 1 to ${MAX_ITEMS}, not ${count}`);
    }
    this.count = count;
    this.maxValueLength = Math.max(...valueLengths);
    this.maxSetLength = this.maxValueLength + KEY_LENGTH + 64;
    this.#lengths = Uint32Array.from(
      { length: valueLengths.length === 1 ? 1 : count },
      () => valueLengths[random.below(valueLengths.length)],
    );
    this.#lengthTexts = new Map(valueLengths.map((n) => [n, Buffer.from(` 0 0 ${n}\r\n`)]));
    this.#metaLengthTexts = new Map(valueLengths.map((n) => [n, Buffer.from(` ${n}\r\n`)]));
  }

  /** Length of an item's value in bytes. */
  valueLength(item: number): number {
    return this.#lengths.length === 1 ? this.#lengths[0] : this.#lengths[item];
  }

  /** Writes `set <key> 0 0 <length>`, the value and their line ends at `at`; returns the end. */
  writeSet(target: Uint8Array, at: number, item: number): number {
    return this.#writeLines(target, at, item, SET_BYTES, this.#lengthTexts);
  }

  /** Writes `ms <key> <length>`, the value and their line ends; returns the end. */
  writeMetaSet(target: Uint8Array, at: number, item: number): number {
    return this.#writeLines(target, at, item, META_SET_BYTES, this.#metaLengthTexts);
  }

  #writeLines(
    target: Uint8Array,
    at: number,
    item: number,
    command: Uint8Array,
    lengthTexts: ReadonlyMap<number, Uint8Array>,
  ): number {
    const length = this.valueLength(item);
    const end = writeKey(target, copySmall(target, at, command), item);
    const valueAt = copySmall(target, end, lengthTexts.get(length)!);
    this.writeValue(target, valueAt, item);
    return writeLineEnd(target, valueAt + length);
  }

  /** Writes a SET packet of the binary protocol, its opaque the item's number; returns the end. */
  writeBinarySet(target: Uint8Array, at: number, item: number): number {
    const length = this.valueLength(item);
    const extrasAt = writePacketHeader(target, at, BINARY_SET, BINARY_SET_EXTRAS, length, item);
    target.fill(0, extrasAt, extrasAt + BINARY_SET_EXTRAS);
    const valueAt = writeKey(target, extrasAt + BINARY_SET_EXTRAS, item);
    this.writeValue(target, valueAt, item);
    return valueAt + length;
  }

  /** Writes an item's value at `at`. */
  writeValue(target: Uint8Array, at: number, item: number): void {
    writePattern(target, at, item, this.valueLength(item));
  }

  /** Whether `length` bytes at `at` can be the item's value: their number, the first, the last. */
  looksRight(source: Uint8Array, at: number, length: number, item: number): boolean {
    return length === this.valueLength(item) && edgesAreRight(source, at, length, item, 0);
  }

  /** Whether all `length` bytes at `at` are the item's value. */
  isRight(source: Uint8Array, at: number, length: number, item: number): boolean {
    return length === this.valueLength(item) && pieceIsRight(source, at, length, item, 0);
  }
}

/**
 * Whether the first and the last bytes of a piece are those of the item's value, in which the piece
 * begins at `offset`.
 */
export function edgesAreRight(
  source: Uint8Array,
  at: number,
  length: number,
  item: number,
  offset: number,
): boolean {
  const edge = Math.min(length, 4);
  const tail = length - edge;
  for (let i = 0; i < edge; i++) {
    if (source[at + i] !== valueByte(item, offset + i)) return false;
    if (source[at + tail + i] !== valueByte(item, offset + tail + i)) return false;
  }
  return true;
}

/** Whether all bytes of a piece are those of the item's value from `offset` on. */
export function pieceIsRight(
  source: Uint8Array,
  at: number,
  length: number,
  item: number,
  offset: number,
): boolean {
  for (let i = 0; i < length; i++) {
    if (source[at + i] !== valueByte(item, offset + i)) return false;
  }
  return true;
}

/** Writes `get` at `at`; keys follow with writeNextKey(), a line end with writeLineEnd(). */
export function writeGet(target: Uint8Array, at: number): number {
  return copySmall(target, at, GET_BYTES);
}

/** Writes `mg <key> k v` and its line end at `at`; returns the end. */
export function writeMetaGet(target: Uint8Array, at: number, item: number): number {
  const end = writeNextKey(target, copySmall(target, at, META_GET_BYTES), item);
  return copySmall(target, end, META_FLAGS_BYTES);
}

/** Writes a GET packet of the binary protocol, its opaque the item's number; returns the end. */
export function writeBinaryGet(target: Uint8Array, at: number, item: number): number {
  return writeKey(target, writePacketHeader(target, at, BINARY_GET, 0, 0, item), item);
}

/** Writes the header of a packet with a key of ours; returns its end. */
function writePacketHeader(
  target: Uint8Array,
  at: number,
  opcode: number,
  extras: number,
  valueLength: number,
  item: number,
): number {
  target.fill(0, at, at + BINARY_HEADER);
  target[at] = BINARY_MAGIC;
  target[at + 1] = opcode;
  target[at + 3] = KEY_LENGTH;
  target[at + 4] = extras;
  writeUint32(target, at + 8, extras + KEY_LENGTH + valueLength);
  writeUint32(target, at + 12, item);
  return at + BINARY_HEADER;
}

function writeUint32(target: Uint8Array, at: number, value: number): void {
  target[at] = value >>> 24;
  target[at + 1] = value >>> 16;
  target[at + 2] = value >>> 8;
  target[at + 3] = value;
}

/** Writes a space and the item's key; returns the end. */
export function writeNextKey(target: Uint8Array, at: number, item: number): number {
  target[at] = SPACE;
  return writeKey(target, at + 1, item);
}

/** Ends a command line; returns the end. */
export function writeLineEnd(target: Uint8Array, at: number): number {
  target[at] = CR;
  target[at + 1] = LF;
  return at + 2;
}

/** The number of the item whose key stands at `at`, or -1 when that is no key of ours. */
export function readKey(source: Uint8Array, at: number): number {
  for (let i = 0; i < PREFIX_BYTES.length; i++) {
    if (source[at + i] !== PREFIX_BYTES[i]) return -1;
  }
  let item = 0;
  for (let i = at + PREFIX_BYTES.length; i < at + KEY_LENGTH; i++) {
    const digit = source[i] - 48;
    if (digit < 0 || digit > 9) return -1;
    item = item * 10 + digit;
  }
  return item;
}

function writeKey(target: Uint8Array, at: number, item: number): number {
  const end = copySmall(target, at, PREFIX_BYTES);
  const thousands = (item / 1000) | 0;
  const millions = (thousands / 1000) | 0;
  writeDigits(target, end, millions);
  writeDigits(target, end + 3, thousands - millions * 1000);
  writeDigits(target, end + 6, item - thousands * 1000);
  return end + KEY_DIGITS;
}

function writeDigits(target: Uint8Array, at: number, group: number): void {
  const source = group * 3;
  target[at] = DIGIT_GROUPS[source];
  target[at + 1] = DIGIT_GROUPS[source + 1];
  target[at + 2] = DIGIT_GROUPS[source + 2];
}

/** The pattern repeats, so a long value is written once and then doubled by block copies. */
function writePattern(target: Uint8Array, at: number, item: number, length: number): void {
  const head = length < 4 * PATTERN_PERIOD ? length : PATTERN_PERIOD;
  for (let i = 0; i < head; i++) target[at + i] = valueByte(item, i);
  for (let done = head; done < length; ) {
    const size = Math.min(done, length - done);
    target.copyWithin(at + done, at, at + size);
    done += size;
  }
}

function copySmall(target: Uint8Array, at: number, source: Uint8Array): number {
  const length = source.length;
  for (let i = 0; i < length; i++) target[at + i] = source[i];
  return at + length;
}
