// Random sequences of requests, whole and in fragments, to our server and to the real memcached:
// text and meta commands, binary packets, and all of them on one keyspace, under every flag that
// changes replies. Every reply must be the same, but for what differences.ts allows with a reason.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { findMemcached, skipWithoutMemcached } from '../support/oracle.ts';
import { BINARY_RUN_KINDS, compareBinaryAtRandom, missingKinds } from './binary-runs.ts';
import { Coverage, describeCounts } from './coverage.ts';
import { flagKinds } from './flag-kinds.ts';
import {
  compareAtRandom,
  limitsFromEnvironment,
  ourLaunch,
  RUN_KINDS,
  theirLaunch,
} from './runs.ts';

const skip = skipWithoutMemcached();
const oracle = findMemcached() ?? '';
const coverage = new Coverage();

test('random requests are answered as memcached answers them', { skip }, async (suite) => {
  const folder = mkdtempSync(join(tmpdir(), 'slabcached-random-'));
  suite.after(() => rmSync(folder, { recursive: true }));
  const text = RUN_KINDS.map((kind) => ({ protocols: 'text' as const, ...kind }));
  const kinds = [...text, ...BINARY_RUN_KINDS, ...flagKinds(folder)];
  let differing = 0;
  for (const kind of kinds) {
    await suite.test(kind.name, { skip: kind.skip ?? false }, async (t) => {
      const limits = limitsFromEnvironment(kind.share);
      const before = { ...coverage.requests };
      const [ours, theirs] = [ourLaunch(oracle, kind), theirLaunch(oracle, kind)];
      const { protocols } = kind;
      differing += 1;
      if (protocols === 'text') await compareAtRandom(kind, ours, theirs, limits, coverage);
      else await compareBinaryAtRandom({ ...kind, protocols }, ours, theirs, limits, coverage);
      differing -= 1;
      t.diagnostic(`${describeCounts(coverage.requests, before)} requests compared`);
    });
  }
  await suite.test('every kind of reply was seen', (t) => {
    t.diagnostic(coverage.report());
    assert.deepEqual([...coverage.missing(), ...missingKinds(coverage)], []);
  });
  const verdict = differing === 0 ? 'no difference' : `differences in ${differing} runs`;
  suite.diagnostic(`${describeCounts(coverage.requests)} requests compared, ${verdict}`);
});
