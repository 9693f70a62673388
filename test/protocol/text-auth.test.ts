// A text connection on a server with authentication: nothing but credentials is listened to.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AUTH_CMDS, AUTH_ERRORS, GET_CMDS, sumCounter } from '../../src/cache/counters.ts';
import { tickClock } from '../../src/memory/clock.ts';
import type { AuthOptions } from '../../src/protocol/auth.ts';
import { type CredentialTables, credentialTable } from '../../src/protocol/credentials.ts';
import { FEED_CLOSE, FEED_MORE } from '../../src/protocol/engine.ts';
import { makeEngine, makeMemory, makeStore, Talk } from '../support/cache.ts';
import { feed } from './pieces.ts';

const UNAUTHENTICATED = 'CLIENT_ERROR unauthenticated\r\n';
const FAILURE = 'CLIENT_ERROR authentication failure\r\n';
const TOO_LONG = 'CLIENT_ERROR auth token too long\r\n';
const BAD_FORMAT = 'CLIENT_ERROR bad authentication token format\r\n';
const BAD_END = 'CLIENT_ERROR bad command line termination\r\n';

function tables(...users: readonly string[]): CredentialTables {
  const list = users.map((line) => {
    const [user, password] = line.split(':');
    return { user: Buffer.from(user), password: Buffer.from(password) };
  });
  return { text: credentialTable(list), sasl: null };
}

function options(timeout = 0): AuthOptions {
  return { tables: tables('bob:s3cret', 'ann:two words'), timeout };
}

function connection(auth = options()): Talk {
  return new Talk(makeEngine(makeStore(makeMemory()), { options: { auth } }));
}

/** A `set` with a value, as clients send it. */
function login(value: string, key = 'any'): string {
  return `set ${key} 0 0 ${value.length}\r\n${value}\r\n`;
}

test('both dialects let a client in, which then has every command', () => {
  for (const request of [
    login('bob s3cret'),
    login('ann two words'),
    login('s3cret', 'bob'),
    login('two words', 'ann'),
    'set any 7 -1 10 noreply\r\nbob s3cret\r\n',
    'set any 0 0 10\nbob s3cret\r\n',
  ]) {
    const talk = connection();
    assert.equal(talk.send(request), 'STORED\r\n', request);
    assert.equal(talk.send('get any bob ann\r\n'), 'END\r\n', 'credentials are not stored');
    assert.equal(
      talk.send('set k 0 0 1\r\nx\r\nget k\r\n'),
      'STORED\r\nVALUE k 0 1\r\nx\r\nEND\r\n',
    );
    assert.equal(talk.send(login('bob s3cret')), 'STORED\r\n', 'now it is an item');
    assert.equal(talk.send('get any\r\n'), 'VALUE any 0 10\r\nbob s3cret\r\nEND\r\n');
  }
});

test('wrong credentials do not, and the connection may try again', () => {
  const talk = connection();
  for (const [request, reply] of [
    [login('bob wrong'), FAILURE],
    [login('bob s3cre'), FAILURE],
    [login('bob s3cret '), FAILURE],
    [login(' bob s3cret'), FAILURE],
    [login('bob  s3cret'), FAILURE],
    [login('nobody s3cret'), FAILURE],
    [login('bob '), FAILURE],
    [login(' '), FAILURE],
    [login(''), BAD_FORMAT],
    [login('s3cret', 'nobody'), BAD_FORMAT],
    [login('bob\ts3cret'), BAD_FORMAT],
    [login('s3cre', 'bob'), BAD_FORMAT],
    ['set any 0 0 10\r\nbob s3cretxx', BAD_END],
    ['set any 0 0 10\r\nbob s3cret\n\n', BAD_END],
    ['set any 0 0 16385\r\n', TOO_LONG],
    ['set any 0 0 2147483646\r\n', TOO_LONG],
    ['set any 0 0 4294967306\r\n', TOO_LONG],
  ]) {
    assert.equal(talk.send(request), reply, request);
    assert.equal(talk.send('get k\r\n'), UNAUTHENTICATED);
  }
  assert.equal(talk.send(login('bob s3cret')), 'STORED\r\n');
});

test('no command is carried out before', () => {
  const talk = connection();
  const { engine } = talk;
  const lines = (
    'get k|gets k|gat 0 k|gats 0 k|bget k|set k 0 0|set k 0 0 x|set k 0 0 -1|add k 0 0 1|' +
    'replace k 0 0 1|append k 0 0 1|prepend k 0 0 1|cas k 0 0 1 1|delete k|incr k 1|decr k 1|' +
    'touch k 1|mg k|ms k 1|md k|ma k|mn|me k|flush_all|flush_all noreply|stats|stats settings|' +
    'stats reset|stats cachedump 1 0|stats detail on|stats conns|version|verbosity 2|quit|' +
    'shutdown|watch|cache_memlimit 100|slabs reassign 1 2|lru tune 10 25 0.1 2|' +
    'lru_crawler metadump all|lru_crawler crawl all|extstore|refresh_certs|debugtime 10|' +
    'GET / HTTP/1.1|nonsense|SET k 0 0 1|k 0 0 0 0'
  ).split('|');
  for (const line of lines) {
    assert.equal(talk.send(`${line}\r\n`), UNAUTHENTICATED, line);
    assert.equal(talk.send(`${line}\n`), UNAUTHENTICATED, line);
  }
  assert.equal(talk.closed, false);
  assert.equal(sumCounter(engine.store.memory, GET_CMDS), 0);
  assert.equal(sumCounter(engine.store.memory, AUTH_CMDS), 0, 'none was an attempt');
});

test('bytes of the binary protocol are no way round', () => {
  const talk = connection();
  const get = Buffer.alloc(25, 'k');
  get.fill(0, 1, 24);
  get[0] = 0x80;
  get[3] = 1;
  get[11] = 1;
  assert.equal(talk.send(get), '', 'a line without an end');
  assert.equal(talk.send('\n'), UNAUTHENTICATED);
});

test('an empty line ends the connection', () => {
  for (const input of ['\n\n\n', '\r\n\r\n', '\r\nget k\r\n']) {
    const talk = connection();
    assert.equal(talk.send(input), '');
    assert.equal(talk.closed, true, JSON.stringify(input));
  }
  const talk = connection();
  assert.equal(talk.send('\n\n'), '');
  assert.equal(talk.closed, false, 'too little to judge');
});

test('a line that does not end is not kept for ever', () => {
  const talk = connection();
  assert.equal(talk.send(`get ${'k '.repeat(1000)}`), '');
  assert.equal(talk.closed, false);
  talk.send(' '.repeat(100));
  assert.equal(talk.closed, true, 'not even a get may grow');
});

test('an announced length takes no memory', () => {
  const talk = connection();
  const request = login('x'.repeat(16384));
  let kept = 0;
  for (let at = 0; at < request.length - 1; at++) {
    const step = feed(talk, request.slice(at, at + 1));
    assert.equal(step.result, FEED_MORE);
    kept = Math.max(kept, talk.session.pending?.u8.length ?? 0);
  }
  assert.ok(kept <= 64 * 1024, `${kept} bytes`);
  assert.equal(feed(talk, '\n').output, BAD_FORMAT);
});

test('every way of cutting the input gives the same replies', () => {
  const input = `get k\r\n${login('bob no')}${login('bob s3cret')}get k\r\n`;
  const expected = `${UNAUTHENTICATED}${FAILURE}STORED\r\nEND\r\n`;
  for (let cut = 1; cut < input.length; cut++) {
    const talk = connection();
    assert.equal(talk.send(input.slice(0, cut)) + talk.send(input.slice(cut)), expected);
    assert.equal(talk.closed, false);
  }
});

test('attempts and errors are counted', () => {
  const talk = connection();
  const { memory } = talk.engine.store;
  talk.send(login('bob wrong'));
  talk.send(login('s3cre', 'bob'));
  talk.send(login('bob s3cret'));
  assert.equal(sumCounter(memory, AUTH_CMDS), 3);
  assert.equal(sumCounter(memory, AUTH_ERRORS), 2);
});

test('new credentials count for new connections and leave the others in', () => {
  const engine = makeEngine(makeStore(makeMemory()), { options: { auth: options() } });
  const [inside, outside] = [new Talk(engine), new Talk(engine)];
  assert.equal(inside.send(login('bob s3cret')), 'STORED\r\n');
  outside.send('set any 0 0 10\r\nbob s');
  engine.auth.load(tables('bob:changed'));
  assert.equal(inside.send('get k\r\n'), 'END\r\n');
  assert.equal(outside.send('3cret\r\n'), FAILURE);
  assert.equal(outside.send(login('bob changed')), 'STORED\r\n');
});

test('a connection is overdue when its seconds are over, unless it has authenticated', () => {
  const engine = makeEngine(makeStore(makeMemory()), { options: { auth: options(5) } });
  const [slow, quick] = [new Talk(engine), new Talk(engine)];
  quick.send(login('bob s3cret'));
  tickClock(engine.store.memory, 5000);
  slow.send(login('bob wrong'));
  assert.equal(engine.isOverdue(slow.session), false);
  tickClock(engine.store.memory, 6000);
  assert.equal(engine.isOverdue(slow.session), true, 'a failed attempt gives no more time');
  assert.equal(engine.isOverdue(quick.session), false);
  for (const auth of [options(0), undefined]) {
    const patient = makeEngine(makeStore(makeMemory()), { options: { auth } });
    const { session } = new Talk(patient);
    tickClock(patient.store.memory, 1_000_000);
    assert.equal(patient.isOverdue(session), false);
  }
});

test('what was asked for before a close is answered', () => {
  const talk = connection();
  const step = feed(talk, 'get k\r\n\r\n\r\n');
  assert.equal(step.output, UNAUTHENTICATED);
  assert.equal(step.result, FEED_CLOSE);
});
