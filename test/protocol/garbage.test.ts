/**
 * Checks that no input, however wrong, makes the engine throw, hang, hoard memory, keep a lock or
 * leave anything behind; the helpers check every step.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { feed, feedPieces, freshTalk, hangUp, secondTalk } from './pieces.ts';

const MEMORY = { memoryLimit: 4 * 1024 * 1024, memoryMax: 4 * 1024 * 1024, maxConns: 2 };

const WORDS = [
  ...['get', 'gets', 'gat', 'gats', 'set', 'add', 'replace', 'append', 'prepend', 'cas', 'incr'],
  ...['decr', 'delete', 'touch', 'flush_all', 'stats', 'items', 'slabs', 'detail', 'on', 'dump'],
  ...['sizes', 'cachedump', 'reset', 'version', 'verbosity', 'bget', 'noreply', 'k', 'n', '0', '1'],
  ...[
    'mg',
    'ms',
    'md',
    'ma',
    'me',
    'mn',
    'mg k',
    'ms k 1',
    'md k',
    'ma n',
    'v',
    'b',
    'q',
    'x',
    'I',
  ],
  ...['T9', 'N9', 'R99', 'MA', 'ME', 'Oo', 'E5', 'C5', 'F7', 'J5', 'c', 's', 't', 'h', 'l', 'Zm9v'],
  ...['2', '5', '70000', '-1', '4294967297', '18446744073709551615', 'HTTP/1.1'],
];

const word = (): fc.Arbitrary<Buffer> =>
  fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom(...WORDS).map((text) => Buffer.from(`${text} `)) },
    { weight: 3, arbitrary: fc.constantFrom('\r\n', '\n', '\r', '\0').map((s) => Buffer.from(s)) },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes)) },
    { weight: 1, arbitrary: fc.nat(3000).map((length) => Buffer.alloc(length, 'x')) },
  );

const soup = (): fc.Arbitrary<Buffer> =>
  fc.array(word(), { maxLength: 200, size: 'max' }).map((words) => Buffer.concat(words));

const noise = (): fc.Arbitrary<Buffer> =>
  fc.uint8Array({ maxLength: 5000, size: 'max' }).map((bytes) => Buffer.from(bytes));

const pieces = (): fc.Arbitrary<number[]> =>
  fc.array(fc.nat(5000), { maxLength: 20 }).map((cuts) => cuts.sort((a, b) => a - b));

for (const [name, input] of [
  ['words in any order', soup()],
  ['random bytes', noise()],
] as const) {
  test(`${name}: the engine goes on, and nothing is left behind`, () => {
    fc.assert(
      fc.property(input, pieces(), (bytes, cuts) => {
        const talk = freshTalk(MEMORY);
        feedPieces(talk, bytes, cuts);
        hangUp(talk);
        assert.equal(secondTalk(talk).send('set s 0 0 1\r\na\r\n'), 'STORED\r\n');
      }),
      { numRuns: 300 },
    );
  });
}

test('a line without end is given up after 2 KB, a multi-get is not', () => {
  const refused = freshTalk(MEMORY);
  feed(refused, 'x'.repeat(2048));
  assert.equal(refused.closed, false);
  feed(refused, 'x');
  assert.equal(refused.closed, true);
  const patient = freshTalk(MEMORY);
  for (let piece = 0; piece < 100; piece++) {
    feed(patient, piece === 0 ? `get${' key'.repeat(1000)}` : ' key'.repeat(1000));
    assert.equal(patient.closed, false);
  }
  assert.equal(patient.send('\r\n'), 'END\r\n');
  assert.equal(patient.session.pending, null, 'the storage of the long line is kept');
  hangUp(patient);
});

test('an announced length costs no memory until the bytes come', () => {
  const talk = freshTalk({ itemSizeMax: 1024 * 1024 * 1024, memoryLimit: 2 ** 26 });
  assert.equal(feed(talk, 'set k 0 0 1000000000\r\n').output, '');
  assert.match(secondTalk(talk).send('stats slabs\r\n'), /^STAT active_slabs 1\r$/m);
  hangUp(talk);
});

test('nothing of a value that is thrown away is kept', () => {
  const talk = freshTalk(MEMORY);
  assert.equal(feed(talk, 'set k 0 0 100000000\r\n').output, '');
  for (let piece = 0; piece < 1525; piece++) {
    assert.equal(feed(talk, Buffer.alloc(65_536, 'x')).output, '');
    assert.equal(talk.session.pendingLength, 0);
  }
  const rest = 100_000_000 - 1525 * 65_536;
  const reply = feed(talk, `${'x'.repeat(rest)}\r\nversion\r\n`).output;
  assert.equal(reply, 'SERVER_ERROR object too large for cache\r\nVERSION 1.6.45\r\n');
});
