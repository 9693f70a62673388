/**
 * The three hash algorithms give what their authors' own code gives, for every length of a key.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hashedWordEnd, hashKey, hashWord } from '../../src/cache/hash.ts';
import { jenkins } from '../../src/cache/jenkins.ts';
import { murmur3 } from '../../src/cache/murmur3.ts';
import { xxh3 } from '../../src/cache/xxh3.ts';
import { Bytes } from '../../src/memory/bytes.ts';
import { HASH_ANSWERS, hashSample } from '../support/hash-answers.ts';

type Hash = (key: Bytes, start: number, length: number, seed: number) => number;

const sample = (length: number): Bytes => new Bytes(hashSample(length));

const HASHES: readonly Hash[] = [jenkins, murmur3, xxh3];

for (const { algorithm, seed, answers } of HASH_ANSWERS) {
  test(`${algorithm} with seed ${seed} gives its known answers`, () => {
    const hash = HASHES.find(({ name }) => name === algorithm) ?? assert.fail();
    for (const [length, answer] of answers) {
      assert.equal(hash(sample(length), 0, length, seed | 0) >>> 0, answer, `length ${length}`);
    }
  });
}

test('a hash depends on nothing outside the key, nor on where it lies', () => {
  const bytes = sample(260);
  for (const hash of HASHES) {
    for (let length = 0; length <= 250; length++) {
      const shifted = new Bytes(Buffer.alloc(260, 0xa5));
      bytes.u8.copy(shifted.u8, 5, 0, length);
      assert.equal(hash(shifted, 5, length, 7), hash(bytes, 0, length, 7), `length ${length}`);
    }
  }
});

test('jenkins has the answers that its author published', () => {
  const text = new Bytes(Buffer.from('Four score and seven years ago'));
  assert.equal(jenkins(text, 0, 0, 0) >>> 0, 0xdeadbeef);
  assert.equal(jenkins(text, 0, 0, 0xdeadbeef | 0) >>> 0, 0xbd5b7dde);
  assert.equal(jenkins(text, 0, text.u8.length, 0) >>> 0, 0x17770551);
  assert.equal(jenkins(text, 0, text.u8.length, 1) >>> 0, 0xcd628161);
});

test('a change of any bit of a key changes its hash', () => {
  for (const hash of HASHES) {
    for (const length of [1, 6, 12, 40, 140, 250]) {
      const bytes = sample(length);
      const before = hash(bytes, 0, length, 0);
      for (let bit = 0; bit < 8 * length; bit++) {
        bytes.u8[bit >> 3] ^= 1 << (bit & 7);
        assert.notEqual(hash(bytes, 0, length, 0), before, `${hash.name}, bit ${bit} of ${length}`);
        bytes.u8[bit >> 3] ^= 1 << (bit & 7);
      }
    }
  }
});

test('a key whose end is found on the way has the hash that it has otherwise', () => {
  const bytes = new Bytes(Buffer.alloc(300, 'k'));
  for (let length = 1; length <= 250; length++) {
    for (const end of [0x20, 0x0d, 0x0a, 0x00, 0x1f]) {
      bytes.u8.fill('k');
      sample(length).u8.forEach((byte, index) => {
        bytes.u8[5 + index] = byte | 0x21;
      });
      bytes.u8[5 + length] = end;
      assert.equal(hashWord(bytes, 5, 300, 7), hashKey(bytes, 5, length, 7));
      assert.equal(hashedWordEnd(), 5 + length);
      // It ends where it must not go on, too.
      assert.equal(hashWord(bytes, 5, 5 + length, 7), hashKey(bytes, 5, length, 7));
      assert.equal(hashedWordEnd(), 5 + length);
    }
  }
});
