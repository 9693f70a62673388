// Clients that people use walk through every command: the npm package memcached, and the tools of
// libmemcached.
import assert from 'node:assert/strict';
import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { after, before, test } from 'node:test';
import Memcached from 'memcached';
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

/** A callback-style call as a promise; the client's typings take callbacks only. */
function call<Result>(start: (done: (error: unknown, data: Result) => void) => void) {
  return new Promise<Result>((resolve, reject) => {
    start((error, data) => (error ? reject(error) : resolve(data)));
  });
}

test('the npm client memcached', async (t) => {
  const client = new Memcached(`127.0.0.1:${server.port}`, { timeout: 10_000, retries: 0 });
  t.after(() => client.end());

  await t.test('stores and reads', async () => {
    assert.equal(await call((done) => client.set('text', 'grüße', 0, done)), true);
    assert.equal(await call((done) => client.get('text', done)), 'grüße');
    assert.equal(await call((done) => client.set('number', 5, 100, done)), true);
    assert.equal(await call((done) => client.get('number', done)), 5);
    assert.equal(await call((done) => client.set('object', { a: [1, 2] }, 0, done)), true);
    assert.deepEqual(await call((done) => client.get('object', done)), { a: [1, 2] });
    const bytes = Buffer.from([0, 13, 10, 255]);
    assert.equal(await call((done) => client.set('bytes', bytes, 0, done)), true);
    assert.deepEqual(await call((done) => client.get('bytes', done)), bytes);
    assert.equal(await call((done) => client.get('missing', done)), undefined);
  });
  await t.test('reads many keys', async () => {
    const found = await call((done) => client.getMulti(['text', 'missing', 'number'], done));
    assert.deepEqual({ ...(found as object) }, { text: 'grüße', number: 5 });
  });
  await t.test('adds, replaces, appends, prepends', async () => {
    await assert.rejects(
      call((done) => client.add('text', 'x', 0, done)),
      /not stored/,
    );
    await assert.rejects(
      call((done) => client.replace('none', 'x', 0, done)),
      /not stored/,
    );
    assert.equal(await call((done) => client.replace('text', 'b', 0, done)), true);
    assert.equal(await call((done) => client.append('text', 'c', done)), true);
    assert.equal(await call((done) => client.prepend('text', 'a', done)), true);
    assert.equal(await call((done) => client.get('text', done)), 'abc');
  });
  await t.test('compares and sets', async () => {
    const seen = (await call((done) => client.gets('text', done))) as { cas: string };
    assert.equal(await call((done) => client.cas('text', 'new', seen.cas, 0, done)), true);
    assert.equal(await call((done) => client.cas('text', 'late', seen.cas, 0, done)), false);
    assert.equal(await call((done) => client.get('text', done)), 'new');
  });
  await t.test('counts', async () => {
    assert.equal(await call((done) => client.incr('number', 7, done)), 12);
    assert.equal(await call((done) => client.decr('number', 100, done)), 0);
    assert.equal(await call((done) => client.incr('none', 1, done)), false);
  });
  await t.test('touches and deletes', async () => {
    await call<void>((done) => client.touch('text', 1000, (error) => done(error, undefined)));
    assert.equal(await call((done) => client.del('text', done)), true);
    assert.equal(await call((done) => client.del('text', done)), false);
  });
  await t.test('asks for version and statistics', async () => {
    const versions = (await call((done) => client.version(done))) as Array<{ version: string }>;
    assert.match(versions[0]?.version ?? '', /^\d+\.\d+\.\d+$/);
    const stats = (await call((done) => client.stats(done))) as Array<Record<string, unknown>>;
    assert.ok(Number(stats[0]?.cmd_get) > 0);
    const settings = (await call((done) => client.settings(done))) as Array<
      Record<string, unknown>
    >;
    assert.equal(settings[0]?.num_threads, 2);
    const slabs = (await call((done) => client.slabs(done))) as unknown[];
    assert.ok(slabs.length > 0);
    const items = (await call((done) => client.items(done))) as unknown[];
    assert.ok(items.length > 0);
  });
  await t.test('flushes', async () => {
    assert.deepEqual(await call((done) => client.flush(done)), [true]);
    assert.equal(await call((done) => client.get('object', done)), undefined);
  });
});

/** Runs a libmemcached tool against the server. */
function tool(name: string, ...args: string[]): SpawnSyncReturns<string> {
  const path = findProgram(name) ?? name;
  const servers = `--servers=127.0.0.1:${server.port}`;
  return spawnSync(path, [servers, ...args], { encoding: 'utf8', timeout: 30_000 });
}

const skip = skipWithoutProgram('memccp', 'libmemcached-tools');

test('the tools of libmemcached', { skip }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'slabcached-tools-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'greeting');
  const large = join(folder, 'large');
  writeFileSync(file, 'hello from a file\n');
  writeFileSync(large, 'x'.repeat(900_000));

  await t.test('memcping', () => assert.equal(tool('memcping').status, 0));
  await t.test('memccp copies files', () => {
    const { status, stderr } = tool('memccp', file, large);
    assert.equal(status, 0, stderr);
  });
  await t.test('memccat prints them', () => {
    assert.equal(tool('memccat', basename(file)).stdout.trimEnd(), 'hello from a file');
    assert.equal(tool('memccat', basename(large)).stdout.trimEnd().length, 900_000);
  });
  await t.test('memcexist finds them', () => {
    assert.equal(tool('memcexist', basename(file)).status, 0);
    assert.notEqual(tool('memcexist', 'nothing').status, 0);
  });
  await t.test('memctouch changes the expiry', () => {
    assert.equal(tool('memctouch', '--expire=1000', basename(file)).status, 0);
  });
  await t.test('memcstat prints statistics', () => {
    const { status, stdout } = tool('memcstat');
    assert.equal(status, 0);
    // memcexist asks by adding an item that has expired already; it may not be gone yet.
    assert.match(stdout, /curr_items: [23]\n/);
    assert.match(stdout, /evictions: 0/);
  });
  await t.test('memcrm removes them', () => {
    assert.equal(tool('memcrm', basename(file)).status, 0);
    assert.notEqual(tool('memcexist', basename(file)).status, 0);
  });
  await t.test('memcflush empties the server', () => {
    assert.equal(tool('memcflush').status, 0);
    assert.notEqual(tool('memcexist', basename(large)).status, 0);
  });
});
