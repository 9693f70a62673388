// Listening sockets that are handed over: LISTEN_FDS and LISTEN_PID, as systemd sets them.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { type TestContext, test } from 'node:test';
import { inheritedSockets } from '../../src/server/systemd.ts';
import { CLI, startProcess, TRANSPORT_FLAGS } from '../support/process.ts';
import { Client, launch, waitFor } from './launch.ts';

/** A listening socket of ours, of which the server gets a copy. */
async function listener(t: TestContext): Promise<{ server: Server; fd: number; port: number }> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const { fd } = (server as unknown as { _handle: { fd: number } })._handle;
  return { server, fd, port: (server.address() as { port: number }).port };
}

interface Started {
  readonly child: ChildProcess;
  readonly ended: Promise<unknown>;
  stderr(): string;
}

/** The shell becomes the server, so its own pid is the right one for LISTEN_PID. */
function handOver(t: TestContext, fds: readonly number[], flags: readonly string[]): Started {
  const script = `LISTEN_PID=$$ LISTEN_FDS=${fds.length} exec "$0" "$@"`;
  const command = [process.execPath, CLI, ...TRANSPORT_FLAGS, '-m', '16', '-t', '2', ...flags];
  const child = spawn('sh', ['-c', script, ...command], {
    stdio: ['ignore', 'ignore', 'pipe', ...fds],
  });
  let stderr = '';
  child.stderr?.on('data', (data: Buffer) => {
    stderr += data;
  });
  const ended = once(child, 'close');
  t.after(async () => {
    child.kill('SIGTERM');
    await ended;
  });
  return { child, ended, stderr: () => stderr };
}

test('it serves on them and on nothing else', async (t) => {
  const [first, second] = [await listener(t), await listener(t)];
  const started = handOver(t, [first.fd, second.fd], []);
  first.server.close();
  second.server.close();
  const one = new Client(t, first.port);
  await one.ask('set a 0 0 1\r\nx\r\n', 'STORED\r\n');
  const two = new Client(t, second.port);
  assert.equal(await two.ask('get a\r\n', 'END\r\n'), 'VALUE a 0 1\r\nx\r\nEND\r\n');
  const conns = await one.ask('stats conns\r\n', 'END\r\n');
  const listening = [...conns.matchAll(/STAT (\d+):state conn_listening/g)];
  assert.equal(listening.length, 2);
  for (const { port } of [first, second]) {
    assert.match(conns, new RegExp(`:addr tcp:127.0.0.1:${port}\r\n`));
  }
  started.child.kill('SIGTERM');
  assert.deepEqual(await started.ended, [0, null]);
});

test('a port that is asked for beside them is served too', async (t) => {
  const handed = await listener(t);
  const started = handOver(t, [handed.fd], ['-l', '127.0.0.1', '-p', '-1']);
  handed.server.close();
  const found = () => /listening on port \d+, (\d+)/.test(started.stderr());
  assert.equal(await waitFor(found, started.ended), true);
  const port = Number(/listening on port \d+, (\d+)/.exec(started.stderr())?.[1]);
  for (const each of [handed.port, port]) {
    const version = await new Client(t, each).ask('version\r\n', '\r\n');
    assert.equal(version, 'VERSION 1.6.45\r\n');
  }
});

test('a descriptor of another kind, -s and -d are refused in one sentence', async (t) => {
  const handed = await listener(t);
  const nothing = handOver(t, [process.stdout.fd], []);
  assert.deepEqual(await nothing.ended, [1, null]);
  assert.match(nothing.stderr(), /cannot listen on descriptor 3 \(LISTEN_FDS\): /);
  for (const flags of [['-s', '/tmp/slabcached-none'], ['-d']]) {
    const refused = handOver(t, [handed.fd], flags);
    assert.deepEqual(await refused.ended, [1, null]);
    assert.match(refused.stderr(), new RegExp(`${flags[0]} cannot be used with listening sockets`));
  }
});

test('variables of another process are not its own, and no child sees them', async (t) => {
  const env = { LISTEN_PID: '1', LISTEN_FDS: '2', LISTEN_FDNAMES: 'a:b', OTHER: 'stays' };
  assert.deepEqual(inheritedSockets(env, 2), []);
  assert.deepEqual(env, { OTHER: 'stays' });
  assert.deepEqual(inheritedSockets({ LISTEN_PID: '2', LISTEN_FDS: '2' }, 2), [3, 4]);
  assert.deepEqual(inheritedSockets({ LISTEN_PID: '2', LISTEN_FDS: '0' }, 2), []);
  assert.deepEqual(inheritedSockets({ LISTEN_PID: '3', LISTEN_FDS: 'x' }, 2), []);
  assert.deepEqual(inheritedSockets({ LISTEN_PID: '2' }, 2), []);
  assert.deepEqual(inheritedSockets({}, 2), []);
  process.env.LISTEN_PID = String(process.pid);
  process.env.LISTEN_FDS = '1';
  t.after(() => inheritedSockets(process.env, process.pid));
  const server = await launch(t, []);
  assert.match(await new Client(t, server.port).ask('version\r\n', '\r\n'), /^VERSION/);
});

test('a number of sockets that cannot be ends the start in one sentence', async () => {
  for (const given of ['x', '', '-1', '1.5', '4000000000']) {
    const env = { LISTEN_PID: '2', LISTEN_FDS: given };
    const message = `LISTEN_FDS must be from 0 to 1024, not '${given}'`;
    assert.throws(() => inheritedSockets(env, 2), { name: 'StartError', message });
  }
  const script = 'LISTEN_PID=$$ LISTEN_FDS=many exec "$0" "$@"';
  const command = ['-c', script, process.execPath, CLI, '-p', '-1', '-m', '16'];
  const started = startProcess('sh', command, ['ignore', 'ignore', 'pipe']);
  assert.equal((await started.exited).code, 1);
  assert.match(started.stderr(), /^slabcached: LISTEN_FDS must be from 0 to 1024, not 'many'$/m);
  assert.doesNotMatch(started.stderr(), /listening/);
});
