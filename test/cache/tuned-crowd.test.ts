/**
 * Two workers and the maintainer work on one small cache while an administrator changes the limit
 * of pages, the mode of the lists and the owners of pages, and dumps all keys again and again.
 * Whenever they stand still every invariant holds.
 *
 * SEED chooses another run.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { HEAD_LRU_CRAWLER, HEAD_PAGE_RETIRED } from '../../src/memory/layout.ts';
import { setPageLimit } from '../../src/memory/pages.ts';
import { makeEngine, makeStore, Talk } from '../support/cache.ts';
import { checkAll, Threads } from './threads.ts';
import { Picker, WHOLE_KEYS } from './whole.ts';
import { MAINTAINER, WORKER_A, WORKER_B } from './world.ts';

const SEED = Number(process.env.SEED ?? 1);
const HALTS = 8;
const CHANGES_PER_HALT = 150;
const MAIN_ACTOR = 0;
/** Enough that classes have several pages, which they can give up. */
const PAGES_MAX = 40;
const PAGES_MIN = 15;

const COMMANDS = [
  'lru mode flat',
  'lru mode segmented',
  'lru temp_ttl 2000',
  'lru temp_ttl -1',
  'lru tune 10 10 0.1 0.5',
  'lru_crawler crawl all',
  'slabs automove 2',
  'slabs automove 1',
];

test(`a cache that is tuned and dumped while it works stays whole (seed ${SEED})`, async (t) => {
  const threads = new Threads(2, PAGES_MAX);
  t.after(() => threads.stop());
  const { memory } = threads.world;
  memory.i32[HEAD_LRU_CRAWLER] = 1;
  const picker = new Picker(SEED);
  for (const actor of [WORKER_A, WORKER_B, MAINTAINER]) {
    await threads.start(actor, picker.below(1e9));
  }
  const talk = new Talk(makeEngine(makeStore(memory, {}, MAIN_ACTOR)));
  const largest = memory.classLargest;
  let dumps = 0;
  let retired = 0;
  for (let halt = 0; halt < HALTS; halt++) {
    for (let change = 0; change < CHANGES_PER_HALT; change++) {
      const dice = picker.below(4);
      const pages = PAGES_MIN + picker.below(PAGES_MAX - PAGES_MIN + 1);
      if (dice === 0) setPageLimit(memory, MAIN_ACTOR, pages);
      else if (dice === 1) talk.send(`${COMMANDS[picker.below(COMMANDS.length)]}\r\n`);
      else if (dice === 2) talk.send(`slabs reassign -1 ${picker.below(largest + 1)}\r\n`);
      else dumps += checkDump(talk.send('lru_crawler metadump all\r\n'));
      if (memory.i32[HEAD_PAGE_RETIRED] !== 0) retired++;
      await turn();
    }
    await threads.still(() => checkAll(threads.world, `halt ${halt}`));
  }
  assert.ok(dumps > 10, `${dumps} dumps`);
  assert.ok(retired > 10, `pages were given up at ${retired} looks`);
});

/** 1 for a whole dump of keys that exist, 0 if another walk was under way. */
function checkDump(text: string): number {
  if (text.startsWith('BUSY')) return 0;
  const lines = text.split(/(?<=\n)/);
  assert.equal(lines[0], 'OK\r\n');
  assert.equal(lines.at(-1), 'END\r\n');
  for (const line of lines.slice(1, -1)) {
    const key = /^key=(\w+) exp=(-1|\d+) .* flags=[07]\n$/.exec(line)?.[1] ?? line;
    assert.ok(WHOLE_KEYS.includes(key), key);
  }
  return 1;
}
