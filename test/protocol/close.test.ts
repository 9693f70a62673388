/**
 * Checks that a connection may go away at any moment: whatever it was in the middle of, nothing of
 * it stays in the slab, and the cache goes on.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CLASS_USED_I32 } from '../../src/memory/layout.ts';
import { FEED_FULL, FEED_MORE, FEED_YIELD } from '../../src/protocol/engine.ts';
import { IN_COMMAND, IN_KEYS, IN_REPLY, IN_SWALLOW, IN_VALUE } from '../../src/protocol/session.ts';
import type { Talk } from '../support/cache.ts';
import { feed, freshTalk, hangUp, secondTalk } from './pieces.ts';

const MEGABYTE = 1024 * 1024;
const MEMORY = { itemSizeMax: 4 * MEGABYTE };

/** Chunks in use, over all classes. */
function usedChunks(talk: Talk): number {
  const { memory, slab } = talk.engine.store;
  let used = 0;
  for (let id = 1; id <= memory.classLargest; id++) {
    used += memory.i32[slab.classWord(id) + CLASS_USED_I32];
  }
  return used;
}

interface Moment {
  readonly name: string;
  readonly state: number;
  readonly result: number;
  /** Fed one after the other; the last one leaves the connection in the state. */
  readonly input: readonly string[];
}

const LARGE = 'x'.repeat(2 * MEGABYTE);

const MOMENTS: readonly Moment[] = [
  { name: 'after nothing', state: IN_COMMAND, result: FEED_MORE, input: [''] },
  { name: 'in half a line', state: IN_COMMAND, result: FEED_MORE, input: ['set k 0 0'] },
  { name: 'before a value', state: IN_VALUE, result: FEED_MORE, input: ['set k 0 0 5\r\n'] },
  { name: 'in a value', state: IN_VALUE, result: FEED_MORE, input: ['set k 0 0 5\r\n', 'ab'] },
  { name: 'before CR', state: IN_VALUE, result: FEED_MORE, input: ['set k 7 0 5\r\nabcde'] },
  { name: 'before LF', state: IN_VALUE, result: FEED_MORE, input: ['add k 7 0 5\r\nabcde\r'] },
  { name: 'after a wrong CR', state: IN_VALUE, result: FEED_MORE, input: ['set k 0 0 1\r\nax'] },
  {
    name: 'before a chained value',
    state: IN_VALUE,
    result: FEED_MORE,
    input: ['set k 0 0 2000000\r\n'],
  },
  {
    name: 'in a chained value',
    state: IN_VALUE,
    result: FEED_MORE,
    input: ['append large 0 0 2000000\r\n', LARGE.slice(0, 1_200_000)],
  },
  {
    name: 'in a value that is thrown away',
    state: IN_SWALLOW,
    result: FEED_MORE,
    input: ['set k 0 0 5000000\r\n', LARGE],
  },
  { name: 'in a value that is sent', state: IN_KEYS, result: FEED_FULL, input: ['get large\r\n'] },
  {
    name: 'in the second of two values with more keys to come',
    state: IN_KEYS,
    result: FEED_FULL,
    input: ['gets small large small large small\r\n'],
  },
  {
    name: 'in many small values',
    state: IN_KEYS,
    result: FEED_YIELD,
    input: [`get ${'small '.repeat(5000)}\r\n`],
  },
  {
    name: 'in a long reply',
    state: IN_REPLY,
    result: FEED_FULL,
    input: ['stats detail on\r\n', prefixGets(), 'stats detail dump\r\n'],
  },
  {
    name: 'while it waits for its turn',
    state: IN_COMMAND,
    result: FEED_YIELD,
    input: ['get small\r\n'.repeat(30)],
  },
];

/** Makes `stats detail dump` longer than one output buffer. */
function prefixGets(): string {
  let lines = '';
  for (let n = 0; n < 1000; n++) lines += `get ${'p'.repeat(100)}${n}:k\r\n`;
  return lines;
}

for (const { name, state, result, input } of MOMENTS) {
  test(`a connection closed ${name} leaves nothing behind`, () => {
    const owner = freshTalk(MEMORY);
    owner.send(`set large 0 0 ${LARGE.length}\r\n${LARGE}\r\nset small 0 0 2\r\nab\r\n`);
    const before = usedChunks(owner);
    const talk = secondTalk(owner);
    for (const part of input.slice(0, -1)) talk.send(part);
    const step = feed(talk, input[input.length - 1]);
    assert.equal(step.result, result);
    assert.equal(talk.session.state, state);
    hangUp(talk);
    assert.equal(usedChunks(owner), before);
    const reply = 'VALUE small 0 2\r\nab\r\nEND\r\nDELETED\r\nDELETED\r\n';
    assert.equal(owner.send('get small\r\ndelete small\r\ndelete large\r\n'), reply);
    assert.equal(usedChunks(owner), 0);
    hangUp(owner);
  });
}

test('the last one to send a deleted value frees it', () => {
  const owner = freshTalk(MEMORY);
  owner.send(`set large 0 0 ${LARGE.length}\r\n${LARGE}\r\n`);
  const readers = [1, 2, 3].map(() => secondTalk(owner));
  for (const reader of readers) assert.equal(feed(reader, 'get large\r\n').result, FEED_FULL);
  assert.equal(owner.send('delete large\r\n'), 'DELETED\r\n');
  for (const reader of readers) {
    assert.ok(usedChunks(owner) > 1);
    hangUp(reader);
  }
  assert.equal(usedChunks(owner), 0);
});

test('closing twice, and closing after quit, do no harm', () => {
  const talk = freshTalk(MEMORY);
  feed(talk, 'set k 0 0 5\r\nab');
  hangUp(talk);
  talk.engine.close(talk.session);
  assert.equal(usedChunks(talk), 0);
  const quitter = secondTalk(talk);
  assert.equal(feed(quitter, 'quit\r\nset k 0 0 5\r\nab').output, '');
  assert.equal(quitter.closed, true);
  hangUp(quitter);
});
