/**
 * Checks that how binary packets are cut into pieces never shows in the replies, nor in what is
 * stored, and that no bytes, however wrong, make the engine throw, hang, hoard memory, keep a lock
 * or leave anything behind.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  BINARY_KEYS,
  type BinaryRequest,
  ending,
  render,
  wellFormed,
} from '../compare/binary-requests.ts';
import { KEYS, type SizeLimits } from '../compare/material.ts';
import { requestBytes } from '../support/packets.ts';
import { feedPieces, freshTalk, hangUp, secondTalk } from './pieces.ts';

const LIMITS: SizeLimits = {
  itemSizeMax: 128 * 1024,
  slabChunkMax: 32 * 1024,
  chunkSizes: [96, 120, 152, 1184, 8880],
};
const MEMORY = {
  memoryLimit: 16 * 1024 * 1024,
  memoryMax: 16 * 1024 * 1024,
  itemSizeMax: LIMITS.itemSizeMax,
  slabChunkMax: LIMITS.slabChunkMax,
  maxConns: 2,
};
const INGREDIENTS = { keys: [...KEYS, ...BINARY_KEYS], limits: LIMITS, lastExptime: true };
const SUMMARY = 'stats\r\nstats items\r\nstats slabs\r\nstats sizes\r\nstats detail dump\r\n';

/** Ids are given out in order from 1, so these are often those of stored items. */
const someCas = (key: string, choice: string): string =>
  String(choice === 'last' ? 1 + (key.length % 3) : 1);

const cuts = (): fc.Arbitrary<number[]> =>
  fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 40, size: 'max' });

const place = (fractions: readonly number[], length: number): number[] =>
  fractions.map((fraction) => Math.floor(fraction * length)).sort((a, b) => a - b);

/** Everything that can be seen of a cache after this input in these pieces. */
function outcome(input: Buffer, at: readonly number[], requestsPerEvent: number): string[] {
  const talk = freshTalk(MEMORY, { trackSizes: true, detailEnabled: true });
  const engine = talk.engine as { options: { requestsPerEvent: number } };
  engine.options = { ...talk.engine.options, requestsPerEvent };
  const replies = feedPieces(talk, input, at);
  const closed = talk.closed;
  hangUp(talk);
  const summary = secondTalk(talk)
    .send(SUMMARY)
    .replace(/^STAT (bytes_read|bytes_written|conn_yields) .*$/gm, '');
  return [replies, String(closed), summary];
}

const streams = (): fc.Arbitrary<Buffer> =>
  fc
    .tuple(
      fc.array(wellFormed(INGREDIENTS), { maxLength: 30, size: 'max' }),
      fc.option(ending(), { nil: undefined }),
    )
    .map(([requests, last]) => {
      const all: BinaryRequest[] = last === undefined ? requests : [...requests, last];
      return Buffer.concat(all.map((request, at) => render(request, at, someCas)));
    });

test('pieces do not show in the replies', () => {
  fc.assert(
    fc.property(streams(), cuts(), fc.constantFrom(1, 2, 20), (input, fractions, perEvent) => {
      const whole = outcome(input, [], 20);
      assert.deepEqual(outcome(input, place(fractions, input.length), perEvent), whole);
    }),
    { numRuns: 200 },
  );
});

test('single bytes do not show in the replies', () => {
  fc.assert(
    fc.property(streams(), (stream) => {
      const input = stream.subarray(0, 10_000);
      const every = Array.from({ length: input.length }, (_, at) => at + 1);
      assert.deepEqual(outcome(input, every, 20), outcome(input, [], 20));
    }),
    { numRuns: 40 },
  );
});

/** Headers of any content, with bodies that have nothing to do with them. */
const noise = (): fc.Arbitrary<Buffer> =>
  fc
    .array(
      fc.oneof(
        fc
          .record({
            opcode: fc.nat(0x26),
            keyLength: fc.oneof(fc.nat(4), fc.nat(65_535)),
            extrasLength: fc.constantFrom(0, 4, 8, 20, 255),
            bodyLength: fc.oneof(fc.nat(40), fc.nat(70_000), fc.nat(0xffff_ffff)),
            value: fc.nat(300).map((size) => 'x'.repeat(size)),
          })
          .map(requestBytes),
        fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from([0x80, ...bytes])),
      ),
      { minLength: 1, maxLength: 20 },
    )
    .map((parts) => Buffer.concat(parts));

test('any bytes: the engine goes on, and nothing is left behind', () => {
  fc.assert(
    fc.property(noise(), cuts(), (input, fractions) => {
      const talk = freshTalk({ ...MEMORY, memoryLimit: 2 ** 22, memoryMax: 2 ** 22 });
      feedPieces(talk, input, place(fractions, input.length));
      hangUp(talk);
      assert.equal(secondTalk(talk).send('set s 0 0 1\r\na\r\n'), 'STORED\r\n');
    }),
    { numRuns: 300 },
  );
});

test('a key that never comes is all that is kept of a packet', () => {
  const talk = freshTalk(MEMORY);
  const header = { opcode: 0, keyLength: 65_535, bodyLength: 65_535 };
  feedPieces(talk, requestBytes({ ...header, value: 'k'.repeat(65_534) }), [10, 24, 1000, 40_000]);
  assert.equal(talk.closed, false);
  assert.equal(talk.session.pendingLength, 24 + 65_534);
  hangUp(talk);
});
