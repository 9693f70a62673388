// The bench's reader of binary replies: any fragmentation gives the same counts, and every kind of
// wrong reply is noticed.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BinaryReplies } from '../../bench/binary-replies.ts';
import { Items } from '../../bench/items.ts';
import { Random } from '../../bench/random.ts';
import { type ReplyCounts, WrongReply } from '../../bench/reply-reader.ts';

const items = new Items(1000, [100], new Random(4));
const large = new Items(1000, [5000], new Random(4));

interface Parts {
  readonly opcode: number;
  readonly status?: number;
  readonly opaque: number;
  readonly extras?: Buffer;
  readonly value?: Buffer;
}

function packet({ opcode, status = 0, opaque, extras, value }: Parts): Buffer {
  const body = Buffer.concat([extras ?? Buffer.alloc(0), value ?? Buffer.alloc(0)]);
  const header = Buffer.alloc(24);
  header[0] = 0x81;
  header[1] = opcode;
  header[4] = extras?.length ?? 0;
  header.writeUInt16BE(status, 6);
  header.writeUInt32BE(body.length, 8);
  header.writeUInt32BE(opaque, 12);
  header.writeUInt32BE(77, 20);
  return Buffer.concat([header, body]);
}

function itemValue(item: number, of = items): Buffer {
  const buffer = Buffer.alloc(of.valueLength(item));
  of.writeValue(buffer, 0, item);
  return buffer;
}

function hit(item: number, of = items): Buffer {
  return packet({ opcode: 0, opaque: item, extras: Buffer.alloc(4), value: itemValue(item, of) });
}

function miss(item: number): Buffer {
  return packet({ opcode: 0, status: 1, opaque: item, value: Buffer.from('Not found') });
}

const stored = (item: number): Buffer => packet({ opcode: 1, opaque: item });

function newReader(of = items): { reader: BinaryReplies; counts: ReplyCounts } {
  const counts = { hits: 0, misses: 0, stores: 0, refused: 0, fullyChecked: 0 };
  return { reader: new BinaryReplies(of, counts, 1000), counts };
}

function feedPieces(reader: BinaryReplies, bytes: Buffer, size: number): number {
  let completed = 0;
  for (let at = 0; at < bytes.length; at += size) {
    const piece = Buffer.concat([Buffer.alloc(3), bytes.subarray(at, at + size)]);
    completed += reader.feed(piece, 3, piece.length);
    piece.fill(0);
  }
  return completed;
}

test('replies cut into pieces of any size give the same counts', () => {
  const bytes = Buffer.concat([hit(1), miss(2), stored(3), miss(4), hit(5)]);
  for (let size = 1; size <= bytes.length; size++) {
    const { reader, counts } = newReader();
    for (const item of [1, 2]) reader.expectKey(item);
    reader.expectStored(3);
    for (const item of [4, 5]) reader.expectKey(item);
    assert.equal(feedPieces(reader, bytes, size), 5, `pieces of ${size}`);
    assert.deepEqual(
      counts,
      { hits: 2, misses: 2, stores: 1, refused: 0, fullyChecked: 0 },
      `of ${size}`,
    );
  }
});

test('large values may be cut anywhere, and wrong ones are noticed', () => {
  const bytes = Buffer.concat([hit(1, large), hit(2, large)]);
  for (const size of [1, 27, 4096, 5027, 5028, 5029, bytes.length]) {
    const { reader, counts } = newReader(large);
    for (const item of [1, 2]) reader.expectKey(item);
    assert.equal(feedPieces(reader, bytes, size), 2, `pieces of ${size}`);
    assert.equal(counts.hits, 2);
  }
  const { reader } = newReader(large);
  reader.expectKey(1);
  bytes[bytes.length / 2 - 1] ^= 1;
  assert.throws(() => feedPieces(reader, bytes.subarray(0, bytes.length / 2), 3000), WrongReply);
});

const extras = Buffer.alloc(4);
const WRONG_GETS: readonly (readonly [what: string, reply: Buffer])[] = [
  ['another item', hit(2)],
  ['the value of another', packet({ opcode: 0, opaque: 1, extras, value: itemValue(2) })],
  ['a shorter value', packet({ opcode: 0, opaque: 1, extras, value: itemValue(1).subarray(1) })],
  ['no flags', packet({ opcode: 0, opaque: 1, value: itemValue(1) })],
  [
    'other flags',
    packet({ opcode: 0, opaque: 1, extras: Buffer.of(0, 0, 0, 1), value: itemValue(1) }),
  ],
  ['an error', packet({ opcode: 0, opaque: 1, status: 0x81, value: Buffer.from('Unknown') })],
  ['the reply to a set', stored(1)],
  ['text', Buffer.from('VALUE bench-000000001 0 100\r\n')],
  ['one reply too many', Buffer.concat([hit(1), hit(1)])],
];

for (const [what, reply] of WRONG_GETS) {
  test(`a get is not answered by ${what}`, () => {
    const { reader } = newReader();
    reader.expectKey(1);
    assert.throws(() => reader.feed(reply, 0, reply.length), WrongReply);
  });
}

test('a set is answered by success alone', () => {
  for (const reply of [
    packet({ opcode: 1, opaque: 1, status: 5, value: Buffer.from('Not stored.') }),
    packet({ opcode: 1, opaque: 1, value: Buffer.from('x') }),
    hit(1),
    stored(2),
  ]) {
    const { reader } = newReader();
    reader.expectStored(1);
    assert.throws(() => reader.feed(reply, 0, reply.length), WrongReply);
  }
});
