// A cache that is written to, and evicts, while it is dumped: whatever is dumped is an item as it
// was stored, and what has gone is left out.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { DumpReader } from '../../src/tools/dump-reader.ts';
import { scratch } from '../server/launch.ts';
import { Bulk } from '../support/bulk.ts';
import { findMemcached, skipWithoutMemcached } from '../support/oracle.ts';
import { CLI, startProcess } from '../support/process.ts';
import { type Launch, memcached, slabcached, startServer } from '../support/server.ts';

const FLAGS = ['-m', '4', '-t', '2'];
/** Three times what the cache can hold. */
const ITEMS = 24_000;

const key = (n: number): string => `key-${n}`;
const value = (n: number): string => `${key(n)}=`.padEnd(400 + (n % 200), 'v');

/** Stores all items, over and over, until it is told that this is enough. */
async function keepStoring(port: number, enough: () => boolean): Promise<number> {
  const bulk = await Bulk.open(port);
  let rounds = 0;
  try {
    do {
      await bulk.store(0, ITEMS, key, value);
      rounds++;
    } while (!enough());
    assert.ok((await bulk.stat('evictions')) > 0);
  } finally {
    bulk.close();
  }
  return rounds;
}

async function dumpWhileStoring(t: TestContext, launch: Launch): Promise<void> {
  const server = await startServer(launch);
  t.after(() => server.stop());
  const first = await Bulk.open(server.port);
  await first.store(0, ITEMS, key, value);
  first.close();

  const file = join(scratch(t), 'dump');
  const args = [CLI, 'dump', '--from', `127.0.0.1:${server.port}`, '--out', file, '--rate', '0'];
  const dumping = startProcess(process.execPath, args, ['ignore', 'ignore', 'pipe']);
  t.after(() => dumping.child.kill('SIGKILL'));
  let isOver = false;
  void dumping.exited.then(() => {
    isOver = true;
  });
  const storing = keepStoring(server.port, () => isOver);
  const { code } = await dumping.exited;
  await storing;
  assert.equal(code, 0, dumping.stderr());

  const reader = await DumpReader.open(file);
  let count = 0;
  for await (const item of reader.items()) {
    const n = Number(item.key.toString('latin1').slice('key-'.length));
    assert.equal(item.value.toString('latin1'), value(n));
    assert.deepEqual([item.flags, item.expiry], [0, 0]);
    count++;
  }
  assert.equal(reader.isComplete, true);
  assert.ok(count > 100, dumping.stderr());
}

test('slabcached is dumped while it evicts', async (t) => {
  await dumpWhileStoring(t, slabcached(FLAGS));
});

test('memcached is dumped while it evicts', { skip: skipWithoutMemcached() }, async (t) => {
  await dumpWhileStoring(t, memcached(findMemcached() ?? '', FLAGS));
});
