/**
 * Watchers: how many there can be, what all threads are told of them, and their rings of lines.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { HEAD_WATCHED, HEAD_WATCHER_COUNT } from '../../src/memory/layout.ts';
import { WATCHER_COUNT } from '../../src/memory/log-layout.ts';
import {
  addWatcher,
  doPutBytes,
  hasBytes,
  removeWatcher,
  removeWatchersOf,
  takeBytes,
  watcherRoom,
} from '../../src/memory/watchers.ts';
import { makeMemory } from '../support/cache.ts';

test('what is watched is what any watcher wants, and goes with the last one that wants it', () => {
  const memory = makeMemory();
  const a = addWatcher(memory, 2, 0, 1 | 2);
  const b = addWatcher(memory, 3, 1, 2 | 4);
  assert.deepEqual([memory.i32[HEAD_WATCHED], memory.i32[HEAD_WATCHER_COUNT]], [7, 2]);
  removeWatcher(memory, 2, a);
  assert.deepEqual([memory.i32[HEAD_WATCHED], memory.i32[HEAD_WATCHER_COUNT]], [6, 1]);
  assert.equal(addWatcher(memory, 2, 2, 8), a);
  removeWatchersOf(memory, 0, 3);
  assert.deepEqual([memory.i32[HEAD_WATCHED], memory.i32[HEAD_WATCHER_COUNT]], [8, 1]);
  assert.notEqual(a, b);
});

test('there are twenty places', () => {
  const memory = makeMemory();
  for (let watcher = 0; watcher < WATCHER_COUNT; watcher++) {
    assert.equal(addWatcher(memory, 2, watcher, 1), watcher);
  }
  assert.equal(addWatcher(memory, 2, 20, 1), -1);
  assert.equal(memory.i32[HEAD_WATCHER_COUNT], WATCHER_COUNT);
});

test('the ring of a watcher passes bytes on in order, up to its size', () => {
  const memory = makeMemory({ watcherLogBytes: 256 });
  const watcher = addWatcher(memory, 2, 0, 1);
  let put = '';
  let taken = '';
  const target = Buffer.alloc(300);
  const step = fc.record({ put: fc.string({ unit: 'binary', maxLength: 90 }), take: fc.nat(200) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      for (const { put: text, take } of steps) {
        const bytes = Buffer.from(text);
        assert.equal(watcherRoom(memory, watcher), 255 - (put.length - taken.length));
        if (bytes.length <= watcherRoom(memory, watcher)) {
          doPutBytes(memory, watcher, bytes, bytes.length);
          put += bytes.toString('latin1');
        }
        const count = takeBytes(memory, watcher, target, 7, take);
        assert.equal(count, Math.min(take, put.length - taken.length));
        taken += target.toString('latin1', 7, 7 + count);
        assert.equal(hasBytes(memory, watcher), taken.length < put.length);
        assert.ok(put.startsWith(taken));
      }
    }),
    { numRuns: 200 },
  );
});
