// The binary comparison itself is tested: between two memcacheds it finds nothing, and with a proxy
// in front of one of them that spoils a reply now and then it must find that.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findMemcached, skipWithoutMemcached } from '../support/oracle.ts';
import { memcached } from '../support/server.ts';
import { type Spoil, startProxy } from '../support/tamper.ts';
import { BINARY_RUN_KINDS, compareBinaryAtRandom } from './binary-runs.ts';
import { Coverage } from './coverage.ts';
import type { RunLimits } from './runs.ts';

const skip = skipWithoutMemcached();
const oracle = findMemcached() ?? '';
const LIMITS: RunLimits = {
  milliseconds: 60_000,
  runs: 400,
  seed: 20_260,
  path: undefined,
  replayPath: undefined,
  shrink: false,
};

/** Changes a byte of every n-th piece of replies that begins with these bytes. */
function everyNth(n: number, start: readonly number[], at: number): Spoil {
  let seen = 0;
  return (reply) => {
    if (reply.length <= at || !reply.subarray(0, start.length).equals(Buffer.from(start))) {
      return reply;
    }
    if (++seen % n !== 0) return reply;
    const spoiled = Buffer.from(reply);
    spoiled[at] = (spoiled[at] ?? 0) ^ 1;
    return spoiled;
  };
}

const SET_REPLY = [0x81, 0x01];
const GETK_REPLY = [0x81, 0x0c];
const HEADER_BYTES = 24;

const SPOILS: ReadonlyArray<readonly [string, () => Spoil]> = [
  ['a status', () => everyNth(20, SET_REPLY, 7)],
  ['an opaque', () => everyNth(20, SET_REPLY, 15)],
  ['a cas id', () => everyNth(5, [...SET_REPLY, 0, 0, 0, 0, 0, 0], 23)],
  ['the data type', () => everyNth(20, GETK_REPLY, 5)],
  ['the first byte of a body', () => everyNth(20, GETK_REPLY, HEADER_BYTES)],
  [
    'a connection that is closed',
    () => {
      let seen = 0;
      return (reply) => (++seen % 500 === 0 ? null : reply);
    },
  ],
];

test('two memcacheds show no difference', { skip }, async () => {
  for (const kind of BINARY_RUN_KINDS) {
    const launch = memcached(oracle, [...kind.flags, ...kind.theirFlags]);
    const limits = { ...LIMITS, milliseconds: 1_500 };
    await compareBinaryAtRandom(kind, launch, launch, limits, new Coverage());
  }
});

test('a server that is wrong now and then is found out', { skip }, async (suite) => {
  const kind = BINARY_RUN_KINDS[1];
  assert.ok(kind);
  const launch = memcached(oracle, kind.flags);
  for (const [name, spoil] of SPOILS) {
    await suite.test(name, async () => {
      await assert.rejects(
        compareBinaryAtRandom(kind, launch, launch, LIMITS, new Coverage(), (port) =>
          startProxy(port, spoil()),
        ),
        /Property failed/,
      );
    });
  }
});
