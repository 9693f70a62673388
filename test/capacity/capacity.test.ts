// How much fits, and that what fits is kept: over real sockets, beside the real memcached.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Bulk } from '../support/bulk.ts';
import { findMemcached, skipWithoutMemcached } from '../support/oracle.ts';
import { type Launch, memcached, slabcached, startServer } from '../support/server.ts';

const key = (n: number): string => `key:${n}`;
const value100 = (n: number): string => `${n}:`.padEnd(100, 'v');
const value20 = (n: number): string => `${n}:`.padEnd(20, 'v');

async function withServer(launch: Launch, run: (bulk: Bulk) => Promise<void>): Promise<void> {
  const server = await startServer(launch);
  const bulk = await Bulk.open(server.port);
  try {
    await run(bulk);
  } finally {
    bulk.close();
    await server.stop();
  }
}

/** Stores 100-byte values until well after the first evictions; returns the items then held. */
async function itemsHeld(launch: Launch): Promise<number> {
  let held = 0;
  await withServer(launch, async (bulk) => {
    await bulk.store(0, 500_000, key, value100);
    assert.ok((await bulk.stat('evictions')) > 0, 'the test is to fill the memory');
    held = await bulk.stat('curr_items');
  });
  return held;
}

const skip = skipWithoutMemcached();

test('-m 64 holds at least as many 100-byte items as memcached', { skip }, async (context) => {
  const theirs = await itemsHeld(memcached(findMemcached() ?? '', ['-m', '64']));
  const ours = await itemsHeld(slabcached(['-m', '64']));
  context.diagnostic(`-m 64 holds ${ours} items here, ${theirs} in memcached`);
  assert.ok(ours >= theirs, `${ours} items here, ${theirs} in memcached`);
});

test('a million items that fit are all kept', async () => {
  await withServer(slabcached(['-m', '256', '-t', '2']), async (bulk) => {
    await bulk.store(0, 1_000_000, key, value20);
    assert.equal(await bulk.stat('curr_items'), 1_000_000);
    assert.equal(await bulk.stat('evictions'), 0);
    assert.equal(await bulk.count(0, 1_000_000, key, value20), 1_000_000);
  });
});

test('keys in use survive a scan that is larger than the memory', async () => {
  await withServer(slabcached(['-m', '16', '-t', '2']), async (bulk) => {
    const hot = 2000;
    await bulk.store(0, hot, key, value100);
    // The scan stores ten times what fits; the hot keys are read all along, as in real use.
    for (let at = hot; at < 1_000_000; at += 20_000) {
      await bulk.count(0, hot, key, value100);
      await bulk.store(at, at + 20_000, key, value100);
    }
    assert.ok((await bulk.stat('evictions')) > 100_000, 'the scan is to evict');
    assert.equal(await bulk.count(0, hot, key, value100), hot);
  });
});
