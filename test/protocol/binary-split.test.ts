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
import { KEYS } from '../compare/material.ts';
import { requestBytes } from '../support/packets.ts';
import { cuts, LIMITS, MEMORY, outcome, place, someCas } from './outcome.ts';
import { feedPieces, freshTalk, hangUp, secondTalk } from './pieces.ts';

const INGREDIENTS = { keys: [...KEYS, ...BINARY_KEYS], limits: LIMITS, lastExptime: true };

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
