/** Checks how a line is cut into tokens, and which tokens are numbers of 32 bits. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Tokens } from '../../src/protocol/tokens.ts';

const TOKENS_MAX = 23;

/** The tokens of a line that stands in the middle of other bytes. */
function cut(line: string): Tokens {
  const bytes = Buffer.from(`get 1${line}2 x\r\n`, 'latin1');
  const tokens = new Tokens();
  tokens.cut(bytes, 5, 5 + line.length);
  return tokens;
}

function texts(tokens: Tokens): string[] {
  return Array.from({ length: tokens.count }, (_, index) => tokens.text(index));
}

const LINES: ReadonlyArray<readonly [line: string, tokens: readonly string[]]> = [
  ['', []],
  [' ', []],
  ['a', ['a']],
  ['  a   b ', ['a', 'b']],
  ['a\tb c', ['a\tb', 'c']],
  ['a\r b', ['a\r', 'b']],
  ['\xff \x80', ['\xff', '\x80']],
  ['\0', []],
  ['a\0b c', ['a']],
  ['a \0b c', ['a']],
  ['a b\0', ['a', 'b']],
];

for (const [line, expected] of LINES) {
  test(`${JSON.stringify(line)} has ${expected.length} tokens`, () => {
    assert.deepEqual(texts(cut(line)), expected);
  });
}

test('any line is cut at spaces, up to NUL, into at most 23 tokens', () => {
  const part = fc.oneof(
    { weight: 5, arbitrary: fc.constantFrom('a', 'bc', '\r', '\t', 'é', 'x'.repeat(300)) },
    { weight: 5, arbitrary: fc.constantFrom(' ', '  ') },
    { weight: 1, arbitrary: fc.constant('\0') },
  );
  fc.assert(
    fc.property(fc.array(part, { maxLength: 80, size: 'max' }), (parts) => {
      const line = parts.join('');
      const words = (line.split('\0')[0] ?? '').split(' ').filter((word) => word !== '');
      const tokens = cut(line);
      assert.deepEqual(texts(tokens), words.slice(0, TOKENS_MAX));
      for (const [index, word] of words.slice(0, TOKENS_MAX).entries()) {
        assert.ok(tokens.is(index, word));
        assert.equal(tokens.length(index), word.length);
        assert.equal(tokens.is(index, `${word}x`), false);
        assert.equal(tokens.is(index, word.slice(1)), false);
      }
      assert.equal(tokens.is(tokens.count, ''), false);
    }),
  );
});

/** Reads one token in the given way; undefined when it is refused. */
function read(text: string, signed: boolean): number | undefined {
  const tokens = cut(` ${text} `);
  assert.equal(tokens.count, 1);
  const accepted = signed ? tokens.parseInt32(0) : tokens.parseUint32(0);
  return accepted ? tokens.number : undefined;
}

// As strtol and strtoul read 64 bits of which 32 are kept: signed, unsigned (as int32).
const NUMBERS: ReadonlyArray<
  readonly [text: string, signed: number | undefined, unsigned: number | undefined]
> = [
  ['0', 0, 0],
  ['-0', 0, 0],
  ['+7', 7, 7],
  ['007', 7, 7],
  ['999999999', 999_999_999, 999_999_999],
  ['1000000000', 1_000_000_000, 1_000_000_000],
  ['2147483647', 2 ** 31 - 1, 2 ** 31 - 1],
  ['2147483648', -(2 ** 31), -(2 ** 31)],
  ['4294967295', -1, -1],
  ['4294967296', 0, 0],
  ['4294967299', 3, 3],
  ['9223372036854775807', -1, -1],
  ['9223372036854775808', undefined, 0],
  ['18446744073709551615', undefined, -1],
  ['18446744073709551616', undefined, undefined],
  ['-1', -1, undefined],
  ['-2147483648', -(2 ** 31), undefined],
  ['-9223372036854775808', 0, undefined],
  ['-9223372036854775809', undefined, -1],
  ['-18446744073709551615', undefined, 1],
  ['-18446744073709551616', undefined, undefined],
  ['\t5', 5, 5],
  ['\v\f\r+5', 5, 5],
  ['5\tx', 5, 5],
  ['5\r', 5, 5],
  ['\t', undefined, undefined],
  ['+', undefined, undefined],
  ['-', undefined, undefined],
  ['x', undefined, undefined],
  ['5x', undefined, undefined],
  ['5-', undefined, undefined],
  ['--5', undefined, undefined],
  ['0x10', undefined, undefined],
  ['1.5', undefined, undefined],
  ['1e3', undefined, undefined],
  ['\xb2', undefined, undefined],
];

for (const [text, signed, unsigned] of NUMBERS) {
  test(`${JSON.stringify(text)} is ${signed} signed, ${unsigned} unsigned`, () => {
    assert.equal(read(text, true), signed);
    assert.equal(read(text, false), unsigned);
  });
}

test('any integer of 64 bits is cut to its lower 32', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (value) => {
      const low = Number(BigInt.asIntN(32, value));
      assert.equal(read(String(value), true), low);
      if (value >= 0n) assert.equal(read(String(value), false), low);
    }),
  );
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), (value) => {
      assert.equal(read(String(value), false), Number(BigInt.asIntN(32, value)));
    }),
  );
});

test('isInt32 tells whether something was cut off', () => {
  const withSign = fc.tuple(fc.constantFrom('', '+', '\t', '\v-', '000'), fc.nat(2 ** 33));
  fc.assert(
    fc.property(withSign, ([before, amount]) => {
      const tokens = cut(` ${before}${amount} `);
      assert.ok(tokens.parseInt32(0));
      const value = before.endsWith('-') ? -amount : amount;
      assert.equal(tokens.isInt32(0), value >= -(2 ** 31) && value < 2 ** 31);
    }),
  );
});
