// In which words the benches ask for an item and store it: one dialect per protocol, each of which
// knows how long the replies are and where a value stands in them.

import {
  BINARY_HEADER,
  type Items,
  KEY_LENGTH,
  writeBinaryGet,
  writeGet,
  writeLineEnd,
  writeMetaGet,
  writeNextKey,
} from './items.ts';

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
  writeGet(target: Uint8Array, at: number, item: number, first: boolean): number;
  writeSet(target: Uint8Array, at: number, item: number, items: Items): number;
}

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
  writeGet: writeMetaGet,
  writeSet: (target, at, item, items) => items.writeMetaSet(target, at, item),
};

const binary: Dialect = {
  joined: false,
  lineLength: 0,
  storedLength: BINARY_HEADER,
  headLength: BINARY_HEADER + GET_EXTRAS,
  digits: false,
  tailLength: 0,
  writeGet: writeBinaryGet,
  writeSet: (target, at, item, items) => items.writeBinarySet(target, at, item),
};

export const DIALECTS: Readonly<Record<string, Dialect>> = { classic, multi, meta, binary };

/** Length of the reply to a get that hits, but for what ends its line. */
export function hitLength(dialect: Dialect, valueLength: number): number {
  return valueAt(dialect, valueLength) + valueLength + dialect.tailLength;
}

/** Where the value stands in the reply to a get that hits. */
export function valueAt(dialect: Dialect, valueLength: number): number {
  return dialect.headLength + (dialect.digits ? String(valueLength).length : 0);
}
