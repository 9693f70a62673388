// -d: the command returns when the daemon listens, or with the reason why it does not.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { CLI, TRANSPORT_FLAGS } from '../support/process.ts';
import { Client, run, scratch, waitFor } from './launch.ts';

test('-d leaves a server behind that listens already', async (t) => {
  const folder = scratch(t);
  const portFile = join(folder, 'port');
  const parent = spawn(
    process.execPath,
    [CLI, ...TRANSPORT_FLAGS, '-d', '-p', '-1', '-l', '127.0.0.1', '-t', '1', '-P', 'daemon.pid'],
    { cwd: folder, stdio: 'ignore', env: { ...process.env, MEMCACHED_PORT_FILENAME: portFile } },
  );
  const [code] = await once(parent, 'exit');
  assert.equal(code, 0);
  const pidFile = join(folder, 'daemon.pid');
  const pid = Number(readFileSync(pidFile, 'utf8'));
  assert.notEqual(pid, parent.pid);
  t.after(() => {
    if (existsSync(pidFile)) process.kill(pid, 'SIGKILL');
  });
  const port = Number(/^TCP INET: (\d+)$/m.exec(readFileSync(portFile, 'utf8'))?.[1]);
  const client = new Client(t, port);
  assert.equal(await client.stat('pid'), String(pid));
  process.kill(pid, 'SIGTERM');
  await client.closed;
  // The pid file was named relative to a folder that the daemon has left.
  const gone = () => !existsSync(pidFile);
  assert.equal(await waitFor(gone, new Promise((resolve) => setTimeout(resolve, 10_000))), true);
});

test('-d says why the daemon cannot start', async (t) => {
  const socket = join(scratch(t), 'no', 'such', 'folder');
  const { code, stderr } = await run(['-d', '-s', socket]);
  assert.equal(code, 1);
  assert.match(stderr, /^slabcached: cannot listen on .*: no such file or directory\n$/);
});
