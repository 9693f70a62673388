/** What the maintainer does beside juggling: growing the table, crawling, moving pages. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Automove, type ClassSample } from '../../src/cache/automove.ts';
import { PageMover } from '../../src/cache/mover.ts';
import { orderCrawl, orderPageMove, requestMaintainerStop } from '../../src/cache/orders.ts';
import { setAtomicsHook } from '../../src/memory/atomics.ts';
import {
  CLASS_PAGES_I32,
  HEAD_HASH_POWER,
  HEAD_LRU_CRAWLER,
  HEAD_PAGE_COUNT,
  HEAD_PAGE_POOL_COUNT,
} from '../../src/memory/layout.ts';
import { filler, read, storageLine, WORKER_A, World } from './world.ts';

const MEGABYTE = 2 ** 20;
/** Of the page mover's policy: seconds, and youngest age by oldest. */
const WINDOW = 5;
const RATIO = 0.8;

function pagesOf(world: World, id: number): number {
  return world.memory.i32[world.maintainer.store.slab.classWord(id) + CLASS_PAGES_I32];
}

test('the table grows while it is in use, and every key is found', () => {
  const world = new World({
    hashPowerInit: 12,
    memoryLimit: 32 * MEGABYTE,
    memoryMax: 32 * MEGABYTE,
  });
  const count = 30_000;
  for (let i = 0; i < count; i++) {
    world.a.send(`set key${i} 0 0 5 noreply\r\n${String(i).padStart(5)}\r\n`);
    if (i % 1000 === 0) world.maintainer.round();
  }
  assert.ok(world.memory.i32[HEAD_HASH_POWER] >= 15);
  for (let i = 0; i < count; i++) {
    const item = `VALUE key${i} 0 5\r\n${String(i).padStart(5)}\r\nEND\r\n`;
    assert.equal(world.b.send(`get key${i}\r\n`), item);
  }
  assert.deepEqual(world.audit(), []);
});

test('the crawler frees what has expired, and only that', () => {
  const world = new World();
  world.memory.i32[HEAD_LRU_CRAWLER] = 1;
  for (let i = 0; i < 200; i++) {
    world.a.send(storageLine('set', `short${i}`, filler('s', 100), 5));
    world.a.send(storageLine('set', `long${i}`, filler('l', 100), 5000));
  }
  world.a.send(storageLine('set', 'large', filler('x', 60_000), 5));
  const { store } = world.maintainer;
  world.maintainer.round();
  world.pass(20);
  world.maintainer.round();
  assert.equal(store.lists.itemsTotal(0), 200);
  assert.notEqual(read(world.b, 'long7'), null);
  assert.deepEqual(world.audit(), []);
});

test('a crawl of many classes does not sleep once the maintainer is to stop', () => {
  const world = new World();
  for (let i = 0; i < 3000; i++) {
    for (const length of [10, 100, 300]) {
      world.a.send(storageLine('set', `${length}-${i}`, filler('x', length)));
    }
  }
  assert.ok(orderCrawl(world.memory, WORKER_A, new Int32Array([-1, -1])));
  requestMaintainerStop(world.memory);
  let sleeps = 0;
  setAtomicsHook((operation) => {
    if (operation === 'wait') sleeps++;
  });
  world.maintainer.round();
  setAtomicsHook(null);
  assert.equal(sleeps, 0);
});

test('an ordered page moves from one class to another, and its items live on', () => {
  const world = new World();
  for (let i = 0; i < 140; i++) world.put(`k${i}`, filler(`k${i}`, 15_000));
  for (let i = 0; i < 140; i += 2) {
    world.b.send(`delete k${i}\r\n`);
    world.known.delete(`k${i}`);
  }
  const { slab } = world.maintainer.store;
  const source = slab.classFor(15_050);
  const destination = slab.classFor(500);
  assert.equal(pagesOf(world, source), 3);
  assert.equal(orderPageMove(world.memory, 0, source, destination), true);
  assert.equal(orderPageMove(world.memory, 0, source, destination), false, 'one order at a time');
  world.maintainer.round();
  assert.deepEqual([pagesOf(world, source), pagesOf(world, destination)], [2, 1]);
  for (const [key, value] of world.known) assert.equal(read(world.b, key), value);
  assert.deepEqual(world.audit(), []);
});

test('a page reaches its class also when classes have their first pages beyond the limit', () => {
  const world = new World({ memoryLimit: 2 * MEGABYTE, memoryMax: 2 * MEGABYTE });
  for (let i = 0; i < 200; i++) world.b.send(storageLine('set', `k${i}`, filler('k', 15_000)));
  for (const length of [100, 1000, 4000]) {
    world.b.send(storageLine('set', `other${length}`, filler('o', length)));
  }
  const { slab } = world.maintainer.store;
  const source = slab.classFor(15_050);
  const destination = slab.classFor(8000);
  const before = world.memory.i32[HEAD_PAGE_COUNT];
  assert.ok(before > 2);
  assert.equal(pagesOf(world, source), 2);
  assert.equal(new PageMover(world.maintainer.store, () => {}).move(source, destination), true);
  assert.deepEqual([pagesOf(world, source), pagesOf(world, destination)], [1, 1]);
  assert.equal(world.memory.i32[HEAD_PAGE_COUNT], before);
  assert.equal(world.memory.i32[HEAD_PAGE_POOL_COUNT], 0);
  assert.deepEqual(world.audit(), []);
});

test('a page with a value that is being sent is given up, and the value is sent whole', () => {
  const world = new World();
  for (let i = 0; i < 14; i++) world.put(`k${i}`, filler(`k${i}`, 150_000));
  const { engine, session } = world.a;
  const line = Buffer.from('get k0\r\n');
  let result = engine.feed(session, line, 0, line.length);
  let reply = engine.output.view().toString('latin1');
  engine.output.reset();
  const id = world.memory.classLargest;
  assert.equal(new PageMover(world.maintainer.store, () => {}).move(id, 0), false);
  while (result !== 0) {
    result = engine.resume(session);
    reply += engine.output.view().toString('latin1');
    engine.output.reset();
  }
  assert.ok(reply.includes(filler('k0', 150_000)));
  assert.deepEqual(world.audit(), []);
});

function sample(id: number, over: Partial<ClassSample>): ClassSample {
  const base = {
    pages: 5,
    freeChunks: 0,
    chunksPerPage: 100,
    evicted: 0,
    outOfMemory: 0,
    age: 100,
  };
  return { id, ...base, ...over };
}

test('automove: a class that evicts young items gets a page from the oldest', () => {
  const automove = new Automove();
  const moves = Array.from({ length: 12 }, (_, second) =>
    automove.decide(
      [
        sample(1, { age: 1000 }),
        sample(2, { age: 10, evicted: second * 50 }),
        sample(3, { age: 5000, pages: 2 }),
      ],
      WINDOW,
      RATIO,
    ),
  );
  assert.deepEqual(
    moves.slice(0, 5),
    Array.from({ length: 5 }, () => null),
  );
  assert.deepEqual(moves.at(-1), { source: 1, destination: 2 });
});

test('automove: nothing moves between classes of like age, or without evictions', () => {
  for (const [age, evicting] of [
    [900, 50],
    [10, 0],
  ]) {
    const automove = new Automove();
    for (let second = 0; second < 12; second++) {
      const samples = [sample(1, { age: 1000 }), sample(2, { age, evicted: second * evicting })];
      assert.equal(automove.decide(samples, WINDOW, RATIO), null);
    }
  }
});

test('automove: free pages go to the pool, once the class was quiet for a window', () => {
  const automove = new Automove();
  const decide = (evicted: number): unknown =>
    automove.decide(
      [sample(1, { freeChunks: 260, evicted }), sample(2, { freeChunks: 240 })],
      WINDOW,
      RATIO,
    );
  decide(0);
  for (let second = 0; second < 4; second++) assert.equal(decide(10), null, 'it has evicted');
  for (let second = 0; second < 5; second++) decide(10);
  assert.deepEqual(decide(10), { source: 1, destination: 0 });
});
