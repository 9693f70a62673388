/**
 * A cache moved into another memory, with its regions elsewhere: everything is there afterwards,
 * with its order, flags, times and cas ids, and it goes on working. Pages of any content at all
 * make a cache that is whole.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { adoptPages, placePages } from '../../src/cache/adopt.ts';
import { auditCache } from '../../src/cache/audit.ts';
import { sumCounter, TOTAL_ITEMS } from '../../src/cache/counters.ts';
import { describeCache, type Image, imagePages } from '../../src/cache/image.ts';
import { keyAt, keyBytesOf } from '../../src/cache/item.ts';
import { Maintainer } from '../../src/cache/maintainer.ts';
import { enableSizes, sizesHistogram } from '../../src/cache/sizes.ts';
import type { Store } from '../../src/cache/store.ts';
import { PAGE_BYTES } from '../../src/memory/classes.ts';
import { clockStarted } from '../../src/memory/clock.ts';
import { at, CHUNK_NEXT_I32, HEAD_CLOCK, LRU_COUNT } from '../../src/memory/layout.ts';
import type { Memory } from '../../src/memory/memory.ts';
import { CACHE_DEFAULTS, makeEngine, makeMemory, makeStore, Talk } from '../support/cache.ts';
import { filler, storageLine } from './world.ts';

const MEGABYTE = 1024 * 1024;
const SHAPE = { slabChunkMax: 16_384, memoryLimit: 24 * MEGABYTE };
/** The same shape of items, but all regions in other places. */
const ELSEWHERE = { ...SHAPE, memoryMax: 100 * MEGABYTE, maxConns: 5000, hashPowerInit: 12 };

interface Moved {
  readonly store: Store;
  readonly talk: Talk;
  readonly items: number;
}

/** Copies the pages into a fresh memory and adopts them there, `away` seconds later. */
function move(
  memory: Memory,
  away = 0,
  spoil: (pages: Buffer, image: Image) => Image = (_, image) => image,
  sizes = false,
): Moved {
  const wall = memory.i32[HEAD_CLOCK] + clockStarted(memory);
  const image = describeCache(makeStore(memory, {}, 0), wall * 1000);
  const pages = imagePages(memory);
  const target = makeMemory(ELSEWHERE);
  if (sizes) enableSizes(target);
  for (const [index, { page }] of pages.entries()) {
    const from = memory.layout.pages + page * PAGE_BYTES;
    memory.u8.copy(target.u8, target.layout.pages + index * PAGE_BYTES, from, from + PAGE_BYTES);
  }
  const start = target.layout.pages;
  const bytes = target.u8.subarray(start, start + pages.length * PAGE_BYTES);
  const spoilt = spoil(bytes, image);
  placePages(target, pages);
  const items = adoptPages(makeStore(target, {}, 0), spoilt, pages, (image.savedAt + away) * 1000);
  const store = makeStore(target);
  return { store, talk: new Talk(makeEngine(store)), items };
}

/** All kinds of items in all kinds of places, and holes where there were others. */
function fill(talk: Talk): string[] {
  const keys: string[] = [];
  for (let i = 0; i < 3000; i++) {
    const key = `key${i}`;
    const length = i % 97 === 0 ? 60_000 : (i * 37) % 3000;
    talk.send(storageLine('set', key, filler(key, length), i % 5 === 0 ? 1000 : 0));
    if (i % 3 === 0) talk.send(`get ${key}\r\nget ${key}\r\n`);
    if (i % 7 === 0) talk.send(`delete ${key}\r\n`);
    else keys.push(key);
  }
  talk.send('set plain 0 0 2\r\n41\r\nincr plain 1\r\nset empty 0 0 0\r\n\r\n');
  keys.push('plain', 'empty');
  return keys;
}

/** The keys of every list from head to tail. */
function listOrder(store: Store): string[][] {
  const { memory, lists } = store;
  const orders: string[][] = [];
  for (let id = 1; id <= memory.classLargest; id++) {
    for (let lru = 0; lru < LRU_COUNT; lru++) {
      const keys: string[] = [];
      for (
        let ref = lists.head(0, id, lru);
        ref !== 0;
        ref = memory.i32[at(ref) + CHUNK_NEXT_I32]
      ) {
        const start = keyAt(memory.i32, ref);
        keys.push(memory.u8.toString('latin1', start, start + keyBytesOf(memory.i32, ref)));
      }
      orders.push(keys);
    }
  }
  return orders;
}

test('everything is there, in its order, and the cache goes on', () => {
  const memory = makeMemory(SHAPE);
  const store = makeStore(memory);
  const talk = new Talk(makeEngine(store));
  const keys = fill(talk);
  const maintainer = new Maintainer(memory, CACHE_DEFAULTS);
  for (let round = 0; round < 20; round++) maintainer.round();
  const moved = move(memory);
  assert.deepEqual(auditCache(moved.store), []);
  assert.equal(moved.items, keys.length);
  assert.equal(sumCounter(moved.store.memory, TOTAL_ITEMS), keys.length);
  assert.deepEqual(listOrder(moved.store), listOrder(store));
  for (const key of keys) {
    assert.equal(moved.talk.send(`gets ${key}\r\n`), talk.send(`gets ${key}\r\n`), key);
    assert.equal(moved.talk.send(`mg ${key} t f h\r\n`), talk.send(`mg ${key} t f h\r\n`), key);
  }
  // The next cas id is the same on both sides, too.
  for (const side of [talk, moved.talk]) side.send('set next 0 0 1\r\nx\r\n');
  assert.equal(moved.talk.send('gets next\r\n'), talk.send('gets next\r\n'));
  fill(moved.talk);
  for (const key of keys) moved.talk.send(`delete ${key}\r\n`);
  assert.deepEqual(auditCache(moved.store), []);
});

test('the time away counts, and a wall clock that was set back does not', () => {
  const memory = makeMemory(SHAPE);
  const talk = new Talk(makeEngine(makeStore(memory)));
  const wall = memory.i32[HEAD_CLOCK] + clockStarted(memory);
  talk.send(`set soon 0 100 1\r\nx\r\nset late 0 1000 1\r\nx\r\nset at 0 ${wall + 300} 1\r\nx\r\n`);
  const back = move(memory, -5000);
  assert.equal(back.talk.send('mg soon t\r\nmg at t\r\n'), 'HD t100\r\nHD t300\r\n');
  const soon = move(memory, 99);
  assert.equal(soon.talk.send('mg soon t\r\nmg at t\r\n'), 'HD t1\r\nHD t201\r\n');
  const late = move(memory, 400);
  assert.equal(late.talk.send('mg soon t\r\nmg late t\r\nmg at t\r\n'), 'EN\r\nHD t600\r\nEN\r\n');
  assert.equal(late.store.memory.i32[HEAD_CLOCK] + clockStarted(late.store.memory), wall + 400);
});

test('a wall clock that was set while the cache ran does not count as time away', () => {
  const memory = makeMemory(SHAPE);
  const hourAhead = Date.now() + 3_600_000;
  const image = describeCache(makeStore(memory, {}, 0), hourAhead);
  const target = makeMemory(ELSEWHERE);
  adoptPages(makeStore(target, {}, 0), image, [], hourAhead + 5000);
  assert.equal(target.i32[HEAD_CLOCK], memory.i32[HEAD_CLOCK] + 5);
});

test('an item with a cas id of its own stays dead after a flush of its second', () => {
  const memory = makeMemory(SHAPE);
  const talk = new Talk(makeEngine(makeStore(memory)));
  talk.send('ms own 1 E99\r\nx\r\nflush_all\r\nms next 1 E98\r\ny\r\n');
  const moved = move(memory);
  assert.equal(moved.talk.send('mg own v\r\nmg next v\r\n'), 'EN\r\nVA 1\r\ny\r\n');
});

test('what a flush has killed stays dead, and one that is to come still comes', () => {
  const memory = makeMemory(SHAPE);
  const talk = new Talk(makeEngine(makeStore(memory)));
  talk.send('set dead 0 0 1\r\nx\r\nflush_all\r\n');
  memory.i32[HEAD_CLOCK] += 2;
  talk.send('set alive 0 0 1\r\nx\r\n');
  assert.equal(move(memory).talk.send('get dead alive\r\n'), 'VALUE alive 0 1\r\nx\r\nEND\r\n');
  talk.send('flush_all 50\r\n');
  assert.equal(move(memory, 10).talk.send('mg alive v\r\n'), 'VA 1\r\nx\r\n');
  assert.equal(move(memory, 60).talk.send('mg alive v\r\n'), 'EN\r\n');
});

test('uploads and pins of the moment are gone, without a trace', () => {
  const memory = makeMemory(SHAPE);
  const engine = makeEngine(makeStore(memory));
  const talk = new Talk(engine);
  const huge = filler('huge', 150_000);
  talk.send(storageLine('set', 'huge', huge));
  const line = Buffer.from('get huge\r\n');
  engine.feed(talk.session, line, 0, line.length);
  engine.output.reset();
  const other = new Talk(makeEngine(makeStore(memory, {}, 3)));
  other.send(storageLine('set', 'upload', filler('upload', 50_000)).slice(0, 30_000));
  const moved = move(memory);
  assert.deepEqual(auditCache(moved.store), []);
  assert.equal(moved.items, 1);
  assert.equal(moved.talk.send('get huge\r\n'), `VALUE huge 7 150000\r\n${huge}\r\nEND\r\n`);
});

test('sizes are counted from the restored items on, if they are tracked', () => {
  const memory = makeMemory(SHAPE);
  const talk = new Talk(makeEngine(makeStore(memory)));
  talk.send(storageLine('set', 'a', filler('a', 100)) + storageLine('set', 'b', filler('b', 100)));
  const moved = move(memory, 0, undefined, true);
  assert.deepEqual(
    sizesHistogram(moved.store.memory)?.map(([, items]) => items),
    [2],
  );
  moved.talk.send('delete a\r\ndelete b\r\n');
  assert.deepEqual(sizesHistogram(moved.store.memory), []);
});

test('no content of the pages does harm', () => {
  const memory = makeMemory(SHAPE);
  const talk = new Talk(makeEngine(makeStore(memory)));
  for (let i = 0; i < 400; i++) {
    const key = `key${i}`;
    talk.send(storageLine('set', key, filler(key, i % 10 === 0 ? 40_000 : i * 3)));
  }
  const chunks = imagePages(memory).flatMap(({ id, carved }, index) =>
    Array.from({ length: carved }, (_, k) => index * PAGE_BYTES + k * memory.classSizes[id]),
  );
  const word = fc.oneof(
    fc.integer(),
    fc.integer({ min: 0, max: 0x1fff }),
    fc.constantFrom(...chunks).map((byte) => memory.layout.pages / 8 + byte / 8),
  );
  const damage = fc.record({
    chunk: fc.constantFrom(...chunks),
    from: fc.integer({ min: 0, max: 12 }),
    words: fc.array(word, { minLength: 1, maxLength: 5 }),
  });
  let lost = 0;
  fc.assert(
    fc.property(fc.array(damage, { minLength: 1, maxLength: 60 }), fc.boolean(), (hits, heads) => {
      const moved = move(memory, 0, (pages, image) => {
        for (const { chunk, from, words } of hits) {
          for (const [index, value] of words.entries()) {
            pages.writeInt32LE(value | 0, chunk + (from + index) * 4);
          }
        }
        const [lists] = image.heads;
        return heads ? { ...image, heads: [[...lists].reverse()] } : image;
      });
      assert.deepEqual(auditCache(moved.store), []);
      lost += 400 - moved.items;
      for (let i = 0; i < 400; i += 7) moved.talk.send(`get key${i}\r\ndelete key${i}\r\n`);
      moved.talk.send(storageLine('set', 'new', filler('new', 50_000)));
      assert.deepEqual(auditCache(moved.store), []);
    }),
    { numRuns: 60 },
  );
  assert.ok(lost > 100, 'the damage was hardly noticed');
});
