/**
 * Proves that items are stored and found wherever they lie in the address space: around 4 GiB,
 * where byte offsets pass 32 bits, around 16 GiB, where references turn negative, and at the far
 * end. Only the few pages that are used cost memory.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { auditCache } from '../../src/cache/audit.ts';
import { hashKey } from '../../src/cache/hash.ts';
import type { Store } from '../../src/cache/store.ts';
import { Bytes } from '../../src/memory/bytes.ts';
import { PAGE_BYTES } from '../../src/memory/classes.ts';
import {
  claimConnection,
  listConnections,
  releaseConnection,
} from '../../src/memory/connections.ts';
import { HEAD_PAGE_FRESH } from '../../src/memory/layout.ts';
import type { Memory } from '../../src/memory/memory.ts';
import { makeEngine, makeMemory, makeStore, Talk } from '../support/cache.ts';

const GIGABYTE = 2 ** 30;
const RSS_GROWTH_MAX = 128 * 1024 * 1024;
/** Each of these lands in a class, and so in pages, of its own; the last two are chains. */
const VALUE_BYTES = [10, 100, 300, 1000, 3000, 10_000, 50_000, 200_000, 600_000, 1_000_000];
/** The pages used lie on both sides of a border that is this many pages ahead. */
const PAGES_BEFORE_BORDER = 4;
/** Room at the far end for all the pages that the items take. */
const PAGES_AT_END = 32;

function refOf(store: Store, key: string): number {
  const bytes = new Bytes(Buffer.from(key));
  const hash = hashKey(bytes, 0, key.length, 0);
  return store.table.doFind(hash, 0, bytes, 0, key.length);
}

function value(bytes: number, seed: string): string {
  return seed.repeat(Math.ceil(bytes / seed.length)).slice(0, bytes);
}

/** The memory with address space for this many gigabytes of pages, or a smaller one. */
function reserve(gigabytes: number): Memory {
  return makeMemory({ memoryLimit: 64 * 1024 * 1024, memoryMax: gigabytes * GIGABYTE });
}

function reasonToSkip(gigabytes: number): string | false {
  let reason: string | false = false;
  try {
    const memory = reserve(gigabytes + 1);
    if (memory.layout.totalBytes < gigabytes * GIGABYTE + PAGES_AT_END * PAGE_BYTES) {
      reason = `SKIPPED: only ${memory.layout.totalBytes} bytes of address space are to be had`;
    }
  } catch (error) {
    reason = `SKIPPED: no address space beyond ${gigabytes} GiB: ${String(error)}`;
  }
  if (reason !== false) process.stderr.write(`${reason}\n`);
  return reason;
}

/** Stores, fetches, changes and deletes items in pages from `firstPage` on; returns their refs. */
function useItems(memory: Memory, firstPage: number): number[] {
  memory.i32[HEAD_PAGE_FRESH] = firstPage;
  const store = makeStore(memory);
  const talk = new Talk(makeEngine(store));
  for (const bytes of VALUE_BYTES) {
    for (const copy of ['a', 'b', 'c']) {
      const set = `set ${copy}${bytes} 7 0 ${bytes}\r\n${value(bytes, `${copy}${bytes};`)}\r\n`;
      assert.equal(talk.send(set), 'STORED\r\n');
    }
  }
  const refs: number[] = [];
  for (const bytes of VALUE_BYTES) {
    assert.equal(talk.send(`delete b${bytes}\r\nget b${bytes}\r\n`), 'DELETED\r\nEND\r\n');
    for (const copy of ['a', 'c']) {
      const expected = value(bytes, `${copy}${bytes};`);
      const reply = `VALUE ${copy}${bytes} 7 ${bytes}\r\n${expected}\r\nEND\r\n`;
      assert.equal(talk.send(`get ${copy}${bytes}\r\n`), reply);
      refs.push(refOf(store, `${copy}${bytes}`));
    }
    assert.equal(talk.send(`append a${bytes} 0 0 2\r\n++\r\n`), 'STORED\r\n');
    const grown = `${value(bytes, `a${bytes};`)}++`;
    const reply = `VALUE a${bytes} 7 ${bytes + 2}\r\n${grown}\r\nEND\r\n`;
    assert.equal(talk.send(`get a${bytes}\r\n`), reply);
  }
  const counted = talk.send('set n 0 0 1\r\n9\r\nincr n 1\r\nget n\r\n');
  assert.equal(counted, 'STORED\r\n10\r\nVALUE n 0 2\r\n10\r\nEND\r\n');
  // The pages that were jumped over are in neither a class nor the pool: all else must fit.
  assert.deepEqual(auditCache(store), ['pages are lost to pool and classes']);
  return refs;
}

/** Runs useItems and checks that only what was used has cost memory. */
function useItemsSparsely(gigabytes: number, firstPage: (memory: Memory) => number): number[] {
  const before = process.memoryUsage.rss();
  const memory = reserve(gigabytes + 1);
  const refs = useItems(memory, firstPage(memory));
  const growth = process.memoryUsage.rss() - before;
  assert.ok(growth < RSS_GROWTH_MAX, `${growth} bytes of memory for a few pages of items`);
  return refs;
}

const pageAt = (byte: number) => (memory: Memory) => (byte - memory.layout.pages) / PAGE_BYTES;

test('items on both sides of 4 GiB', { skip: reasonToSkip(4) }, () => {
  const border = 4 * GIGABYTE;
  const refs = useItemsSparsely(4, (memory) => pageAt(border)(memory) - PAGES_BEFORE_BORDER);
  assert.ok(refs.some((ref) => ref * 8 < border) && refs.some((ref) => ref * 8 >= border));
});

test('connections come and go in a memory of more than 4 GiB', { skip: reasonToSkip(4) }, () => {
  const memory = reserve(5);
  // Often enough for compiled code, in which Node's own writing of strings aborts the process when
  // the array is that long.
  for (let i = 0; i < 100_000; i++) {
    const slot = claimConnection(memory, 0, `tcp:127.0.0.1:${i}`, 'tcp:127.0.0.1:11211');
    releaseConnection(memory, slot);
  }
  claimConnection(memory, 0, 'tcp:127.0.0.1:1', 'tcp:127.0.0.1:11211');
  const [{ peer, listener }] = listConnections(memory);
  assert.deepEqual([peer, listener], ['tcp:127.0.0.1:1', 'tcp:127.0.0.1:11211']);
});

const skipPast16 = reasonToSkip(16);

test('items on both sides of 16 GiB, where references turn negative', { skip: skipPast16 }, () => {
  const border = 16 * GIGABYTE;
  const refs = useItemsSparsely(16, (memory) => pageAt(border)(memory) - PAGES_BEFORE_BORDER);
  assert.ok(refs.some((ref) => ref > 0) && refs.some((ref) => ref < 0));
});

test('items in the last pages of more than 16 GiB', { skip: skipPast16 }, () => {
  const refs = useItemsSparsely(16, (memory) => memory.layout.pageCountMax - PAGES_AT_END);
  assert.ok(refs.every((ref) => ref < 0));
});
