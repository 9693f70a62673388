/** Which items go when there is no room, list by list. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ITEM_EVICTED, ITEM_OUTOFMEMORY } from '../../src/cache/counters.ts';
import { LRU_COLD, LRU_HOT, LRU_TEMP, LRU_WARM } from '../../src/memory/layout.ts';
import { filler, read, storageLine, World } from './world.ts';

const MEGABYTE = 2 ** 20;
const TINY = { memoryLimit: MEGABYTE, memoryMax: MEGABYTE };
/** Items of this length are about 70 to a page. */
const LENGTH = 13_000;
const CLASS_BYTES = 40 + 4 + 6 + LENGTH;

function store(world: World, key: string, exptime = 0): void {
  assert.equal(world.a.send(storageLine('set', key, filler(key, LENGTH), exptime)), 'STORED\r\n');
}

function present(world: World, keys: readonly string[]): string[] {
  return keys.filter((key) => read(world.b, key) !== null);
}

function names(prefix: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}${index}`);
}

function listed(world: World, lru: number): number {
  const { lists, slab } = world.maintainer.store;
  return lists.items(0, slab.classFor(CLASS_BYTES), lru);
}

function statistic(world: World, which: number): number {
  const { lists, slab } = world.maintainer.store;
  return lists.statistic(0, slab.classFor(CLASS_BYTES), which);
}

test('what is in use survives a scan of ten times the memory', () => {
  const world = new World(TINY);
  const hot = names('hot', 12);
  for (const key of hot) store(world, key);
  for (let round = 0; round < 40; round++) {
    for (const key of names(`scan${round}x`, 20)) store(world, key);
    world.a.send(`get ${hot.join(' ')}\r\n`);
    world.pass(1);
    world.maintainer.round();
  }
  assert.deepEqual(present(world, hot), hot);
  assert.ok(statistic(world, ITEM_EVICTED) > 600);
  assert.deepEqual(world.audit(), []);
});

test('what is not in use goes before what is, without the maintainer', () => {
  const world = new World(TINY, { lruMaintainer: false });
  const hot = names('hot', 12);
  for (const key of hot) store(world, key);
  for (let round = 0; round < 40; round++) {
    for (const key of names(`scan${round}x`, 20)) store(world, key);
    world.a.send(`get ${hot.join(' ')}\r\n`);
    world.pass(1);
  }
  assert.deepEqual(present(world, hot), hot);
});

test('in flat mode the least recently used goes first', () => {
  const world = new World(TINY, { lruSegmented: false, lruMaintainer: false });
  for (const key of names('k', 30)) store(world, key);
  // A fetch moves an item only if its last move is a minute ago.
  world.pass(100);
  world.a.send('get k0 k1\r\n');
  for (const key of names('fill', 60)) store(world, key);
  const left = present(world, names('k', 30));
  assert.ok(left.includes('k0') && left.includes('k1') && !left.includes('k2'));
  assert.equal(listed(world, LRU_HOT) + listed(world, LRU_WARM), 0);
  assert.equal(left.includes('k29'), true);
});

test('without eviction, a full cache refuses and keeps what it has', () => {
  const world = new World(TINY, { evictToFree: false });
  const keys = names('k', 200);
  const replies = keys.map((key) => world.a.send(storageLine('set', key, filler(key, LENGTH))));
  const stored = keys.filter((_, index) => replies[index] === 'STORED\r\n');
  assert.ok(stored.length > 50 && stored.length < 100);
  assert.equal(replies.at(-1), 'SERVER_ERROR out of memory storing object\r\n');
  assert.deepEqual(present(world, keys), stored);
  assert.equal(statistic(world, ITEM_EVICTED), 0);
  assert.ok(statistic(world, ITEM_OUTOFMEMORY) > 50);
});

test('short-lived items wait in TEMP, and are reclaimed there', () => {
  const world = new World({}, { tempLru: true, temporaryTtl: 10 });
  store(world, 'short', 5);
  store(world, 'edge', 10);
  store(world, 'long', 11);
  store(world, 'ever');
  assert.deepEqual([listed(world, LRU_TEMP), listed(world, LRU_HOT)], [2, 2]);
  world.a.send('get short\r\nget short\r\nget short\r\n');
  for (let i = 0; i < 3; i++) world.maintainer.round();
  assert.equal(listed(world, LRU_TEMP), 2, 'being fetched does not move an item out of TEMP');
  world.pass(6);
  world.maintainer.round();
  assert.equal(listed(world, LRU_TEMP), 1);
  assert.deepEqual(present(world, ['short', 'edge', 'long', 'ever']), ['edge', 'long', 'ever']);
});

test('items sink from HOT to COLD by size, and fetched ones rise to WARM', () => {
  const world = new World();
  const keys = names('k', 100);
  for (const key of keys) store(world, key);
  world.a.send(`get ${keys.slice(0, 10).join(' ')}\r\n`.repeat(2));
  for (let i = 0; i < 10; i++) world.maintainer.round();
  assert.equal(listed(world, LRU_WARM), 10);
  // -o hot_lru_pct=20 of all 100.
  assert.ok(listed(world, LRU_HOT) <= 20, `${listed(world, LRU_HOT)} in HOT`);
  assert.equal(listed(world, LRU_HOT) + listed(world, LRU_WARM) + listed(world, LRU_COLD), 100);
  assert.deepEqual(world.audit(), []);
});
