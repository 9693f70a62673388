// Expiry and a delayed flush by the binary protocol as both servers see them, with real seconds:
// everything is stored at once, looked at, and looked at again after more than every exptime used.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import * as op from '../support/opcodes.ts';
import { findMemcached, skipWithoutMemcached } from '../support/oracle.ts';
import { deltaExtras, parseReplies, type RequestPacket, words } from '../support/packets.ts';
import { type Launch, memcached, slabcached, startServer } from '../support/server.ts';
import { sentBytes } from './binary-examples.ts';
import { BinarySide } from './binary-side.ts';

/** Clocks tick in seconds, so an exptime of 3 s is over after 3 to 4 of them. */
const SECONDS = 3;
const WAIT_MS = 5200;

const put = (key: string, exptime: number): RequestPacket => ({
  opcode: op.SETQ,
  key,
  extras: words(0, exptime),
  value: '1',
});

const storing = (soon: number): RequestPacket[] => [
  put('forever', 0),
  put('relative', SECONDS),
  put('absolute', soon),
  put('unsigned', 0xffff_ffff),
  put('touched', 0),
  { opcode: op.TOUCH, key: 'touched', extras: words(SECONDS) },
  put('fetched', 0),
  { opcode: op.GATQ, key: 'fetched', extras: words(SECONDS) },
  put('longer', SECONDS),
  { opcode: op.GATK, key: 'longer', extras: words(0) },
  put('appended', SECONDS),
  { opcode: op.APPENDQ, key: 'appended', value: '1' },
  { opcode: op.INCRQ, key: 'begun', extras: deltaExtras(1n, 5n, SECONDS) },
  { opcode: op.INCRQ, key: 'begun for good', extras: deltaExtras(1n, 5n, 0) },
];

const KEYS = storing(0).flatMap(({ key = '' }, at, all) =>
  all.findIndex((packet) => packet.key === key) === at ? [key] : [],
);

async function found(side: BinarySide): Promise<string[]> {
  const gets = KEYS.map((key) => ({ opcode: op.GETKQ, key }));
  const { bytes } = await side.exchange(sentBytes(gets, new Map()), []);
  return parseReplies(bytes).packets.map(({ key }) => key);
}

async function expiry(launch: Launch): Promise<void> {
  const server = await startServer(launch);
  const side = await BinarySide.connect(server.port);
  try {
    const soon = Math.floor(Date.now() / 1000) + SECONDS;
    await side.exchange(sentBytes(storing(soon), new Map()), []);
    assert.deepEqual(await found(side), KEYS);
    await sleep(WAIT_MS);
    assert.deepEqual(await found(side), ['forever', 'unsigned', 'longer', 'begun for good']);
    const flush = { opcode: op.FLUSH, extras: words(SECONDS) };
    await side.exchange(sentBytes([flush, put('relative', 0)], new Map()), []);
    const all = ['forever', 'relative', 'unsigned', 'longer', 'begun for good'];
    assert.deepEqual(await found(side), all);
    await sleep(WAIT_MS);
    assert.deepEqual(await found(side), []);
    await side.exchange(sentBytes([put('forever', 0)], new Map()), []);
    assert.deepEqual(await found(side), ['forever']);
  } finally {
    side.client.destroy();
    await server.stop();
  }
}

const oracle = findMemcached() ?? '';
const skip = skipWithoutMemcached();

test('what was stored in packets expires in time', { concurrency: true }, async (suite) => {
  const theirs = suite.test('in memcached', { skip }, () => expiry(memcached(oracle)));
  await Promise.all([theirs, suite.test('in ours', () => expiry(slabcached()))]);
});
