/**
 * Checks values that are sent by reference, as a transport does it that can send from the shared
 * memory: they come whole, whatever happens to their items meanwhile, and are let go of afterwards.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { auditCache } from '../../src/cache/audit.ts';
import { BYTES_WRITTEN, sumCounter } from '../../src/cache/counters.ts';
import { FEED_CLOSE, FEED_FULL, FEED_MORE } from '../../src/protocol/engine.ts';
import { OUTPUT_BYTES } from '../../src/protocol/output.ts';
import type { Talk } from '../support/cache.ts';
import { freshTalk, hangUp, secondTalk } from './pieces.ts';

const MEGABYTE = 1024 * 1024;
const REFERENCE_FROM = 16 * 1024;
/** Somewhere in a storage that others write to, too. */
const START = 12_345;
const storage = Buffer.alloc(START + OUTPUT_BYTES + 1000);

/** What one call of feed or resume gave; `sent` reads the referenced bytes as they are by then. */
interface Turn {
  readonly result: number;
  readonly references: number;
  sent(): string;
}

/** Serves a request, or goes on, with references allowed. */
function serve(talk: Talk, request: string | null): Turn {
  const { engine, session } = talk;
  const { output } = engine;
  storage.fill('~');
  output.aim(storage, START, REFERENCE_FROM);
  const input = Buffer.from(request ?? '', 'latin1');
  const result =
    request === null ? engine.resume(session) : engine.feed(session, input, 0, input.length);
  const { end, referenceAt } = output;
  const { count, words } = output.pieces;
  const pieces = [...words.subarray(0, count * 3)];
  const middle = count === 0 ? end : referenceAt;
  const before = storage.toString('latin1', START, middle);
  const behind = storage.toString('latin1', middle, end);
  assert.ok(storage.subarray(0, START).every((byte) => byte === 0x7e));
  assert.ok(storage.subarray(START + OUTPUT_BYTES).every((byte) => byte === 0x7e));
  const sent = (): string => {
    let value = '';
    for (let word = 0; word < pieces.length; word += 3) {
      const start = (pieces[word] >>> 0) * 8 + pieces[word + 1];
      value += engine.store.memory.u8.toString('latin1', start, start + pieces[word + 2]);
    }
    engine.sent(session);
    return before + value + behind;
  };
  return { result, references: count, sent };
}

/** All replies to a request, sent turn by turn. */
function ask(talk: Talk, request: string): string {
  let turn = serve(talk, request);
  let replies = turn.sent();
  while (turn.result !== FEED_MORE && turn.result !== FEED_CLOSE) {
    turn = serve(talk, null);
    replies += turn.sent();
  }
  return replies;
}

/** A value in which every stretch is different. */
function textOf(bytes: number, name: string): string {
  let text = '';
  for (let line = 0; text.length < bytes; line++) text += `${name}:${line};`;
  return text.slice(0, bytes);
}

function store(talk: Talk, key: string, value: string): void {
  const reply = talk.send(`set ${key} 0 0 ${value.length}\r\n${value}\r\n`);
  assert.equal(reply, 'STORED\r\n');
}

const valueReply = (key: string, value: string): string =>
  `VALUE ${key} 0 ${value.length}\r\n${value}\r\n`;

const SIZES = [
  ...[0, 8193, REFERENCE_FROM - 1, REFERENCE_FROM, REFERENCE_FROM + 1, 65_000, 65_536, 100_000],
  ...[524_000, 524_288, 600_001, 3 * MEGABYTE + 1, 8 * MEGABYTE - 100],
];

test('values of all sizes come whole, and from the reference size on in one turn', () => {
  const talk = freshTalk({ itemSizeMax: 8 * MEGABYTE });
  for (const bytes of SIZES) {
    const value = textOf(bytes, 'v');
    store(talk, 'k', value);
    const expected = `${valueReply('k', value)}END\r\n`;
    const turn = serve(talk, 'get k\r\n');
    assert.equal(turn.references > 0, bytes >= REFERENCE_FROM, `${bytes} bytes`);
    assert.equal(turn.result, FEED_MORE);
    assert.equal(turn.sent() === expected, true, `${bytes} bytes`);
    assert.equal(ask(talk, 'mg k v s\r\n') === `VA ${bytes} s${bytes}\r\n${value}\r\n`, true);
  }
  hangUp(talk);
});

test('a value in more pieces than one turn takes', () => {
  const talk = freshTalk({ slabChunkMax: 2048, itemSizeMax: MEGABYTE });
  const value = textOf(400_000, 'v');
  store(talk, 'k', value);
  const turn = serve(talk, 'get k\r\nversion\r\n');
  assert.equal(turn.result, FEED_FULL);
  assert.equal(turn.references, 64);
  assert.equal(secondTalk(talk).send('delete k\r\n'), 'DELETED\r\n');
  let replies = turn.sent();
  while (replies.length < value.length) replies += serve(talk, null).sent();
  assert.equal(
    replies + serve(talk, null).sent() === `${valueReply('k', value)}END\r\nVERSION 1.6.45\r\n`,
    true,
  );
  hangUp(talk);
});

test('a referenced item stays as it is until it is sent, and is free then', () => {
  const talk = freshTalk({ itemSizeMax: 4 * MEGABYTE, memoryLimit: 16 * MEGABYTE });
  const other = secondTalk(talk);
  for (const change of ['delete k', 'set k 0 0 1\r\nx', 'flush_all', 'append k 0 0 3\r\nabc']) {
    for (const bytes of [50_000, 1_500_000]) {
      const value = textOf(bytes, 'v');
      store(other, 'k', value);
      const turn = serve(talk, 'get k\r\n');
      other.send(`${change}\r\n`);
      // Everything is taken that can be had.
      for (let n = 0; n < 100; n++)
        other.send(`set f${n} 0 0 ${bytes}\r\n${'#'.repeat(bytes)}\r\n`);
      assert.deepEqual(auditCache(talk.engine.store), []);
      assert.equal(turn.sent() === `${valueReply('k', value)}END\r\n`, true, change);
      assert.deepEqual(auditCache(talk.engine.store), []);
      other.send('flush_all\r\n');
    }
  }
  hangUp(talk);
});

test('one reference at a time: many large values leave in as many turns', () => {
  const talk = freshTalk();
  const values = ['a', 'b', 'c'].map((name) => textOf(30_000, name));
  for (const [index, value] of values.entries()) store(talk, `k${index}`, value);
  const all = values.map((value, index) => valueReply(`k${index}`, value));
  const turn = serve(talk, 'get k0 k1 k2\r\n');
  assert.equal(turn.result, FEED_FULL);
  assert.equal(turn.sent() === all[0], true);
  assert.equal(serve(talk, null).sent() === all[1], true);
  assert.equal(serve(talk, null).sent() === `${all[2]}END\r\n`, true);
  const each = all.map((reply) => `${reply}END\r\n`).join('');
  assert.equal(
    ask(talk, 'get k0\r\nget k1\r\nget k2\r\nversion\r\n') === `${each}VERSION 1.6.45\r\n`,
    true,
  );
  hangUp(talk);
});

test('the binary protocol refers, too', () => {
  const talk = freshTalk();
  const value = textOf(70_000, 'v');
  store(talk, 'key', value);
  const get = '\x80\x00\x00\x03\x00\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x00'.padEnd(24, '\0');
  const binary = secondTalk(talk);
  const turn = serve(binary, `${get}key${get}key`);
  assert.equal(turn.result, FEED_FULL);
  assert.ok(turn.references > 0);
  const first = turn.sent();
  assert.equal(first.length, 24 + 4 + value.length);
  assert.equal(first.slice(28) === value, true);
  assert.equal(serve(binary, null).sent() === first, true);
  hangUp(binary);
});

test('what is closed before its reference is sent lets go of the item', () => {
  const talk = freshTalk({ slabChunkMax: 2048, itemSizeMax: MEGABYTE });
  for (const bytes of [20_000, 400_000]) {
    store(talk, 'k', textOf(bytes, 'v'));
    const lost = secondTalk(talk);
    assert.ok(serve(lost, 'get k\r\nget k\r\n').references > 0);
    hangUp(lost);
    assert.equal(talk.send('delete k\r\n'), 'DELETED\r\n');
    assert.deepEqual(auditCache(talk.engine.store), []);
  }
  hangUp(talk);
});

test('bytes_written counts what is referred to', () => {
  const talk = freshTalk();
  const value = textOf(100_000, 'v');
  store(talk, 'k', value);
  const before = sumCounter(talk.engine.store.memory, BYTES_WRITTEN);
  const reply = ask(talk, 'get k\r\n');
  assert.equal(sumCounter(talk.engine.store.memory, BYTES_WRITTEN) - before, reply.length);
});

test('what is held while a session cannot be served is served by resume', () => {
  const talk = freshTalk();
  const { engine, session } = talk;
  store(talk, 'k', textOf(20_000, 'v'));
  assert.equal(serve(talk, 'get k\r\n').result, FEED_MORE);
  const input = Buffer.from('version\r\nversion\r\n');
  assert.equal(engine.hold(session, input, 0, 4), 4);
  assert.equal(engine.hold(session, input, 4, 10), 10);
  input.fill(0, 0, 10);
  engine.sent(session);
  assert.equal(serve(talk, null).sent(), 'VERSION 1.6.45\r\n');
  assert.equal(session.pendingLength, 1);
  hangUp(talk);
});
