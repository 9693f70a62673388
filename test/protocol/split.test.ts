/**
 * Checks that how the input is cut into pieces never shows in the replies, nor in what is stored:
 * any requests, right or wrong, fed whole and in random pieces, to two caches.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { malformed } from '../compare/malformed.ts';
import { malformedMeta, meta } from '../compare/meta-requests.ts';
import { type Request, render, wellFormed } from '../compare/requests.ts';
import { cuts, LIMITS, outcome, place, someCas } from './outcome.ts';

function bytesOf(requests: readonly Request[]): Buffer {
  return Buffer.concat(requests.map((request) => render(request, someCas)));
}

function checkSplits(name: string, requests: fc.Arbitrary<Request[]>, runs: number): void {
  test(`${name}: pieces do not show in the replies`, () => {
    fc.assert(
      fc.property(requests, cuts(), fc.constantFrom(1, 2, 20), (list, fractions, perEvent) => {
        const input = bytesOf(list);
        const whole = outcome(input, [], 20);
        assert.deepEqual(outcome(input, place(fractions, input.length), perEvent), whole);
      }),
      { numRuns: runs },
    );
  });
  test(`${name}: single bytes do not show in the replies`, () => {
    fc.assert(
      fc.property(requests, (list) => {
        const input = bytesOf(list).subarray(0, 20_000);
        const every = Array.from({ length: input.length }, (_, at) => at + 1);
        assert.deepEqual(outcome(input, every, 20), outcome(input, [], 20));
      }),
      { numRuns: Math.ceil(runs / 5) },
    );
  });
}

const many = (request: fc.Arbitrary<Request>): fc.Arbitrary<Request[]> =>
  fc.array(request, { minLength: 1, maxLength: 30, size: 'max' });

/**
 * Values shorter than the longest line: after a request that announces a wrong length, a value is
 * taken for a line, and how much of a line may come without its end is, as in memcached, a matter
 * of pieces.
 */
const SHORT = { itemSizeMax: 1024, slabChunkMax: 512, chunkSizes: [96, 120, 152] };

/** Meta requests that memcached 1.6.18 does not know, and that the comparison leaves out. */
const newest = (): fc.Arbitrary<Request> =>
  fc
    .tuple(
      fc.constantFrom('k', 'n', 'p:1', 'p:2'),
      fc.constantFrom(
        ...[
          'ms KEY 3 s c E55 k',
          'ms KEY 3 MA N100 s c',
          'ms KEY 3 MP N100 E1 Oo q',
          'ms KEY 3 b s',
        ],
        ...['mg KEY N100 E7 c v k', 'md KEY x I T100', 'md KEY x F7', 'md KEY I E9 q k'],
        ...['ma KEY N100 J9 E7 c v', 'ma KEY T100 E8 c t v k', 'ma KEY N100 q', 'md KEY C7 x'],
      ),
    )
    .map(([key, line]) => ({
      line: line.replace('KEY', key),
      end: '\r\n',
      keys: [key],
      ...(line.startsWith('ms') ? { data: { value: { literal: '123' }, end: '\r\n' } } : {}),
    }));

checkSplits('requests with values of any size', many(wellFormed(LIMITS, false)), 150);
checkSplits('meta requests', many(fc.oneof(meta(LIMITS), newest())), 150);
checkSplits('right and wrong meta requests', many(fc.oneof(meta(SHORT), malformedMeta())), 150);
checkSplits('right and wrong requests', many(fc.oneof(malformed(), wellFormed(LIMITS, true))), 300);
