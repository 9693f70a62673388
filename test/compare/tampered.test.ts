// The comparison itself is tested: between two memcacheds it finds nothing, and with a proxy in
// front of one of them that spoils a reply now and then it must find that, whatever is spoiled.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findMemcached, skipWithoutMemcached } from '../support/oracle.ts';
import { memcached } from '../support/server.ts';
import { type Spoil, startProxy } from '../support/tamper.ts';
import { Coverage } from './coverage.ts';
import { compareAtRandom, RUN_KINDS, type RunLimits } from './runs.ts';

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

/** Replaces `from` by `to` in every n-th piece of replies that has it. */
function everyNth(n: number, from: RegExp, to: string): Spoil {
  let seen = 0;
  return (reply) => {
    const text = reply.toString('latin1');
    if (!from.test(text)) return reply;
    seen += 1;
    return seen % n === 0 ? Buffer.from(text.replace(from, to), 'latin1') : reply;
  };
}

const SPOILS: ReadonlyArray<readonly [string, () => Spoil]> = [
  ['one STORED in 1000 becomes NOT_STORED', () => everyNth(1000, /STORED\r\n/, 'NOT_STORED\r\n')],
  ['one value in 300 loses a byte', () => everyNth(300, /(VALUE [^\r]*\r\n.)./s, '$1')],
  ['one cas id in 100 is another one', () => everyNth(100, /(VALUE \S+ \d+ \d+ )\d/, '$19')],
  ['client flags once become 1', () => everyNth(300, /(VALUE \S+ )0 /, '$11 ')],
  ['one ERROR in 500 is a CLIENT_ERROR', () => everyNth(500, /^ERROR\r\n/m, 'CLIENT_ERROR x\r\n')],
  ['cmd_get is one too high', () => everyNth(1, /(STAT cmd_get )(\d)/, '$11$2')],
  [
    'one connection in 1000 replies is closed',
    () => {
      let seen = 0;
      return (reply) => (++seen % 1000 === 0 ? null : reply);
    },
  ],
];

test('two memcacheds show no difference', { skip }, async () => {
  for (const kind of RUN_KINDS) {
    const launch = memcached(oracle, [...kind.flags, ...kind.theirFlags]);
    const limits = { ...LIMITS, milliseconds: 2_000 };
    await compareAtRandom(kind, launch, launch, limits, new Coverage());
  }
});

test('a server that is wrong now and then is found out', { skip }, async (suite) => {
  // Small items without background threads: the kind of run with the strictest comparison.
  const kind = RUN_KINDS[1];
  assert.ok(kind);
  const launch = memcached(oracle, kind.flags);
  for (const [name, spoil] of SPOILS) {
    await suite.test(name, async () => {
      await assert.rejects(
        compareAtRandom(kind, launch, launch, LIMITS, new Coverage(), (port) =>
          startProxy(port, spoil()),
        ),
        /Property failed/,
      );
    });
  }
});
