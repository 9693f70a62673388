// Programs that others wrote, talking the binary protocol to our server: the tools of libmemcached,
// and memccapable, which checks a server reply by reply in both protocols.
import assert from 'node:assert/strict';
import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { after, before, test } from 'node:test';
import { findProgram, skipWithoutProgram } from '../support/oracle.ts';
import { type Server, slabcached, startServer } from '../support/server.ts';

let server: Server;
before(async () => {
  server = await startServer(slabcached(['-t', '2']));
});
after(async () => {
  const { code } = await server.stop();
  assert.equal(code, 0);
});

const skip = skipWithoutProgram('memccapable', 'libmemcached-tools');

test('memccapable: all 54 tests pass, text and binary', { skip }, () => {
  const path = findProgram('memccapable') ?? '';
  const args = ['-h', '127.0.0.1', '-p', String(server.port)];
  const { status, stdout } = spawnSync(path, args, { encoding: 'utf8', timeout: 60_000 });
  assert.equal(status, 0, stdout);
  assert.match(stdout, /All tests passed/);
  const passed = (kind: string) => stdout.match(new RegExp(`^${kind}.*\\[pass\\]`, 'gm'))?.length;
  assert.deepEqual([passed('ascii'), passed('binary')], [27, 27], stdout);
});

/** Runs a libmemcached tool against the server. */
function tool(name: string, ...args: string[]): SpawnSyncReturns<string> {
  const path = findProgram(name) ?? name;
  const options = [`--servers=127.0.0.1:${server.port}`, '--binary'];
  return spawnSync(path, [...options, ...args], { encoding: 'utf8', timeout: 30_000 });
}

test('the tools of libmemcached with --binary', { skip }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'slabcached-tools-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'greeting');
  const large = join(folder, 'large');
  writeFileSync(file, 'hello from a file\n');
  writeFileSync(large, 'x'.repeat(900_000));
  const names = [basename(file), basename(large)];

  await t.test('memccp copies files', () => {
    const { status, stderr } = tool('memccp', file, large);
    assert.equal(status, 0, stderr);
  });
  await t.test('memccat prints them', () => {
    const [greeting = '', many = ''] = names;
    assert.equal(tool('memccat', greeting).stdout.trimEnd(), 'hello from a file');
    assert.equal(tool('memccat', many).stdout.trimEnd().length, 900_000);
    assert.equal(tool('memccat', ...names).stdout.trim().length, 18 + 1 + 900_000);
  });
  await t.test('memcexist finds them, by adding an item that is dead already', () => {
    assert.equal(tool('memcexist', names[0] ?? '').status, 0);
    assert.notEqual(tool('memcexist', 'nothing').status, 0);
  });
  await t.test('memctouch changes the expiry', () => {
    assert.equal(tool('memctouch', '--expire=1000', names[0] ?? '').status, 0);
  });
  await t.test('memcstat prints statistics, settings and items', () => {
    const { status, stdout } = tool('memcstat');
    assert.equal(status, 0);
    assert.match(stdout, /cmd_touch: 1\n/);
    assert.match(stdout, /evictions: 0\n/);
  });
  await t.test('memcrm removes them', () => {
    assert.equal(tool('memcrm', names[0] ?? '').status, 0);
    assert.notEqual(tool('memcexist', names[0] ?? '').status, 0);
  });
  await t.test('memcflush empties the server', () => {
    assert.equal(tool('memcflush').status, 0);
    assert.notEqual(tool('memcexist', names[1] ?? '').status, 0);
  });
});
