// dump, load and warm between real servers: every item arrives with its flags and what is left of
// its time to live, whatever its key and size.
import assert from 'node:assert/strict';
import type { StdioOptions } from 'node:child_process';
import { readFileSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { encodeHeader } from '../../src/tools/dump-format.ts';
import { DumpReader } from '../../src/tools/dump-reader.ts';
import { run, scratch, waitFor } from '../server/launch.ts';
import { findMemcached, skipWithoutMemcached } from '../support/oracle.ts';
import { CLI, startProcess } from '../support/process.ts';
import { memcached, type Server, slabcached, startServer } from '../support/server.ts';
import { WireClient } from '../support/wire.ts';
import { fakeCache } from './fake-cache.ts';

const skip = skipWithoutMemcached();
const PLAIN_ITEMS = 1500;
const FLAGS = ['-I', '4m', '-m', '100'];

const base64 = (key: string): string => Buffer.from(key, 'latin1').toString('base64');

/** Keys that the text protocol can name, and what is stored under them. */
const CURIOUS: readonly (readonly [key: string, flags: number, exptime: number, value: string])[] =
  [
    ['k'.repeat(250), 1, 0, 'longest key'],
    ['percent%20key=x', 4294967295, 0, 'flags'],
    ['grüße/\u00ff', 0, 3000, 'not ascii'],
    ['UTF-8:\u00c3\u00a0', 0, 0, 'a byte that JavaScript takes for a space'],
    ['empty', 2, 0, ''],
    ['lines', 0, 0, 'a\r\nEND\r\nb'],
    ['large', 7, Math.floor(Date.now() / 1000) + 40 * 86_400, 'L'.repeat(3_000_000)],
  ];

/** Keys that only base64 can name, or that were named so. */
const BINARY: readonly (readonly [key: string, flags: number, value: string])[] = [
  ['with space\r\n\0\u00ff', 9, 'binary'],
  ['named-in-base64', 0, 'b'],
];

async function start(t: TestContext, ours: boolean): Promise<Server> {
  const launch = ours ? slabcached(FLAGS) : memcached(findMemcached() ?? '', FLAGS);
  const server = await startServer(launch);
  t.after(() => server.stop());
  return server;
}

async function ask(client: WireClient, request: string, end: string): Promise<string> {
  await client.send(Buffer.from(request, 'latin1'));
  const outcome = await client.waitFor((all) => all.toString('latin1').endsWith(end));
  const reply = client.take().toString('latin1');
  assert.equal(outcome, 'done', `${request.slice(0, 50)}: ${reply.slice(0, 200)}`);
  return reply;
}

/** Stores all kinds of items; returns how many. */
async function fill(t: TestContext, server: Server): Promise<number> {
  const client = await WireClient.connect(server.port);
  t.after(() => client.destroy());
  let request = '';
  for (let i = 0; i < PLAIN_ITEMS; i++) {
    request += `set plain-${i} ${i} ${i % 2 === 0 ? 0 : 1000} ${String(i).length}\r\n${i}\r\n`;
  }
  for (const [key, flags, exptime, value] of CURIOUS) {
    request += `set ${key} ${flags} ${exptime} ${value.length}\r\n${value}\r\n`;
  }
  const plain = PLAIN_ITEMS + CURIOUS.length;
  await ask(client, request, 'STORED\r\n'.repeat(plain));
  for (const [key, flags, value] of BINARY) {
    await ask(client, `ms ${base64(key)} ${value.length} b F${flags}\r\n${value}\r\n`, 'HD\r\n');
  }
  return plain + BINARY.length;
}

/** The expiry of each listed key of a real memcached, seconds since 1970. */
async function expiries(client: WireClient): Promise<ReadonlyMap<string, number>> {
  const list = await ask(client, 'lru_crawler metadump all\r\n', 'END\r\n');
  const lines = list.matchAll(/^key=(\S+) exp=(-?\d+)/gm);
  return new Map([...lines].map(([, key, exp]) => [key, Number(exp)]));
}

async function check(t: TestContext, server: Server): Promise<void> {
  const client = await WireClient.connect(server.port);
  t.after(() => client.destroy());
  for (const i of [0, 1, 700, PLAIN_ITEMS - 1]) {
    const value = `VALUE plain-${i} ${i} ${String(i).length}\r\n${i}\r\nEND\r\n`;
    assert.equal(await ask(client, `get plain-${i}\r\n`, 'END\r\n'), value);
  }
  for (const [key, flags, , value] of CURIOUS) {
    const expected = `VALUE ${key} ${flags} ${value.length}\r\n${value}\r\nEND\r\n`;
    const reply = await ask(client, `get ${key}\r\n`, expected);
    assert.ok(reply === expected, key);
  }
  for (const [key, flags, value] of BINARY) {
    const expected = `VA ${value.length} f${flags} k${base64(key)} b\r\n${value}\r\n`;
    assert.equal(await ask(client, `mg ${base64(key)} b f k v\r\n`, '\r\n'), expected);
  }
}

async function tool(...args: string[]): Promise<string> {
  const { code, stderr } = await run(args);
  assert.equal(code, 0, stderr);
  return stderr;
}

test('a dump of memcached, loaded into another', { skip }, async (t) => {
  const source = await start(t, false);
  const target = await start(t, false);
  const count = await fill(t, source);
  const file = join(scratch(t), 'dump');
  const from = ['dump', '--from', `127.0.0.1:${source.port}`, '--out', file];
  const to = ['load', '--to', `127.0.0.1:${target.port}`, '--in', file];
  assert.match(await tool(...from), new RegExp(`^slabcached dump: ${count} items `));
  assert.match(await tool(...to), new RegExp(`${count} items .* read, ${count} stored\n$`));
  await check(t, target);
  const there = await expiries(await WireClient.connect(source.port));
  const here = await expiries(await WireClient.connect(target.port));
  assert.deepEqual([...here.keys()].sort(), [...there.keys()].sort());
  for (const [key, expiry] of there) {
    assert.ok(Math.abs((here.get(key) ?? 0) - expiry) <= 2, `${key}: ${here.get(key)}, ${expiry}`);
  }

  await t.test('a second load leaves what is there', async () => {
    assert.match(await tool(...to), new RegExp(` 0 stored, ${count} were there already\n$`));
  });
  await t.test('unless it is told to overwrite', async () => {
    assert.match(await tool(...to, '--overwrite'), new RegExp(` ${count} stored\n$`));
  });
  await t.test('a file is not overwritten', async () => {
    const { code, stderr } = await run(from);
    assert.deepEqual([code, stderr.endsWith('the file exists\n')], [1, true], stderr);
  });
  await t.test('an interrupted dump can be loaded, and goes on', async () => {
    const whole = readFileSync(file).length;
    truncateSync(file, whole - 400);
    const { code, stderr } = await run(to);
    assert.equal(code, 2, stderr);
    assert.match(stderr, /the dump had been interrupted/);
    assert.match(await tool(...from, '--resume'), /^slabcached dump: \d+ items .* from before/);
    assert.equal(readFileSync(file).length, whole);
    assert.match(await tool(...to, '--overwrite'), new RegExp(` ${count} stored\n$`));
    assert.match(await tool(...from, '--resume'), /is complete already\n$/);
  });
});

test('a dump that was killed goes on where it was', { skip }, async (t) => {
  const source = await start(t, false);
  const count = await fill(t, source);
  const file = join(scratch(t), 'dump');
  const args = ['dump', '--from', `127.0.0.1:${source.port}`, '--out', file];
  const stdio: StdioOptions = ['ignore', 'ignore', 'pipe'];
  const killed = startProcess(process.execPath, [CLI, ...args, '--rate', '1000'], stdio);
  const size = (): number => statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  assert.ok(await waitFor(() => size() > 10_000, killed.exited), killed.stderr());
  killed.child.kill('SIGKILL');
  await killed.exited;
  const told = await tool(...args, '--resume');
  const [, added, before] = /: (\d+) items .* written to (\d+) from before/.exec(told) ?? [];
  assert.ok(Number(before) > 0, told);
  assert.equal(Number(added) + Number(before), count, told);
  const keys = new Set<string>();
  const reader = await DumpReader.open(file);
  for await (const { key } of reader.items()) keys.add(key.toString('latin1'));
  assert.deepEqual([keys.size, reader.isComplete], [count, true]);
});

test('memcached warms slabcached, at a bounded rate', { skip }, async (t) => {
  const source = await start(t, false);
  const target = await start(t, true);
  const count = await fill(t, source);
  const args = ['--from', `127.0.0.1:${source.port}`, '--to', `127.0.0.1:${target.port}`];
  const rate = 3000;
  const told = await tool('warm', ...args, '--rate', String(rate), '--rate-bytes', '0');
  assert.match(told, new RegExp(`${count} items .* read, ${count} stored\n$`));
  const seconds = Number(/ in ([\d.]+) s /.exec(told)?.[1]);
  // A tenth of a second may be made up for, and the time is told in tenths.
  assert.ok(seconds >= count / rate - 0.2, told);
  await check(t, target);
});

test('slabcached is dumped, and warms another', async (t) => {
  const source = await start(t, true);
  const count = await fill(t, source);
  const file = join(scratch(t), 'dump');
  const from = ['--from', `127.0.0.1:${source.port}`];
  assert.match(await tool('dump', ...from, '--out', file), new RegExp(`: ${count} items `));
  const target = await start(t, true);
  const to = ['--to', `127.0.0.1:${target.port}`];
  assert.match(await tool('load', ...to, '--in', file), new RegExp(` ${count} stored\n$`));
  await check(t, target);
  const told = await tool('warm', ...from, ...to, '--overwrite', '--rate', '0');
  assert.match(told, new RegExp(`${count} items .* read, ${count} stored\n$`));
  await check(t, target);
});

test('items that the target refuses are counted, and named by its first reply', {
  skip,
}, async (t) => {
  const source = await start(t, false);
  const launch = memcached(findMemcached() ?? '', ['-I', '1m', '-m', '100']);
  const target = await startServer(launch);
  t.after(() => target.stop());
  const count = await fill(t, source);
  const args = ['--from', `127.0.0.1:${source.port}`, '--to', `127.0.0.1:${target.port}`];
  const { code, stderr } = await run(['warm', ...args]);
  assert.equal(code, 2, stderr);
  assert.match(stderr, new RegExp(` ${count - 1} stored\n`));
  assert.match(stderr, /1 items were refused, .*: SERVER_ERROR object too large for cache\n$/);
});

/** What a tool says whose stdin stays open; it must not wait for more of it. */
async function withOpenStdin(t: TestContext, args: string[], input: Buffer): Promise<string> {
  const stdio: StdioOptions = ['pipe', 'pipe', 'pipe'];
  const { child, exited, stderr } = startProcess(process.execPath, [CLI, ...args], stdio);
  t.after(() => child.kill('SIGKILL'));
  child.stdin?.on('error', () => undefined);
  child.stdin?.write(input);
  assert.equal((await exited).code, 1, stderr());
  return stderr();
}

test('a tool ends when it has failed, whatever stays open around it', async (t) => {
  const { address } = await fakeCache(t, () => 'CLIENT_ERROR unauthenticated\r\n');
  const where = address.shown;
  const { code, stderr } = await run(['dump', '--from', where, '--out', join(scratch(t), 'x')]);
  assert.deepEqual([code, /unauthenticated/.test(stderr)], [1, true], stderr);
  const to = ['load', '--to', where];
  assert.match(await withOpenStdin(t, to, Buffer.alloc(100)), /stdin is not a dump/);
  const told = await withOpenStdin(t, ['load', '--to', '127.0.0.1:1'], encodeHeader(0));
  assert.match(told, /cannot connect to 127\.0\.0\.1:1/);
});

test('what cannot be done is one sentence and exit code 1', async (t) => {
  const file = join(scratch(t), 'none');
  for (const args of [
    ['dump', '--from', '127.0.0.1:1', '--out', file],
    ['load', '--to', '127.0.0.1:1', '--in', file],
    ['warm', '--from', file, '--to', file],
    ['warm', '--sideways'],
  ]) {
    const { code, stdout, stderr } = await run(args);
    assert.deepEqual([code, stdout], [1, ''], args.join(' '));
    assert.match(stderr, new RegExp(`^slabcached ${args[0]}: [^\n]+\n$`));
  }
});
