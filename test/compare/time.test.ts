// Expiry and delayed flushes as both servers see them, with real seconds: everything is stored at
// once, looked at, and looked at again after a wait that is longer than every exptime used.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { findMemcached, skipWithoutMemcached } from '../support/oracle.ts';
import { type Launch, memcached, slabcached } from '../support/server.ts';
import { Side } from './session.ts';

/** Clocks tick in seconds, so an exptime of 3 s is over after 3 to 4 of them. */
const SECONDS = 3;
const WAIT_MS = 5200;

const STORE = [
  'set forever 0 0 1\r\na\r\n',
  `set relative 0 ${SECONDS} 1\r\na\r\n`,
  'set absolute 0 <soon> 1\r\na\r\n',
  'set far 0 1000 1\r\na\r\n',
  'set touched 0 0 1\r\na\r\n',
  `touch touched ${SECONDS}\r\n`,
  'set gat 0 0 1\r\na\r\n',
  `gat ${SECONDS} gat\r\n`,
  `set longer 0 ${SECONDS} 1\r\na\r\n`,
  'touch longer 0\r\n',
  `set appended 0 ${SECONDS} 1\r\na\r\n`,
  'append appended 0 0 1\r\nb\r\n',
  `set number 0 ${SECONDS} 1\r\n9\r\n`,
  'incr number 1\r\n',
  `set added 0 ${SECONDS} 1\r\na\r\n`,
  'add added 0 0 1\r\nb\r\n',
].join('');
const STORED =
  `${'STORED\r\n'.repeat(5)}TOUCHED\r\nSTORED\r\nVALUE gat 0 1\r\na\r\nEND\r\nSTORED\r\n` +
  'TOUCHED\r\n' +
  'STORED\r\nSTORED\r\nSTORED\r\n10\r\nSTORED\r\nNOT_STORED\r\n';

const LOOK = 'get forever relative absolute far touched gat longer appended number added\r\n';
const one = (key: string, value = 'a') => `VALUE ${key} 0 ${value.length}\r\n${value}\r\n`;
const EARLY = `${['forever', 'relative', 'absolute', 'far', 'touched', 'gat', 'longer']
  .map((k) => one(k))
  .join('')}${one('appended', 'ab')}${one('number', '10')}${one('added')}END\r\n`;
const LATE = `${one('forever')}${one('far')}${one('longer')}END\r\n`;
const AFTER_EXPIRY = 'add relative 0 0 1\r\nn\r\nreplace touched 0 0 1\r\nn\r\nincr number 1\r\n';

async function ask(side: Side, request: string): Promise<string> {
  return (await side.exchange(Buffer.from(request), [])).bytes.toString('latin1');
}

async function expiry(launch: Launch): Promise<void> {
  const side = await Side.start(launch);
  try {
    const soon = Math.floor(Date.now() / 1000) + SECONDS;
    assert.equal(await ask(side, STORE.replace('<soon>', String(soon))), STORED);
    assert.equal(await ask(side, LOOK), EARLY);
    await sleep(WAIT_MS);
    assert.equal(await ask(side, LOOK), LATE);
    assert.equal(await ask(side, AFTER_EXPIRY), 'STORED\r\nNOT_STORED\r\nNOT_FOUND\r\n');
  } finally {
    await side.stop();
  }
}

async function delayedFlush(launch: Launch): Promise<void> {
  const side = await Side.start(launch);
  try {
    const before = 'set old 0 0 1\r\na\r\nflush_all 3\r\nset young 0 0 1\r\na\r\nget old young\r\n';
    const kept = `${one('old')}${one('young')}END\r\n`;
    assert.equal(await ask(side, before), `STORED\r\nOK\r\nSTORED\r\n${kept}`);
    await sleep(WAIT_MS);
    assert.equal(await ask(side, 'get old young\r\n'), 'END\r\n');
    const after = 'set new 0 0 1\r\na\r\nget new\r\n';
    assert.equal(await ask(side, after), `STORED\r\n${one('new')}END\r\n`);
    await sleep(1500);
    assert.equal(await ask(side, 'get new\r\n'), `${one('new')}END\r\n`);
  } finally {
    await side.stop();
  }
}

const oracle = findMemcached() ?? '';
const skip = skipWithoutMemcached();

test('items expire in time', { concurrency: true }, async (suite) => {
  const theirs = suite.test('in memcached', { skip }, () => expiry(memcached(oracle)));
  await Promise.all([theirs, suite.test('in ours', () => expiry(slabcached()))]);
});

test('a delayed flush_all happens in time', { concurrency: true }, async (suite) => {
  const theirs = suite.test('in memcached', { skip }, () => delayedFlush(memcached(oracle)));
  await Promise.all([theirs, suite.test('in ours', () => delayedFlush(slabcached()))]);
});
