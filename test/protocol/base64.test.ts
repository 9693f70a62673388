// Base64 of keys: what Node encodes is read, what is written Node reads, and nothing that is thrown
// at the decoder makes it write more than there is room for.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeBase64, encodeBase64 } from '../../src/protocol/base64.ts';

test('encoding is what Node gives', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 250 }), fc.nat(20), (bytes, offset) => {
      const source = Buffer.concat([Buffer.alloc(offset, 7), bytes]);
      const target = Buffer.alloc(400);
      const length = encodeBase64(source, offset, bytes.length, target, 3);
      assert.equal(target.toString('latin1', 3, 3 + length), Buffer.from(bytes).toString('base64'));
      assert.ok(target.subarray(3 + length).every((byte) => byte === 0));
    }),
  );
});

test('what was encoded is decoded', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 187 }), (bytes) => {
      const text = Buffer.from(Buffer.from(bytes).toString('base64'));
      const target = Buffer.alloc(250);
      const length = decodeBase64(text, 0, text.length, target);
      assert.deepEqual([...target.subarray(0, length)], [...bytes]);
    }),
  );
});

test('anything may be decoded', () => {
  const letters = fc.constantFrom(...Buffer.from('AZaz09+/==-. \xff', 'latin1'));
  fc.assert(
    fc.property(fc.array(letters, { maxLength: 60 }), (codes) => {
      const text = Buffer.from(codes);
      const target = Buffer.alloc(text.length + 4, 0xaa);
      const length = decodeBase64(text, 0, text.length, target);
      assert.ok(length >= 0 && length <= (text.length / 4) * 3);
      assert.ok(target.subarray(text.length).every((byte) => byte === 0xaa));
    }),
  );
});
