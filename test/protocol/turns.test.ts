/** Checks that a connection with many requests lets others have their turn, as -R says. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CONN_YIELDS, sumCounter } from '../../src/cache/counters.ts';
import { FEED_FULL, FEED_MORE, FEED_YIELD } from '../../src/protocol/engine.ts';
import { feed, freshTalk, hangUp, resume, secondTalk } from './pieces.ts';

/** What the engines of these tests are made with. */
const REQUESTS_PER_EVENT = 20;
const VERSION = 'VERSION 1.6.45\r\n';

test('exactly as many requests as allowed need no second turn', () => {
  const talk = freshTalk();
  const step = feed(talk, 'version\r\n'.repeat(REQUESTS_PER_EVENT));
  assert.deepEqual(step, { result: FEED_MORE, output: VERSION.repeat(REQUESTS_PER_EVENT) });
  assert.equal(sumCounter(talk.engine.store.memory, CONN_YIELDS), 0);
});

test('more requests take as many turns as they need, counted as conn_yields', () => {
  const talk = freshTalk();
  let step = feed(talk, 'version\r\n'.repeat(2 * REQUESTS_PER_EVENT + 1));
  assert.deepEqual(step, { result: FEED_YIELD, output: VERSION.repeat(REQUESTS_PER_EVENT) });
  step = resume(talk);
  assert.deepEqual(step, { result: FEED_YIELD, output: VERSION.repeat(REQUESTS_PER_EVENT) });
  step = resume(talk);
  assert.deepEqual(step, { result: FEED_MORE, output: VERSION });
  assert.equal(sumCounter(talk.engine.store.memory, CONN_YIELDS), 2);
  assert.match(talk.send('stats\r\n'), /^STAT conn_yields 2\r$/m);
  hangUp(talk);
});

test('another connection is served between the turns, and the requests stay in order', () => {
  const busy = freshTalk();
  const other = secondTalk(busy);
  busy.send('set n 0 0 1\r\n0\r\n');
  assert.equal(feed(busy, 'incr n 1\r\n'.repeat(30)).result, FEED_YIELD);
  assert.equal(other.send('get n\r\nset n 0 0 3\r\n500\r\n').split('\r\n')[1], '20');
  const expected = Array.from({ length: 10 }, (_, index) => `${501 + index}\r\n`).join('');
  assert.deepEqual(resume(busy), { result: FEED_MORE, output: expected });
});

test('half a request at the end of a turn is kept', () => {
  const talk = freshTalk();
  const full = 'version\r\n'.repeat(REQUESTS_PER_EVENT);
  assert.equal(feed(talk, `${full}set k 0 0 3\r\nab`).result, FEED_YIELD);
  assert.deepEqual(resume(talk), { result: FEED_MORE, output: '' });
  assert.deepEqual(feed(talk, 'c\r\nget k\r\n'), {
    result: FEED_MORE,
    output: 'STORED\r\nVALUE k 0 3\r\nabc\r\nEND\r\n',
  });
  hangUp(talk);
});

test('a full output stops a connection before its turn ends', () => {
  const talk = freshTalk();
  const value = 'v'.repeat(30_000);
  talk.send(`set k 0 0 30000\r\n${value}\r\n`);
  const reply = `VALUE k 0 30000\r\n${value}\r\nEND\r\n`;
  let step = feed(talk, 'get k\r\n'.repeat(7));
  assert.equal(step.result, FEED_FULL);
  let replies = step.output;
  while (step.result === FEED_FULL) {
    step = resume(talk);
    replies += step.output;
  }
  assert.equal(replies, reply.repeat(7));
  assert.equal(step.result, FEED_MORE);
});
