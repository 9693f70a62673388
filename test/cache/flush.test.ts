/** flush_all in its variants: now, later, later once more, and none. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { read, World } from './world.ts';

function present(world: World, ...keys: string[]): string[] {
  return keys.filter((key) => read(world.b, key) !== null);
}

test('now: what was stored is gone, what is stored in the same second stays', () => {
  const world = new World();
  world.put('before', 'x');
  assert.equal(world.a.send('flush_all\r\n'), 'OK\r\n');
  world.put('after', 'x');
  assert.deepEqual(present(world, 'before', 'after'), ['after']);
  assert.deepEqual(world.audit(), []);
});

for (const [name, line] of [
  ['a negative delay is now', 'flush_all -1\r\n'],
  ['a delay of 0 is now', 'flush_all 0\r\n'],
]) {
  test(name, () => {
    const world = new World();
    world.put('before', 'x');
    assert.equal(world.a.send(line), 'OK\r\n');
    assert.deepEqual(present(world, 'before'), []);
  });
}

test('later: all lives until then; what is stored then lives on', () => {
  const world = new World();
  world.put('early', 'x');
  assert.equal(world.a.send('flush_all 5\r\n'), 'OK\r\n');
  world.pass(3);
  world.put('meanwhile', 'x');
  assert.deepEqual(present(world, 'early', 'meanwhile'), ['early', 'meanwhile']);
  world.pass(2);
  world.put('then', 'x');
  assert.deepEqual(present(world, 'early', 'meanwhile', 'then'), ['then']);
});

test('a later flush replaces one that has not come', () => {
  const world = new World();
  world.put('k', 'x');
  world.a.send('flush_all 5\r\nflush_all 20\r\n');
  world.pass(10);
  assert.deepEqual(present(world, 'k'), ['k']);
});

test('where flush_all is disabled it is refused and does nothing', () => {
  const world = new World({}, { flushEnabled: false });
  world.put('k', 'x');
  assert.equal(world.a.send('flush_all\r\n'), 'CLIENT_ERROR flush_all not allowed\r\n');
  assert.deepEqual(present(world, 'k'), ['k']);
});

test('flushed items are found neither by add nor by append, and are reclaimed', () => {
  const world = new World();
  for (let i = 0; i < 50; i++) world.put(`k${i}`, 'x'.repeat(100));
  world.a.send('flush_all\r\n');
  assert.equal(
    world.a.send('append k0 0 0 1\r\ny\r\nadd k1 0 0 1\r\ny\r\n'),
    'NOT_STORED\r\nSTORED\r\n',
  );
  const { crawler, store } = world.maintainer;
  for (let id = 1; id <= world.memory.classLargest; id++) crawler.crawl(id);
  assert.equal(store.lists.itemsTotal(0), 1);
  assert.deepEqual(world.audit(), []);
});
