// The table of slab classes follows from -f, -n, -I and -o slab_chunk_max. Operators tune by it, so
// ids, chunk sizes and chunks per page must be memcached's, and what it refuses we refuse.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findMemcached, skipWithoutMemcached } from '../support/oracle.ts';
import { type Launch, memcached, runToExit, slabcached, startServer } from '../support/server.ts';
import { Side } from './session.ts';
import { parseStats } from './statistics.ts';

const skip = skipWithoutMemcached();
const oracle = findMemcached() ?? '';

const FLAGS: readonly string[] = [
  '',
  '-f 1.05',
  '-f 1.08',
  '-f 1.1 -n 8',
  '-f 1.25 -n 16',
  '-f 1.25 -n 100',
  '-f 1.33',
  '-f 1.5 -n 48',
  '-f 1.7 -n 200',
  '-f 2',
  '-f 2 -n 1',
  '-f 3 -n 500',
  '-f 8',
  '-f 10 -n 1000',
  '-n 1',
  '-n 7',
  '-n 49',
  '-n 4096',
  '-I 2m',
  '-I 5m',
  '-I 32m -m 128',
  '-I 512k -o slab_chunk_max=16384',
  '-I 1m -o slab_chunk_max=65536',
  '-I 8m -o slab_chunk_max=1048576',
  '-I 16k -o slab_chunk_max=4096 -f 1.1',
  '-I 2048 -o slab_chunk_max=2048',
  '-I 1048576 -f 1.25 -n 72',
];

/** What both must refuse: the reason is in the flags themselves. */
const REFUSED: readonly string[] = [
  '-I 1000',
  '-I 2048m -m 8192',
  '-I 16k',
  '-I 64m -m 64',
  '-f 1',
  '-f 0.5',
  '-n 0',
  '-I 1m -o slab_chunk_max=300000',
  '-I 3m -o slab_chunk_max=1048577',
  '-m x',
];

const words = (flags: string): string[] => flags.split(' ').filter((word) => word !== '');

/** The class table as printed to stderr with -vv. */
async function printedClasses(launch: Launch): Promise<string[]> {
  const server = await startServer(launch);
  await server.stop();
  return server.stderr().match(/^slab class .*$/gm) ?? [];
}

// Several at a time: memcached takes a second to stop.
const CONCURRENT = 4;

test('the table of slab classes is memcached’s', { skip, concurrency: CONCURRENT }, (suite) => {
  for (const flags of FLAGS) {
    void suite.test(flags === '' ? 'without flags' : flags, async () => {
      const all = ['-vv', ...words(flags)];
      const [ours, theirs] = await Promise.all([
        printedClasses(slabcached(all)),
        printedClasses(memcached(oracle, all)),
      ]);
      assert.ok(theirs.length > 0);
      assert.deepEqual(ours, theirs);
    });
  }
});

/** chunk_size and chunks_per_page of every class in use after storing values of many sizes. */
async function usedClasses(launch: Launch): Promise<Map<string, string>> {
  const side = await Side.start(launch);
  try {
    for (let size = 1; size < 500_000; size = Math.ceil(size * 1.02) + 1) {
      const set = `set s${size} 0 0 ${size} noreply\r\n${'v'.repeat(size)}\r\n`;
      await side.exchange(Buffer.from(set), []);
    }
    const { bytes } = await side.exchange(Buffer.from('stats slabs\r\n'), []);
    const stats = parseStats(bytes.toString('latin1'));
    return new Map(stats.filter(([key]) => /:(chunk_size|chunks_per_page)$/.test(key)));
  } finally {
    await side.stop();
  }
}

test('stats slabs gives the same classes', { skip }, async (suite) => {
  for (const flags of ['-m 200', '-m 200 -f 1.5 -n 100']) {
    await suite.test(flags, async () => {
      const [ours, theirs] = await Promise.all([
        usedClasses(slabcached(words(flags))),
        usedClasses(memcached(oracle, words(flags))),
      ]);
      assert.deepEqual(ours, theirs);
    });
  }
});

test('what memcached refuses we refuse, with a sentence on stderr', { skip }, async (suite) => {
  for (const flags of REFUSED) {
    await suite.test(flags, async () => {
      const [ours, theirs] = await Promise.all([
        runToExit(slabcached(words(flags))),
        runToExit(memcached(oracle, words(flags))),
      ]);
      assert.notEqual(theirs.code, 0);
      assert.notEqual(theirs.code, null);
      assert.equal(ours.code, 1);
      assert.match(ours.stderr, /^[^\n]+\n$/);
    });
  }
});
