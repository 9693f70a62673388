/** Numbers of the protocol: 64 bits in two halves compared with BigInt, and tokens of a line. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Decimal64, printSafe } from '../../src/cache/decimal64.ts';
import { Tokens } from '../../src/protocol/tokens.ts';

const TWO_64 = 1n << 64n;

/** Numbers near the places where something changes. */
const edges = [0n, 9n, 2n ** 31n, 2n ** 32n, 10n ** 15n, 2n ** 53n, 2n ** 63n, TWO_64 - 1n];
const uint64 = fc.oneof(
  fc.bigInt({ min: 0n, max: TWO_64 - 1n }),
  fc.nat(1000).map(BigInt),
  fc
    .tuple(fc.constantFrom(...edges), fc.integer({ min: -3, max: 3 }))
    .map(([edge, by]) => BigInt.asUintN(64, edge + BigInt(by))),
);

function decimal(value: bigint): Decimal64 {
  const number = new Decimal64();
  number.setBig(value);
  return number;
}

function parse(text: string): bigint | null {
  const number = new Decimal64();
  const bytes = Buffer.from(`##${text}##`, 'latin1');
  return number.parse(bytes, 2, bytes.length - 2) ? number.toBig() : null;
}

test('sums wrap at 2^64, differences stop at 0', () => {
  fc.assert(
    fc.property(uint64, uint64, (a, b) => {
      const sum = decimal(a);
      sum.add(decimal(b));
      assert.equal(sum.toBig(), (a + b) % TWO_64);
      const difference = decimal(a);
      difference.subtractToZero(decimal(b));
      assert.equal(difference.toBig(), a > b ? a - b : 0n);
    }),
    { numRuns: 2000 },
  );
});

test('what is printed is parsed back', () => {
  fc.assert(
    fc.property(uint64, (value) => {
      const bytes = Buffer.alloc(24);
      const length = decimal(value).print(bytes, 2);
      const text = bytes.toString('latin1', 2, 2 + length);
      assert.equal(text, value.toString());
      assert.equal(parse(text), value);
    }),
    { numRuns: 2000 },
  );
});

test('printSafe prints what toString does', () => {
  const bytes = Buffer.alloc(20);
  for (let power = 1; power < 2 ** 53; power *= 10) {
    for (const value of [power - 1, power, power + 1, power * 7 + 3]) {
      if (value > Number.MAX_SAFE_INTEGER) continue;
      assert.equal(bytes.toString('latin1', 0, printSafe(bytes, 0, value)), String(value));
    }
  }
});

/** As seen on memcached 1.6.18: numbers in an item's data or in an incr line. */
const DECIMALS: readonly [string, bigint | null][] = [
  ['0', 0n],
  ['007', 7n],
  ['+5', 5n],
  [' 5', 5n],
  ['\t\v\f\r\n5', 5n],
  ['5 x', 5n],
  ['5\t', 5n],
  ['5\0x', 5n],
  ['0000000000000000000012', 12n],
  ['18446744073709551615', TWO_64 - 1n],
  ['18446744073709551616', null],
  ['99999999999999999999999', null],
  ['', null],
  [' ', null],
  ['+', null],
  ['-', null],
  ['x', null],
  ['5x', null],
  ['- 5', null],
  ['+-5', null],
  ['-1', null],
  ['-0', 0n],
];

for (const [text, value] of DECIMALS) {
  test(`${JSON.stringify(text)} is ${value ?? 'no number'}`, () => {
    assert.equal(parse(text), value);
  });
}

function cut(line: string): string[] {
  const tokens = new Tokens();
  const bytes = Buffer.from(line, 'latin1');
  tokens.cut(bytes, 0, bytes.length);
  return Array.from({ length: tokens.count }, (_, index) => tokens.text(index));
}

test('only spaces separate tokens, and a NUL ends the text', () => {
  assert.deepEqual(cut('  get   a\tb  c '), ['get', 'a\tb', 'c']);
  assert.deepEqual(cut('get k\0junk more'), ['get', 'k']);
  assert.deepEqual(cut('\0get'), []);
  assert.deepEqual(cut(''), []);
  assert.deepEqual(cut('   '), []);
});

test('23 tokens are cut, the rest stays', () => {
  const words = Array.from({ length: 30 }, (_, index) => `w${index}`);
  assert.deepEqual(cut(words.join(' ')), words.slice(0, 23));
});

/** Tokens as strtol and strtoul read them, cut to 32 bits; null is an error. */
const INTEGERS: readonly [string, number | null, number | null][] = [
  ['0', 0, 0],
  ['999999999', 999_999_999, 999_999_999],
  ['2147483647', 2_147_483_647, 2_147_483_647],
  ['2147483648', -2_147_483_648, -2_147_483_648],
  ['4294967295', -1, -1],
  ['4294967296', 0, 0],
  ['4294967297', 1, 1],
  ['9223372036854775807', -1, -1],
  ['9223372036854775808', null, 0],
  ['18446744073709551615', null, -1],
  ['18446744073709551616', null, null],
  ['-1', -1, null],
  ['-9223372036854775808', 0, null],
  ['-9223372036854775809', null, -1],
  ['+5', 5, 5],
  ['\t5', 5, 5],
  ['5\tx', 5, 5],
  ['5x', null, null],
  ['-', null, null],
  ['x', null, null],
];

for (const [text, signed, unsigned] of INTEGERS) {
  test(`token ${JSON.stringify(text)} is ${signed} signed, ${unsigned} unsigned`, () => {
    const tokens = new Tokens();
    const bytes = Buffer.from(`set ${text}`, 'latin1');
    tokens.cut(bytes, 0, bytes.length);
    assert.equal(tokens.parseInt32(1) ? tokens.number : null, signed);
    assert.equal(tokens.parseUint32(1) ? tokens.number : null, unsigned);
  });
}
