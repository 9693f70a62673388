// What makes a comparison trustworthy: between two memcacheds it finds nothing, and with a proxy in
// front of one of them that spoils a reply now and then it must find that, whatever is spoiled.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findMemcached, skipWithoutMemcached } from '../support/oracle.ts';
import { type Launch, memcached } from '../support/server.ts';
import { type Spoil, startProxy } from '../support/tamper.ts';
import { Coverage } from './coverage.ts';
import type { RunKind, RunLimits } from './runs.ts';
import type { Between } from './session.ts';

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

/** A way of spoiling replies, by what it does. */
export type NamedSpoil = readonly [name: string, make: () => Spoil];

/** Closes the connection instead of every n-th piece of replies. */
export function closeEvery(n: number): Spoil {
  let seen = 0;
  return (reply) => (++seen % n === 0 ? null : reply);
}

/** Compares at random until a difference or the end of the limits. */
export type Compare<Kind> = (
  kind: Kind,
  ours: Launch,
  theirs: Launch,
  limits: RunLimits,
  coverage: Coverage,
  between?: Between,
) => Promise<void>;

/**
 * The two tests of a comparison. Replies are spoiled in `kinds[1]`, small items without background
 * threads: the kind of run with the strictest comparison.
 */
export function testComparison<Kind extends RunKind>(
  compare: Compare<Kind>,
  kinds: readonly Kind[],
  spoils: readonly NamedSpoil[],
  milliseconds: number,
): void {
  test('two memcacheds show no difference', { skip }, async () => {
    for (const kind of kinds) {
      const launch = memcached(oracle, [...kind.flags, ...kind.theirFlags]);
      await compare(kind, launch, launch, { ...LIMITS, milliseconds }, new Coverage());
    }
  });

  test('a server that is wrong now and then is found out', { skip }, async (suite) => {
    const kind = kinds[1];
    assert.ok(kind);
    const launch = memcached(oracle, kind.flags);
    for (const [name, spoil] of spoils) {
      await suite.test(name, async () => {
        await assert.rejects(
          compare(kind, launch, launch, LIMITS, new Coverage(), (port) =>
            startProxy(port, spoil()),
          ),
          /Property failed/,
        );
      });
    }
  });
}
