/**
 * Checks the arithmetic on unsigned 64-bit decimal numbers against BigInt, and which texts count as
 * numbers in the first place.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Decimal64, printSafe } from '../../src/cache/decimal64.ts';

const END = 2n ** 64n;

/** Values at which a double, a half or the whole overflows. */
const EDGES = [
  ...[0n, 1n, 9n, 10n, 2n ** 31n, 2n ** 32n - 1n, 2n ** 32n, 10n ** 15n - 1n, 10n ** 15n],
  ...[2n ** 53n - 1n, 2n ** 53n, 2n ** 53n + 1n, 0x1f_ffffn << 32n, (0x1f_ffffn << 32n) - 1n],
  ...[2n ** 63n - 1n, 2n ** 63n, END - 2n, END - 1n, 10n ** 19n, 10n ** 19n - 1n],
];

const uint64 = (): fc.Arbitrary<bigint> =>
  fc.oneof(
    fc.constantFrom(...EDGES),
    fc.bigInt({ min: 0n, max: END - 1n }),
    fc
      .tuple(fc.bigInt({ min: 0n, max: END - 1n }), fc.nat(63))
      .map(([value, shift]) => value >> BigInt(shift)),
  );

function decimal(value: bigint): Decimal64 {
  const number = new Decimal64();
  number.setBig(value);
  return number;
}

function parsed(text: string): bigint | undefined {
  // What stands around the number must not be read.
  const bytes = Buffer.from(`-9${text}9-`, 'latin1');
  const number = new Decimal64();
  return number.parse(bytes, 2, bytes.length - 2) ? number.toBig() : undefined;
}

function printed(value: bigint): string {
  const bytes = Buffer.alloc(30, '#');
  const length = decimal(value).print(bytes, 3);
  assert.equal(bytes.toString('latin1', 0, 3), '###');
  assert.equal(bytes[3 + length], '#'.charCodeAt(0));
  return bytes.toString('latin1', 3, 3 + length);
}

test('every number is read and printed as it is', () => {
  fc.assert(
    fc.property(uint64(), (value) => {
      assert.equal(parsed(value.toString()), value);
      assert.equal(printed(value), value.toString());
    }),
    { numRuns: 2000 },
  );
});

test('leading zeros, white space and a plus sign change nothing', () => {
  const before = fc.constantFrom(
    '',
    '0',
    '00000000000000000000000',
    ' ',
    '\t\n\v\f\r ',
    '+',
    ' +0',
  );
  const after = fc.constantFrom('', ' ', '\t', '\r', ' x', '\vjunk', '\0', '\0junk');
  fc.assert(
    fc.property(before, uint64(), after, (left, value, right) => {
      // Behind a number with its highest bit set, memcached looks for a minus sign; see below.
      assert.equal(parsed(`${left}${value}${right}`), value);
    }),
  );
});

test('addition wraps at 2^64 and subtraction stops at 0', () => {
  fc.assert(
    fc.property(uint64(), uint64(), (a, b) => {
      const sum = decimal(a);
      sum.add(decimal(b));
      assert.equal(sum.toBig(), (a + b) % END);
      const difference = decimal(a);
      difference.subtractToZero(decimal(b));
      assert.equal(difference.toBig(), a > b ? a - b : 0n);
    }),
    { numRuns: 2000 },
  );
});

test('numbers that doubles hold exactly are told from the others', () => {
  fc.assert(
    fc.property(uint64(), (value) => {
      const number = decimal(value);
      if (!number.isSafe()) return;
      assert.ok(value < 2n ** 53n);
      assert.equal(BigInt(number.toNumber()), value);
      const again = new Decimal64();
      again.setSafe(Number(value));
      assert.equal(again.toBig(), value);
    }),
  );
  assert.ok(decimal(10n ** 15n).isSafe());
});

// As strtoull reads them: a negative number is 2^64 minus its amount, and is then refused only if
// its highest bit is set.
const TEXTS: ReadonlyArray<readonly [text: string, value: bigint | undefined]> = [
  ['', undefined],
  [' ', undefined],
  ['+', undefined],
  ['-', undefined],
  ['x', undefined],
  ['1x', undefined],
  ['0x10', undefined],
  ['1.5', undefined],
  ['1-', undefined],
  ['--1', undefined],
  ['+-1', undefined],
  ['- 1', undefined],
  ['\x001', undefined],
  ['\xa01', undefined],
  ['-0', 0n],
  ['-1', undefined],
  ['-9223372036854775808', undefined],
  ['-9223372036854775809', 2n ** 63n - 1n],
  ['-18446744073709551615', 1n],
  ['-18446744073709551616', undefined],
  ['18446744073709551616', undefined],
  ['99999999999999999999', undefined],
  ['1'.repeat(400), undefined],
  ['9223372036854775808 -', undefined],
  ['9223372036854775807 -', 2n ** 63n - 1n],
  ['9223372036854775808\0-', 2n ** 63n],
  ['12\0-', 12n],
];

for (const [text, value] of TEXTS) {
  const name = text.length > 40 ? `${text.length} digits` : JSON.stringify(text);
  test(`${name} is ${value === undefined ? 'no number' : value}`, () => {
    assert.equal(parsed(text), value);
  });
}

test('printSafe prints any integer below 2^53', () => {
  const bytes = Buffer.alloc(20);
  fc.assert(
    fc.property(fc.maxSafeNat(), fc.nat(52), (value, shift) => {
      for (const number of [value, Math.floor(value / 2 ** shift), 10 ** (shift % 16)]) {
        const length = printSafe(bytes, 0, number);
        assert.equal(bytes.toString('latin1', 0, length), String(number));
      }
    }),
    { numRuns: 1000 },
  );
});
