/**
 * The log ring against a queue: records come out whole and in order, whatever their sizes; a full
 * ring refuses, an unpublished record does not exist.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { RECORD_SIZE_I32, RECORD_TYPE_I32 } from '../../src/memory/log-layout.ts';
import { LogRing } from '../../src/memory/log-ring.ts';
import { makeMemory } from '../support/cache.ts';

const ACTOR = 2;
const memory = makeMemory({ workerLogBytes: 1024 });
const RING_BYTES = 1024;

/** Fills a reserved record with a number that all its words show. */
function fill(word: number, number: number): void {
  const { i32 } = memory;
  const size = i32[word + RECORD_SIZE_I32];
  i32.fill(number, word + RECORD_TYPE_I32, word + size);
}

function contents(word: number): number {
  const { i32 } = memory;
  const number = i32[word + RECORD_TYPE_I32];
  const record = i32.subarray(word + RECORD_TYPE_I32, word + i32[word + RECORD_SIZE_I32]);
  assert.ok(
    record.every((value) => value === number),
    `record ${number} is torn`,
  );
  return number;
}

const step = fc.oneof(
  fc.record({ kind: fc.constant('write' as const), bytes: fc.integer({ min: 8, max: 400 }) }),
  fc.record({ kind: fc.constant('abandon' as const), bytes: fc.integer({ min: 8, max: 400 }) }),
  fc.record({ kind: fc.constant('read' as const), bytes: fc.constant(0) }),
);

test('a ring is a queue of limited size', () => {
  let number = 1;
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const queue: { number: number; bytes: number }[] = [];
      // Both ends are made anew each time, as after a death; the last run may have left something.
      const reader = new LogRing(memory, ACTOR);
      for (let left = reader.oldest(); left !== -1; left = reader.oldest()) reader.release(left);
      for (const { kind, bytes } of steps) {
        if (kind === 'read') {
          const word = reader.oldest();
          const expected = queue.shift();
          assert.equal(word === -1 ? undefined : contents(word), expected?.number);
          if (word !== -1) reader.release(word);
          continue;
        }
        const writer = new LogRing(memory, ACTOR);
        const word = writer.reserve(bytes);
        const used = queue.reduce((sum, entry) => sum + Math.ceil(entry.bytes / 8) * 8, 0);
        if (word === -1) {
          // There may be a hole at the end, but never more refused than one record explains.
          assert.ok(used + 2 * 408 > RING_BYTES, `${bytes} bytes refused beside ${used}`);
          continue;
        }
        assert.ok(used + bytes <= RING_BYTES);
        fill(word, kind === 'write' ? number : -1);
        if (kind === 'abandon') continue;
        writer.publish();
        queue.push({ number: number++, bytes });
      }
    }),
    { numRuns: 300 },
  );
});
