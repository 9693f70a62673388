/**
 * Items beyond 4 GiB and beyond 16 GiB, where refs turn negative: stored, found, evicted and freed.
 * Only the pages at the far end are touched, so this costs address space and little memory.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { auditCache } from '../../src/cache/audit.ts';
import { Maintainer } from '../../src/cache/maintainer.ts';
import {
  HEAD_PAGE_COUNT,
  HEAD_PAGE_FRESH,
  HEAD_PAGE_LIMIT,
  HEAD_PAGE_POOL,
  HEAD_PAGE_POOL_COUNT,
  LRU_HOT,
  PAGE_CLASS_I32,
  PAGE_NEXT_I32,
} from '../../src/memory/layout.ts';
import type { Memory } from '../../src/memory/memory.ts';
import { pageEntry, pageOf, pageRef } from '../../src/memory/pages.ts';
import { CACHE_DEFAULTS, makeEngine, makeMemory, makeStore, Talk } from '../support/cache.ts';

const GIGABYTE = 2 ** 30;
const PAGES = 6;

/** Lets the next pages be those from `page` on: the ones before count as owned by nobody. */
function startAtPage(memory: Memory, page: number): void {
  memory.i32[HEAD_PAGE_FRESH] = page;
  for (let before = 0; before < page; before++) {
    memory.i32[pageEntry(memory, before) + PAGE_CLASS_I32] = 0;
    memory.i32[pageEntry(memory, before) + PAGE_NEXT_I32] = before === 0 ? 0 : before;
  }
  // The audit counts them as pooled; the limit keeps the pool from being used.
  memory.i32[HEAD_PAGE_POOL] = 0;
  memory.i32[HEAD_PAGE_LIMIT] = PAGES;
}

/** Hides the skipped pages from the audit, which would miss them in the pool. */
function audit(memory: Memory, skipped: number): string[] {
  const { i32 } = memory;
  i32[HEAD_PAGE_POOL] = skipped;
  i32[HEAD_PAGE_POOL_COUNT] += skipped;
  const problems = auditCache(makeStore(memory, {}, 0));
  i32[HEAD_PAGE_POOL] = 0;
  i32[HEAD_PAGE_POOL_COUNT] -= skipped;
  return problems;
}

for (const [name, beyond] of [
  ['4 GiB', 4],
  ['16 GiB, where refs are negative', 16],
  ['20 GiB', 20],
] as const) {
  test(`items work beyond ${name}`, (t) => {
    const memoryMax = beyond * GIGABYTE + GIGABYTE / 4;
    const memory = makeMemory({ memoryLimit: PAGES * 2 ** 20, memoryMax, slabChunkMax: 16_384 });
    if (memory.config.memoryMax < memoryMax) {
      t.skip(`the machine has no address space of ${memoryMax} bytes`);
      return;
    }
    const skipped = beyond * 1024;
    startAtPage(memory, skipped);
    const store = makeStore(memory);
    const talk = new Talk(makeEngine(store));
    const small = 'v'.repeat(500);
    const large = 'w'.repeat(60_000);
    for (let i = 0; i < 3000; i++) {
      assert.equal(talk.send(`set k${i} 0 0 500\r\n${small}\r\n`), 'STORED\r\n');
    }
    for (let i = 0; i < 80; i++) {
      assert.equal(talk.send(`set l${i} 0 0 60000\r\n${large}\r\n`), 'STORED\r\n');
    }
    assert.equal(
      talk.send('get k2999 l79\r\n'),
      `${reply('k2999', small) + reply('l79', large)}END\r\n`,
    );
    assert.equal(talk.send('append l79 0 0 1\r\nx\r\nget l79\r\n').length, 8 + 19 + 60_003 + 5);
    assert.equal(talk.send('delete k2998\r\n'), 'DELETED\r\n');
    assert.equal(talk.send('get l0\r\n'), 'END\r\n', 'the oldest was evicted');
    assert.ok(memory.i32[HEAD_PAGE_COUNT] >= PAGES);

    const head = store.lists.head(0, store.slab.classFor(551), LRU_HOT);
    assert.equal(head < 0, beyond >= 16);
    assert.ok((head >>> 0) * 8 > beyond * GIGABYTE);
    assert.equal(pageRef(memory, pageOf(memory, head)) <= head, true);

    const maintainer = new Maintainer(memory, CACHE_DEFAULTS);
    for (let i = 0; i < 5; i++) maintainer.round();
    assert.deepEqual(audit(memory, skipped), []);
  });
}

function reply(key: string, value: string): string {
  return `VALUE ${key} 0 ${value.length}\r\n${value}\r\n`;
}
