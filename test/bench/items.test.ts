// The bench's items: what is written as a set must be what the checker takes for right, and nothing
// else may pass.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  Items,
  KEY_LENGTH,
  MAX_ITEMS,
  readKey,
  writeGet,
  writeLineEnd,
  writeMetaGet,
  writeNextKey,
} from '../../bench/items.ts';
import { Random } from '../../bench/random.ts';

function setRequest(items: Items, item: number): Buffer {
  const buffer = Buffer.alloc(items.maxSetLength);
  return buffer.subarray(0, items.writeSet(buffer, 0, item));
}

function valueBytes(items: Items, item: number): Buffer {
  const request = setRequest(items, item);
  const start = request.indexOf('\r\n') + 2;
  return request.subarray(start, request.length - 2);
}

test('a set is a well-formed command with a value of the stated length', () => {
  const items = new Items(1_000_000, [100], new Random(1));
  const request = setRequest(items, 123_456).toString('latin1');
  assert.match(request, /^set bench-000123456 0 0 100\r\n[0-o]{100}\r\n$/);
});

test('a get is a well-formed command', () => {
  const buffer = Buffer.alloc(100);
  let end = writeNextKey(buffer, writeGet(buffer, 0), 7);
  end = writeLineEnd(buffer, writeNextKey(buffer, end, 16_777_215));
  const expected = 'get bench-000000007 bench-016777215\r\n';
  assert.equal(buffer.toString('latin1', 0, end), expected);
});

test('a meta get is a well-formed command', () => {
  const buffer = Buffer.alloc(100);
  const end = writeMetaGet(buffer, 0, 7);
  assert.equal(buffer.toString('latin1', 0, end), 'mg bench-000000007 k v\r\n');
});

test('keys are read back, and what is no key is refused', () => {
  const buffer = Buffer.alloc(KEY_LENGTH + 1);
  for (const item of [0, 9, 999, 1000, 123_456, 16_777_215]) {
    writeNextKey(buffer, 0, item);
    assert.equal(readKey(buffer, 1), item);
  }
  assert.equal(readKey(Buffer.from('bench-00000000x'), 0), -1);
  assert.equal(readKey(Buffer.from('bunch-000000001'), 0), -1);
});

test('a value is right for its own item only', () => {
  for (const length of [3, 8, 100, 300, 5000]) {
    const items = new Items(100_000, [length], new Random(1));
    const value = valueBytes(items, 4242);
    assert.equal(value.length, length);
    assert.ok(items.looksRight(value, 0, length, 4242));
    assert.ok(items.isRight(value, 0, length, 4242));
    for (const other of [0, 4241, 4243, 4242 ^ 64, 4242 ^ 4096, 4242 ^ 65_536]) {
      assert.ok(!items.looksRight(value, 0, length, other), `${other}, ${length} bytes`);
    }
  }
});

test('one wrong byte is found: at the edges by the cheap check, anywhere by the full one', () => {
  const items = new Items(1000, [100], new Random(1));
  const value = valueBytes(items, 77);
  for (let i = 0; i < value.length; i++) {
    value[i] ^= 1;
    assert.equal(items.looksRight(value, 0, 100, 77), i >= 4 && i < 96, `byte ${i}`);
    assert.ok(!items.isRight(value, 0, 100, 77), `byte ${i}`);
    value[i] ^= 1;
  }
});

test('a value that is cut off is wrong', () => {
  const items = new Items(1000, [100], new Random(1));
  const value = valueBytes(items, 77);
  assert.ok(!items.looksRight(value, 0, 99, 77));
  assert.ok(!items.isRight(value, 0, 99, 77));
});

test('several value lengths are all used and stay the same for an item', () => {
  const items = new Items(1000, [10, 20, 30], new Random(2));
  const seen = new Set<number>();
  for (let item = 0; item < 1000; item++) {
    seen.add(items.valueLength(item));
    assert.equal(valueBytes(items, item).length, items.valueLength(item));
  }
  assert.deepEqual([...seen].sort(), [10, 20, 30]);
});

test('more items than a value can number are refused', () => {
  assert.throws(() => new Items(MAX_ITEMS + 1, [100], new Random(1)), RangeError);
  assert.throws(() => new Items(0, [100], new Random(1)), RangeError);
});
