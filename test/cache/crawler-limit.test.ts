/** lru_crawler_tocrawl: a crawl looks at no more items than that, the next one at the others. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Crawler } from '../../src/cache/crawler.ts';
import { HEAD_CLOCK } from '../../src/memory/layout.ts';
import { makeEngine, makeMemory, makeStore, Talk } from '../support/cache.ts';

const ITEMS = 25_000;
const VALUE = 'v'.repeat(60);

test('limited crawls go on where the last one stopped, until all items were seen', () => {
  const memory = makeMemory();
  const store = makeStore(memory, { lruCrawlerToCrawl: 10_000 }, 1);
  const talk = new Talk(makeEngine(makeStore(memory)));
  for (let i = 0; i < ITEMS; i++) {
    talk.send(`set key${String(i).padStart(5, '0')} 0 60 ${VALUE.length}\r\n${VALUE}\r\n`);
  }
  assert.equal(store.lists.itemsTotal(0), ITEMS);
  memory.i32[HEAD_CLOCK] += 61;
  const crawler = new Crawler(store, () => true);
  const id = store.slab.classFor(40 + 8 + VALUE.length);
  const reclaimed = [0, 1, 2, 3].map(() => crawler.crawl(id).reclaimed);
  assert.deepEqual(reclaimed, [10_000, 10_000, 5_000, 0]);
});
