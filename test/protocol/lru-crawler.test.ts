/** lru_crawler: what it answers, and that its orders and numbers reach the maintainer. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CRAWLER_STARTS, sumCounter } from '../../src/cache/counters.ts';
import { HEAD_CRAWL_OWNER, HEAD_LRU_CRAWLER } from '../../src/memory/layout.ts';
import { MAINTAINER, World } from '../cache/world.ts';

function started(): World {
  const world = new World();
  world.memory.i32[HEAD_LRU_CRAWLER] = 1;
  return world;
}

test('an ordered crawl frees what is dead in the classes that it names', () => {
  const world = started();
  for (let i = 0; i < 100; i++) world.b.send(`set s${i} 0 5 1\r\nx\r\n`);
  for (let i = 0; i < 100; i++) world.b.send(`set l${i} 0 5 900\r\n${'x'.repeat(900)}\r\n`);
  const items = (): number => world.b.engine.store.lists.itemsTotal(0);
  // Its own crawls are planned by now, and not due.
  world.maintainer.round();
  world.pass(6);
  const busy = 'BUSY currently processing crawler request\r\n';
  assert.equal(world.a.send('lru_crawler crawl 1\r\n'), 'OK\r\n');
  assert.equal(world.b.send('lru_crawler crawl all\r\n'), busy);
  assert.equal(world.b.send('lru_crawler metadump all\r\n'), busy);
  world.maintainer.crawler.crawlOrdered();
  assert.equal(items(), 100);
  world.maintainer.round();
  assert.equal(world.a.send('lru_crawler crawl all\r\n'), 'OK\r\n');
  world.maintainer.round();
  assert.equal(items(), 0);
  assert.ok(sumCounter(world.memory, CRAWLER_STARTS) > 0);
  assert.deepEqual(world.audit(), []);
});

test('wherever a thread dies with an order to crawl, another order can be given', () => {
  for (let access = 1; ; access++) {
    const world = started();
    world.b.send('set k 0 5 1\r\nx\r\n');
    const died = world.dies(access, () => world.a.send('lru_crawler crawl all\r\n'));
    if (died) world.recover(2);
    for (let i = 0; i < 3; i++) world.maintainer.round();
    assert.equal(world.memory.i32[HEAD_CRAWL_OWNER], 0, `access ${access}`);
    assert.equal(world.b.send('lru_crawler crawl all\r\n'), 'OK\r\n');
    if (!died) break;
  }
});

test('a maintainer that dies while it crawls leaves the order to its successor', () => {
  const world = started();
  for (let i = 0; i < 50; i++) world.b.send(`set s${i} 0 5 1\r\nx\r\n`);
  world.maintainer.round();
  world.pass(6);
  world.a.send('lru_crawler crawl all\r\n');
  assert.equal(
    world.dies(20, () => world.maintainer.round()),
    true,
  );
  world.recover(MAINTAINER);
  world.maintainer.round();
  assert.equal(world.b.engine.store.lists.itemsTotal(0), 0);
  assert.equal(world.memory.i32[HEAD_CRAWL_OWNER], 0);
  assert.deepEqual(world.audit(), []);
});

test('a crawler that was off at the start works by itself once it is enabled', () => {
  const world = new World({}, { lruCrawler: false, lruMaintainer: false });
  for (let i = 0; i < 50; i++) world.b.send(`set s${i} 0 5 1\r\nx\r\n`);
  const later = (): number => {
    world.pass(6);
    world.maintainer.round();
    return world.b.engine.store.lists.itemsTotal(0);
  };
  for (let i = 0; i < 4; i++) assert.equal(later(), 50);
  assert.equal(world.a.send('lru_crawler enable\r\n'), 'OK\r\n');
  later();
  assert.equal(later(), 0);
  assert.equal(world.a.send('lru_crawler disable\r\nlru_crawler disable\r\n'), 'OK\r\nOK\r\n');
  for (let i = 0; i < 50; i++) world.b.send(`set s${i} 0 5 1\r\nx\r\n`);
  for (let i = 0; i < 4; i++) assert.equal(later(), 50);
});
