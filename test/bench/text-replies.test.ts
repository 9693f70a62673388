// The bench's reader of text and meta replies: any fragmentation gives the same counts, and every
// kind of wrong reply is noticed.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Items } from '../../bench/items.ts';
import { Random } from '../../bench/random.ts';
import { type ReplyCounts, type ReplyReader, WrongReply } from '../../bench/reply-reader.ts';
import { TextReplies } from '../../bench/text-replies.ts';

const items = new Items(1000, [5, 40, 300], new Random(4));
/** Longer than what the reader keeps until it is whole. */
const large = new Items(1000, [5000], new Random(4));

function key(item: number): string {
  return `bench-${String(item).padStart(9, '0')}`;
}

function value(item: number, of = items): string {
  const buffer = Buffer.alloc(of.maxValueLength);
  of.writeValue(buffer, 0, item);
  return buffer.toString('latin1', 0, of.valueLength(item));
}

function valueBlock(item: number, of = items): string {
  return `VALUE ${key(item)} 0 ${of.valueLength(item)}\r\n${value(item, of)}\r\n`;
}

interface Reading {
  readonly reader: ReplyReader;
  readonly counts: ReplyCounts;
}

function newReader(meta = false, of = items): Reading {
  const counts = { hits: 0, misses: 0, stores: 0, refused: 0, fullyChecked: 0 };
  return { reader: new TextReplies(of, counts, meta, 1000), counts };
}

function expectOne(reader: ReplyReader, item: number): void {
  reader.expectGet(1);
  reader.expectKey(item);
}

/** Feeds a reply in pieces, none of which stays as it was after the call. */
function feedPieces(reader: ReplyReader, bytes: Buffer, size: number): number {
  let completed = 0;
  for (let at = 0; at < bytes.length; at += size) {
    const piece = Buffer.from(`....${bytes.toString('latin1', at, at + size)}....`, 'latin1');
    completed += reader.feed(piece, 4, piece.length - 4);
    piece.fill(0);
  }
  return completed;
}

function expectGet(reader: ReplyReader, ...asked: readonly number[]): void {
  reader.expectGet(asked.length);
  for (const item of asked) reader.expectKey(item);
}

function feed(reader: ReplyReader, text: string): number {
  const bytes = Buffer.from(text, 'latin1');
  return reader.feed(bytes, 0, bytes.length);
}

test('replies cut into pieces of any size give the same counts', () => {
  const text =
    `${valueBlock(1)}END\r\nSTORED\r\n${valueBlock(3)}${valueBlock(4)}END\r\nEND\r\n` +
    `STORED\r\n${valueBlock(9)}END\r\nSERVER_ERROR out of memory storing object\r\n`;
  const bytes = Buffer.from(text, 'latin1');
  for (let size = 1; size <= bytes.length; size++) {
    const { reader, counts } = newReader();
    expectGet(reader, 1);
    reader.expectStored(0);
    expectGet(reader, 2, 3, 4, 5);
    expectGet(reader, 6);
    reader.expectStored(0);
    expectGet(reader, 9);
    reader.expectStored(0);
    const completed = feedPieces(reader, bytes, size);
    assert.equal(completed, 7, `pieces of ${size}`);
    assert.deepEqual(
      counts,
      { hits: 4, misses: 3, stores: 2, refused: 1, fullyChecked: 0 },
      `of ${size}`,
    );
  }
});

function metaBlock(item: number, of = items): string {
  return `VA ${of.valueLength(item)} k${key(item)}\r\n${value(item, of)}\r\n`;
}

test('replies to meta gets, cut into pieces of any size, give the same counts', () => {
  const bytes = Buffer.from(`${metaBlock(1)}EN\r\nHD\r\n${metaBlock(3)}`, 'latin1');
  for (let size = 1; size <= bytes.length; size++) {
    const { reader, counts } = newReader(true);
    expectOne(reader, 1);
    expectOne(reader, 2);
    reader.expectStored(0);
    expectOne(reader, 3);
    assert.equal(feedPieces(reader, bytes, size), 4, `pieces of ${size}`);
    assert.deepEqual(
      counts,
      { hits: 2, misses: 1, stores: 1, refused: 0, fullyChecked: 0 },
      `of ${size}`,
    );
  }
});

for (const meta of [false, true]) {
  const kind = meta ? 'meta' : 'classic';
  const block = meta ? metaBlock : (item: number) => `${valueBlock(item, large)}END\r\n`;

  test(`large values of ${kind} gets may be cut anywhere`, () => {
    const bytes = Buffer.from(block(1, large) + block(2, large), 'latin1');
    for (const size of [1, 7, 4000, 4095, 5000, 5032, 6000, bytes.length]) {
      const { reader, counts } = newReader(meta, large);
      for (let item = 1; item <= 2; item++) expectOne(reader, item);
      assert.equal(feedPieces(reader, bytes, size), 2, `pieces of ${size}`);
      assert.equal(counts.hits, 2, `pieces of ${size}`);
    }
  });

  test(`large values of ${kind} gets are checked at the edges of every piece`, () => {
    for (const wrongAt of [0, 3, 4998, 4999, 5000, 5001]) {
      const bytes = Buffer.from(block(1, large), 'latin1');
      bytes[bytes.indexOf('\r\n') + 2 + wrongAt] ^= 1;
      for (const size of [1, 100, 4000]) {
        const { reader } = newReader(meta, large);
        expectOne(reader, 1);
        assert.throws(() => feedPieces(reader, bytes, size), WrongReply, `${wrongAt} of ${size}`);
      }
    }
  });

  test(`a wrong byte inside a large value of ${kind} gets does not pass for ever`, () => {
    const bytes = Buffer.from(block(1, large), 'latin1');
    bytes[bytes.indexOf('\r\n') + 2 + 500] ^= 1;
    const { reader } = newReader(meta, large);
    assert.throws(() => {
      for (let i = 0; i < 64; i++) {
        expectOne(reader, 1);
        feedPieces(reader, bytes, 3000);
      }
    }, WrongReply);
  });
}

test('a meta get is not answered by another item, a lie about it, or another kind of reply', () => {
  const length = items.valueLength(1);
  for (const reply of [
    metaBlock(2),
    `VA ${length} k${key(1)}\r\n${value(2)}\r\n`,
    `VA ${length - 1} k${key(1)}\r\n${value(1).slice(1)}\r\n`,
    `VA ${length} f0 k${key(1)}\r\n${value(1)}\r\n`,
    `VA ${length} k${key(1)}\r\n${value(1)}xx`,
    'VA 301 k',
    'HD\r\n',
    'END\r\n',
    valueBlock(1),
    'STORED\r\n',
  ]) {
    const { reader } = newReader(true);
    expectOne(reader, 1);
    assert.throws(() => feed(reader, reply), WrongReply, reply.slice(0, 40));
  }
});

test('every 64th value is compared byte for byte', () => {
  const { reader, counts } = newReader();
  for (let i = 0; i < 640; i++) {
    expectGet(reader, i);
    feed(reader, `${valueBlock(i)}END\r\n`);
  }
  assert.equal(counts.hits, 640);
  assert.equal(counts.fullyChecked, 10);
});

test('a value with a wrong byte inside does not pass for ever', () => {
  const { reader } = newReader();
  const item = Array.from({ length: 1000 }, (_, i) => i).find((i) => items.valueLength(i) === 40)!;
  const block = valueBlock(item);
  const middle = block.length - 20;
  const bad = `${block.slice(0, middle)}~${block.slice(middle + 1)}`;
  assert.throws(() => {
    for (let i = 0; i < 64; i++) {
      expectGet(reader, item);
      feed(reader, `${bad}END\r\n`);
    }
  }, WrongReply);
});

const long = items.valueLength(1);
const WRONG: readonly (readonly [what: string, reply: string])[] = [
  [
    'the value of another key under this key',
    `VALUE ${key(1)} 0 ${long}\r\n${value(2)}\r\nEND\r\n`,
  ],
  ['a key that was not asked for', `${valueBlock(2)}END\r\n`],
  ['the same key twice', `${valueBlock(1)}${valueBlock(1)}END\r\n`],
  ['a wrong length', `VALUE ${key(1)} 0 ${long - 1}\r\n${value(1).slice(1)}\r\nEND\r\n`],
  ['a length over all values', `VALUE ${key(1)} 0 301\r\n`],
  ['other flags', `VALUE ${key(1)} 1 ${long}\r\n${value(1)}\r\nEND\r\n`],
  ['a cas value in a get', `VALUE ${key(1)} 0 ${long} 12\r\n${value(1)}\r\nEND\r\n`],
  ['no line end after the value', `VALUE ${key(1)} 0 ${long}\r\n${value(1)}xxEND\r\n`],
  ['no END', `${valueBlock(1)}STORED\r\n`],
  ['an error', 'ERROR\r\n'],
  ['a server error', 'SERVER_ERROR out of memory storing object\r\n'],
  ['STORED for a get', 'STORED\r\n'],
  ['more than was asked for', `${valueBlock(1)}END\r\nEND\r\n`],
];

for (const [what, reply] of WRONG) {
  test(`a get is not answered by ${what}`, () => {
    const { reader } = newReader();
    expectGet(reader, 1);
    assert.throws(() => feed(reader, reply), WrongReply);
  });
}

test('a set is not answered by anything but STORED', () => {
  for (const reply of [
    'NOT_STORED\r\n',
    'END\r\n',
    'SERVER_ERROR out of memory\r\n',
    'ERROR\r\n',
  ]) {
    const { reader } = newReader();
    reader.expectStored(0);
    assert.throws(() => feed(reader, reply), WrongReply, reply);
  }
});
