/**
 * Checks replies that do not fit into one output buffer: they come whole however often the engine
 * has to stop, and a value that is changed or removed meanwhile is still sent as it was.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { auditCache } from '../../src/cache/audit.ts';
import { FEED_FULL } from '../../src/protocol/engine.ts';
import { OUTPUT_BYTES } from '../../src/protocol/output.ts';
import type { Talk } from '../support/cache.ts';
import { feed, freshTalk, hangUp, resume, secondTalk } from './pieces.ts';

const MEGABYTE = 1024 * 1024;
const LARGE = { itemSizeMax: 8 * MEGABYTE, memoryLimit: 64 * MEGABYTE };

/** A value in which every stretch is different. */
function textOf(bytes: number, name: string): string {
  let text = '';
  for (let line = 0; text.length < bytes; line++) text += `${name}:${line};`;
  return text.slice(0, bytes);
}

function store(talk: Talk, key: string, value: string, flags = 0): void {
  const reply = talk.send(`set ${key} ${flags} 0 ${value.length}\r\n${value}\r\n`);
  assert.equal(reply, 'STORED\r\n');
}

const valueReply = (key: string, value: string, flags = 0): string =>
  `VALUE ${key} ${flags} ${value.length}\r\n${value}\r\n`;

/** Resumes until the engine has given all; returns the replies. */
function drain(talk: Talk): string {
  let replies = '';
  for (;;) {
    const step = resume(talk);
    replies += step.output;
    if (step.result !== FEED_FULL) return replies;
  }
}

const HEADER = 'VALUE k 0 65000\r\n'.length;
const SIZES = [
  ...[8191, 8192, 8193, OUTPUT_BYTES - HEADER - 3, OUTPUT_BYTES - HEADER - 2],
  ...[OUTPUT_BYTES - HEADER - 1, OUTPUT_BYTES - HEADER, OUTPUT_BYTES, OUTPUT_BYTES + 1],
  ...[2 * OUTPUT_BYTES, 500_000, 524_288, 3 * MEGABYTE + 1, 8 * MEGABYTE - 100],
];

test('values of all sizes around those of chunks and buffers come whole', () => {
  const talk = freshTalk(LARGE);
  for (const bytes of SIZES) {
    const value = textOf(bytes, 'v');
    store(talk, 'k', value);
    assert.equal(talk.send('get k\r\n'), `${valueReply('k', value)}END\r\n`, `${bytes} bytes`);
  }
  hangUp(talk);
});

test('a value may begin at any distance from the end of the buffer', () => {
  const talk = freshTalk();
  const small = textOf(5000, 's');
  store(talk, 'k', small);
  for (let filler = 58_000; filler < 66_000; filler += 61) {
    const value = textOf(filler, 'f');
    store(talk, 'f', value);
    const reply = talk.send('get f k k\r\nget k\r\n');
    const twice = valueReply('k', small).repeat(2);
    assert.equal(reply, `${valueReply('f', value)}${twice}END\r\n${valueReply('k', small)}END\r\n`);
  }
  hangUp(talk);
});

test('10,000 keys on one line', () => {
  const talk = freshTalk();
  const keys = Array.from({ length: 10_000 }, (_, index) => `key-${index}`);
  let expected = '';
  for (const [index, key] of keys.entries()) {
    if (index % 3 === 2) continue;
    store(talk, key, `value ${index}`, index);
    expected += valueReply(key, `value ${index}`, index);
  }
  const request = Buffer.from(`get ${keys.join(' ')}\r\nversion\r\n`);
  assert.equal(talk.send(request), `${expected}END\r\nVERSION 1.6.45\r\n`);
  hangUp(talk);
});

test('thousands of pipelined commands with long replies', () => {
  const talk = freshTalk();
  store(talk, 'k', textOf(3000, 'p'));
  const once = `${valueReply('k', textOf(3000, 'p'))}END\r\n`;
  assert.equal(talk.send('get k\r\n'.repeat(2000)), once.repeat(2000));
});

test('a long stats reply comes whole', () => {
  const talk = freshTalk();
  talk.send('stats detail on\r\n');
  const prefixes = Array.from({ length: 3000 }, (_, index) => `${'n'.repeat(100)}${index}`);
  for (const prefix of prefixes) talk.send(`get ${prefix}:x\r\n`);
  const reply = talk.send('stats detail dump\r\nversion\r\n');
  const found = [...reply.matchAll(/^PREFIX (\S+) get 1 hit 0 set 0 del 0\r$/gm)];
  assert.equal(
    found
      .map(([, name]) => name)
      .sort()
      .join(),
    prefixes.sort().join(),
  );
  assert.ok(reply.length > 2 * OUTPUT_BYTES);
  assert.ok(reply.endsWith('END\r\nVERSION 1.6.45\r\n'));
});

const CHANGES: ReadonlyArray<readonly [name: string, request: string, reply: string]> = [
  ['overwritten', 'set k 0 0 3\r\nnew\r\n', 'STORED\r\n'],
  ['overwritten by cas', 'cas k 0 0 3 1\r\nnew\r\n', 'STORED\r\n'],
  ['deleted', 'delete k\r\n', 'DELETED\r\n'],
  ['appended to', 'append k 0 0 3\r\nnew\r\n', 'STORED\r\n'],
  ['prepended to', 'prepend k 0 0 3\r\nnew\r\n', 'STORED\r\n'],
  ['flushed and looked for', 'flush_all\r\nget k\r\n', 'OK\r\nEND\r\n'],
  ['expired and looked for', 'touch k -1\r\nget k\r\n', 'TOUCHED\r\nEND\r\n'],
  ['replaced by what is too large', `set k 0 0 9000000\r\n${'x'.repeat(9_000_000)}\r\n`, ''],
];

for (const bytes of [100_000, 3_000_000]) {
  for (const [name, request, reply] of CHANGES) {
    test(`a value of ${bytes} bytes that is ${name} while it is sent comes as it was`, () => {
      const reader = freshTalk(LARGE);
      const writer = secondTalk(reader);
      const value = textOf(bytes, 'old');
      store(reader, 'k', value);
      let step = feed(reader, 'get k\r\nget other\r\n');
      assert.equal(step.result, FEED_FULL);
      let replies = step.output;
      const changed = writer.send(request);
      assert.equal(changed, reply === '' ? 'SERVER_ERROR object too large for cache\r\n' : reply);
      // New items would land in the old one's chunks if those were free by now.
      for (let n = 0; n < 8; n++) store(writer, `n${n}`, textOf(bytes, 'other'));
      step = resume(reader);
      replies += step.output;
      assert.deepEqual(auditCache(reader.engine.store), []);
      if (step.result === FEED_FULL) replies += drain(reader);
      assert.equal(replies, `${valueReply('k', value)}END\r\nEND\r\n`);
      hangUp(reader);
      hangUp(writer);
    });
  }
}

test('a number that is changed while it is sent comes as it was', () => {
  const reader = freshTalk();
  const writer = secondTalk(reader);
  const digits = '7'.padStart(100_000, '0');
  store(reader, 'n', digits);
  const step = feed(reader, 'get n\r\n');
  assert.equal(writer.send('incr n 5\r\n'), '12\r\n');
  assert.equal(step.output + drain(reader), `${valueReply('n', digits)}END\r\n`);
  assert.match(writer.send('get n\r\n'), /^VALUE n 0 \d+\r\n12 *\r\nEND\r\n$/);
  hangUp(reader);
  hangUp(writer);
});

test('two connections are sent the same value, at their own pace', () => {
  const first = freshTalk();
  const second = secondTalk(first);
  const value = textOf(300_000, 'shared');
  store(first, 'k', value);
  const expected = `${valueReply('k', value)}END\r\n`;
  let ahead = feed(first, 'get k\r\n').output;
  let behind = feed(second, 'get k\r\n').output;
  assert.equal(first.send('') + second.send(''), expected.slice(ahead.length).repeat(2));
  ahead = feed(first, 'get k\r\ndelete k\r\n').output;
  behind = feed(second, 'get k\r\n').output;
  ahead += drain(first);
  assert.equal(ahead, `${expected}DELETED\r\n`);
  assert.deepEqual(auditCache(first.engine.store), []);
  behind += drain(second);
  assert.equal(behind, expected);
  hangUp(first);
  hangUp(second);
});
