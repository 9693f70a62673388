// Random sequences of binary packets, whole and in fragments, alone and between text requests on
// the same keyspace, to our server and to the real memcached: every reply must be the same, but for
// what differences.ts allows with a reason.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findMemcached, skipWithoutMemcached } from '../support/oracle.ts';
import { memcached } from '../support/server.ts';
import { BINARY_RUN_KINDS, compareBinaryAtRandom, missingKinds } from './binary-runs.ts';
import { Coverage } from './coverage.ts';
import { limitsFromEnvironment, ourLaunch } from './runs.ts';

const skip = skipWithoutMemcached();
const oracle = findMemcached() ?? '';
const coverage = new Coverage();

test('random packets are answered as memcached answers them', { skip }, async (suite) => {
  for (const kind of BINARY_RUN_KINDS) {
    await suite.test(kind.name, async (t) => {
      const limits = limitsFromEnvironment(kind.share);
      const before = coverage.requests;
      const ours = ourLaunch(oracle, kind);
      const theirs = memcached(oracle, [...kind.flags, ...kind.theirFlags]);
      await compareBinaryAtRandom(kind, ours, theirs, limits, coverage);
      t.diagnostic(`${coverage.requests - before} requests compared`);
    });
  }
  await suite.test('every kind of reply was seen', (t) => {
    t.diagnostic(coverage.report());
    assert.deepEqual(missingKinds(coverage), []);
  });
});
