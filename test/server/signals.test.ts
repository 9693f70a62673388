// How the server ends.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { Client, launch, pause, scratch, waitFor } from './launch.ts';

for (const signal of ['SIGTERM', 'SIGINT', 'SIGUSR1'] as const) {
  test(`${signal} ends it with 0, and connections with a FIN`, async (t) => {
    const server = await launch(t, []);
    const client = new Client(t, server.port);
    await client.ask('set a 0 0 1\r\nx\r\n', 'STORED\r\n');
    server.child.kill(signal);
    assert.equal(await server.ended, 0);
    await client.closed;
    const late = connect(server.port, '127.0.0.1');
    const [error] = (await once(late, 'error')) as [NodeJS.ErrnoException];
    assert.equal(error.code, 'ECONNREFUSED');
  });
}

test('SIGTERM lets a reply that is under way finish', async (t) => {
  const server = await launch(t, []);
  const writer = new Client(t, server.port);
  const value = 'v'.repeat(1000_000);
  await writer.ask(`set big 0 0 ${value.length}\r\n${value}\r\n`, 'STORED\r\n');
  // Not read until the server has been told to stop, so most of it is still with the server.
  const reader = new Client(t, server.port);
  await reader.ask('version\r\n', '\r\n');
  reader.socket.pause();
  reader.socket.write('get big\r\n'.repeat(16));
  await pause(200);
  server.child.kill('SIGTERM');
  await writer.closed;
  const before = reader.received.length;
  reader.socket.resume();
  await reader.closed;
  const reply = `VALUE big 0 ${value.length}\r\n${value}\r\nEND\r\n`;
  assert.equal(reader.received.length - before >= reply.length, true);
  assert.equal(reader.received.endsWith('END\r\n'), true, 'the last reply is whole');
  assert.equal(await server.ended, 0);
});

test('SIGTERM lets a value that is under way arrive and be answered', async (t) => {
  const server = await launch(t, []);
  const idle = new Client(t, server.port);
  await idle.ask('version\r\n', '\r\n');
  const writer = new Client(t, server.port);
  writer.socket.write('set a 0 0 10\r\n01234');
  await pause(200);
  server.child.kill('SIGTERM');
  await idle.closed;
  writer.socket.write('56789\r\n');
  await writer.closed;
  assert.equal(writer.received, 'STORED\r\n');
  assert.equal(await server.ended, 0);
});

test('a second signal ends it at once', async (t) => {
  const server = await launch(t, []);
  const writer = new Client(t, server.port);
  const value = 'v'.repeat(1000_000);
  await writer.ask(`set big 0 0 ${value.length}\r\n${value}\r\n`, 'STORED\r\n');
  const stuck = new Client(t, server.port);
  await stuck.ask('version\r\n', '\r\n');
  stuck.socket.pause();
  stuck.socket.write('get big\r\n'.repeat(64));
  await pause(200);
  server.child.kill('SIGTERM');
  await writer.closed;
  assert.equal(server.child.exitCode, null, 'it waits for the reader');
  server.child.kill('SIGTERM');
  assert.equal(await server.ended, 1);
});

test('SIGHUP is survived', async (t) => {
  const server = await launch(t, []);
  server.child.kill('SIGHUP');
  await pause(100);
  const client = new Client(t, server.port);
  assert.match(await client.ask('version\r\n', '\r\n'), /^VERSION /);
});

test('the pid file is there while it runs', async (t) => {
  const pidFile = join(scratch(t), 'pid');
  const server = await launch(t, ['-P', pidFile]);
  assert.equal(await waitFor(() => existsSync(pidFile), server.ended), true);
  assert.equal(readFileSync(pidFile, 'utf8'), `${server.child.pid}\n`);
  server.child.kill('SIGTERM');
  await server.ended;
  assert.equal(existsSync(pidFile), false);
});
