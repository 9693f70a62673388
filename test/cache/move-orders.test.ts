/** Orders for page moves, which evictions give with slab_automove=2. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ANY_CLASS, orderPageMove } from '../../src/cache/orders.ts';
import { recoverActor } from '../../src/cache/recover.ts';
import { HEAD_AUTOMOVE, HEAD_MOVE_SOURCE } from '../../src/memory/layout.ts';
import { CACHE_DEFAULTS, makeEngine, makeMemory, makeStore, Talk } from '../support/cache.ts';
import { type Countdown, countStores, diesAfter } from './plain-stores.ts';

const DYING = 2;
const LIVING = 3;

test('a thread that dies while it writes an order does not block the order book', () => {
  for (let stores = 0, died = true; died; stores++) {
    const memory = makeMemory();
    const countdown: Countdown = { left: Number.POSITIVE_INFINITY };
    const counted = countStores(memory, countdown);
    died = diesAfter(stores, countdown, () => orderPageMove(counted, DYING, ANY_CLASS, 3));
    const complete = memory.i32[HEAD_MOVE_SOURCE] === ANY_CLASS;
    if (died) recoverActor(memory, CACHE_DEFAULTS, DYING);
    assert.equal(orderPageMove(memory, LIVING, ANY_CLASS, 4), !complete, `dead at store ${stores}`);
  }
});

for (const slabReassign of [true, false]) {
  test(`evictions order pages: ${slabReassign ? 'yes' : 'not with no_slab_reassign'}`, () => {
    const memory = makeMemory({ memoryLimit: 2 * 2 ** 20, memoryMax: 2 * 2 ** 20 });
    memory.i32[HEAD_AUTOMOVE] = 2;
    const talk = new Talk(makeEngine(makeStore(memory, { slabReassign })));
    const value = 'v'.repeat(100_000);
    for (let i = 0; i < 60; i++) talk.send(`set k${i} 0 0 ${value.length}\r\n${value}\r\n`);
    assert.equal(memory.i32[HEAD_MOVE_SOURCE], slabReassign ? ANY_CLASS : 0);
  });
}
