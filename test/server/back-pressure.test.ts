// Clients that ask for much and read nothing must not make the server grow.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { Client, launch, pause } from './launch.ts';

const MEGABYTE = 1024 * 1024;

/** Resident memory of a process, bytes. */
function resident(pid: number | undefined): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024;
}

test('a flood from clients that never read stays within a bound', async (t) => {
  const server = await launch(t, ['-t', '1']);
  const writer = new Client(t, server.port);
  const value = 'v'.repeat(900_000);
  await writer.ask(`set big 0 0 ${value.length}\r\n${value}\r\n`, 'STORED\r\n');
  for (let i = 0; i < 20; i++) await writer.ask('get big\r\n', 'END\r\n');
  const before = resident(server.child.pid);
  const lazy = Array.from({ length: 20 }, () => new Client(t, server.port));
  // Together they ask for 18 GB; each has sent all of it that the server was willing to take.
  for (const client of lazy) {
    await client.ask('version\r\n', '\r\n');
    client.socket.pause();
    client.socket.write('get big\r\n'.repeat(1000));
  }
  for (let round = 0; round < 10; round++) {
    await pause(100);
    assert.match(await writer.ask('version\r\n', '\r\n'), /^VERSION/, 'others are served');
  }
  // A connection may hold one output buffer and one saved input, 64 KB each; the rest is room for
  // the collector.
  const grown = resident(server.child.pid) - before;
  assert.ok(grown < 64 * MEGABYTE, `grew by ${Math.round(grown / MEGABYTE)} MB`);
});
