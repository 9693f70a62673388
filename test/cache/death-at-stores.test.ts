/**
 * A thread may die in front of any plain store, not only where it synchronises: after recovery
 * nothing is leaked, freed twice or torn, and each key has its old value, its new one or none.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { auditCache } from '../../src/cache/audit.ts';
import { PageMover } from '../../src/cache/mover.ts';
import { recoverActor } from '../../src/cache/recover.ts';
import type { MemoryConfig } from '../../src/memory/config.ts';
import { releaseConnection } from '../../src/memory/connections.ts';
import { CLASS_PAGES_I32 } from '../../src/memory/layout.ts';
import type { Memory } from '../../src/memory/memory.ts';
import { setPageLimit } from '../../src/memory/pages.ts';
import { CACHE_DEFAULTS, makeEngine, makeMemory, makeStore, Talk } from '../support/cache.ts';
import { DELETE, INCR } from '../support/opcodes.ts';
import { deltaExtras, type RequestPacket, requestBytes } from '../support/packets.ts';
import { type Countdown, countStores, diesAfter } from './plain-stores.ts';

const MEGABYTE = 1024 * 1024;
const MAIN = 0;
const MAINTAINER = 1;
const DYING = 2;
const LIVING = 3;
/** Every store up to here is tried, then every STRIDE-th. */
const DENSE_STORES = 400;
const STRIDE = 23;

interface Scenario {
  readonly name: string;
  readonly memory?: Partial<MemoryConfig>;
  readonly actor: number;
  prepare(talk: Talk): void;
  act(memory: Memory, talk: Talk): void;
  /** What the keys may hold afterwards; they may always be missing. */
  readonly values: Readonly<Record<string, readonly string[]>>;
}

function set(key: string, value: string): string {
  return `set ${key} 0 0 ${value.length}\r\n${value}\r\n`;
}

function latin1(packet: RequestPacket): string {
  return requestBytes(packet).toString('latin1');
}

function say(talk: Talk, request: string, reply: string): void {
  assert.equal(talk.send(request), reply);
}

/** What a worker does with one request. */
function worker(
  name: string,
  before: readonly string[],
  request: string,
  values: Scenario['values'],
): Scenario {
  return {
    name,
    actor: DYING,
    prepare: (talk) => {
      for (const line of before) say(talk, line, 'STORED\r\n');
    },
    act: (_memory, talk) => {
      talk.send(request);
    },
    values,
  };
}

const SMALL = 'small'.repeat(10);
const OTHER = 'other'.repeat(12);
const LARGE = 'large'.repeat(8_000);
const HUGE = 'huge!'.repeat(10_000);

/** Moves a page of the class with the most pages. */
function moveFullest(memory: Memory): void {
  const store = makeStore(memory, {}, MAINTAINER);
  let source = 1;
  const pages = (id: number): number => memory.i32[store.slab.classWord(id) + CLASS_PAGES_I32];
  for (let id = 1; id <= memory.classLargest; id++) if (pages(id) > pages(source)) source = id;
  assert.ok(pages(source) > 1, 'no class has two pages');
  new PageMover(store, () => {}).move(source, 0);
}

function fillAndThin(talk: Talk, value: string, count: number): void {
  for (let i = 0; i < count; i++) say(talk, set(`k${i}`, value), 'STORED\r\n');
  for (let i = 0; i < count; i += 2) say(talk, `delete k${i}\r\n`, 'DELETED\r\n');
}

const HEADS_FILL_PAGES: Partial<MemoryConfig> = { chunkSizeMin: 7_000 };
const CHUNK_VALUE = 'c'.repeat(15_500);
const HEAD_VALUE = 'h'.repeat(16_500);

const SCENARIOS: readonly Scenario[] = [
  worker('a first set', [], set('a', SMALL), { a: [SMALL] }),
  worker('a set beside another in the bucket', [set('b', OTHER)], set('a', SMALL), {
    a: [SMALL],
    b: [OTHER],
  }),
  worker('a set over a small value', [set('a', SMALL)], set('a', OTHER), { a: [SMALL, OTHER] }),
  worker('a set of a large value', [], set('a', LARGE), { a: [LARGE] }),
  worker('a set over a large value', [set('a', LARGE)], set('a', HUGE), { a: [LARGE, HUGE] }),
  worker('a delete', [set('b', OTHER), set('a', SMALL)], 'delete a\r\n', { a: [SMALL] }),
  worker('a delete of a large value', [set('a', LARGE)], 'delete a\r\n', { a: [LARGE] }),
  worker('an append', [set('a', SMALL)], `append a 0 0 ${OTHER.length}\r\n${OTHER}\r\n`, {
    a: [SMALL, SMALL + OTHER],
  }),
  worker('an append to a large value', [set('a', LARGE)], 'append a 0 0 3\r\nxyz\r\n', {
    a: [LARGE, `${LARGE}xyz`],
  }),
  worker('an incr in place', [set('a', '1999')], 'incr a 1\r\n', { a: ['1999', '2000'] }),
  worker('an incr that needs a new item', [set('a', '99')], 'incr a 1\r\n', { a: ['99', '100'] }),
  worker('an mg that creates', [set('b', OTHER)], 'mg a N100 E77\r\n', { a: [''], b: [OTHER] }),
  worker('an mg that wins', [set('a', SMALL)], 'mg a T100 R200 v\r\n', { a: [SMALL] }),
  worker('an md that empties', [set('a', LARGE)], 'md a x I E7\r\n', { a: [LARGE, ''] }),
  worker('an md that marks as stale', [set('a', SMALL)], 'md a I T100\r\n', { a: [SMALL] }),
  worker('an ma that creates', [], 'ma a N100 J41 v\r\n', { a: ['41'] }),
  worker('an ma that needs a new item', [set('a', '99')], 'ma a E7\r\n', { a: ['99', '100'] }),
  worker('a stale ms', [set('a', SMALL), set('a', SMALL)], 'ms a 3 C1 I E5\r\nxyz\r\n', {
    a: [SMALL, 'xyz'],
  }),
  worker('a bad data chunk', [], `set a 0 0 5\r\n${SMALL}\r\n`, { a: [] }),
  worker(
    'a binary incr that begins',
    [],
    latin1({ opcode: INCR, key: 'a', extras: deltaExtras(1n, 41n, 0) }),
    { a: ['41'] },
  ),
  worker(
    'a binary delete if unchanged',
    [set('a', LARGE)],
    latin1({ opcode: DELETE, key: 'a', cas: 1n }),
    { a: [LARGE] },
  ),
  worker('sending a large value', [set('a', LARGE)], 'get a\r\n', { a: [LARGE] }),
  {
    name: 'moving a page of items',
    actor: MAINTAINER,
    prepare: (talk) => fillAndThin(talk, CHUNK_VALUE, 140),
    act: (memory) => moveFullest(memory),
    values: { k1: [CHUNK_VALUE] },
  },
  {
    name: 'moving a page of data chunks',
    actor: MAINTAINER,
    prepare: (talk) => fillAndThin(talk, LARGE, 54),
    act: (memory) => moveFullest(memory),
    values: { k1: [LARGE] },
  },
  {
    name: 'moving a page of the heads of large items',
    actor: MAINTAINER,
    memory: HEADS_FILL_PAGES,
    prepare: (talk) => fillAndThin(talk, HEAD_VALUE, 160),
    act: (memory) => {
      const store = makeStore(memory, {}, MAINTAINER);
      assert.ok(memory.i32[store.slab.classWord(1) + CLASS_PAGES_I32] > 1);
      new PageMover(store, () => {}).move(1, 0);
    },
    values: { k1: [HEAD_VALUE] },
  },
];

/** The pool gets all pages of the class that CHUNK_VALUE is in, but one. */
function fillPool(talk: Talk, count: number): void {
  const { memory } = talk.engine.store;
  for (let i = 0; i < count; i++) say(talk, set(`p${i}`, CHUNK_VALUE), 'STORED\r\n');
  for (let i = 0; i < count; i++) say(talk, `delete p${i}\r\n`, 'DELETED\r\n');
  const store = makeStore(memory, {}, MAINTAINER);
  const id = store.slab.classFor(CHUNK_VALUE.length + 50);
  while (new PageMover(store, () => {}).move(id, 0)) {}
}

const LIMIT_SCENARIOS: readonly Scenario[] = [
  {
    name: 'a lower limit takes pages from the pool',
    actor: DYING,
    prepare: (talk) => fillPool(talk, 140),
    act: (memory) => setPageLimit(memory, DYING, 1),
    values: {},
  },
  {
    name: 'a page that is emptied above the limit is given up',
    actor: MAINTAINER,
    prepare: (talk) => {
      fillAndThin(talk, CHUNK_VALUE, 140);
      setPageLimit(talk.engine.store.memory, MAIN, 1);
    },
    act: (memory) => moveFullest(memory),
    values: { k1: [CHUNK_VALUE] },
  },
  {
    name: 'a page that was given up is taken again',
    actor: DYING,
    prepare: (talk) => {
      fillPool(talk, 140);
      for (const limit of [1, 12]) setPageLimit(talk.engine.store.memory, LIVING, limit);
    },
    act: (_memory, talk) => {
      talk.send(set('a', SMALL));
    },
    values: { a: [SMALL] },
  },
  {
    name: 'a class gets a page of the pool while it has one to carve',
    actor: MAINTAINER,
    prepare: (talk) => {
      fillPool(talk, 140);
      say(talk, set('a', LARGE.slice(0, 9000)), 'STORED\r\n');
    },
    act: (memory) => {
      const store = makeStore(memory, {}, MAINTAINER);
      new PageMover(store, () => {}).move(0, store.slab.classFor(9050));
    },
    values: { a: [LARGE.slice(0, 9000)] },
  },
];

function check(memory: Memory, scenario: Scenario, when: string): void {
  assert.deepEqual(auditCache(makeStore(memory, {}, MAIN)), [], when);
  const talk = new Talk(makeEngine(makeStore(memory, {}, LIVING)));
  for (const [key, values] of Object.entries(scenario.values)) {
    const reply = talk.send(`get ${key}\r\n`);
    const expected = values.map((v) => `VALUE ${key} 0 ${v.length}\r\n${v}\r\nEND\r\n`);
    const found = reply === 'END\r\n' || expected.includes(reply);
    assert.ok(found, `${when}: ${key} holds ${reply.slice(0, 60)}`);
    say(talk, set(key, OTHER), 'STORED\r\n');
  }
  assert.deepEqual(auditCache(makeStore(memory, {}, MAIN)), [], `${when}, after further use`);
  releaseConnection(memory, talk.session.slot);
}

/** Runs the scenario with death in front of store number `stores`; false if there is no such. */
function dieAt(scenario: Scenario, stores: number): boolean {
  const memory = makeMemory({
    memoryLimit: 12 * MEGABYTE,
    memoryMax: 12 * MEGABYTE,
    slabChunkMax: 16_384,
    // Few buckets, so that items share them.
    hashPowerInit: 0,
    ...scenario.memory,
  });
  scenario.prepare(new Talk(makeEngine(makeStore(memory, {}, LIVING))));
  const countdown: Countdown = { left: Number.POSITIVE_INFINITY };
  const counted = countStores(memory, countdown);
  const dying = new Talk(makeEngine(makeStore(counted, {}, DYING)));
  const died = diesAfter(stores, countdown, () => scenario.act(counted, dying));
  if (died) recoverActor(memory, CACHE_DEFAULTS, scenario.actor);
  check(memory, scenario, `${scenario.name}, ${died ? `dead at store ${stores}` : 'undisturbed'}`);
  return died;
}

for (const scenario of [...SCENARIOS, ...LIMIT_SCENARIOS]) {
  test(`death in front of a store: ${scenario.name}`, () => {
    let stores = 0;
    while (dieAt(scenario, stores)) stores += stores < DENSE_STORES ? 1 : STRIDE;
    assert.ok(stores > 5, 'the scenario hardly stores anything');
  });
}
