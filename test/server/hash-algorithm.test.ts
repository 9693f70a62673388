// Every hash algorithm serves: all threads find what any of them stored, while the table grows, and
// after a worker has died and been replaced.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Bulk } from '../support/bulk.ts';
import { Client, launch, waitFor } from './launch.ts';

const ITEMS = 12_000;

const key = (n: number): string => (n % 3 === 0 ? `key-${n}-${'x'.repeat(n % 230)}` : `k${n}`);
const value = (n: number): string => `value ${n}`;

for (const algorithm of ['jenkins', 'murmur3', 'xxh3']) {
  test(`${algorithm}: what one thread stores the others find`, async (t) => {
    const flags = ['-o', `hash_algorithm=${algorithm},hashpower=12`];
    const server = await launch(t, flags);
    const first = await Bulk.open(server.port);
    const second = await Bulk.open(server.port);
    t.after(() => first.close());
    t.after(() => second.close());
    await first.store(0, ITEMS / 2, key, value);
    await second.store(ITEMS / 2, ITEMS, key, value);
    assert.equal(await first.count(0, ITEMS, key, value), ITEMS);
    assert.equal(await second.count(0, ITEMS, key, value), ITEMS);
    const client = new Client(t, server.port);
    assert.equal(await client.stat('hash_algorithm', 'settings'), algorithm);
    const grown = async () => Number(await client.stat('hash_power_level')) > 12;
    assert.ok(await waitFor(grown, server.ended));

    server.child.send({ kill: 0 });
    const restarted = async () => {
      const probe = new Client(t, server.port);
      const count = await probe.stat('worker_restarts').catch(() => undefined);
      return count === '1';
    };
    assert.ok(await waitFor(restarted, server.ended));
    const after = await Bulk.open(server.port);
    t.after(() => after.close());
    assert.equal(await after.count(0, ITEMS, key, value), ITEMS);
    await after.store(0, ITEMS, key, value);
    assert.equal(await after.stat('curr_items'), ITEMS);
  });
}
