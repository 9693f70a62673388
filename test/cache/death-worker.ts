/** What a worker may be at when it dies: one scenario per kind of operation. */
import assert from 'node:assert/strict';
import type { CacheConfig } from '../../src/cache/config.ts';
import { enableSizes } from '../../src/cache/sizes.ts';
import type { MemoryConfig } from '../../src/memory/config.ts';
import { HEAD_DETAIL_ENABLED } from '../../src/memory/layout.ts';
import { FEED_FULL } from '../../src/protocol/engine.ts';
import { filler, storageLine, type World } from './world.ts';

export interface Scenario {
  readonly name: string;
  readonly memory?: Partial<MemoryConfig>;
  readonly cache?: Partial<CacheConfig>;
  readonly prepare: (world: World) => void;
  readonly act: (world: World) => void;
  /** Keys that the operation touches, and what they may hold afterwards, besides nothing. */
  readonly outcomes: Readonly<Record<string, readonly string[]>>;
  /** How many of the other keys may be gone: by eviction, or an item on its way. */
  readonly losses?: number;
  /** Tries every so manieth seam only, behind the first ones: many are alike. */
  readonly stride?: number;
}

const SMALL = filler('small', 60);
const OTHER = filler('other', 61);
const MIDDLE = filler('middle', 900);
const LARGE = filler('large', 50_000);
const LARGER = filler('larger', 70_000);
/** More than the output buffer holds: it is sent in pieces. */
const HUGE = filler('huge', 150_000);

function neighbours(world: World): void {
  for (let i = 0; i < 12; i++) world.put(`near${i}`, filler(`near${i}`, 60));
  world.put('nearlarge', filler('nearlarge', 60_000));
}

/** What one request to worker A may make of k, which holds `before`. */
export function simple(
  name: string,
  before: string | null,
  request: string,
  outcomes: readonly string[],
): Scenario {
  return {
    name,
    prepare: (world) => {
      neighbours(world);
      if (before !== null) world.put('k', before);
    },
    act: (world) => {
      world.a.send(request);
    },
    outcomes: { k: outcomes },
  };
}

const SIMPLE: readonly Scenario[] = [
  simple('get, a hit', SMALL, 'get k\r\n', [SMALL]),
  simple('gets of a small and a large value', LARGE, 'gets near0 k near1\r\n', [LARGE]),
  simple('get, a miss', null, 'get k\r\n', []),
  simple('set of a new key', null, storageLine('set', 'k', SMALL), [SMALL]),
  simple('set over the same class', SMALL, storageLine('set', 'k', OTHER), [SMALL, OTHER]),
  simple('set over another class', SMALL, storageLine('set', 'k', MIDDLE), [SMALL, MIDDLE]),
  simple('set of a new large value', null, storageLine('set', 'k', LARGE), [LARGE]),
  simple('set small over large', LARGE, storageLine('set', 'k', SMALL), [LARGE, SMALL]),
  simple('set large over small', SMALL, storageLine('set', 'k', LARGE), [LARGE, SMALL]),
  simple('set large over large', LARGE, storageLine('set', 'k', LARGER), [LARGE, LARGER]),
  simple('add, refused', SMALL, storageLine('add', 'k', LARGE), [SMALL]),
  simple('replace, refused', null, storageLine('replace', 'k', LARGE), []),
  simple('cas, refused', SMALL, `cas k 7 0 60 1\r\n${OTHER.slice(0, 60)}\r\n`, [SMALL]),
  simple('append', SMALL, storageLine('append', 'k', OTHER), [SMALL, SMALL + OTHER]),
  simple('prepend', SMALL, storageLine('prepend', 'k', OTHER), [SMALL, OTHER + SMALL]),
  simple('append to a large value', LARGE, storageLine('append', 'k', MIDDLE), [
    LARGE,
    LARGE + MIDDLE,
  ]),
  simple('append that makes a large value', MIDDLE, storageLine('append', 'k', HUGE), [
    MIDDLE,
    MIDDLE + HUGE,
  ]),
  simple('prepend large to large', LARGE, storageLine('prepend', 'k', LARGER), [
    LARGE,
    LARGER + LARGE,
  ]),
  simple('incr in place', '41', 'incr k 1\r\n', ['41', '42']),
  simple('incr into a longer number', '99', 'incr k 1\r\n', ['99', '100']),
  simple('decr in place', '10', 'decr k 1\r\n', ['10', '9 ']),
  simple('delete', SMALL, 'delete k\r\n', [SMALL]),
  simple('delete of a large value', LARGE, 'delete k\r\n', [LARGE]),
  simple('touch', SMALL, 'touch k 100\r\n', [SMALL]),
  simple('gat', LARGE, 'gat 100 k\r\n', [LARGE]),
  simple('data that ends wrongly', SMALL, `set k 7 0 3\r\nabcd\r\n`, [SMALL]),
  simple('large data that ends wrongly', SMALL, `set k 7 0 50000\r\n${LARGE}xx`, [SMALL]),
  simple('set of what is too large', SMALL, storageLine('set', 'k', 'x'.repeat(2 ** 20)), [SMALL]),
  simple('stats of all kinds', SMALL, 'stats items\r\nstats cachedump 3 0\r\nstats reset\r\n', [
    SMALL,
  ]),
];

/** Everything in COLD, fetched once: the next fetch makes an item active and moves it. */
function settleInCold(world: World): void {
  for (let i = 0; i < 40; i++) world.put(`cold${i}`, filler(`cold${i}`, 60));
  world.a.send('get cold3\r\n');
  world.pass(100);
  for (let i = 0; i < 5; i++) world.maintainer.round();
}

const LIVES: readonly Scenario[] = [
  {
    name: 'a hit that moves its item from COLD to WARM',
    prepare: settleInCold,
    act: (world) => {
      world.a.send('get cold3\r\nget cold3\r\n');
    },
    outcomes: {},
  },
  {
    name: 'a hit in flat mode',
    cache: { lruSegmented: false, lruMaintainer: false },
    prepare: settleInCold,
    act: (world) => {
      world.a.send('get cold3\r\nget cold3\r\n');
    },
    outcomes: {},
  },
  {
    name: 'expiry of a small and a large value, seen by a get',
    prepare: (world) => {
      neighbours(world);
      world.put('k', SMALL, 10);
      world.put('l', LARGE, 10);
      world.pass(20);
    },
    act: (world) => {
      world.a.send('get k l\r\n');
    },
    outcomes: { k: [], l: [] },
  },
  {
    name: 'a set over what a flush has killed',
    prepare: (world) => {
      world.put('k', LARGE);
      world.b.send('flush_all\r\n');
      world.pass(2);
    },
    act: (world) => {
      world.a.send(storageLine('set', 'k', SMALL));
    },
    outcomes: { k: [SMALL] },
  },
  {
    name: 'flush_all',
    prepare: (world) => world.put('k', SMALL),
    act: (world) => {
      world.a.send('flush_all\r\nget k\r\n');
    },
    outcomes: { k: [SMALL] },
  },
  {
    name: 'set, incr and delete with prefix and size statistics on',
    prepare: (world) => {
      neighbours(world);
      enableSizes(world.memory);
      world.memory.i32[HEAD_DETAIL_ENABLED] = 1;
      world.put('a:k', '5');
    },
    act: (world) => {
      world.a.send(`${storageLine('set', 'b:k', SMALL)}incr a:k 1\r\nget b:k\r\ndelete a:k\r\n`);
      world.a.send('stats detail dump\r\nstats sizes\r\n');
    },
    outcomes: { 'a:k': ['5', '6'], 'b:k': [SMALL] },
  },
];

/** Starts to send a value that the output cannot hold; it is pinned now. */
function startSending(world: World): void {
  const { engine, session } = world.a;
  const line = Buffer.from('get k\r\n');
  assert.equal(engine.feed(session, line, 0, line.length), FEED_FULL);
}

/** What was being sent must come out as it was, whatever has happened to the key. */
function finishSending(world: World): void {
  const { engine, session } = world.a;
  let reply = '';
  do {
    reply += engine.output.view().toString('latin1');
    engine.output.reset();
  } while (engine.resume(session) === FEED_FULL);
  reply += engine.output.view().toString('latin1');
  assert.equal(reply === `VALUE k 7 ${HUGE.length}\r\n${HUGE}\r\nEND\r\n`, true, 'sent whole');
}

function whileSending(name: string, request: string, outcomes: readonly string[]): Scenario {
  return {
    name: `a large value is being sent while another ${name} it`,
    prepare: (world) => {
      neighbours(world);
      world.put('k', HUGE);
    },
    act: (world) => {
      startSending(world);
      world.meanwhile(() => world.b.send(request));
      finishSending(world);
    },
    outcomes: { k: outcomes },
  };
}

const TRANSFERS: readonly Scenario[] = [
  whileSending('reads', 'get k\r\n', [HUGE]),
  whileSending('overwrites', storageLine('set', 'k', SMALL), [HUGE, SMALL]),
  whileSending('overwrites', storageLine('set', 'k', filler('new', 150_000)), [
    HUGE,
    filler('new', 150_000),
  ]),
  whileSending('deletes', 'delete k\r\n', [HUGE]),
  whileSending(
    'deletes, and others take its place,',
    `delete k\r\n${storageLine('set', 'o', LARGER)}`,
    [HUGE],
  ),
  {
    name: 'the connection closes while a deleted value is being sent',
    prepare: (world) => world.put('k', HUGE),
    act: (world) => {
      startSending(world);
      world.meanwhile(() => world.b.send('delete k\r\n'));
      world.a.engine.close(world.a.session);
    },
    outcomes: { k: [HUGE] },
  },
  {
    name: 'an upload arrives in pieces, beside other work',
    prepare: (world) => {
      neighbours(world);
      world.put('k', SMALL);
    },
    act: (world) => {
      const request = storageLine('set', 'k', LARGER);
      world.a.send(request.slice(0, 30_000));
      world.meanwhile(() => world.b.send(storageLine('append', 'k', 'x')));
      world.a.send(request.slice(30_000, 55_000));
      world.a.send(request.slice(55_000));
    },
    outcomes: { k: [SMALL, `${SMALL}x`, LARGER] },
  },
  {
    name: 'the connection closes in the middle of an upload',
    prepare: (world) => world.put('k', SMALL),
    act: (world) => {
      world.a.send(storageLine('set', 'k', LARGER).slice(0, 40_000));
      world.a.engine.close(world.a.session);
    },
    outcomes: { k: [SMALL] },
  },
];

/** Fills one class to the brim. */
function fill(world: World, count: number, length: number): void {
  for (let i = 0; i < count; i++) {
    world.b.send(storageLine('set', `fill${i}`, filler(`fill${i}`, length)));
    world.known.set(`fill${i}`, filler(`fill${i}`, length));
  }
}

const EVICTIONS: readonly Scenario[] = [
  {
    name: 'a set that evicts',
    memory: { memoryLimit: 2 ** 20 },
    prepare: (world) => fill(world, 115, 9000),
    act: (world) => {
      for (let i = 0; i < 3; i++) world.a.send(storageLine('set', `k${i}`, filler('k', 9000)));
    },
    outcomes: { k0: [filler('k', 9000)], k1: [filler('k', 9000)], k2: [filler('k', 9000)] },
    losses: 30,
  },
  {
    name: 'a set that evicts large items',
    memory: { memoryLimit: 4 * 2 ** 20 },
    prepare: (world) => fill(world, 30, 150_000),
    act: (world) => {
      world.a.send(storageLine('set', 'k', HUGE));
    },
    outcomes: { k: [HUGE] },
    losses: 20,
  },
  {
    name: 'an append that evicts large items',
    memory: { memoryLimit: 4 * 2 ** 20 },
    prepare: (world) => {
      fill(world, 30, 150_000);
      world.put('k', HUGE);
    },
    act: (world) => {
      world.a.send(storageLine('append', 'k', LARGE));
    },
    outcomes: { k: [HUGE, HUGE + LARGE] },
    losses: 20,
  },
  {
    name: 'a set for which there is no memory',
    memory: { memoryLimit: 4 * 2 ** 20 },
    cache: { evictToFree: false },
    prepare: (world) => {
      for (let i = 0; i < 10; i++) world.put(`fill${i}`, filler(`fill${i}`, 150_000));
    },
    act: (world) => {
      for (let i = 0; i < 6; i++) world.a.send(storageLine('set', `k${i}`, HUGE));
    },
    outcomes: { k0: [HUGE], k1: [HUGE], k2: [HUGE], k3: [HUGE], k4: [HUGE], k5: [HUGE] },
  },
];

export const WORK: readonly Scenario[] = [...SIMPLE, ...LIVES, ...TRANSFERS, ...EVICTIONS];
