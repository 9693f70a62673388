// The addon's hashes and checksum give what TypeScript and Node give, for every length of a key.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { crc32 } from 'node:zlib';
import { HASH_ALGORITHMS } from '../../src/cache/hash.ts';
import { KEY_BYTES_MAX } from '../../src/cache/item.ts';
import { skipWithoutAddon, theAddon } from '../support/addon.ts';
import { HASH_ANSWERS, hashSample } from '../support/hash-answers.ts';

const skip = skipWithoutAddon();

test('the known answers of all algorithms', { skip }, () => {
  const { hashKey } = theAddon();
  for (const { algorithm, seed, answers } of HASH_ANSWERS) {
    const index = HASH_ALGORITHMS.indexOf(algorithm);
    for (const [length, answer] of answers) {
      const hash = hashKey(hashSample(length), 0, length, seed | 0, index);
      assert.equal(hash >>> 0, answer, `${algorithm}, seed ${seed}, length ${length}`);
    }
  }
});

test('a key hashes the same wherever it lies, and not at all beyond the bytes', { skip }, () => {
  const { hashKey } = theAddon();
  const bytes = hashSample(KEY_BYTES_MAX);
  for (const algorithm of HASH_ALGORITHMS.keys()) {
    for (let length = 0; length <= KEY_BYTES_MAX; length++) {
      const shifted = Buffer.concat([Buffer.alloc(5, 0xa5), bytes.subarray(0, length)]);
      const hash = hashKey(bytes, 0, length, 7, algorithm);
      assert.equal(hashKey(shifted, 5, length, 7, algorithm), hash, `length ${length}`);
    }
    assert.equal(hashKey(bytes, 1, KEY_BYTES_MAX, 7, algorithm), 0);
    assert.equal(hashKey(bytes, 2 ** 32 - 1, 2 ** 32 - 1, 7, algorithm), 0);
  }
});

test('the keys of a line', { skip }, () => {
  const { hashKey, hashKeys } = theAddon();
  const line = Buffer.from('get  a bc   def ghij');
  const expected: number[] = [];
  for (const [start, length] of [
    [5, 1],
    [7, 2],
    [12, 3],
    [16, 4],
  ]) {
    expected.push(start, length, hashKey(line, start, length, 3, 0));
  }
  for (let room = 0; room <= 5; room++) {
    const found = new Int32Array(3 * room + 2);
    const count = Math.min(room, 4);
    assert.equal(hashKeys(line, 3, line.length, 3, 0, found), count);
    const written = Array.from(found.subarray(0, 3 * count));
    assert.deepEqual(written, expected.slice(0, 3 * count));
    assert.ok(found.subarray(3 * count).every((word) => word === 0));
  }
  const found = new Int32Array(12);
  assert.equal(hashKeys(line, 3, 5, 3, 0, found), 0);
  assert.equal(hashKeys(line, 3, line.length + 1, 3, 0, found), 0);
  assert.equal(hashKeys(line, 4, 3, 3, 0, found), 0);
});

test('the checksum is that of zlib, of shared memory too', { skip }, () => {
  const { checksum } = theAddon();
  const bytes = Buffer.from(new SharedArrayBuffer(70_000));
  for (let i = 0; i < bytes.length; i++) bytes[i] = Math.imul(i, 2_654_435_761) >>> 24;
  for (const start of [0, 1, 7]) {
    for (const length of [0, 1, 15, 16, 17, 63, 64, 127, 128, 255, 1000, 4096, 65_537]) {
      const part = bytes.subarray(start, start + length);
      assert.equal(checksum(part), crc32(part), `${length} bytes from ${start}`);
    }
  }
});
