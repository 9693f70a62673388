/** The histogram of item sizes, and the statistics of key prefixes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { itemBytesFor } from '../../src/cache/item.ts';
import { SIZES_STEP } from '../../src/memory/stats-layout.ts';
import { World } from './world.ts';

function histogram(world: World): Map<number, number> {
  const lines = world.b.send('stats sizes\r\n').matchAll(/STAT (\d+) (-?\d+)/g);
  return new Map([...lines].map(([, size, items]) => [Number(size), Number(items)]));
}

function bucketOf(keyBytes: number, valueBytes: number): number {
  return Math.ceil(itemBytesFor(keyBytes, 0, valueBytes) / SIZES_STEP) * SIZES_STEP;
}

test('sizes: items are counted in and out, but only those stored since it is on', () => {
  const world = new World();
  const set = (key: string, bytes: number): void => {
    world.a.send(`set ${key} 0 0 ${bytes}\r\n${'5'.repeat(bytes)}\r\n`);
  };
  assert.equal(world.b.send('stats sizes\r\n'), 'STAT sizes_status disabled\r\nEND\r\n');
  set('old', 10);
  world.b.send('stats sizes_enable\r\n');
  set('a', 10);
  set('b', 10);
  set('c', 1000);
  assert.deepEqual(
    [...histogram(world)],
    [
      [bucketOf(1, 10), 2],
      [bucketOf(1, 1000), 1],
    ],
  );
  world.a.send('delete old\r\ndelete a\r\nincr b 1\r\n');
  set('c', 10);
  assert.deepEqual([...histogram(world)], [[bucketOf(1, 10), 2]]);
  world.a.send('delete b\r\ndelete c\r\n');
  assert.deepEqual([...histogram(world)], []);
  world.b.send('stats sizes_disable\r\n');
  assert.equal(world.b.send('stats sizes\r\n'), 'STAT sizes_status disabled\r\nEND\r\n');
});

test('detail: gets, hits, sets and deletes are counted by prefix, over all workers', () => {
  const world = new World();
  world.a.send('set x:1 0 0 1\r\na\r\n');
  assert.equal(world.a.send('stats detail dump\r\n'), 'END\r\n', 'off at first');
  world.a.send('stats detail on\r\nset x:1 0 0 1\r\na\r\nget x:1 x:2 y:1 plain\r\n');
  world.b.send('get x:1\r\ndelete x:1\r\nset : 0 0 1\r\na\r\n');
  const lines = world.b.send('stats detail dump\r\n').split('\r\n').sort();
  assert.deepEqual(lines, [
    '',
    'END',
    'PREFIX  get 0 hit 0 set 1 del 0',
    'PREFIX x get 3 hit 2 set 1 del 1',
    'PREFIX y get 1 hit 0 set 0 del 0',
  ]);
  world.b.send('stats reset\r\n');
  assert.equal(world.a.send('stats detail dump\r\n'), 'END\r\n');
});

test('detail: the table takes 65,536 prefixes and no more', () => {
  const world = new World();
  world.a.send('stats detail on\r\n');
  for (let i = 0; i < 66_000; i++) world.a.send(`get p${i}:k\r\n`);
  const dump = world.a.send('stats detail dump\r\n');
  assert.equal(dump.split('\r\n').length - 2, 65_536);
  assert.ok(dump.includes('PREFIX p0 get 1 hit 0 set 0 del 0\r\n'));
});
