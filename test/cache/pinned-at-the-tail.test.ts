/** Values that slow readers are being sent cannot be evicted, and must not keep others from it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { auditCache } from '../../src/cache/audit.ts';
import { HEAD_CLOCK } from '../../src/memory/layout.ts';
import { FEED_FULL } from '../../src/protocol/engine.ts';
import { makeEngine, makeMemory, makeStore, Talk } from '../support/cache.ts';

const MEGABYTE = 1024 * 1024;
const READERS = 12;

function set(key: string, value: string): string {
  return `set ${key} 0 0 ${value.length}\r\n${value}\r\n`;
}

for (const lruSegmented of [true, false]) {
  const mode = lruSegmented ? 'segmented' : 'flat';
  for (const bytes of [90_000, 700_000]) {
    test(`slow readers of ${bytes} bytes do not end evictions (${mode})`, () => {
      const memory = makeMemory({ memoryLimit: 24 * MEGABYTE, memoryMax: 24 * MEGABYTE });
      const store = makeStore(memory, { lruSegmented });
      const talk = new Talk(makeEngine(store));
      const value = 'v'.repeat(bytes);
      const readers: Talk[] = [];
      for (let i = 0; i < READERS; i++) {
        assert.equal(talk.send(set(`slow${i}`, value)), 'STORED\r\n');
        const reader = new Talk(makeEngine(store));
        readers.push(reader);
        const line = Buffer.from(`get slow${i}\r\n`);
        assert.equal(reader.engine.feed(reader.session, line, 0, line.length), FEED_FULL);
      }
      for (let i = 0; i < 400; i++) {
        assert.equal(talk.send(set(`key${i}`, value)), 'STORED\r\n', `key${i}`);
      }
      assert.deepEqual(auditCache(store), []);
      for (const reader of readers) reader.engine.close(reader.session);
      assert.deepEqual(auditCache(store), []);
    });
  }
}

test('with tail_repair_time a value that is being sent for long is dropped from the cache', () => {
  const memory = makeMemory({ memoryLimit: 4 * MEGABYTE, memoryMax: 4 * MEGABYTE });
  const store = makeStore(memory, { lruSegmented: false, tailRepairTime: 10 });
  const talk = new Talk(makeEngine(store));
  const value = 'v'.repeat(90_000);
  talk.send(set('slow', value));
  const reader = new Talk(makeEngine(store));
  const line = Buffer.from('get slow\r\n');
  assert.equal(reader.engine.feed(reader.session, line, 0, line.length), FEED_FULL);
  for (const [seconds, found] of [
    [10, true],
    [1, false],
  ] as const) {
    memory.i32[HEAD_CLOCK] += seconds;
    for (let i = 0; i < 100; i++) assert.equal(talk.send(set(`key${i}`, value)), 'STORED\r\n');
    assert.equal(talk.send('stats items\r\n').includes(':tailrepairs 1\r\n'), !found);
    assert.deepEqual(auditCache(store), []);
  }
  assert.equal(talk.send('get slow\r\n'), 'END\r\n');
  let sent = reader.engine.output.view().toString();
  reader.engine.output.reset();
  while (reader.engine.resume(reader.session) === FEED_FULL) {
    sent += reader.engine.output.view().toString();
    reader.engine.output.reset();
  }
  sent += reader.engine.output.view().toString();
  assert.equal(sent, `VALUE slow 0 ${value.length}\r\n${value}\r\nEND\r\n`);
  assert.deepEqual(auditCache(store), []);
});
