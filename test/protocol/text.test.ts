/** Lines that are nearly right: what memcached 1.6.18 was seen to answer to each. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeEngine, makeMemory, makeStore, Talk } from '../support/cache.ts';

const E = 'ERROR\r\n';
const FORMAT = 'CLIENT_ERROR bad command line format\r\n';
const CHUNK = 'CLIENT_ERROR bad data chunk\r\n';
const EXPTIME = 'CLIENT_ERROR invalid exptime argument\r\n';
const DELTA = 'CLIENT_ERROR invalid numeric delta argument\r\n';
const USAGE = 'CLIENT_ERROR bad command line format.  Usage: delete <key> [noreply]\r\n';
const S = 'STORED\r\n';
const LONG = 'k'.repeat(251);

/** Requests to a server that holds `k` = `5`, and the replies. */
const CASES: readonly [string, string][] = [
  ['\r\n', E],
  ['\n', E],
  ['g\r\n', E],
  ['get\r\n', E],
  ['get \r\n', E],
  ['GET k\r\n', E],
  ['get\tk\r\n', E],
  ['get k\n', 'VALUE k 0 1\r\n5\r\nEND\r\n'],
  ['get k\r\r\n', 'END\r\n'],
  ['  get   k  \r\n', 'VALUE k 0 1\r\n5\r\nEND\r\n'],
  ['get k\0junk\r\n', 'VALUE k 0 1\r\n5\r\nEND\r\n'],
  ['get k noreply\r\n', 'VALUE k 0 1\r\n5\r\nEND\r\n'],
  [`get ${LONG}\r\n`, FORMAT],
  [`get k ${LONG}\r\n`, FORMAT],
  ['x y HTTP/1.1\r\n', E],
  ['get HTTP/1.1\r\n', 'END\r\n'],
  ['gat\r\n', E],
  ['gat 1\r\n', 'END\r\n'],
  ['gat x k\r\n', EXPTIME],
  ['set k 0 0 1 nope\r\n6\r\n', S],
  ['set k 0 0 1 2\r\n6\r\n', S],
  ['set k 0 0 1 noreply x\r\n6\r\n', E + E],
  ['set k 4294967299 0 1\r\n6\r\nget k\r\n', `${S}VALUE k 3 1\r\n6\r\nEND\r\n`],
  ['set k 18446744073709551616 0 1\r\n', FORMAT],
  ['set k -1 0 1\r\n', FORMAT],
  ['set k +5 0 1\r\n6\r\nget k\r\n', `${S}VALUE k 5 1\r\n6\r\nEND\r\n`],
  ['set k 5\tx 0 1\r\n6\r\nget k\r\n', `${S}VALUE k 5 1\r\n6\r\nEND\r\n`],
  ['set k 0 4294967296 1\r\n6\r\nget k\r\n', `${S}VALUE k 0 1\r\n6\r\nEND\r\n`],
  ['set k 0 4294967295 1\r\n6\r\nget k\r\n', `${S}END\r\n`],
  ['set k 0 2147483648 1\r\n6\r\nget k\r\n', `${S}END\r\n`],
  ['set k 0 0 -1\r\n', FORMAT],
  ['set k 0 0 2147483647\r\n', FORMAT],
  ['set k 0 0 x\r\nab\r\n', FORMAT + E],
  ['set k 0 0 3\r\nab\r\nversion\r\n', CHUNK + E],
  ['set k 0 0 1\r\n6\nversion\r\n', `${CHUNK}${E}`],
  ['set k 0 0 1 noreply\r\nab\r\n', E],
  ['set k 0 0 x noreply\r\nget k\r\n', 'VALUE k 0 1\r\n5\r\nEND\r\n'],
  [`set ${LONG} 0 0 1 noreply\r\nget k\r\n`, 'VALUE k 0 1\r\n5\r\nEND\r\n'],
  ['cas k 0 0 1 0\r\n6\r\n', 'EXISTS\r\n'],
  ['cas none 0 0 1 0\r\n6\r\n', 'NOT_FOUND\r\n'],
  ['cas k 0 0 1 x\r\n', FORMAT],
  ['cas k 0 0 1 -1\r\n', FORMAT],
  ['cas k 0 0 1\r\n6\r\n', E + E],
  ['delete k 0\r\n', 'DELETED\r\n'],
  ['delete k 0 noreply\r\nget k\r\n', 'END\r\n'],
  ['delete k 1\r\n', USAGE],
  ['delete k 0 0\r\n', USAGE],
  ['delete k noreply 0\r\n', USAGE],
  ['delete k 0 0 0\r\n', E],
  ['delete k 1 noreply\r\nget k\r\n', 'VALUE k 0 1\r\n5\r\nEND\r\n'],
  ['incr k -1\r\n', DELTA],
  ['incr k 18446744073709551616\r\n', DELTA],
  ['incr k 18446744073709551615\r\n', '4\r\n'],
  ['decr k 9\r\n', '0\r\n'],
  ['incr none x\r\n', DELTA],
  ['incr k\r\n', E],
  [`incr ${LONG} 1\r\n`, FORMAT],
  ['set n 0 0 2\r\n10\r\ndecr n 5\r\nget n\r\n', `${S}5\r\nVALUE n 0 2\r\n5 \r\nEND\r\n`],
  ['set n 0 0 2\r\n+5\r\nincr n 1\r\nget n\r\n', `${S}6\r\nVALUE n 0 2\r\n6 \r\nEND\r\n`],
  ['touch k x\r\n', EXPTIME],
  ['touch k 100 x\r\n', 'TOUCHED\r\n'],
  ['touch k\r\n', E],
  ['touch none 1\r\n', 'NOT_FOUND\r\n'],
  ['flush_all x\r\n', EXPTIME],
  ['flush_all 1 2\r\n', 'OK\r\n'],
  ['flush_all x noreply\r\n', ''],
  ['flush_all noreply 5\r\n', EXPTIME],
  ['flush_all 1 2 3\r\n', E],
  ['verbosity\r\n', E],
  ['verbosity x\r\n', FORMAT],
  ['verbosity 0 0\r\n', 'OK\r\n'],
  ['verbosity 0 0 0\r\n', E],
  ['version x y\r\n', 'VERSION 1.6.45\r\n'],
  ['stats detail\r\n', 'CLIENT_ERROR usage: stats detail on|off|dump\r\n'],
  ['stats reset x\r\n', 'RESET\r\n'],
  ['stats cachedump 1\r\n', 'CLIENT_ERROR bad command line\r\n'],
  ['stats cachedump 64 1\r\n', 'CLIENT_ERROR Illegal slab id\r\n'],
  ['stats sizes_enable\r\n', 'STAT sizes_status enabled\r\n'],
];

function open(): Talk {
  const talk = new Talk(makeEngine(makeStore(makeMemory({ hashPowerInit: 6 }))));
  assert.equal(talk.send('set k 0 0 1\r\n5\r\n'), S);
  return talk;
}

for (const [request, reply] of CASES) {
  test(JSON.stringify(request).slice(0, 70), () => {
    assert.equal(open().send(request), reply);
  });
}

test('a carriage return alone waits for the line to end', () => {
  const talk = open();
  assert.equal(talk.send('\r'), '');
  assert.equal(talk.send('\n'), E);
});

test('a value too large is swallowed, and refused only then; a set takes the old one with it', () => {
  const talk = open();
  assert.equal(talk.send(`set k 0 0 2000000\r\n${'x'.repeat(1_999_999)}`), '');
  assert.equal(talk.send('x\r\n'), 'SERVER_ERROR object too large for cache\r\n');
  assert.equal(talk.send('get k\r\n'), 'END\r\n');
});

test('quit closes after the replies before it; what follows is not served', () => {
  const talk = open();
  assert.equal(talk.send('get none\r\nquit\r\nversion\r\n'), 'END\r\n');
  assert.equal(talk.closed, true);
});

test('a browser that got lost is cut off without a word', () => {
  const talk = open();
  assert.equal(talk.send('GET / HTTP/1.1\r\nHost: x\r\n\r\n'), '');
  assert.equal(talk.closed, true);
});
