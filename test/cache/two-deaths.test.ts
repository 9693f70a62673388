/**
 * Two threads die, each with locks that the other one's recovery needs: the first recovery gives up
 * instead of waiting for ever, and succeeds after the second.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { auditCache } from '../../src/cache/audit.ts';
import { recoverActor } from '../../src/cache/recover.ts';
import { Bytes } from '../../src/memory/bytes.ts';
import { LockTimeout } from '../../src/memory/lock.ts';
import type { Memory } from '../../src/memory/memory.ts';
import { recoverThread } from '../../src/server/recovery.ts';
import { CACHE_DEFAULTS, makeEngine, makeMemory, makeStore, Talk } from '../support/cache.ts';
import { type Countdown, countStores, diesAfter } from './plain-stores.ts';

const MAIN = 0;
const FIRST = 2;
const SECOND = 3;
const VALUE = 'v'.repeat(60);

/** A memory in which FIRST died with an upload under way, and SECOND with the lock of its class. */
function afterTwoDeaths(): Memory {
  const memory = makeMemory();
  const first = new Talk(makeEngine(makeStore(memory, {}, FIRST)));
  first.send(`set a 0 0 ${VALUE.length}\r\n${VALUE}\r\nset b 0 0 ${VALUE.length}\r\nhalf of it`);
  const countdown: Countdown = { left: Number.POSITIVE_INFINITY };
  const dying = makeStore(countStores(memory, countdown), {}, SECOND);
  // The first store takes the lock.
  const key = new Bytes(Buffer.from('c'));
  const allocate = () => dying.allocator.allocItem(0, key, 0, 1, 0, 0, VALUE.length);
  assert.ok(diesAfter(3, countdown, allocate));
  return memory;
}

test('a recovery that needs the lock of another dead thread can be repeated', () => {
  const memory = afterTwoDeaths();
  assert.throws(() => recoverActor(memory, CACHE_DEFAULTS, FIRST), LockTimeout);
  recoverActor(memory, CACHE_DEFAULTS, SECOND);
  recoverActor(memory, CACHE_DEFAULTS, FIRST);
  assert.deepEqual(auditCache(makeStore(memory, {}, MAIN)), []);
  const talk = new Talk(makeEngine(makeStore(memory, {}, FIRST)));
  assert.equal(talk.send('get a b\r\n'), `VALUE a 0 60\r\n${VALUE}\r\nEND\r\n`);
});

test('the server repeats it by itself', async () => {
  const memory = afterTwoDeaths();
  const recovered = [FIRST, SECOND].map((actor) => recoverThread(memory, CACHE_DEFAULTS, actor));
  assert.deepEqual(await Promise.all(recovered), [true, true]);
  assert.deepEqual(auditCache(makeStore(memory, {}, MAIN)), []);
});
