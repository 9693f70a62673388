/**
 * Checks a value for which the memory runs out while it arrives: the rest of it is thrown away, the
 * error comes behind it, and the connection goes on with the next command.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { feedPieces, freshTalk, hangUp } from './pieces.ts';

const MEGABYTE = 1024 * 1024;
const MEMORY = { memoryLimit: 2 * MEGABYTE, memoryMax: 2 * MEGABYTE, itemSizeMax: 8 * MEGABYTE };
const BYTES = 6 * MEGABYTE;
const NO_MEMORY = 'SERVER_ERROR Out of memory during read\r\n';

const PIECES: ReadonlyArray<readonly [name: string, size: number]> = [
  ['in one piece', BYTES * 2],
  ['in pieces of 16 KB', 16_384],
  ['in pieces that end within the line end', BYTES + 'set k 0 0 6291456\r\n'.length + 1],
];

for (const [name, size] of PIECES) {
  for (const noreply of ['', ' noreply']) {
    test(`memory runs out for a value that comes ${name}${noreply}`, () => {
      const talk = freshTalk(MEMORY, { evictToFree: false });
      const line = `set k 0 0 ${BYTES}${noreply}\r\n`;
      const input = Buffer.from(`${line}${'x'.repeat(BYTES)}\r\nversion\r\nget k\r\n`);
      const cuts = Array.from(
        { length: Math.floor(input.length / size) },
        (_, n) => (n + 1) * size,
      );
      const error = noreply === '' ? NO_MEMORY : '';
      assert.equal(feedPieces(talk, input, cuts), `${error}VERSION 1.6.45\r\nEND\r\n`);
      hangUp(talk);
    });
  }
}
