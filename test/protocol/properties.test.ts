/**
 * What must hold of the protocol engine for any input: replies do not depend on how the input is cut,
 * and no input makes it throw, hang, or hold on to more than it may.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { auditCache } from '../../src/cache/audit.ts';
import { OUTPUT_BYTES } from '../../src/protocol/output.ts';
import { makeEngine, makeMemory, makeStore, Talk } from '../support/cache.ts';
import { stream } from './streams.ts';

const MEGABYTE = 2 ** 20;

function open(): Talk {
  const memory = makeMemory({
    memoryLimit: 4 * MEGABYTE,
    memoryMax: 4 * MEGABYTE,
    itemSizeMax: 4000,
    slabChunkMax: 2000,
    hashPowerInit: 6,
  });
  return new Talk(makeEngine(makeStore(memory)));
}

/** Sends the pieces until the connection is closed; the replies, and whether it was closed. */
function converse(pieces: readonly string[]): string {
  const talk = open();
  let replies = '';
  for (const piece of pieces) {
    if (!talk.closed) replies += talk.send(piece);
  }
  const { engine, session } = talk;
  assert.ok((session.pending?.length ?? 0) <= 4096, 'more is kept of the input than a line');
  engine.close(session);
  assert.deepEqual(auditCache(engine.store), []);
  return replies + (talk.closed ? '[closed]' : '');
}

function cut(text: string, places: readonly number[]): string[] {
  const sorted = [...new Set(places.map((place) => place % (text.length + 1)))].sort(
    (a, b) => a - b,
  );
  return [0, ...sorted].map((from, index) => text.slice(from, sorted[index]));
}

test('replies do not depend on how the input is cut', () => {
  fc.assert(
    fc.property(stream, fc.array(fc.nat(), { maxLength: 12 }), (text, places) => {
      assert.equal(converse(cut(text, places)), converse([text]));
    }),
    { numRuns: 300 },
  );
});

test('replies to single bytes are those to the whole', () => {
  fc.assert(
    fc.property(stream, (text) => assert.equal(converse([...text]), converse([text]))),
    { numRuns: 40 },
  );
});

test('random bytes never throw, and are not hoarded', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 400 }), { maxLength: 12 }), (pieces) => {
      converse(pieces.map((piece) => Buffer.from(piece).toString('latin1')));
    }),
    { numRuns: 300 },
  );
});

test('a line without end is cut off at 2 KB, unless it is a get', () => {
  const closes = (start: string, bytes: number): boolean => {
    const talk = open();
    talk.send(start + 'x'.repeat(bytes - start.length));
    return talk.closed;
  };
  assert.equal(closes('set ', 2048), false);
  assert.equal(closes('set ', 2049), true);
  assert.equal(closes('gat ', 2049), true);
  assert.equal(closes('get ', 200_000), false);
  assert.equal(closes('gets ', 200_000), false);
  assert.equal(closes(`${' '.repeat(100)}get `, 5000), false);
  assert.equal(closes(`${' '.repeat(101)}get `, 5000), true);
});

test('the storage of a long line is given back when it is done', () => {
  const talk = open();
  const line = `get ${Array.from({ length: 20_000 }, (_, n) => `key${n}`).join(' ')}`;
  for (let from = 0; from < line.length; from += 1000) talk.send(line.slice(from, from + 1000));
  assert.ok((talk.session.pending?.length ?? 0) >= line.length);
  assert.equal(talk.send('\r\n'), 'END\r\n');
  assert.equal(talk.session.pending, null);
});

test('a multi-get of 10,000 keys gives all of them, more than the output holds', () => {
  const talk = open();
  const keys = Array.from({ length: 10_000 }, (_, n) => `key${n}`);
  for (const key of keys) talk.send(`set ${key} 0 0 6 noreply\r\n${key.slice(-6).padEnd(6)}\r\n`);
  const expected = keys.map((key) => `VALUE ${key} 0 6\r\n${key.slice(-6).padEnd(6)}\r\n`);
  const reply = talk.send(`get ${keys.join(' ')}\r\n`);
  assert.ok(reply.length > 3 * OUTPUT_BYTES);
  assert.equal(reply, `${expected.join('')}END\r\n`);
  assert.deepEqual(auditCache(talk.engine.store), []);
});

test('values of all lengths around the output buffer come out whole', () => {
  const memory = makeMemory({ itemSizeMax: MEGABYTE });
  const talk = new Talk(makeEngine(makeStore(memory)));
  for (const around of [0, 8192, OUTPUT_BYTES, 2 * OUTPUT_BYTES, 600_000]) {
    for (let length = Math.max(0, around - 45); length < around + 5; length++) {
      const value = `${length},`.repeat(length).slice(0, length);
      assert.equal(talk.send(`set k 0 0 ${length}\r\n${value}\r\n`), 'STORED\r\n');
      // What stands in front shifts the value in the output.
      const lead = 'VERSION 1.6.45\r\n'.repeat(length % 3);
      const reply = talk.send(`${'version\r\n'.repeat(length % 3)}get k missing k\r\n`);
      const item = `VALUE k 0 ${length}\r\n${value}\r\n`;
      assert.equal(reply === `${lead}${item}${item}END\r\n`, true, `length ${length}`);
    }
  }
  assert.deepEqual(auditCache(talk.engine.store), []);
});

test('many replies in one event stop at a full output and go on', () => {
  const talk = open();
  const count = 20_000;
  assert.equal(talk.send('version\r\n'.repeat(count)), 'VERSION 1.6.45\r\n'.repeat(count));
});
