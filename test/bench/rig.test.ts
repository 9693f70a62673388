// The bench without sockets: it must notice a cache that does not have what was stored.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Items } from '../../bench/items.ts';
import { Random } from '../../bench/random.ts';
import { claimSlot, createCache, makeBatches, Rig } from '../../bench/rig.ts';

const DEPTH = 4;
const items = new Items(8, [20, 300], new Random(1));
const SETS = Int32Array.from({ length: 8 }, (_, item) => ~item);
const GETS = Int32Array.from({ length: 8 }, (_, item) => item);

function newRig(): Rig {
  const memory = createCache(8, 1);
  return new Rig(memory, 0, claimSlot(memory, 0), items, DEPTH);
}

test('batches hold the requests in order and whole batches only', () => {
  const batches = makeBatches(items, Int32Array.of(1, ~2, 3, 4, 5), 2);
  assert.equal(batches.length, 2);
  assert.match(
    batches[0].bytes.toString('latin1'),
    /^get bench-000000001\r\nset bench-000000002 0 0 \d+\r\n[0-o]+\r\n$/,
  );
  assert.equal(
    batches[1].bytes.toString('latin1'),
    'get bench-000000003\r\nget bench-000000004\r\n',
  );
});

test('what was stored is served, every reply read', () => {
  const rig = newRig();
  for (const batch of makeBatches(items, SETS, DEPTH)) rig.serve(batch);
  const gets = makeBatches(items, GETS, DEPTH);
  for (let i = 0; i < 1000; i++) rig.serve(gets[i % gets.length]);
});

test('an item that is not there fails the bench', () => {
  const rig = newRig();
  const [first] = makeBatches(items, SETS, DEPTH);
  rig.serve(first);
  const [present, absent] = makeBatches(items, GETS, DEPTH);
  rig.serve(present);
  assert.throws(() => rig.serve(absent), /bytes of reply/);
});

test('a value that is not the one stored fails the bench', () => {
  const rig = newRig();
  for (const batch of makeBatches(items, SETS, DEPTH)) rig.serve(batch);
  const [gets] = makeBatches(items, GETS, DEPTH);
  const length = items.valueLength(0);
  const other = Buffer.from(`set bench-000000000 0 0 ${length}\r\n${'x'.repeat(length)}\r\n`);
  rig.engine.feed(rig.session, other, 0, other.length);
  rig.engine.output.reset();
  assert.throws(() => {
    for (let i = 0; i < 256; i++) rig.serve(gets);
  }, /not stored under this key/);
});
