// Rows of `npm run bench:micro` that tell where native code pays: hashes of keys, one by one and
// all of a line at once, and checksums, by the addon and by what is there without it.

import { crc32 } from 'node:zlib';
import { HASH_ALGORITHMS, hashedWordEnd, hashWord } from '../src/cache/hash.ts';
import { Bytes } from '../src/memory/bytes.ts';
import type { Addon } from '../src/net/addon.ts';
import { OPS_PER_CALL, type Task } from './micro-task.ts';

const SPACE = 0x20;
const KEYS_PER_LINE = 100;
const LINES_PER_CALL = OPS_PER_CALL / KEYS_PER_LINE;
/** As the addon writes what it finds: start, length and hash. */
const KEY_WORDS = 3;
const PAGE_BYTES = 1024 * 1024;
/** About a record of a dump. */
const RECORD_BYTES = 1000;

const found = new Int32Array(KEYS_PER_LINE * KEY_WORDS);
/** Where results go that must not be optimised away. */
const sink = new Int32Array(1);

/** Does in TypeScript what the addon's hashKeys does. */
function hashKeys(bytes: Bytes): number {
  const line = bytes.u8;
  let word = 0;
  let at = 0;
  while (at < line.length) {
    const start = at;
    found[word + 2] = hashWord(bytes, start, line.length, 0);
    at = hashedWordEnd();
    found[word] = start;
    found[word + 1] = at - start;
    word += KEY_WORDS;
    while (at < line.length && line[at] === SPACE) at++;
  }
  return word;
}

function lineTask(name: string, run: (line: Bytes) => number): Task {
  const keys = Array.from(
    { length: KEYS_PER_LINE },
    (_, i) => `bench-${String(i).padStart(9, '0')}`,
  );
  const line = new Bytes(Buffer.from(keys.join(' ')));
  return {
    name: `${name}: find and hash ${KEYS_PER_LINE} keys, per key`,
    ops: OPS_PER_CALL,
    run: () => {
      for (let i = 0; i < LINES_PER_CALL; i++) sink[0] ^= run(line);
    },
  };
}

function checksumTask(name: string, bytes: number, checksum: (of: Uint8Array) => number): Task {
  const content = Buffer.from(new SharedArrayBuffer(bytes)).fill('content');
  const ops = Math.ceil(PAGE_BYTES / bytes);
  return {
    name: `${name}: checksum of ${bytes} bytes`,
    ops,
    run: () => {
      for (let i = 0; i < ops; i++) sink[0] ^= checksum(content);
    },
  };
}

/** What runs without the addon. */
export function plainTasks(): Task[] {
  return [
    lineTask('TypeScript', hashKeys),
    ...[RECORD_BYTES, PAGE_BYTES].map((bytes) => checksumTask('node:zlib', bytes, crc32)),
  ];
}

export function nativeTasks(addon: Addon, keyLengths: readonly number[]): Task[] {
  const { checksum } = addon;
  const keyTask = (length: number, algorithm: number): Task => {
    const bytes = Buffer.from('x'.repeat(length));
    return {
      name: `addon: ${HASH_ALGORITHMS[algorithm]} of a ${length}-byte key`,
      ops: OPS_PER_CALL,
      run: () => {
        for (let i = 0; i < OPS_PER_CALL; i++) {
          bytes[0] = i;
          sink[0] ^= addon.hashKey(bytes, 0, length, 0, algorithm);
        }
      },
    };
  };
  return [
    ...keyLengths.flatMap((length) => [...HASH_ALGORITHMS.keys()].map((i) => keyTask(length, i))),
    lineTask('addon', ({ u8 }) => addon.hashKeys(u8, 0, u8.length, 0, 0, found)),
    ...[RECORD_BYTES, PAGE_BYTES].map((bytes) => checksumTask('addon', bytes, checksum)),
  ];
}
