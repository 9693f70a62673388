/** lru_crawler metadump and mgdump: the lines, and what a dump sees of a cache that changes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clockStarted } from '../../src/memory/clock.ts';
import {
  HEAD_CLOCK,
  HEAD_CRAWL_OWNER,
  HEAD_HASH_POWER,
  HEAD_LRU_CRAWLER,
} from '../../src/memory/layout.ts';
import type { Memory } from '../../src/memory/memory.ts';
import { FEED_MORE, FEED_YIELD } from '../../src/protocol/engine.ts';
import { World } from '../cache/world.ts';
import { makeEngine, makeMemory, makeStore, Talk } from '../support/cache.ts';

const MEGABYTE = 2 ** 20;
const COMPLETE = /^OK\r\n(.*\n)*END\r\n$/;

function keysOf(dump: string): string[] {
  return [...dump.matchAll(/^key=(\S+) /gm)].map((match) => decodeURIComponent(match[1]));
}

function talkTo(memory: Memory): Talk {
  memory.i32[HEAD_LRU_CRAWLER] = 1;
  return new Talk(makeEngine(makeStore(memory)));
}

function crawlable(...how: ConstructorParameters<typeof World>): World {
  const world = new World(...how);
  world.memory.i32[HEAD_LRU_CRAWLER] = 1;
  return world;
}

/** Feeds a dump and stops after its first turn; `rest` goes on to the end. */
function beginDump(talk: Talk, line: string): { text: string; over: boolean; rest(): string } {
  const { engine, session } = talk;
  const bytes = Buffer.from(`${line}\r\n`);
  const first = engine.feed(session, bytes, 0, bytes.length);
  const take = (): string => {
    const text = engine.output.view().toString('latin1');
    engine.output.reset();
    return text;
  };
  const text = take();
  const rest = (): string => {
    let all = '';
    for (let result = FEED_YIELD; result !== FEED_MORE; ) {
      result = engine.resume(session);
      all += take();
    }
    return all;
  };
  return { text, over: first === FEED_MORE, rest };
}

test('metadump: a line per living item, words in memcached order, keys url-encoded', () => {
  const memory = makeMemory();
  const talk = talkTo(memory);
  const started = clockStarted(memory);
  talk.send('set plain 0 0 3\r\nabc\r\n');
  talk.send('set a%b"\xe9~-._ 4294967295 100 1\r\nx\r\n');
  talk.send('set dead 0 -1 1\r\nx\r\n');
  talk.send('get plain\r\n');
  const now = memory.i32[HEAD_CLOCK] + started;
  const lines = talk.send('lru_crawler metadump all\r\n').split(/(?<=\n)/);
  assert.equal(lines[0], 'OK\r\n');
  assert.equal(lines.at(-1), 'END\r\n');
  assert.deepEqual(lines.slice(1, -1).sort(), [
    `key=a%25b%22%E9~-._ exp=${now + 100} la=${now} cas=2 fetch=no cls=1 size=54 ` +
      'flags=4294967295\n',
    `key=plain exp=-1 la=${now} cas=1 fetch=yes cls=1 size=48 flags=0\n`,
  ]);
  assert.equal(memory.i32[HEAD_CRAWL_OWNER], 0);
});

test('mgdump: commands that fetch the items, base64 where a key is no text', () => {
  const talk = talkTo(makeMemory());
  talk.send('set plain 0 0 3\r\nabc\r\nset tab\there 0 0 1\r\nx\r\n');
  const lines = talk.send('lru_crawler mgdump hash\r\n').split(/(?<=\n)/);
  assert.deepEqual(lines.sort(), ['EN\r\n', 'OK\r\n', 'mg dGFiCWhlcmU= b\r\n', 'mg plain\r\n']);
});

test('a dump of some classes has their items only', () => {
  const talk = talkTo(makeMemory());
  talk.send('set small 0 0 3\r\nabc\r\n');
  talk.send(`set large 0 0 900000\r\n${'x'.repeat(900_000)}\r\n`);
  talk.send(`set middle 0 0 900\r\n${'x'.repeat(900)}\r\n`);
  assert.deepEqual(keysOf(talk.send('lru_crawler metadump 1\r\n')), ['small']);
  const all = talk.send('lru_crawler metadump all\r\n');
  const classOf = (key: string): string =>
    new RegExp(`key=${key} .* cls=(\\d+)`).exec(all)?.[1] ?? '';
  const two = talk.send(`lru_crawler metadump ${classOf('large')},,${classOf('middle')}\r\n`);
  assert.deepEqual(keysOf(two).sort(), ['large', 'middle']);
});

test('every item that stays is dumped once, while the table grows and others come and go', () => {
  const world = crawlable({ memoryLimit: 32 * MEGABYTE, memoryMax: 32 * MEGABYTE });
  const stay = Array.from({ length: 3000 }, (_, i) => `stay${i}`);
  for (const key of stay) world.b.send(`set ${key} 0 0 1\r\nx\r\n`);
  const powerBefore = world.memory.i32[HEAD_HASH_POWER];
  const dump = beginDump(world.a, 'lru_crawler metadump all');
  let text = dump.text;
  assert.equal(dump.over, false);
  for (let i = 0; i < 20_000; i++) world.b.send(`set new${i} 0 0 1\r\nx\r\n`);
  for (let i = 0; i < 20_000; i += 2) world.b.send(`delete new${i}\r\n`);
  for (let i = 0; i < 5; i++) world.maintainer.round();
  assert.ok(world.memory.i32[HEAD_HASH_POWER] > powerBefore, 'the table has grown');
  text += dump.rest();
  const found = keysOf(text).filter((key) => key.startsWith('stay'));
  assert.equal(found.length, stay.length);
  assert.deepEqual(new Set(found), new Set(stay));
  assert.deepEqual(world.audit(), []);
});

test('items move between pages under a dump, and none is missed', () => {
  const world = crawlable();
  for (let i = 0; i < 140; i++) world.put(`k${i}`, 'v'.repeat(15_000));
  for (let i = 0; i < 140; i += 3) world.b.send(`delete k${i}\r\n`);
  const stay = [...world.known.keys()].filter((key) => Number(key.slice(1)) % 3 !== 0);
  // A few thousand small ones make the dump take more than one turn.
  for (let i = 0; i < 3000; i++) world.b.send(`set small${i} 0 0 1\r\nx\r\n`);
  const dump = beginDump(world.a, 'lru_crawler metadump all');
  const id = world.b.engine.store.slab.classFor(15_050);
  assert.equal(world.maintainer.mover.move(id, 0), true);
  const text = dump.text + dump.rest();
  const found = keysOf(text).filter((key) => key.startsWith('k'));
  assert.deepEqual(found.sort(), stay.sort());
  assert.deepEqual(world.audit(), []);
});

test('one dump at a time; the next may begin when it is over, or its connection is gone', () => {
  const world = crawlable();
  for (let i = 0; i < 3000; i++) world.b.send(`set key${i} 0 0 1\r\nx\r\n`);
  const dump = beginDump(world.a, 'lru_crawler metadump all');
  const busy = 'BUSY currently processing crawler request\r\n';
  assert.equal(world.b.send('lru_crawler metadump all\r\n'), busy);
  assert.equal(world.b.send('lru_crawler mgdump 1\r\n'), busy);
  assert.equal(world.b.send('lru_crawler crawl all\r\n'), busy);
  dump.rest();
  assert.match(world.b.send('lru_crawler metadump all\r\n'), COMPLETE);
  beginDump(world.a, 'lru_crawler metadump all');
  assert.equal(world.b.send('lru_crawler metadump all\r\n'), busy);
  world.reconnect();
  assert.match(world.b.send('lru_crawler metadump all\r\n'), COMPLETE);
});

test('a worker that dies while it dumps does not block the next dump', () => {
  const world = crawlable();
  for (let i = 0; i < 3000; i++) world.b.send(`set key${i} 0 0 1\r\nx\r\n`);
  const dump = beginDump(world.a, 'lru_crawler metadump all');
  assert.equal(dump.over, false);
  assert.equal(
    world.dies(7, () => dump.rest()),
    true,
  );
  world.recover(2);
  assert.match(world.b.send('lru_crawler metadump all\r\n'), COMPLETE);
  assert.deepEqual(world.audit(), []);
});

test('a chain longer than the output is dumped bit by bit', () => {
  const world = crawlable(
    { memoryLimit: 8 * MEGABYTE, memoryMax: 8 * MEGABYTE },
    { hashExpand: false },
  );
  const keys = Array.from({ length: 9000 }, (_, i) => `${'%'.repeat(200)}${i}`);
  for (const key of keys) world.b.send(`set ${key} 0 0 1\r\nx\r\n`);
  const text = world.a.send('lru_crawler metadump hash\r\n');
  assert.ok(keysOf(text).sort().join() === keys.sort().join());
});

test('a dump lists the items of its own keyspace only', () => {
  const talk = talkTo(makeMemory());
  talk.send('set mine 0 0 1\r\nx\r\n');
  const session = talk.session as { tenant: number };
  session.tenant = 1;
  assert.deepEqual(keysOf(talk.send('lru_crawler metadump all\r\n')), []);
  session.tenant = 0;
  assert.deepEqual(keysOf(talk.send('lru_crawler metadump all\r\n')), ['mine']);
});
