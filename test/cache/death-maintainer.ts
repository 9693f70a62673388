/** What the maintainer may be at when it dies: juggling, expanding, crawling, moving pages. */

import { chunkClassOf } from '../../src/cache/item.ts';
import { PageMover } from '../../src/cache/mover.ts';
import { Bytes } from '../../src/memory/bytes.ts';
import { CLASS_PAGES_I32 } from '../../src/memory/layout.ts';
import { FEED_FULL } from '../../src/protocol/engine.ts';
import type { Scenario } from './death-worker.ts';
import { filler, storageLine, type World } from './world.ts';

function fill(world: World, count: number, length: number, exptime = 0): void {
  for (let i = 0; i < count; i++) {
    world.put(`${length}x${i}`, filler(`${length}x${i}`, length), exptime);
  }
}

function rounds(world: World, count: number): void {
  for (let i = 0; i < count; i++) world.maintainer.round();
}

/** Deletes every third key, so that each page has holes. */
function thin(world: World, step: number): void {
  let index = 0;
  for (const key of [...world.known.keys()]) {
    if (index++ % step !== 0) continue;
    world.b.send(`delete ${key}\r\n`);
    world.known.delete(key);
  }
}

/** Moves a page of the class with the most pages to the pool, without pauses between its rounds. */
function movePage(world: World): void {
  const { slab, memory } = world.maintainer.store;
  let best = 1;
  const pages = (id: number): number => memory.i32[slab.classWord(id) + CLASS_PAGES_I32];
  for (let id = 2; id <= memory.classLargest; id++) if (pages(id) > pages(best)) best = id;
  new PageMover(world.maintainer.store, () => {}).move(best, 0);
}

/** Class of the chunk that a key's item starts in. */
function classOfKey(world: World, key: string): number {
  const { store } = world.b.engine;
  const bytes = new Bytes(Buffer.from(key));
  let found = 0;
  for (let stripe = 0; stripe < world.memory.layout.stripeCount && found === 0; stripe++) {
    found = store.table.doFind(stripe, 0, bytes, 0, key.length);
  }
  return found === 0 ? 0 : chunkClassOf(world.memory.i32, found);
}

export const MAINTENANCE: readonly Scenario[] = [
  {
    name: 'juggling the lists',
    prepare: (world) => {
      fill(world, 60, 60);
      fill(world, 3, 50_000);
      world.a.send('get 60x1 60x2\r\nget 60x1 60x2\r\n');
      world.pass(50);
    },
    act: (world) => rounds(world, 3),
    outcomes: {},
  },
  {
    name: 'juggling what has expired',
    cache: { tempLru: true },
    prepare: (world) => {
      for (let i = 0; i < 20; i++) world.b.send(storageLine('set', `t${i}`, filler('t', 60), 5));
      for (let i = 0; i < 3; i++) world.b.send(storageLine('set', `l${i}`, filler('t', 50_000), 5));
      fill(world, 10, 60);
      world.pass(10);
    },
    act: (world) => rounds(world, 2),
    outcomes: {},
  },
  {
    name: 'expanding the hash table',
    memory: { hashPowerInit: 5 },
    prepare: (world) => fill(world, 70, 60),
    act: (world) => rounds(world, 1),
    outcomes: {},
  },
  {
    name: 'crawling',
    prepare: (world) => {
      for (let i = 0; i < 10; i++) world.b.send(storageLine('set', `t${i}`, filler('t', 60), 5));
      for (let i = 0; i < 3; i++) world.b.send(storageLine('set', `l${i}`, filler('t', 50_000), 5));
      fill(world, 10, 60);
      world.pass(10);
    },
    act: (world) => {
      for (let id = 1; id <= world.memory.classLargest; id++) world.maintainer.crawler.crawl(id);
    },
    outcomes: {},
  },
  {
    name: 'moving a page whose items can be rescued',
    prepare: (world) => {
      fill(world, 140, 15_000);
      thin(world, 3);
    },
    act: movePage,
    outcomes: {},
    losses: 1,
  },
  {
    name: 'moving a page whose items cannot all be rescued',
    prepare: (world) => fill(world, 130, 15_000),
    act: movePage,
    outcomes: {},
    losses: 200,
  },
  {
    name: 'moving a page of data chunks',
    prepare: (world) => {
      fill(world, 14, 150_000);
      thin(world, 2);
    },
    act: movePage,
    outcomes: {},
    losses: 1,
  },
  {
    name: 'moving a page of the heads of large items',
    memory: { memoryLimit: 60 * 2 ** 20, memoryMax: 60 * 2 ** 20, chunkSizeMin: 4000 },
    prepare: (world) => {
      // Small classes are 4 KB and more here, so that few heads fill a page.
      fill(world, 700, 17_000);
      thin(world, 2);
    },
    act: (world) => {
      world.maintainer.mover.move(classOfKey(world, '17000x1'), 0);
    },
    outcomes: {},
    losses: 1,
    stride: 13,
  },
  {
    name: 'giving a page up because a value in it is being sent',
    prepare: (world) => {
      fill(world, 14, 150_000);
      const line = Buffer.from('get 150000x0\r\n');
      if (world.a.engine.feed(world.a.session, line, 0, line.length) !== FEED_FULL) {
        throw new Error('nothing is being sent');
      }
    },
    act: movePage,
    outcomes: {},
    losses: 14,
    stride: 67,
  },
];
