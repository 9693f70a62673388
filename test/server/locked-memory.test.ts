// -k: the shared memory is locked as it is touched, and no more of it is touched than without; a
// limit that is too low costs a warning, and neither later memory nor the collector suffers.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { skipWithoutAddon } from '../support/addon.ts';
import { largestMapping } from '../support/mappings.ts';
import { findProgram } from '../support/oracle.ts';
import { CLI } from '../support/process.ts';
import { startServer } from '../support/server.ts';
import { Client, launch } from './launch.ts';

const MEGABYTE = 1024 * 1024;
const CAP_IPC_LOCK = 14n;

const skip = skipWithoutAddon();

/** Whether this process may lock whatever it likes. */
function mayLock(): boolean {
  if (skip !== false) return false;
  const effective = /^CapEff:\s+(\w+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
  return ((BigInt(`0x${effective}`) >> CAP_IPC_LOCK) & 1n) === 1n;
}

const skipLocking = skip || (!mayLock() && 'SKIPPED: this process may not lock memory');

/** Stores 8 MB. */
async function store(client: Client): Promise<void> {
  const value = 'x'.repeat(512 * 1024);
  for (let i = 0; i < 16; i++) {
    await client.ask(`set ${i} 0 0 ${value.length}\r\n${value}\r\n`, 'STORED\r\n');
  }
}

test('with -k memory is locked from when it is used', { skip: skipLocking }, async (t) => {
  // With -u the rights that locking takes are gone by the time the items come.
  const isRoot = process.geteuid?.() === 0;
  for (const flags of [['-k'], ...(isRoot ? [['-k', '-u', 'nobody']] : [])]) {
    const { child, port, stderr } = await launch(t, ['-m', '1024', ...flags]);
    const before = largestMapping(child.pid);
    assert.ok(before.flags.includes('lo'), before.flags.join(' '));
    assert.ok(before.bytes >= 1024 * MEGABYTE, String(before.bytes));
    assert.ok(before.resident < 32 * MEGABYTE, String(before.resident));
    assert.doesNotMatch(stderr(), /-k/);
    await store(new Client(t, port));
    const after = largestMapping(child.pid);
    assert.ok(after.locked - before.locked >= 8 * MEGABYTE, String(after.locked));
  }
});

test('without -k nothing is locked', { skip }, async (t) => {
  const { child } = await launch(t, []);
  const { flags, locked } = largestMapping(child.pid);
  assert.ok(!flags.includes('lo'), flags.join(' '));
  assert.equal(locked, 0);
});

/** Commands in front of a command that take the right and the limit to lock away. */
function unable(): readonly string[] | undefined {
  const limited = ['sh', '-c', 'ulimit -l 64; exec "$@"', 'sh'];
  if (!mayLock()) return limited;
  const setpriv = findProgram('setpriv');
  if (setpriv === undefined) return undefined;
  return [...limited, setpriv, '--bounding-set=-ipc_lock', '--inh-caps=-ipc_lock'];
}

test('where memory may not be locked, -k warns and the server serves', { skip }, async (t) => {
  const [command, ...before] = unable() ?? [];
  if (command === undefined) return t.skip('SKIPPED: needs setpriv');
  const args = [...before, process.execPath, CLI, '-k', '-m', '64', '-t', '2'];
  const server = await startServer({ name: 'slabcached', command, args });
  t.after(() => server.stop());
  await store(new Client(t, server.port));
  const said = server.stderr().match(/^.*-k.*$/gm);
  assert.equal(said?.length, 1, server.stderr());
  assert.match(said[0], /^slabcached: warning: -k: memory is not locked, the limit must be \d+ MB/);
  assert.ok(!largestMapping(server.pid).flags.includes('lo'));
  assert.equal((await server.stop()).code, 0);
});

test('V8 can give memory back while the cache is locked', { skip: skipLocking }, () => {
  const code = `
    import { loadAddon } from ${JSON.stringify(new URL('../../src/net/addon.ts', import.meta.url))};
    loadAddon().lockMemory(new Uint8Array(new SharedArrayBuffer(${64 * MEGABYTE})));
    let objects = Array.from({ length: 300_000 }, (_, i) => ({ i }));
    objects = objects.filter(({ i }) => i % 97 === 0);
    for (let i = 0; i < 3; i++) gc({ type: 'major', flavor: 'last-resort', execution: 'sync' });
    console.log(objects.length, 'are left');`;
  const args = ['--expose-gc', '--input-type=module', '-e', code];
  const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  assert.equal(stdout, '3093 are left\n', stderr);
});
