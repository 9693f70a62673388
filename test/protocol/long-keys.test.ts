/**
 * Checks a multi-get in which a key is too long: one error instead of all values, but the keys
 * before it have been looked up, and every statistic says so.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { freshTalk, hangUp } from './pieces.ts';

const LONG = 'x'.repeat(251);
const REFUSED = 'CLIENT_ERROR bad command line format\r\n';

test('the keys before the long one are counted, also by prefix', () => {
  const talk = freshTalk();
  talk.send('stats detail on\r\nset p:1 0 0 1\r\na\r\n');
  assert.equal(talk.send(`get p:1 p:2 ${LONG} p:3\r\n`), REFUSED);
  assert.equal(talk.send('stats detail dump\r\n'), 'PREFIX p get 2 hit 1 set 1 del 0\r\nEND\r\n');
  assert.match(talk.send('stats\r\n'), /STAT get_hits 1\r\nSTAT get_misses 1\r\n/);
  hangUp(talk);
});

test('a gat before the long key has given its item a new exptime', () => {
  const talk = freshTalk();
  assert.equal(talk.send('set a 0 0 1\r\na\r\nset b 0 0 1\r\nb\r\n'), 'STORED\r\nSTORED\r\n');
  assert.equal(talk.send(`gat -1 a ${LONG} b\r\n`), REFUSED);
  assert.equal(talk.send('get a b\r\n'), 'VALUE b 0 1\r\nb\r\nEND\r\n');
  hangUp(talk);
});

test('a key of 250 bytes is served, wherever it stands', () => {
  const talk = freshTalk();
  const key = 'k'.repeat(250);
  talk.send(`set ${key} 0 0 1\r\na\r\n`);
  const value = `VALUE ${key} 0 1\r\na\r\n`;
  assert.equal(talk.send(`get ${key} x ${key}\r\n`), `${value}${value}END\r\n`);
});
