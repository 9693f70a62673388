// Random sequences of requests, whole and in fragments, to our server and to the real memcached:
// every reply must be the same, but for what differences.ts allows with a reason.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findMemcached, skipWithoutMemcached } from '../support/oracle.ts';
import { memcached } from '../support/server.ts';
import { Coverage } from './coverage.ts';
import { compareAtRandom, limitsFromEnvironment, ourLaunch, RUN_KINDS } from './runs.ts';

const skip = skipWithoutMemcached();
const oracle = findMemcached() ?? '';
const coverage = new Coverage();

test('random requests are answered as memcached answers them', { skip }, async (suite) => {
  for (const kind of RUN_KINDS) {
    await suite.test(kind.name, async (t) => {
      const limits = limitsFromEnvironment(kind.share);
      const before = coverage.requests;
      const ours = ourLaunch(oracle, kind);
      const theirs = memcached(oracle, [...kind.flags, ...kind.theirFlags]);
      await compareAtRandom(kind, ours, theirs, limits, coverage);
      t.diagnostic(`${coverage.requests - before} requests compared`);
    });
  }
  await suite.test('every kind of reply was seen', (t) => {
    t.diagnostic(coverage.report());
    assert.deepEqual(coverage.missing(), []);
  });
});
