/** Bytes moved and compared by words are the same bytes, at any place and of any length. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Bytes, copyBytes, equalBytes } from '../../src/memory/bytes.ts';

const LENGTHS = [0, 1, 2, 3, 4, 5, 7, 8, 15, 16, 100, 255, 256, 257, 1000];

function pattern(length: number): Bytes {
  return new Bytes(Buffer.from(Array.from({ length }, (_, index) => (index * 37) & 0xff)));
}

test('exactly the bytes that are asked for are copied', () => {
  const source = pattern(1200);
  for (const length of LENGTHS) {
    for (const [from, to] of [
      [0, 0],
      [1, 2],
      [3, 5],
      [6, 3],
    ]) {
      const target = new Bytes(Buffer.alloc(1200, 0xee));
      copyBytes(source, from, target, to, length);
      const expected = Buffer.alloc(1200, 0xee);
      source.u8.copy(expected, to, from, from + length);
      assert.deepEqual(target.u8, expected, `${length} bytes from ${from} to ${to}`);
    }
  }
});

test('a difference in any byte is seen, and none outside', () => {
  for (const length of LENGTHS) {
    const a = pattern(length + 8);
    const b = new Bytes(Buffer.concat([Buffer.alloc(3, 0xee), a.u8.subarray(2)]));
    b.u8[3 + length] ^= 1;
    assert.ok(equalBytes(a, 2, b, 3, length), `${length} bytes`);
    for (let at = 0; at < length; at++) {
      b.u8[3 + at] ^= 0x80;
      assert.ok(!equalBytes(a, 2, b, 3, length), `byte ${at} of ${length}`);
      b.u8[3 + at] ^= 0x80;
    }
  }
});

test('a view of a part of a buffer begins where the part does', () => {
  const whole = pattern(64);
  const part = new Bytes(whole.u8.subarray(10, 20));
  assert.equal(part.view.getUint8(0), whole.u8[10]);
  assert.equal(part.view.byteLength, 10);
});
