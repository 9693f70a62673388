/**
 * A worker's journal may name a chunk that is long gone, its page cut up for another class:
 * recovery must not take for a chunk what is the inside of a value.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { auditCache } from '../../src/cache/audit.ts';
import { hashKey } from '../../src/cache/hash.ts';
import { PageMover } from '../../src/cache/mover.ts';
import { recoverActor } from '../../src/cache/recover.ts';
import { Bytes } from '../../src/memory/bytes.ts';
import { pageOf } from '../../src/memory/pages.ts';
import { CACHE_DEFAULTS, makeEngine, makeMemory, makeStore, Talk } from '../support/cache.ts';

const MAIN = 0;
const MAINTAINER = 1;
const DYING = 2;
const LIVING = 3;
const MEGABYTE = 1024 * 1024;

/** As a state word: in use, linked, with client flags. */
const VALUE = 'C'.repeat(500_000);

test('the journal of a dead worker names a chunk whose page belongs to another class', () => {
  const memory = makeMemory({ memoryLimit: 8 * MEGABYTE, memoryMax: 8 * MEGABYTE });
  const living = new Talk(makeEngine(makeStore(memory, {}, LIVING)));
  const dying = new Talk(makeEngine(makeStore(memory, {}, DYING)));
  const store = makeStore(memory, {}, MAINTAINER);

  // The dying worker's last chunk lies in the first of two pages of its class.
  const small = 'x'.repeat(60);
  for (let i = 0; i < 5_000; i++) living.send(`set a${i} 0 0 60\r\n${small}\r\n`);
  dying.send(`set last 0 0 60\r\n${small}\r\n`);
  for (let i = 5_000; i < 10_000; i++) living.send(`set a${i} 0 0 60\r\n${small}\r\n`);
  const key = new Bytes(Buffer.from('last'));
  const hash = hashKey(key, 0, key.u8.length, 0);
  const last = store.get(hash, 0, key, 0, key.u8.length);
  store.endGet(hash);
  const page = pageOf(memory, last);
  const source = store.lists.classOf(last);
  dying.send('delete last\r\n');
  assert.ok(new PageMover(store, () => {}).move(source, 0));

  // That page is the next to be taken, and filled with what looks like a linked item everywhere.
  living.send(`set b 0 0 ${VALUE.length}\r\n${VALUE}\r\n`);
  living.send(`set c 0 0 ${VALUE.length}\r\n${VALUE}\r\n`);
  assert.equal(memory.u8[(last >>> 0) * 8], 'C'.charCodeAt(0), `page ${page} has not moved`);

  recoverActor(memory, CACHE_DEFAULTS, DYING);
  assert.deepEqual(auditCache(makeStore(memory, {}, MAIN)), []);
  assert.ok(living.send('get b\r\n').includes(VALUE), 'the value was written to');
});
