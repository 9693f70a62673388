/** An item that is being sent to as many connections as there can be is freed under none. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { auditCache } from '../../src/cache/audit.ts';
import { hashKey } from '../../src/cache/hash.ts';
import { refcountOf } from '../../src/cache/item.ts';
import { Bytes } from '../../src/memory/bytes.ts';
import { at, CONNECTIONS_MAX, STATE_FLAGS } from '../../src/memory/layout.ts';
import { createMemory } from '../../src/memory/memory.ts';
import { MEMORY_DEFAULTS, makeEngine, makeMemory, makeStore, Talk } from '../support/cache.ts';

const KEY = new Bytes(Buffer.from('k'));

test('every connection can be sent the same item', () => {
  const memory = makeMemory({ maxConns: CONNECTIONS_MAX });
  const { connectionCount } = memory.layout;
  const store = makeStore(memory);
  const talk = new Talk(makeEngine(store));
  assert.equal(talk.send('set k 0 0 1\r\nv\r\n'), 'STORED\r\n');
  const hash = hashKey(KEY, 0, KEY.u8.length, 0);
  const ref = store.get(hash, 0, KEY, 0, KEY.u8.length);
  const flags = memory.i32[at(ref)] & STATE_FLAGS;
  for (let slot = 0; slot < connectionCount; slot++) store.pin(slot, ref);
  store.endGet(hash);
  assert.equal(refcountOf(memory.i32, ref), connectionCount);
  assert.equal(memory.i32[at(ref)] & STATE_FLAGS, flags);
  assert.equal(talk.send('delete k\r\n'), 'DELETED\r\n');
  for (let slot = 1; slot < connectionCount; slot++) store.unpin(slot);
  assert.equal(refcountOf(memory.i32, ref), 1);
  store.unpin(0);
  assert.deepEqual(auditCache(store), []);
});

test('more connections than an item can count are refused', () => {
  const config = { ...MEMORY_DEFAULTS, maxConns: CONNECTIONS_MAX + 1 };
  assert.throws(() => createMemory(config), /^RangeError: at most \d+ connections can be sent/);
});
