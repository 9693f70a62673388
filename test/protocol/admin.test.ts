/** lru, slabs, cache_memlimit, shutdown, debugtime, and -C, -F, -X: what they change. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PageMover } from '../../src/cache/mover.ts';
import {
  CLASS_PAGES_I32,
  HEAD_AUTOMOVE,
  HEAD_AUTOMOVE_RATIO_F64,
  HEAD_AUTOMOVE_WINDOW,
  HEAD_CLOCK,
  HEAD_LRU_CRAWLER,
  HEAD_PAGE_COUNT,
  HEAD_PAGE_POOL_COUNT,
  LRU_COLD,
  LRU_HOT,
  LRU_TEMP,
} from '../../src/memory/layout.ts';
import { FEED_FULL } from '../../src/protocol/engine.ts';
import { filler, read, storageLine, World } from '../cache/world.ts';
import { makeEngine, makeMemory, makeStore, Talk } from '../support/cache.ts';
import { ADD, APPEND, DELETE, REPLACE, SET } from '../support/opcodes.ts';
import { type RequestPacket, requestBytes } from '../support/packets.ts';

const MEGABYTE = 2 ** 20;
const OK = 'OK\r\n';

function talkWith(
  options: Parameters<typeof makeEngine>[1],
  config: Parameters<typeof makeStore>[1] = {},
): Talk {
  const memory = makeMemory();
  memory.i32[HEAD_LRU_CRAWLER] = 1;
  return new Talk(makeEngine(makeStore(memory, config), options));
}

function pagesOf(world: World, id: number): number {
  return world.memory.i32[world.maintainer.store.slab.classWord(id) + CLASS_PAGES_I32];
}

function items(world: World, lru: number): number {
  let sum = 0;
  const { lists, memory } = world.maintainer.store;
  for (let id = 1; id <= memory.classLargest; id++) sum += lists.items(0, id, lru);
  return sum;
}

test('lru mode: new items follow at once, old ones drain from HOT, and all are kept', () => {
  const world = new World();
  for (let i = 0; i < 200; i++) world.put(`hot${i}`, filler('h', 500));
  assert.equal(items(world, LRU_HOT), 200);
  assert.equal(world.a.send('lru mode flat\r\n'), OK);
  for (let i = 0; i < 100; i++) world.put(`flat${i}`, filler('f', 500));
  assert.equal(items(world, LRU_COLD), 100);
  world.pass(2);
  for (let i = 0; i < 40; i++) world.maintainer.round();
  assert.equal(items(world, LRU_COLD), 300);
  assert.equal(world.a.send('lru mode segmented\r\n'), OK);
  world.put('new', 'v');
  assert.equal(items(world, LRU_HOT), 1);
  for (const [key, value] of world.known) assert.equal(read(world.b, key), value);
  assert.deepEqual(world.audit(), []);
});

test('lru temp_ttl: short-lived items have a list while it is on, and leave it when off', () => {
  const world = new World();
  assert.equal(world.a.send('lru temp_ttl 30\r\n'), OK);
  for (let i = 0; i < 20; i++) world.b.send(storageLine('set', `t${i}`, 'v', 30));
  world.b.send(storageLine('set', 'long', 'v', 31));
  assert.equal(items(world, LRU_TEMP), 20);
  assert.equal(world.a.send('lru temp_ttl -1\r\n'), OK);
  world.b.send(storageLine('set', 'none', 'v', 30));
  assert.equal(items(world, LRU_TEMP), 20);
  world.pass(31);
  for (let i = 0; i < 3; i++) world.maintainer.round();
  assert.equal(items(world, LRU_TEMP), 0);
  assert.deepEqual(world.audit(), []);
});

test('lru tune: the shares of HOT and WARM follow', () => {
  const world = new World();
  for (let i = 0; i < 200; i++) world.b.send(storageLine('set', `k${i}`, filler('v', 500), 0));
  assert.equal(world.a.send('lru tune 10 20 0.5 3.0\r\n'), OK);
  for (let i = 0; i < 40; i++) world.maintainer.round();
  const share = items(world, LRU_HOT) / 200;
  assert.ok(share > 0.08 && share <= 0.1, `HOT has ${share}`);
});

test('slabs automove: modes, and numbers within their bounds', () => {
  const { memory, a } = new World();
  assert.equal(a.send('slabs automove 2\r\nslabs automove 0\r\n'), OK + OK);
  assert.equal(memory.i32[HEAD_AUTOMOVE], 0);
  assert.equal(a.send('slabs automove window 0\r\n'), OK);
  assert.equal(memory.i32[HEAD_AUTOMOVE_WINDOW], 3);
  assert.equal(a.send('slabs automove window 4000000000\r\n'), OK);
  assert.equal(memory.i32[HEAD_AUTOMOVE_WINDOW], 86_400);
  assert.equal(a.send('slabs automove window\r\n'), 'CLIENT_ERROR bad command line format\r\n');
  assert.equal(a.send('slabs automove ratio 0.25\r\n'), OK);
  assert.equal(memory.f64[HEAD_AUTOMOVE_RATIO_F64], 0.25);
});

test('slabs reassign: every answer, and pages that really move', () => {
  const world = new World({ memoryLimit: 16 * MEGABYTE, memoryMax: 16 * MEGABYTE });
  const { slab } = world.maintainer.store;
  const [full, other] = [slab.classFor(15_060), slab.classFor(800)];
  const largest = world.memory.classLargest;
  for (let i = 0; i < 250; i++) world.put(`k${i}`, filler(`k${i}`, 15_000));
  world.put('small', filler('s', 700));
  const say = (line: string): string => world.a.send(`slabs reassign ${line}\r\n`);
  assert.equal(say(`${full} ${full}`), 'SAME src and dst class are identical\r\n');
  const badClass = 'BADCLASS invalid src or dst class id\r\n';
  for (const line of [`-1 ${largest + 1}`, `${full} 99`, `${full} -2`, '-2 1', `99 ${full}`]) {
    assert.equal(say(line), badClass, line);
  }
  assert.equal(say(`${other} ${full}`), 'NOSPARE source class has no spare pages\r\n');
  assert.equal(say(`0 ${full}`), 'NOSPARE source class has no spare pages\r\n');
  assert.equal(say(`x ${full}`), 'CLIENT_ERROR bad command line format\r\n');
  assert.equal(say(`${full}`), 'ERROR\r\n');
  const [fullPages, otherPages] = [pagesOf(world, full), pagesOf(world, other)];
  assert.equal(say(`${full} ${other}`), OK);
  assert.equal(say(`${full} ${other}`), 'BUSY currently processing reassign request\r\n');
  world.maintainer.round();
  assert.equal(pagesOf(world, full), fullPages - 1);
  assert.equal(pagesOf(world, other), otherPages + 1);
  for (const to of [0, 0]) {
    assert.equal(say(`-1 ${to}`), OK);
    world.maintainer.round();
  }
  assert.equal(world.memory.i32[HEAD_PAGE_POOL_COUNT], 2);
  assert.equal(say(`0 ${other}`), OK);
  world.maintainer.round();
  assert.equal(world.memory.i32[HEAD_PAGE_POOL_COUNT], 1);
  assert.deepEqual(world.audit(), []);
});

test('slabs reassign is refused with no_slab_reassign', () => {
  const talk = talkWith({}, { slabReassign: false });
  assert.equal(talk.send('slabs reassign 1 2\r\n'), 'CLIENT_ERROR slab reassignment disabled\r\n');
});

test('cache_memlimit: down gives pages up, up takes them again, and all is whole', () => {
  const world = new World({ memoryLimit: 24 * MEGABYTE, memoryMax: 40 * MEGABYTE });
  const value = filler('v', 15_000);
  const fill = (): void => {
    for (let i = 0; i < 3000; i++) world.b.send(storageLine('set', `k${i}`, value, 0));
  };
  const pages = (): number => {
    const { i32 } = world.memory;
    return i32[HEAD_PAGE_COUNT] + i32[HEAD_PAGE_POOL_COUNT];
  };
  fill();
  assert.equal(pages(), 24);
  assert.equal(world.a.send('cache_memlimit 8\r\n'), OK);
  for (let i = 0; i < 40; i++) world.maintainer.round();
  assert.equal(pages(), 8);
  assert.deepEqual(world.audit(), []);
  fill();
  assert.equal(pages(), 8);
  assert.equal(read(world.b, 'k2999'), value);
  assert.deepEqual(world.audit(), []);
  assert.equal(world.a.send('cache_memlimit 30 noreply\r\n'), '');
  fill();
  assert.equal(pages(), 30);
  assert.deepEqual(world.audit(), []);
  assert.match(world.a.send('cache_memlimit 41\r\n'), /^MEMLIMIT_ADJUST_FAILED out of bounds/);
});

test('cache_memlimit: pages of the pool go first, and come back first', () => {
  const world = new World({ memoryLimit: 12 * MEGABYTE, memoryMax: 12 * MEGABYTE });
  for (let i = 0; i < 600; i++) world.b.send(storageLine('set', `k${i}`, filler('v', 15_000), 0));
  const before = world.memory.i32[HEAD_PAGE_COUNT];
  for (let i = 0; i < 600; i++) world.b.send(`delete k${i}\r\n`);
  const id = world.maintainer.store.slab.classFor(15_060);
  while (world.maintainer.mover.move(id, 0)) {}
  const pooled = world.memory.i32[HEAD_PAGE_POOL_COUNT];
  assert.equal(pooled, before - 1);
  assert.equal(world.a.send('cache_memlimit 8\r\n'), OK);
  assert.equal(world.memory.i32[HEAD_PAGE_POOL_COUNT], 7);
  assert.equal(world.a.send('cache_memlimit 12\r\n'), OK);
  for (let i = 0; i < 2000; i++) world.b.send(storageLine('set', `k${i}`, filler('v', 15_000), 0));
  assert.equal(world.memory.i32[HEAD_PAGE_COUNT], 12);
  assert.deepEqual(world.audit(), []);
});

test('a server that is over its limit by first pages alone gives none up', () => {
  const world = new World({ memoryLimit: MEGABYTE, memoryMax: 40 * MEGABYTE });
  for (const bytes of [50, 200, 500, 1000, 3000]) world.put(`k${bytes}`, filler('v', bytes));
  const before = world.memory.i32[HEAD_PAGE_COUNT];
  assert.equal(before, 5);
  for (let i = 0; i < 5; i++) world.maintainer.round();
  assert.equal(world.memory.i32[HEAD_PAGE_COUNT], before);
});

test('shutdown is refused without -A, and passed on with it', () => {
  const asked: boolean[] = [];
  const host = { shutdown: (graceful: boolean): void => void asked.push(graceful) };
  const refused = talkWith({ host });
  assert.equal(refused.send('shutdown\r\n'), 'ERROR: shutdown not enabled\r\n');
  const options = { shutdownEnabled: true };
  const bad = talkWith({ host, options });
  assert.equal(bad.send('shutdown now\r\n'), 'CLIENT_ERROR invalid shutdown mode\r\n');
  assert.deepEqual(asked, []);
  const talk = talkWith({ host, options });
  assert.equal(talk.send('shutdown graceful\r\n'), '');
  assert.equal(talk.closed, true);
  assert.equal(talkWith({ host, options }).send('shutdown\r\n'), '');
  assert.deepEqual(asked, [true, false]);
});

test('debugtime exists for tests only, and moves the clock', () => {
  assert.equal(talkWith({}).send('debugtime 5\r\n'), 'ERROR\r\n');
  const talk = talkWith({ options: { testCommands: true } });
  const { i32 } = talk.engine.store.memory;
  const before = i32[HEAD_CLOCK];
  talk.send('set k 0 10 1\r\nv\r\n');
  assert.equal(talk.send('debugtime 9\r\nget k\r\n'), `${OK}VALUE k 0 1\r\nv\r\nEND\r\n`);
  assert.equal(talk.send('debugtime 1\r\nget k\r\n'), `${OK}END\r\n`);
  assert.equal(i32[HEAD_CLOCK], before + 10);
  assert.equal(talk.send('debugtime -10\r\n'), OK);
  assert.equal(i32[HEAD_CLOCK], before);
  assert.equal(talk.send('debugtime\r\ndebugtime x\r\n'), 'ERROR\r\nERROR\r\n');
});

test('-X: nothing lists keys', () => {
  const talk = talkWith({ options: { dumpEnabled: false } });
  const refusals = [
    ['lru_crawler metadump all', 'ERROR metadump not allowed'],
    ['lru_crawler mgdump all', 'ERROR key dump not allowed'],
    ['stats cachedump 1 0', 'CLIENT_ERROR stats cachedump not allowed'],
    ['stats detail dump', 'CLIENT_ERROR stats detail not allowed'],
    ['stats detail on', 'CLIENT_ERROR stats detail not allowed'],
  ];
  for (const [request, reply] of refusals)
    assert.equal(talk.send(`${request}\r\n`), `${reply}\r\n`);
  // The same over the binary protocol: STAT with the key "detail on".
  const binary = new Talk(talk.engine);
  const header = Buffer.from('80100009000000000000000900000000'.padEnd(48, '0'), 'hex');
  const reply = binary.send(Buffer.concat([header, Buffer.from('detail on')]));
  assert.equal(reply.charCodeAt(0), 0x81);
  assert.equal(reply.charCodeAt(7), 0x20);
});

test('-F: flush_all is refused, and counted', () => {
  const talk = talkWith({}, { flushEnabled: false });
  talk.send('set k 0 0 1\r\nv\r\n');
  assert.equal(talk.send('flush_all\r\n'), 'CLIENT_ERROR flush_all not allowed\r\n');
  assert.equal(talk.send('get k\r\n'), 'VALUE k 0 1\r\nv\r\nEND\r\n');
  assert.match(talk.send('stats\r\n'), /STAT cmd_flush 1\r\n/);
});

test('-C: every item has the cas id 0, which no cas matches', () => {
  const talk = talkWith({}, { casEnabled: false });
  assert.equal(
    talk.send('set k 0 0 1\r\na\r\ngets k\r\n'),
    'STORED\r\nVALUE k 0 1 0\r\na\r\nEND\r\n',
  );
  assert.equal(talk.send('cas k 0 0 1 0\r\nb\r\ncas k 0 0 1 77\r\nc\r\n'), 'EXISTS\r\nEXISTS\r\n');
  assert.equal(talk.send('cas q 0 0 1 0\r\nb\r\n'), 'NOT_FOUND\r\n');
  assert.equal(talk.send('ms k 1 c\r\nz\r\nmg k c v\r\n'), 'HD c0\r\nVA 1 c0\r\nz\r\n');
  assert.equal(talk.send('ms k 1 C5 c\r\ny\r\nms k 1 E9 c\r\ny\r\n'), 'EX c0\r\nHD c0\r\n');
  assert.match(talk.send('lru_crawler metadump all\r\n'), / cas=0 /);
  const noSizes = 'STAT sizes_status error\r\nSTAT sizes_error cas_support_disabled\r\n';
  assert.equal(talk.send('stats sizes_enable\r\n'), noSizes);
  // Without ids a flush goes by the second alone.
  assert.equal(talk.send('flush_all\r\nget k\r\nset k 0 0 1\r\na\r\n'), `${OK}END\r\nSTORED\r\n`);
  assert.equal(talk.send('get k\r\n'), 'END\r\n');
  talk.engine.store.memory.i32[HEAD_CLOCK]++;
  assert.match(talk.send('set k 0 0 1\r\na\r\nget k\r\n'), /VALUE/);
});

test('-C: a request that names a cas id to store is carried out as if it named none', () => {
  const talk = talkWith({}, { casEnabled: false });
  const binary = new Talk(talk.engine);
  const extras = Buffer.alloc(8);
  const statusOf = (request: RequestPacket) =>
    binary.send(requestBytes({ ...request, cas: 77n })).charCodeAt(7);
  assert.equal(statusOf({ opcode: SET, key: 'k', extras, value: 'b' }), 0);
  assert.equal(statusOf({ opcode: ADD, key: 'k', extras, value: 'b' }), 2);
  assert.equal(statusOf({ opcode: REPLACE, key: 'q', extras, value: 'b' }), 1);
  assert.equal(statusOf({ opcode: APPEND, key: 'k', value: 'c' }), 0);
  assert.equal(statusOf({ opcode: DELETE, key: 'k' }), 2);
  assert.equal(talk.send('ms k 1 MP C77\r\na\r\nget k\r\n'), 'HD\r\nVALUE k 0 3\r\nabc\r\nEND\r\n');
});

test('-C leaves room for 8 bytes more in an item', () => {
  const largest = (casEnabled: boolean): number => {
    const talk = talkWith({}, { casEnabled });
    let size = MEGABYTE - 40;
    while (talk.send(storageLine('set', 'k', filler('v', size), 0)) !== 'STORED\r\n') size--;
    return size;
  };
  assert.deepEqual([largest(true), largest(false)], [MEGABYTE - 64, MEGABYTE - 56]);
});

test('cache_memlimit: a page in use for long does not keep others from being given up', () => {
  const world = new World({ memoryLimit: 24 * MEGABYTE, memoryMax: 24 * MEGABYTE });
  // The class with most pages begins with an item that is being sent for ever.
  const huge = filler('h', 150_000);
  world.b.send(storageLine('set', 'pinned', huge, 0));
  for (let i = 0; i < 70; i++) world.b.send(storageLine('set', `huge${i}`, huge, 0));
  for (let i = 0; i < 900; i++) world.b.send(storageLine('set', `k${i}`, filler('v', 6000), 0));
  const line = Buffer.from('get pinned\r\n');
  assert.equal(world.a.engine.feed(world.a.session, line, 0, line.length), FEED_FULL);
  world.a.engine.output.reset();
  const before = world.memory.i32[HEAD_PAGE_COUNT];
  assert.ok(before > 15, `${before} pages`);
  // Without its pauses of a second in all for a page that cannot be emptied.
  const maintainer = world.maintainer as { mover: PageMover };
  maintainer.mover = new PageMover(world.maintainer.store, () => {});
  assert.equal(world.b.send('cache_memlimit 8\r\n'), OK);
  for (let i = 0; i < 60; i++) {
    world.maintainer.round();
    world.pass(1);
  }
  assert.equal(world.memory.i32[HEAD_PAGE_COUNT], 8);
  world.reconnect();
  assert.deepEqual(world.audit(), []);
});
