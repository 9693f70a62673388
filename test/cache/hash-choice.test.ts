// The hash algorithm is the memory's: whoever attaches uses it, and a thread cannot use two.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HASH_ALGORITHMS } from '../../src/cache/hash.ts';
import { attachMemory } from '../../src/memory/memory.ts';
import { makeEngine, makeMemory, makeStore, Talk } from '../support/cache.ts';

test('an attached memory brings its algorithm', () => {
  const hashAlgorithm = HASH_ALGORITHMS.indexOf('jenkins');
  const memory = makeMemory({ hashAlgorithm });
  const first = new Talk(makeEngine(makeStore(memory)));
  assert.equal(first.send('set key 0 0 5\r\nvalue\r\n'), 'STORED\r\n');
  const attached = attachMemory(memory.buffer);
  assert.equal(attached.config.hashAlgorithm, hashAlgorithm);
  const second = new Talk(makeEngine(makeStore(attached, {}, 3)));
  assert.equal(second.send('get key\r\n'), 'VALUE key 0 5\r\nvalue\r\nEND\r\n');
  assert.throws(() => makeStore(makeMemory()), /this thread hashes with jenkins already/);
});
