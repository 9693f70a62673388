/**
 * The three hash algorithms give what their authors' own code gives, for every length of a key.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { jenkins } from '../../src/cache/jenkins.ts';
import { murmur3 } from '../../src/cache/murmur3.ts';
import { xxh3 } from '../../src/cache/xxh3.ts';
import { Bytes } from '../../src/memory/bytes.ts';

type Hash = (key: Bytes, start: number, length: number, seed: number) => number;

/** An algorithm's answers, seed by seed, of the lengths that come into its different branches. */
interface Known {
  readonly hash: Hash;
  readonly seed: number;
  readonly answers: readonly (readonly [length: number, hash: number])[];
}

/** From the C sources of memcached 1.6.18, over the bytes of `sample`. */
const KNOWN: readonly Known[] = [
  {
    hash: xxh3,
    seed: 0x0,
    answers: [
      [0, 0x38d394c2],
      [1, 0xe96f839c],
      [2, 0x5698ec0f],
      [3, 0x6f14e70f],
      [4, 0x4b126cb4],
      [5, 0x70331568],
      [7, 0x0391ea7c],
      [8, 0xcc43dda2],
      [9, 0x9baa50cf],
      [12, 0x84ebbb71],
      [13, 0xc6eb7714],
      [15, 0xfc955b0c],
      [16, 0x5cea1dcb],
      [17, 0x7436310a],
      [31, 0xa470e2f5],
      [32, 0x42085a0d],
      [33, 0xeff3a3b5],
      [63, 0x81750e23],
      [64, 0x41644d25],
      [65, 0x2b7fadf5],
      [96, 0xecd7c670],
      [97, 0x42e89ff6],
      [127, 0x7d7fbafa],
      [128, 0xc0005ea8],
      [129, 0x52225575],
      [143, 0xe6a8a208],
      [144, 0xf04a37c8],
      [200, 0x114bf7db],
      [239, 0x9601e92a],
      [240, 0xf8b10c82],
      [241, 0x894cd97e],
      [249, 0xd905d7e3],
      [250, 0x3706b9d8],
    ],
  },
  {
    hash: xxh3,
    seed: 0xfff,
    answers: [
      [0, 0xc4a06e55],
      [3, 0xaafcd764],
      [8, 0x2b792a23],
      [16, 0x9401b94e],
      [128, 0xa0ad10bf],
      [240, 0xa3a98a28],
      [250, 0xfa379152],
    ],
  },
  {
    hash: xxh3,
    seed: 0x9e3779b9,
    answers: [
      [0, 0x17f362b1],
      [1, 0x39c25fd5],
      [6, 0xb3038c9f],
      [12, 0xc75354c3],
      [100, 0x6d27f27f],
      [129, 0xc49f4f91],
      [250, 0xb13faf63],
    ],
  },
  {
    hash: jenkins,
    seed: 0x0,
    answers: [
      [0, 0xdeadbeef],
      [1, 0x559256b1],
      [2, 0x5fc91875],
      [3, 0x092b510f],
      [4, 0x5693ad76],
      [5, 0x8de30ba3],
      [8, 0x0e8fc736],
      [11, 0xf51d051e],
      [12, 0x0ba31b60],
      [13, 0x41211b9f],
      [24, 0x8fe15177],
      [25, 0xf4504b63],
      [250, 0xf104aee7],
    ],
  },
  {
    hash: murmur3,
    seed: 0x0,
    answers: [
      [0, 0x00000000],
      [1, 0xfdd287c7],
      [2, 0x09689f1f],
      [3, 0x83627390],
      [4, 0x9b142b87],
      [5, 0x8e9aedc4],
      [8, 0x85a4137d],
      [31, 0xbc0f4d94],
      [32, 0x46b03d5d],
      [250, 0xdc541736],
    ],
  },
];

/** Bytes that look random and are the same everywhere. */
function sample(length: number): Bytes {
  const bytes = Buffer.alloc(length);
  let state = 1;
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    bytes[i] = state >>> 16;
  }
  return new Bytes(bytes);
}

for (const { hash, seed, answers } of KNOWN) {
  test(`${hash.name} with seed ${seed} gives its known answers`, () => {
    for (const [length, answer] of answers) {
      assert.equal(hash(sample(length), 0, length, seed | 0) >>> 0, answer, `length ${length}`);
    }
  });
}

test('a hash depends on nothing outside the key, nor on where it lies', () => {
  const bytes = sample(260);
  for (const hash of [jenkins, murmur3, xxh3]) {
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
  for (const hash of [jenkins, murmur3, xxh3]) {
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
