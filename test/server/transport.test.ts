// Which transport serves: the best that works, or the one that was asked for, or none and why.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Addon } from '../../src/net/addon.ts';
import { StartError } from '../../src/server/errors.ts';
import { readSettings } from '../../src/server/settings.ts';
import { resolveTransport } from '../../src/server/transport.ts';
import { skipWithoutAddon, theAddon } from '../support/addon.ts';
import { Client, launch, run } from './launch.ts';

/** The transport for these flags, on a system where the addon has these pumps; null is no addon. */
function resolved(flags: readonly string[], kinds: readonly string[] | null): string {
  const addon = kinds === null ? undefined : ({ pumpKinds: () => kinds } as unknown as Addon);
  const transport = resolveTransport(readSettings(flags), () => addon);
  assert.equal(transport.addon !== null, transport.kind !== 'node');
  return transport.kind;
}

const force = (kind: string): string[] => ['-o', `transport=${kind}`];

test('the best one that works is taken', () => {
  assert.equal(resolved([], ['io_uring', 'epoll']), 'io_uring');
  assert.equal(resolved([], ['epoll']), 'epoll');
  assert.equal(resolved([], []), 'node');
  assert.equal(resolved([], null), 'node');
});

test('the one that was asked for is taken', () => {
  for (const kind of ['io_uring', 'epoll', 'node']) {
    assert.equal(resolved(force(kind), ['io_uring', 'epoll']), kind);
  }
  assert.equal(resolved(force('node'), null), 'node');
});

test('what was asked for and does not work is said in one sentence', () => {
  assert.throws(
    () => resolved(force('io_uring'), ['epoll']),
    new StartError('-o transport=io_uring: the system does not let this process use io_uring'),
  );
  assert.throws(
    () => resolved(force('epoll'), null),
    new StartError('-o transport=epoll needs the native addon, which is not installed'),
  );
});

test('an unknown one, or none, ends the start', async () => {
  const unknown = await run(force('kqueue'));
  assert.equal(unknown.code, 1);
  assert.match(unknown.stderr, /^slabcached: -o transport must be .*, not 'kqueue'\n$/);
  const none = await run(['-o', 'transport']);
  assert.equal(none.code, 1);
  assert.equal(none.stderr, 'slabcached: -o transport needs a value\n');
});

const kinds = skipWithoutAddon() === false ? [...theAddon().pumpKinds(), 'node'] : ['node'];

for (const kind of kinds) {
  test(`${kind} is what stats settings and -v say when it serves`, async (t) => {
    const server = await launch(t, [...force(kind), '-v']);
    assert.match(
      server.stderr(),
      new RegExp(`^slabcached: connections are served by ${kind}$`, 'm'),
    );
    const client = new Client(t, server.port);
    assert.equal(await client.stat('transport', 'settings'), kind);
  });
}

test('the start is silent about it without -v', async (t) => {
  const server = await launch(t, []);
  assert.doesNotMatch(server.stderr(), /served by/);
});
