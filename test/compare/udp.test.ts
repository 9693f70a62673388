// Datagrams to our server and to the real memcached: the same ones come back, header and all.
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { datagram, exchange } from '../support/datagrams.ts';
import { findMemcached, skipWithoutMemcached } from '../support/oracle.ts';
import { startWithPorts } from '../support/ports.ts';
import { type Launch, memcached, slabcached } from '../support/server.ts';
import { WireClient } from '../support/wire.ts';

const FLAGS = ['-l', '127.0.0.1', '-p', '-1', '-U', '-1', '-t', '2', '-m', '64'];

function packet(opcode: number, key = '', value = '', extras = ''): Buffer {
  const header = Buffer.alloc(24);
  header[0] = 0x80;
  header[1] = opcode;
  header.writeUInt16BE(key.length, 2);
  header[4] = extras.length;
  header.writeUInt32BE(extras.length + key.length + value.length, 8);
  header.writeUInt32BE(0xcafe, 12);
  return Buffer.concat([header, Buffer.from(extras + key + value, 'latin1')]);
}

const GET = 0x00;
const SET = 0x01;
const QUIT = 0x07;
const GETQ = 0x09;
const NOOP = 0x0a;

/** Each one datagram; those that are answered first, so that silence need not be waited for. */
const ANSWERED: readonly (string | Buffer)[] = [
  'get a\r\n',
  'get a b\r\n',
  'get a none b\r\n',
  'get none\r\n',
  'get a\r\nget b\r\n',
  'get big\r\n',
  'get a big b\r\n',
  'get exact\r\n',
  `get${' a'.repeat(40)}\r\n`,
  'set c 0 0 1\r\nq\r\n',
  'set c 0 0 1\r\nq\r\nget c\r\n',
  'set c 0 0 1 noreply\r\nq\r\nget c\r\n',
  'incr n 5\r\ndelete c\r\n',
  'nonsense\r\n',
  `get ${'k'.repeat(251)}\r\n`,
  'stats sizes\r\n',
  'quit\r\n',
  'quit\r\nget a\r\n',
  'get a\r\nquit\r\nget b\r\n',
  'mg a v\r\nmg b v\r\nmg none v q\r\nmn\r\n',
  packet(GET, 'a'),
  packet(GET, 'none'),
  packet(GETQ, 'none'),
  packet(GET, 'big'),
  Buffer.concat([packet(GET, 'a'), packet(GET, 'b')]),
  Buffer.concat([packet(GETQ, 'a'), packet(GETQ, 'none'), packet(NOOP)]),
  packet(SET, 'd', 'value', '\0'.repeat(8)),
  Buffer.concat([packet(QUIT), packet(GET, 'a')]),
  Buffer.concat([Buffer.from('get a\r\n'), packet(GET, 'a')]),
  Buffer.concat([packet(GET, 'a'), Buffer.from('get a\r\n')]),
];

const SILENT: readonly Buffer[] = [
  Buffer.from('12345678'),
  Buffer.from('1234567'),
  datagram('get a\r\n', 7, 0, 2),
  datagram('get a\r\n', 7, 1, 2),
  datagram('get a\r\n', 7, 0, 0),
  datagram('get a\r\n', 7, 0, 257),
  datagram('get a'),
  datagram('set c 0 0 1 noreply\r\nq\r\n'),
  datagram('x'.repeat(3000)),
];

interface Answers {
  readonly answered: readonly string[][];
  readonly otherPart: readonly string[];
  readonly silent: readonly string[];
}

async function answersOf(t: TestContext, launch: Launch): Promise<Answers> {
  const server = await startWithPorts(t, launch);
  const client = await WireClient.connect(server.tcp[0]);
  t.after(() => client.destroy());
  const big = 'z'.repeat(5000);
  // With its line and END this one fills a datagram to the last byte.
  const exact = 'e'.repeat(1392 - 'VALUE exact 0 1364\r\n\r\nEND\r\n'.length);
  const values = { a: 'x', b: 'yy', n: '37', big, exact };
  for (const [key, value] of Object.entries(values)) {
    assert.equal(await client.ask(`set ${key} 0 0 ${value.length}\r\n${value}\r\n`), 'STORED\r\n');
  }
  const answered: string[][] = [];
  for (const [index, body] of ANSWERED.entries()) {
    const first = await exchange(server.udp[0], [datagram(body, 1000 + index)], 1);
    answered.push(first);
  }
  return {
    answered,
    otherPart: await exchange(server.udp[0], [datagram('get a\r\n', 65_535, 1, 1)], 1),
    silent: await exchange(server.udp[0], SILENT),
  };
}

test('every datagram is answered as memcached answers it', {
  skip: skipWithoutMemcached(),
}, async (t) => {
  const path = findMemcached() as string;
  const theirs = await answersOf(t, memcached(path, FLAGS));
  const ours = await answersOf(t, slabcached(FLAGS));
  for (const [index, body] of ANSWERED.entries()) {
    const said = JSON.stringify(body.toString('latin1').slice(0, 60));
    assert.deepEqual(ours.answered[index], theirs.answered[index], said);
    assert.notEqual(ours.answered[index].length, 0, said);
  }
  assert.deepEqual(ours.otherPart, theirs.otherPart);
  assert.deepEqual([ours.silent, theirs.silent], [[], []]);
});
