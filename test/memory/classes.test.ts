/** Checks the table of slab classes against numbers that memcached prints with -vv. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { slabClassSizes } from '../../src/memory/classes.ts';

const HALF_MEGABYTE = 512 * 1024;

// What operators know by heart: memcached's defaults.
const DEFAULT_SIZES = [
  ...[96, 120, 152, 192, 240, 304, 384, 480, 600, 752, 944, 1184, 1480, 1856, 2320, 2904, 3632],
  ...[4544, 5680, 7104, 8880, 11104, 13880, 17352, 21696, 27120, 33904, 42384, 52984, 66232],
  ...[82792, 103496, 129376, 161720, 202152, 252696, 315872, 394840, 524288],
];

test('the default table is memcached’s: 39 classes from 96 bytes to half a megabyte', () => {
  assert.deepEqual(slabClassSizes(48, 1.25, HALF_MEGABYTE), [0, ...DEFAULT_SIZES]);
});

test('-f 2 doubles the size from class to class', () => {
  const doubled = Array.from({ length: 13 }, (_, index) => 96 * 2 ** index);
  assert.deepEqual(slabClassSizes(48, 2, HALF_MEGABYTE), [0, ...doubled.slice(0, -1), 524288]);
});

test('there are never more than 63 classes', () => {
  const sizes = slabClassSizes(48, 1.01, HALF_MEGABYTE);
  assert.equal(sizes.length, 64);
  assert.equal(sizes[63], HALF_MEGABYTE);
});

test('for any -n and -f sizes never fall, are aligned, and end with the largest chunk', () => {
  const chunkMax = fc.integer({ min: 128, max: 131_072 }).map((units) => units * 8);
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 500 }),
      fc.double({ min: 1.01, max: 4, noNaN: true }),
      chunkMax,
      (least, factor, largest) => {
        const sizes = slabClassSizes(least, factor, largest);
        assert.equal(sizes[0], 0);
        assert.equal(sizes.at(-1), largest);
        assert.ok(sizes.length <= 64);
        for (let id = 1; id < sizes.length; id++) {
          assert.ok(sizes[id] >= sizes[id - 1], `class ${id} of ${sizes[id]} bytes`);
          assert.equal(sizes[id] % 8, 0);
        }
      },
    ),
  );
});
