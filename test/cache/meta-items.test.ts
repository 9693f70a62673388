/**
 * What meta commands note of an item - stale, token sent, binary key, a cas id of the client's
 * choice - lives as long as the item: through page moves and repairs, and it never gets into the
 * way of flush_all and of the sizes' histogram, which go by cas ids.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { auditCache } from '../../src/cache/audit.ts';
import { hashKey } from '../../src/cache/hash.ts';
import { PageMover } from '../../src/cache/mover.ts';
import { recoverActor } from '../../src/cache/recover.ts';
import { Bytes } from '../../src/memory/bytes.ts';
import { HEAD_CLOCK } from '../../src/memory/layout.ts';
import { lock, RANK_CLASS } from '../../src/memory/lock.ts';
import type { Memory } from '../../src/memory/memory.ts';
import { CACHE_DEFAULTS, makeEngine, makeMemory, makeStore, Talk } from '../support/cache.ts';

const WORKER = 2;
const OTHER_WORKER = 3;
const MAINTAINER = 1;
const KEY = Buffer.from('a key\r\n').toString('base64');

function talkTo(memory: Memory, actor = WORKER): Talk {
  return new Talk(makeEngine(makeStore(memory, {}, actor)));
}

/** Where the item is. */
function place(memory: Memory): number {
  const key = new Bytes(Buffer.from('a key\r\n'));
  const { table } = makeStore(memory, {}, OTHER_WORKER);
  return table.doFind(hashKey(key, 0, key.u8.length, 0), 0, key, 0, key.u8.length);
}

/** An item that has everything, among others of its class. */
function prepare(talk: Talk, value: string): void {
  const bytes = value.length;
  const fill = (from: number, to: number): void => {
    for (let i = from; i < to; i++) talk.send(`set k${i} 0 0 ${bytes}\r\n${value}\r\n`);
  };
  fill(0, 20);
  assert.equal(talk.send(`ms ${KEY} ${bytes} b E77\r\n${value}\r\n`), 'HD\r\n');
  assert.equal(talk.send(`md ${KEY} b I E78\r\n`), 'HD\r\n');
  assert.equal(talk.send(`mg ${KEY} b k c\r\n`), `HD k${KEY} b c78 X W\r\n`);
  fill(20, 300);
  for (let i = 0; i < 300; i += 2) talk.send(`delete k${i}\r\n`);
}

for (const [name, value] of [
  ['small', 'v'.repeat(10_000)],
  ['large', 'v'.repeat(40_000)],
] as const) {
  test(`a ${name} item keeps its marks when its page is moved`, () => {
    const memory = makeMemory({ slabChunkMax: 16_384, chunkSizeMin: 7_000 });
    const talk = talkTo(memory);
    prepare(talk, value);
    const before = place(memory);
    const mover = new PageMover(makeStore(memory, {}, MAINTAINER), () => {});
    for (let id = 1; id <= memory.classLargest; id++) mover.move(id, 0);
    assert.notEqual(place(memory), before, 'the item was not moved');
    assert.equal(talk.send(`mg ${KEY} b k c s\r\n`), `HD k${KEY} b c78 s${value.length} Z X\r\n`);
    assert.deepEqual(auditCache(makeStore(memory, {}, 0)), []);
  });
}

test('an item keeps its marks when the lists of its class are rebuilt', () => {
  const memory = makeMemory();
  const talk = talkTo(memory);
  prepare(talk, 'v'.repeat(100));
  const store = makeStore(memory, {}, OTHER_WORKER);
  for (let id = 1; id <= memory.classLargest; id++) {
    lock(memory.i32, store.slab.classWord(id), RANK_CLASS, OTHER_WORKER);
    recoverActor(memory, CACHE_DEFAULTS, OTHER_WORKER);
  }
  assert.equal(talk.send(`mg ${KEY} b k c\r\n`), `HD k${KEY} b c78 Z X\r\n`);
});

/** Ids far below and far above all that the server gives out. */
const IDS = ['1', '18446744073709551614'];

for (const id of IDS) {
  test(`flush_all goes by time, not by a chosen cas id of ${id}`, () => {
    const memory = makeMemory();
    const talk = talkTo(memory);
    const set = `ms k 1 E${id}\r\na\r\n`;
    const fetched = `HD c${id}\r\n`;
    assert.equal(talk.send(`${set}mg k c\r\n`), `HD\r\n${fetched}`);
    // All of it within one second.
    for (let round = 0; round < 3; round++) {
      assert.equal(talk.send('flush_all\r\nmg k c\r\n'), 'OK\r\nEN\r\n');
      assert.equal(talk.send(`${set}mg k c\r\nmg k l\r\n`), `HD\r\n${fetched}HD l0\r\n`);
    }
    const marked = `STORED\r\nHD\r\nHD c${id} X W\r\n`;
    assert.equal(talk.send(`set m 0 0 1\r\na\r\nmd m I E${id}\r\nmg m c\r\n`), marked);
    assert.equal(talk.send('ma n N0\r\nma n E5 v\r\nmg n c\r\n'), 'HD\r\nVA 1\r\n1\r\nHD c5\r\n');
    memory.i32[HEAD_CLOCK] += 10;
    assert.equal(talk.send('get k m n\r\n').match(/VALUE/g)?.length, 3);
    assert.equal(talk.send('flush_all\r\nget k m n\r\n'), 'OK\r\nEND\r\n');
  });
}

test('a change by the server takes a chosen cas id away', () => {
  const memory = makeMemory();
  const talk = talkTo(memory);
  talk.send('ms n 1 E99\r\n5\r\nincr n 1\r\n');
  assert.doesNotMatch(talk.send('mg n c\r\n'), /c99\r\n/);
  assert.equal(talk.send('flush_all\r\nmg n\r\n'), 'OK\r\nEN\r\n');
});

test('items with chosen cas ids do not spoil the histogram of sizes', () => {
  const memory = makeMemory();
  const talk = talkTo(memory);
  for (const id of IDS) talk.send(`ms before${id} 1 E${id}\r\na\r\n`);
  talk.send('stats sizes_enable\r\n');
  for (const id of IDS) {
    talk.send(`ms k${id} 1 E${id}\r\na\r\nset m 0 0 1\r\n5\r\nmd m I E${id}\r\nincr m 1\r\n`);
    talk.send(`md before${id}\r\nmd k${id}\r\nmd m x I\r\nmd m\r\n`);
  }
  assert.equal(talk.send('stats sizes\r\n'), 'END\r\n');
});

test('stats cachedump leaves binary keys out', () => {
  const talk = talkTo(makeMemory());
  talk.send(`ms ${KEY} 1 b\r\na\r\nms text 1\r\na\r\n`);
  assert.match(talk.send('stats items\r\n'), /items:1:number 2/);
  assert.doesNotMatch(talk.send('stats cachedump 1 0\r\n'), /a key/);
});

test('an item whose time is ahead of the clock is not of a negative age', () => {
  const memory = makeMemory();
  const talk = talkTo(memory);
  talk.send('flush_all\r\nflush_all\r\nflush_all\r\nms k 1 E5\r\na\r\n');
  assert.match(talk.send('mg k l\r\n'), /^HD l0\r\n$/);
  assert.match(talk.send('me k\r\n'), / la=0 /);
  assert.match(talk.send('stats items\r\n'), /STAT items:1:age_hot 0\r\n/);
});
