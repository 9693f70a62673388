// What both servers answer in packets when memory is used up and may not be taken from other items.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as op from '../support/opcodes.ts';
import { findMemcached, skipWithoutMemcached } from '../support/oracle.ts';
import { deltaExtras, parseReplies, type RequestPacket, words } from '../support/packets.ts';
import { type Launch, memcached, slabcached, startServer } from '../support/server.ts';
import { sentBytes } from './binary-examples.ts';
import { BinarySide } from './binary-side.ts';

const FLAGS = ['-M', '-m', '2', '-I', '64k', '-o', 'slab_chunk_max=16384'];
const NO_MEMORY = 0x82;
/** Large items, and numbers: a class gets its first page in any case. */
const LARGE_COUNT = 400;
const NUMBER_COUNT = 5000;
const AT_ONCE = 50;

/** All answers for want of memory to packets of one kind, until there is nothing but those. */
async function answers(
  side: BinarySide,
  count: number,
  packet: (number: number) => RequestPacket,
): Promise<Set<string>> {
  const seen = new Set<string>();
  for (let round = 0; round < count; round += AT_ONCE) {
    const packets = Array.from({ length: AT_ONCE }, (_, index) => packet(round + index));
    const { bytes, end } = await side.exchange(sentBytes(packets, new Map()), []);
    assert.equal(end, 'open');
    for (const { status, value, cas } of parseReplies(bytes).packets) {
      if (status === 0) continue;
      assert.equal(status, NO_MEMORY);
      assert.equal(cas, 0n);
      seen.add(value);
    }
  }
  return seen;
}

const put =
  (size: number) =>
  (number: number): RequestPacket => ({
    opcode: number % 2 === 0 ? op.SETQ : op.SET,
    key: `${size} ${number}`,
    extras: words(0, 0),
    value: 'x'.repeat(size),
  });

async function fill(launch: Launch): Promise<void> {
  const server = await startServer(launch);
  const side = await BinarySide.connect(server.port);
  try {
    // The chunks of a large item are taken while it arrives: some are there, some are not.
    assert.deepEqual(
      [...(await answers(side, LARGE_COUNT, put(60_000)))],
      ['Out of memory during read'],
    );
    assert.deepEqual(
      [...(await answers(side, LARGE_COUNT, put(12_000)))],
      ['Out of memory allocating item'],
    );
    const numbers = await answers(side, NUMBER_COUNT, (number) => ({
      opcode: op.INCR,
      key: `${'n'.repeat(240)}${number}`.padEnd(250, '.'),
      extras: deltaExtras(1n, 10n ** 18n, 0),
    }));
    assert.deepEqual([...numbers], ['Out of memory allocating new item']);
  } finally {
    side.client.destroy();
    await server.stop();
  }
}

const oracle = findMemcached() ?? '';

test('memcached says so when it has no memory', { skip: skipWithoutMemcached() }, () =>
  fill(memcached(oracle, FLAGS)),
);
test('we say so in the same words', () => fill(slabcached(FLAGS)));
