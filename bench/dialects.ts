// In which words the bench without sockets asks for an item and stores it: one dialect per protocol,
// each of which knows how long the replies are and where a value stands in them.

import { type Items, KEY_LENGTH, writeGet, writeLineEnd, writeNextKey } from './items.ts';

/** One protocol's get and set. Lengths in bytes; of hits without the value itself. */
export interface Dialect {
  /** Gets that follow each other go on one line; `lineLength` is for the end of its reply. */
  readonly joined: boolean;
  readonly lineLength: number;
  readonly storedLength: number;
  /** Before the value: but for its length in digits, if the reply has that. */
  readonly headLength: number;
  readonly digits: boolean;
  readonly tailLength: number;
  /** Writes a get at `at` and returns its end; `first` is false for one more key of a line. */
  writeGet(target: Buffer, at: number, item: number, first: boolean): number;
  writeSet(target: Buffer, at: number, item: number, items: Items): number;
}

const BINARY_HEADER = 24;
const BINARY_GET = 0;
const BINARY_SET = 1;
const SET_EXTRAS = 8;
/** Flags, in the reply to a get. */
const GET_EXTRAS = 4;

const classic: Dialect = {
  joined: false,
  lineLength: 'END\r\n'.length,
  storedLength: 'STORED\r\n'.length,
  headLength: 'VALUE '.length + KEY_LENGTH + ' 0 \r\n'.length,
  digits: true,
  tailLength: '\r\n'.length,
  writeGet: (target, at, item) => {
    return writeLineEnd(target, writeNextKey(target, writeGet(target, at), item));
  },
  writeSet: (target, at, item, items) => items.writeSet(target, at, item),
};

const multi: Dialect = {
  ...classic,
  joined: true,
  writeGet: (target, at, item, first) => {
    // The line end of the key before is taken back.
    const keyAt = first ? writeGet(target, at) : at - 2;
    return writeLineEnd(target, writeNextKey(target, keyAt, item));
  },
};

const meta: Dialect = {
  joined: false,
  lineLength: 0,
  storedLength: 'HD\r\n'.length,
  headLength: 'VA  k\r\n'.length + KEY_LENGTH,
  digits: true,
  tailLength: '\r\n'.length,
  writeGet: (target, at, item) => {
    const end = writeNextKey(target, at + target.write('mg', at), item);
    return end + target.write(' k v\r\n', end);
  },
  writeSet: (target, at, item, items) => {
    const length = items.valueLength(item);
    let end = writeNextKey(target, at + target.write('ms', at), item);
    end += target.write(` ${length}\r\n`, end);
    items.writeValue(target, end, item);
    return writeLineEnd(target, end + length);
  },
};

const binary: Dialect = {
  joined: false,
  lineLength: 0,
  storedLength: BINARY_HEADER,
  headLength: BINARY_HEADER + GET_EXTRAS,
  digits: false,
  tailLength: 0,
  writeGet: (target, at, item) => {
    const end = writePacket(target, at, BINARY_GET, 0, 0);
    return writeBareKey(target, end, item);
  },
  writeSet: (target, at, item, items) => {
    const length = items.valueLength(item);
    const end = writePacket(target, at, BINARY_SET, SET_EXTRAS, length);
    target.fill(0, end, end + SET_EXTRAS);
    const valueAt = writeBareKey(target, end + SET_EXTRAS, item);
    items.writeValue(target, valueAt, item);
    return valueAt + length;
  },
};

export const DIALECTS: Readonly<Record<string, Dialect>> = { classic, multi, meta, binary };

/** A request header for one of our keys; returns where the extras begin. */
function writePacket(
  target: Buffer,
  at: number,
  opcode: number,
  extras: number,
  valueLength: number,
): number {
  target.fill(0, at, at + BINARY_HEADER);
  target[at] = 0x80;
  target[at + 1] = opcode;
  target.writeUInt16BE(KEY_LENGTH, at + 2);
  target[at + 4] = extras;
  target.writeUInt32BE(extras + KEY_LENGTH + valueLength, at + 8);
  return at + BINARY_HEADER;
}

/** Writes a key without the space in front of it; returns its end. */
function writeBareKey(target: Buffer, at: number, item: number): number {
  const before = target[at - 1];
  const end = writeNextKey(target, at - 1, item);
  target[at - 1] = before;
  return end;
}

/** Length of the reply to a get that hits, but for what ends its line. */
export function hitLength(dialect: Dialect, valueLength: number): number {
  return valueAt(dialect, valueLength) + valueLength + dialect.tailLength;
}

/** Where the value stands in the reply to a get that hits. */
export function valueAt(dialect: Dialect, valueLength: number): number {
  return dialect.headLength + (dialect.digits ? String(valueLength).length : 0);
}
