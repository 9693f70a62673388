/**
 * Checks what the fixed examples cannot: where we differ from memcached 1.6.18 on purpose, how a
 * connection finds its protocol, and what headers cost that announce more than they should.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ListenerProtocol } from '../../src/protocol/origin.ts';
import { makeEngine, makeMemory, makeStore, Talk } from '../support/cache.ts';
import * as op from '../support/opcodes.ts';
import {
  parseReplies,
  type ReplyPacket,
  type RequestPacket,
  requestBytes,
  words,
} from '../support/packets.ts';
import { feed, freshTalk, hangUp, resume } from './pieces.ts';

const INVALID = 'Invalid arguments';
const GIGABYTE = 1024 * 1024 * 1024;

function ask(talk: Talk, ...packets: readonly RequestPacket[]): ReplyPacket[] {
  const text = talk.send(Buffer.concat(packets.map(requestBytes)));
  const { packets: replies, rest } = parseReplies(Buffer.from(text, 'latin1'));
  assert.equal(rest.length, 0);
  return replies;
}

/** What an opcode gets, and whether the connection outlives it. */
function outcome(packet: RequestPacket): [number, string, string] {
  const talk = freshTalk();
  const [reply] = ask(talk, packet);
  assert.equal(reply?.opcode, packet.opcode);
  const result: [number, string, string] = [
    reply?.status ?? -1,
    reply?.value ?? '',
    talk.closed ? 'closed' : 'open',
  ];
  hangUp(talk);
  return result;
}

test('a body of more than 1 GiB is refused when its header is there', () => {
  for (const opcode of [op.SET, op.ADDQ, op.GET, op.AUTH, 0x77]) {
    for (const bodyLength of [GIGABYTE + 1, 0x8000_0000, 0xffff_ffe8, 0xffff_ffff]) {
      const packet = { opcode, bodyLength, keyLength: 1, extrasLength: 8, opaque: 7 };
      assert.deepEqual(outcome(packet), [4, INVALID, 'closed']);
    }
  }
});

test('a body of up to 1 GiB is thrown away when it is too large to be stored', () => {
  const talk = freshTalk();
  const extras = words(0, 0);
  const header = { opcode: op.SET, key: 'k', extras, bodyLength: GIGABYTE };
  assert.equal(feed(talk, requestBytes(header)).output, '');
  assert.equal(feed(talk, Buffer.alloc(100_000)).output, '');
  assert.equal(talk.closed, false);
  assert.equal(talk.session.pendingLength, 0);
  hangUp(talk);
});

test('VERBOSITY is carried out', () => {
  const levels: number[] = [];
  const store = makeStore(makeMemory());
  const host = { setVerbosity: (level: number): void => void levels.push(level) };
  const talk = new Talk(makeEngine(store, { host }));
  const [first] = ask(talk, { opcode: op.VERBOSITY, extras: words(1), opaque: 3 });
  assert.deepEqual([first?.status, first?.opaque, first?.value], [0, 3, '']);
  ask(talk, { opcode: op.VERBOSITY, extras: words(0xffff_ffff) });
  assert.deepEqual(levels, [1, 2]);
  hangUp(talk);
  assert.deepEqual(outcome({ opcode: op.VERBOSITY }), [4, INVALID, 'closed']);
  assert.deepEqual(outcome({ opcode: op.VERBOSITY, extras: words(1), key: 'k' }), [
    4,
    INVALID,
    'closed',
  ]);
});

test('a value behind a command that has none is refused, not taken for the next packet', () => {
  for (const opcode of [op.TOUCH, op.GAT, op.GATQ, op.GATK, op.GATKQ]) {
    const packet = { opcode, key: 'k', extras: words(0), value: 'x' };
    assert.deepEqual(outcome(packet), [4, INVALID, 'closed']);
  }
  const stat = { opcode: op.STAT, key: 'items', value: 'x' };
  assert.deepEqual(outcome(stat), [4, INVALID, 'closed']);
});

test('STAT: conns is known, detail without an argument is not', () => {
  const talk = freshTalk();
  const conns = ask(talk, { opcode: op.STAT, key: 'conns' });
  assert.ok(conns.some(({ key }) => key.endsWith(':state')));
  assert.equal(conns[conns.length - 1]?.key, '');
  assert.equal(ask(talk, { opcode: op.STAT, key: 'detail' })[0]?.status, 1);
  hangUp(talk);
});

test('STAT of everything: as many packets as the text protocol has lines', () => {
  const talk = freshTalk();
  const lines = new Talk(talk.engine).send('stats\r\n').split('\r\n').slice(0, -1);
  const packets = ask(talk, { opcode: op.STAT, opaque: 77 });
  assert.deepEqual(
    packets.map(({ key }) => key),
    lines.map((line) => (line === 'END' ? '' : line.split(' ')[1])),
  );
  assert.ok(packets.every(({ opaque, status, cas }) => opaque === 77 && status === 0 && !cas));
  hangUp(talk);
});

test('flush_all that is switched off is refused, and not counted', () => {
  const talk = freshTalk({}, { flushEnabled: false });
  for (const opcode of [op.FLUSH, op.FLUSHQ]) {
    const [reply] = ask(talk, { opcode });
    assert.deepEqual([reply?.status, reply?.value], [0x20, 'Auth failure.']);
  }
  assert.match(new Talk(talk.engine).send('stats\r\n'), /^STAT cmd_flush 0\r$/m);
  hangUp(talk);
});

test('not enough memory: the value is thrown away, and the reply says so', () => {
  const talk = freshTalk(
    { memoryLimit: 2 ** 20, memoryMax: 2 ** 20, slabChunkMax: 2 ** 14 },
    { evictToFree: false, slabReassign: false },
  );
  const value = 'x'.repeat(12_000);
  const replies = Array.from({ length: 500 }, (_, number) => {
    const [reply] = ask(talk, {
      opcode: op.SET,
      key: `k${number}`,
      extras: words(0, 0),
      value: number < 250 ? value : value.repeat(20),
    });
    return `${reply?.status} ${reply?.value}`;
  });
  assert.equal(replies[0], '0 ');
  assert.ok(replies.includes('130 Out of memory allocating item'));
  assert.ok(replies.includes('130 Out of memory during read'));
  hangUp(talk);
});

function talkOn(protocol: ListenerProtocol): Talk {
  const talk = freshTalk();
  return new Talk(talk.engine, { protocol, transport: 'tcp' });
}

test('the first byte decides what a connection speaks, and it stays at that', () => {
  const binary = talkOn('auto');
  assert.equal(ask(binary, { opcode: op.NOOP }).length, 1);
  assert.equal(binary.send(`version\r\n${' '.repeat(24)}`), '');
  assert.equal(binary.closed, true);
  const text = talkOn('auto');
  assert.equal(text.send('version\r\n'), 'VERSION 1.6.45\r\n');
  assert.equal(
    text.send(Buffer.concat([requestBytes({ opcode: op.VERSION }), Buffer.from('\n')])),
    'ERROR\r\n',
  );
});

test('a listener for one protocol takes nothing else', () => {
  const binary = talkOn('binary');
  assert.equal(binary.send('version\r\n'), '');
  assert.equal(binary.closed, false, 'a header is waited for');
  assert.equal(binary.send('version\r\nversion\r\n'), '');
  assert.equal(binary.closed, true);
  const text = talkOn('ascii');
  const packet = Buffer.concat([requestBytes({ opcode: op.VERSION }), Buffer.from('\r\n')]);
  assert.equal(text.send(packet), 'ERROR\r\n');
  assert.equal(text.send('version\r\n'), 'VERSION 1.6.45\r\n');
});

test('a wrong magic byte ends the connection without a reply', () => {
  const talk = freshTalk();
  assert.equal(ask(talk, { opcode: op.NOOP }, { opcode: op.NOOP, magic: 0x81 }).length, 1);
  assert.equal(talk.closed, true);
  hangUp(talk);
});

test('a client that does not read gets no more than one buffer ahead', () => {
  const talk = freshTalk();
  const value = 'v'.repeat(200_000);
  ask(talk, { opcode: op.SET, key: 'k', extras: words(0, 0), value });
  const gets = Buffer.concat(
    Array.from({ length: 200 }, () => requestBytes({ opcode: op.GETQ, key: 'k' })),
  );
  let step = feed(talk, gets);
  let bytes = step.output.length;
  while (bytes < 200 * (24 + 4 + value.length)) {
    step = resume(talk);
    bytes += step.output.length;
  }
  assert.equal(bytes, 200 * (24 + 4 + value.length));
  hangUp(talk);
});
