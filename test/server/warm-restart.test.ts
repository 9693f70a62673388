/**
 * Warm restart from outside: what was stored before a graceful stop is there after the next start,
 * once, and whatever is wrong with the file is said in one line and starts empty.
 */
import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { type TestContext, test } from 'node:test';
import { crc32 } from 'node:zlib';
import { Client, type Launched, launch, pause, run, scratch, waitFor } from './launch.ts';

const LARGE = 'large.'.repeat(40_000);

/** Starts a server with the memory file, and a client for it. */
async function start(
  t: TestContext,
  file: string,
  flags: readonly string[] = [],
): Promise<{ server: Launched; client: Client }> {
  const server = await launch(t, ['-e', file, '-I', '1m', ...flags]);
  // The port is announced before the file is read; an answer means that it has been.
  const client = new Client(t, server.port);
  await client.ask('version\r\n', '\r\n');
  return { server, client };
}

async function stop(server: Launched, signal: NodeJS.Signals): Promise<void> {
  server.child.kill(signal);
  assert.equal(await server.ended, 0, server.stderr());
}

/** A file with one item in it. */
async function makeFile(t: TestContext, flags: readonly string[] = []): Promise<string> {
  const file = `${scratch(t)}/memory`;
  const { server, client } = await start(t, file, flags);
  await client.ask('set old 5 0 3\r\nabc\r\n', 'STORED\r\n');
  await stop(server, 'SIGTERM');
  return file;
}

/** The file with other contents of its description, and the checksum that belongs to them. */
function redescribed(whole: Buffer, change: object): Buffer {
  const end = 32 + whole.readUInt32LE(20);
  const image = { ...JSON.parse(whole.toString('utf8', 32, end)), ...change };
  const description = Buffer.from(JSON.stringify(image));
  const tableEnd = end + whole.readUInt32LE(24) * 20;
  const prefix = Buffer.from(whole.subarray(0, 32));
  prefix.writeUInt32LE(description.length, 20);
  const head = Buffer.concat([description, whole.subarray(end, tableEnd)]);
  prefix.writeUInt32LE(crc32(head, crc32(prefix.subarray(0, 28))), 28);
  return Buffer.concat([prefix, head, whole.subarray(tableEnd)]);
}

/** Starts on a file that cannot be used; it must say why, be empty and work. */
async function startsEmpty(
  t: TestContext,
  file: string,
  reason: RegExp,
  flags: readonly string[] = [],
): Promise<Launched> {
  const { server, client } = await start(t, file, flags);
  assert.match(server.stderr(), reason);
  assert.equal(server.stderr().match(/memory file/g)?.length, 1, server.stderr());
  assert.equal(await client.ask('get old\r\n', '\r\n'), 'END\r\n');
  assert.equal(existsSync(file), false);
  await client.ask('set new 0 0 1\r\nx\r\nget new\r\n', 'END\r\n');
  return server;
}

for (const signal of ['SIGUSR1', 'SIGTERM', 'SIGINT'] as const) {
  test(`what was stored is there after ${signal} and a new start`, async (t) => {
    const file = `${scratch(t)}/memory`;
    const before = await start(t, file);
    assert.match(before.server.stderr(), /memory file .*memory does not exist yet: starting empty/);
    const large = `set large 7 1000 ${LARGE.length}\r\n${LARGE}\r\n`;
    await before.client.ask(`set a 1 0 3\r\none\r\n${large}set n 0 0 2\r\n99\r\n`, 'STORED\r\n');
    await before.client.ask('incr n 1\r\ndelete a\r\nset a 2 0 3\r\ntwo\r\n', 'STORED\r\n');
    const known = await before.client.ask('gets a n large\r\n', 'END\r\n');
    assert.equal(await before.client.stat('memory_file', 'settings'), file);
    await stop(before.server, signal);
    assert.match(before.server.stderr(), /saved: 3 items in \d+\.\d\d s/);
    assert.equal(statSync(file).mode & 0o777, 0o600);
    assert.equal(existsSync(`${file}.tmp`), false);

    // With other flags that do not shape items, and a hash table of another size.
    const after = await start(t, file, ['-t', '3', '-c', '100', '-m', '64', '-o', 'hashpower=12']);
    assert.match(after.server.stderr(), /restored 3 items, \d+\.\d MB, in \d+\.\d\d s/);
    assert.equal(existsSync(file), false);
    assert.equal(await after.client.ask('gets a n large\r\n', 'END\r\n'), known);
    assert.equal(await after.client.stat('curr_items'), '3');
    assert.equal(await after.client.stat('cmd_set'), '0');
    assert.ok(Number(await after.client.stat('uptime')) < 60);
    // The file was used up: after a crash there is none.
    after.server.child.kill('SIGKILL');
    await after.server.ended;
    await startsEmpty(t, file, /does not exist yet: starting empty/);
  });
}

test('items go on to expire while the server is down', async (t) => {
  const file = `${scratch(t)}/memory`;
  const before = await start(t, file);
  const soon = Math.floor(Date.now() / 1000) + 3;
  await before.client.ask(`set a 0 ${soon} 1\r\nx\r\nset b 0 3000 1\r\nx\r\n`, 'STORED\r\n');
  await stop(before.server, 'SIGTERM');
  while (Date.now() / 1000 < soon + 1) await pause(50);
  const after = await start(t, file);
  assert.equal(await after.client.ask('get a b\r\n', 'END\r\n'), 'VALUE b 0 1\r\nx\r\nEND\r\n');
  const left = Number(/HD t(\d+)/.exec(await after.client.ask('mg b t\r\n', '\r\n'))?.[1]);
  assert.ok(left > 2000 && left < 2998, `${left} s left`);
});

test('a client that takes no replies does not keep the file from being written', async (t) => {
  const file = `${scratch(t)}/memory`;
  const before = await start(t, file);
  await before.client.ask(`set large 0 0 ${LARGE.length}\r\n${LARGE}\r\n`, 'STORED\r\n');
  const stalled = new Client(t, before.server.port);
  await stalled.ask('version\r\n', '\r\n');
  stalled.socket.pause();
  stalled.socket.write('get large\r\n'.repeat(200));
  const busy = async (): Promise<boolean> => Number(await before.client.stat('get_hits')) > 1;
  assert.ok(await waitFor(busy, before.server.ended));
  const half = new Client(t, before.server.port);
  half.socket.write('set half 0 0 100000\r\nx');
  await pause(50);
  await stop(before.server, 'SIGTERM');
  assert.match(before.server.stderr(), /cut off/);
  const after = await start(t, file);
  assert.match(after.server.stderr(), /restored 1 items/);
  assert.equal(
    (await after.client.ask('get large half\r\n', 'END\r\n')).length > LARGE.length,
    true,
  );
});

test('a file cut off anywhere starts empty', async (t) => {
  const file = await makeFile(t);
  const whole = readFileSync(file);
  for (const size of [0, 5, 20, 100, whole.length - 1]) {
    writeFileSync(file, whole);
    truncateSync(file, size);
    const reason = size === 0 ? /is none that/ : /memory file .* is cut off: starting empty/;
    const server = await startsEmpty(t, file, reason);
    server.child.kill('SIGKILL');
    await server.ended;
  }
});

test('a file with a changed byte anywhere starts empty', async (t) => {
  const file = await makeFile(t);
  const whole = readFileSync(file);
  const places: readonly [number, RegExp][] = [
    [0, /is none that slabcached has written: starting empty/],
    [16, /has format \d+, not 1: starting empty/],
    [40, /is damaged: starting empty/],
    [whole.length - 1, /is damaged: starting empty/],
  ];
  for (const [place, reason] of places) {
    const changed = Buffer.from(whole);
    changed[place] ^= 0x20;
    writeFileSync(file, changed);
    const server = await startsEmpty(t, file, reason);
    server.child.kill('SIGKILL');
    await server.ended;
  }
});

test('a description that does not make sense starts empty, whatever its checksum', async (t) => {
  const file = await makeFile(t);
  const whole = readFileSync(file);
  for (const change of [{ heads: [[]] }, { flushes: null }, { cas: ['1', 2, 3] }, { clock: -1 }]) {
    writeFileSync(file, redescribed(whole, change));
    const server = await startsEmpty(t, file, /is damaged: starting empty/);
    server.child.kill('SIGKILL');
    await server.ended;
  }
});

test('a file of other flags is refused with their names', async (t) => {
  const refused: readonly [readonly string[], RegExp][] = [
    [['-I', '2m'], /was saved with -I 1048576, not 2097152: starting empty/],
    [['-f', '1.5'], /was saved with -f 1.25, not 1.5: starting empty/],
    [['-n', '96', '-f', '2'], /was saved with -f 1.25, not 2, with -n 48, not 96: starting empty/],
    [['-o', 'slab_chunk_max=16'], /with -o slab_chunk_max 512, not 16: starting empty/],
  ];
  for (const [flags, reason] of refused) {
    const server = await startsEmpty(t, await makeFile(t), reason, flags);
    server.child.kill('SIGKILL');
    await server.ended;
  }
});

test('a file of more memory than there is now is refused', async (t) => {
  const file = `${scratch(t)}/memory`;
  const before = await start(t, file, ['-m', '100']);
  const sets = Array.from({ length: 300 }, (_, n) => `set k${n} 0 0 240000\r\n${LARGE}\r\n`);
  await before.client.ask(`${sets.join('')}version\r\n`, '1.6.45\r\n');
  await stop(before.server, 'SIGTERM');
  await startsEmpty(t, file, /holds \d+ MB, more than -m 8: starting empty/, ['-m', '8']);
});

test('a place where there can be no file is refused before anything starts', async (t) => {
  const folder = scratch(t);
  for (const [path, reason] of [
    [`${folder}/none/memory`, 'no such file or directory'],
    [folder, 'it is not a file'],
  ]) {
    const { code, stderr } = await run(['-p', '0', '-e', path]);
    assert.equal(code, 1);
    assert.match(stderr, new RegExp(`^slabcached: -e ${path} cannot be used: ${reason}\n$`, 'm'));
  }
});

test('a place that -u may not write to is refused, not found out at the end', async (t) => {
  if (process.getuid?.() !== 0) return t.skip('only root can change its identity');
  const folder = `${scratch(t)}/private`;
  mkdirSync(folder, { mode: 0o700 });
  const path = `${folder}/memory`;
  const { code, stderr } = await run(['-p', '-1', '-l', '127.0.0.1', '-u', 'nobody', '-e', path]);
  assert.equal(code, 1);
  assert.match(stderr, /^slabcached: -e .* cannot be used: permission denied$/m);
});

test('a file that cannot be written is said, and ends nothing', async (t) => {
  const folder = `${scratch(t)}/folder`;
  mkdirSync(folder);
  const file = `${folder}/memory`;
  const { server, client } = await start(t, file);
  await client.ask('set a 0 0 1\r\nx\r\n', 'STORED\r\n');
  mkdirSync(`${file}.tmp`);
  await stop(server, 'SIGTERM');
  assert.match(server.stderr(), /memory file .* cannot be written/);
});
