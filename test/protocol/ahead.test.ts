/**
 * Requests that have come together are looked ahead in, which must not show: they are answered as
 * if each had come alone, whatever stands in keys and values.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeEngine, makeMemory, makeStore, Talk } from '../support/cache.ts';

const LONGEST = 'l'.repeat(250);
const TOO_LONG = 'l'.repeat(251);
/** A value that looks like requests. */
const FALSE_REQUESTS = 'get k1\r\nset k1 0 0 1\r\nz\r\nmg k1 v\r\nget k2\r\n'.repeat(3);

function set(key: string, value: string, rest = '0 0'): string {
  return `set ${key} ${rest} ${value.length}\r\n${value}\r\n`;
}

/** A request of the binary protocol for a key, with 8 bytes of extras if it has a value. */
function packet(opcode: number, key: string, value?: string): string {
  const extras = value === undefined ? 0 : 8;
  const header = Buffer.alloc(24 + extras);
  header[0] = 0x80;
  header[1] = opcode;
  header.writeUInt16BE(key.length, 2);
  header[4] = extras;
  header.writeUInt32BE(extras + key.length + (value ?? '').length, 8);
  return header.toString('latin1') + key + (value ?? '');
}

function newTalk(): Talk {
  return new Talk(makeEngine(makeStore(makeMemory()), { options: { requestsPerEvent: 1000 } }));
}

function checkSame(requests: readonly string[]): void {
  const alone = newTalk();
  const expected = requests.map((request) => alone.send(request)).join('');
  const together = newTalk();
  assert.equal(together.send(requests.join('')), expected);
  assert.equal(together.send(requests.join('')), alone.send(requests.join('')));
}

test('sets, gets and meta requests of all kinds in one read', () => {
  const keys = ['k1', 'k2', 'a-longer-key', LONGEST, 'tab\tkey', `c${String.fromCharCode(1)}`];
  checkSame([
    ...keys.map((key, index) => set(key, `value ${index}`)),
    ...keys.map((key) => `get ${key}\r\n`),
    ...keys.map((key) => `mg ${key} k v c f t s h l\r\n`),
    ...keys.map((key) => `ms ${key} 2 T0 c\r\nxy\r\n`),
    ...keys.map((key) => `gets ${key}\r\n`),
    ...keys.map((key) => `mg ${key} q u v\r\n`),
    'mg none q v\r\nmg none k\r\nmn\r\n',
  ]);
});

test('values that look like requests, and lengths that lie', () => {
  checkSame([
    set('k1', FALSE_REQUESTS),
    set('k2', FALSE_REQUESTS, '7 0'),
    'get k1\r\nget k2\r\n',
    'set k1 0 0 5\r\nget k2\r\nget k1\r\n',
    'set k1 0 0 999999999999\r\n',
    'set k1 0 0 2000000\r\n',
    'get k1\r\nget k2\r\n',
  ]);
});

test('lines that are not quite the usual ones', () => {
  checkSame([
    set('k1', 'one'),
    'get  k1\r\nget k1 \r\nget k1\nget k1\r\r\n get k1\r\nget k1 k1\r\nget \r\nget\r\n',
    `get ${TOO_LONG}\r\nget ${LONGEST}\r\nget k1 ${TOO_LONG}\r\nget k1\0 k1\r\n`,
    'set k1 0 0 3 noreply\r\ntwo\r\nset  k1 0 0 3\r\ntwo\r\n',
    'set k1 -1 0 3\r\nset k1 1 -1 3\r\nxyz\r\n',
    'set k1 0 0 -1\r\nset k1 0 0\r\nset k1 0 0 x\r\nset k1 0 0 0003\r\nabc\r\n',
    `set ${TOO_LONG} 0 0 3\r\nabc\r\nset k1 4294967295 0 3\r\nabc\r\nget k1\r\n`,
    'mg k1 v v\r\nmg k1 Z\r\nmg k1  v\r\nmg k1 v \r\nmg k1 vv\r\nmg k1 O1 v\r\nmg\r\nmg k1\r\n',
    `mg ${TOO_LONG} v\r\nmg k1 N30 v\r\nmg azE= b k v\r\nmg k1 v\nmg k1 k s v\r\n`,
  ]);
});

test('more keys on a line than are looked at together', () => {
  const keys = Array.from({ length: 50 }, (_, index) => `key${index}`);
  const odd = keys.map((key, index) => (index % 7 === 0 ? `${key}\tx` : key));
  checkSame([
    ...odd.map((key) => set(key, key)),
    `get ${odd.join(' ')}\r\ngets ${keys.join('  ')}\r\nget ${odd.join(' ')} \r\n`,
  ]);
});

test('packets of the binary protocol', () => {
  const keys = ['k1', 'k2', LONGEST, 'k3'];
  checkSame([
    ...keys.map((key) => packet(0x01, key, FALSE_REQUESTS)),
    ...keys.map((key) => packet(0x0c, key)),
    ...keys.map((key) => packet(0x00, key)),
    packet(0x01, 'k1', ''),
    packet(0x0c, 'none'),
    packet(0x0a, ''),
    ...keys.map((key) => packet(0x0d, key)),
  ]);
});

test('what several sessions are about to be fed does not show', () => {
  const talk = newTalk();
  const { engine } = talk;
  const others = Array.from({ length: 40 }, () => new Talk(engine));
  const inputs = others.map((_, index) => Buffer.from(`set key${index} 0 0 2\r\nab\r\n`));
  const gets = others.map((_, index) => Buffer.from(`get key${39 - index}\r\n`));
  for (const round of [inputs, gets]) {
    for (const [index, { session }] of others.entries()) {
      engine.expect(session, round[index], 0, round[index].length);
    }
    engine.fetchExpected();
    for (const [index, other] of others.entries()) {
      const expected =
        round === inputs ? 'STORED\r\n' : `VALUE key${39 - index} 0 2\r\nab\r\nEND\r\n`;
      assert.equal(other.send(round[index]), expected);
    }
  }
});
