// Connections that come as descriptors, to a whole server: storms, limits, deaths, no descriptors.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { skipWithoutAddon, theAddon } from '../support/addon.ts';
import { CLI } from '../support/process.ts';
import { TestPump } from '../support/pump.ts';
import { Client, type Launched, launch, pause, scratch, waitFor } from './launch.ts';

const EVENT_DATA = 0;
const EVENT_END = 1;
const EVENT_BROKEN = 2;
const COMMAND_SEND = 0;
const STORM = 5000;
const skip = skipWithoutAddon();
const kinds = skip === false ? theAddon().pumpKinds() : [];

function start(t: TestContext, kind: string, flags: string[], socket?: string): Promise<Launched> {
  return launch(t, ['-o', `transport=${kind}`, ...flags], socket);
}

function descriptors(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

/** Waits until nobody else is connected. */
async function isAlone(client: Client, server: Launched): Promise<void> {
  const alone = async () => (await client.stat('curr_connections')) === '1';
  assert.equal(await waitFor(alone, server.ended), true);
}

/** How many descriptors of a process are of each kind. */
function inventory(pid: number): Record<string, number> {
  const kinds: Record<string, number> = {};
  for (const fd of readdirSync(`/proc/${pid}/fd`)) {
    try {
      const kind = readlinkSync(`/proc/${pid}/fd/${fd}`).replace(/:?\[\d+\]$/, '');
      kinds[kind] = (kinds[kind] ?? 0) + 1;
    } catch {
      // Closed meanwhile.
    }
  }
  return kinds;
}

for (const kind of kinds) {
  test(`${kind}: 5,000 connects at once are all served`, async (t) => {
    const server = await start(t, kind, ['-c', '6000', '-b', '5000']);
    const pump = new TestPump(t, 'epoll', STORM, [EVENT_DATA]);
    for (let id = 0; id < STORM; id++) {
      pump.pump.adopt(theAddon().connectTcp('127.0.0.1', server.port), id);
      pump.command(id, COMMAND_SEND, Buffer.from('version\r\n'));
    }
    const answered = new Set<number>();
    while (answered.size < STORM) {
      const [event] = await pump.take(1);
      assert.ok(event.what !== EVENT_END && event.what !== EVENT_BROKEN, String(event.connection));
      if (event.what !== EVENT_DATA) continue;
      assert.equal(event.bytes.toString(), 'VERSION 1.6.45\r\n');
      answered.add(event.connection);
    }
    const client = new Client(t, server.port);
    assert.equal(await client.stat('curr_connections'), String(STORM + 1));
    assert.equal(Number((await client.stat('rejected_connections')) ?? 0), 0);
  });

  test(`${kind}: a worker that dies while connections arrive leaves nothing open`, async (t) => {
    const server = await start(t, kind, []);
    const { pid = 0 } = server.child;
    // One for each worker, so that both have opened what they keep open.
    const first = [new Client(t, server.port), new Client(t, server.port)];
    for (const client of first) await client.ask('version\r\n', '\r\n');
    first[1].socket.destroy();
    await isAlone(first[0], server);
    const before = inventory(pid);
    for (let round = 1; round <= 3; round++) {
      const clients: Client[] = [];
      server.child.send({ kill: round % 2 });
      for (let made = 0; made < 200; made++) {
        clients.push(new Client(t, server.port));
        if (made % 20 === 0) await pause(1);
      }
      // Each is served, or was lost with the worker that had it.
      const answers = clients.map((client) =>
        client.ask('version\r\n', '\r\n').catch(() => assert.ok(client.isClosed)),
      );
      await Promise.all(answers);
      for (const client of clients) client.socket.destroy();
      const replaced = () => server.stderr().split('is replaced').length > round;
      assert.equal(await waitFor(replaced, server.ended), true);
    }
    first[0].socket.destroy();
    const last = [new Client(t, server.port), new Client(t, server.port)];
    for (const client of last) await client.ask('version\r\n', '\r\n');
    last[1].socket.destroy();
    await isAlone(last[0], server);
    assert.deepEqual(inventory(pid), before);
  });

  test(`${kind}: all workers serve the unix socket`, async (t) => {
    const path = join(scratch(t), 'socket');
    const server = await start(t, kind, ['-t', '2', '-a', '770'], path);
    const clients = Array.from({ length: 8 }, () => new Client(t, path));
    for (const [i, client] of clients.entries()) {
      await client.ask(`set key${i} 0 0 1\r\n${i}\r\n`, 'STORED\r\n');
    }
    const conns = await clients[0].ask('stats conns\r\n', 'END\r\n');
    assert.equal(conns.split(`:addr unix:${path}\r\n`).length, 9, conns);
    server.child.send({ kill: 0 });
    const half = () => clients.filter((client) => client.isClosed).length === 4;
    assert.equal(await waitFor(half, server.ended), true);
    // The socket was never closed: whoever comes meanwhile is served.
    assert.match(await new Client(t, path).ask('get key5\r\n', 'END\r\n'), /^VALUE/);
    assert.equal(clients.filter((client) => client.isClosed).length, 4);
  });

  test(`${kind}: without descriptors connections wait, and the server has time`, async (t) => {
    const script = 'ulimit -n 100; exec "$0" "$@"';
    const flags = ['-m', '16', '-t', '2', '-c', '90', '-l', '127.0.0.1', '-p', '-1'];
    const command = [process.execPath, CLI, ...flags, '-o', `transport=${kind}`];
    const child = spawn('sh', ['-c', script, ...command], { stdio: ['ignore', 'ignore', 'pipe'] });
    const ended = new Promise((resolve) => child.once('close', resolve));
    t.after(async () => {
      child.kill('SIGKILL');
      await ended;
    });
    let stderr = '';
    child.stderr.on('data', (data) => {
      stderr += data;
    });
    assert.equal(await waitFor(() => /port (\d+)/.test(stderr), ended), true, stderr);
    const port = Number(/port (\d+)/.exec(stderr)?.[1]);
    // Both workers have opened what they need.
    for (const early of [new Client(t, port), new Client(t, port)]) {
      await early.ask('version\r\n', '\r\n');
    }
    const clients = Array.from({ length: 83 }, () => new Client(t, port));
    const served = new Set<Client>();
    for (const client of clients) {
      client.ask('version\r\n', '\r\n').then(
        () => served.add(client),
        () => undefined,
      );
    }
    const full = () => descriptors(child.pid ?? 0) >= 100;
    assert.equal(await waitFor(full, ended), true);
    const ticks = cpuTicks(child.pid ?? 0);
    await pause(500);
    // Spinning would take one tick per 10 ms.
    assert.ok(cpuTicks(child.pid ?? 0) - ticks < 25);
    assert.ok(served.size < clients.length, String(served.size));
    while (served.size < clients.length) {
      for (const client of served) client.socket.destroy();
      await pause(10);
    }
  });
}

/** Processor time of a process so far, in ticks of 10 ms. */
function cpuTicks(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1].split(' ');
  return Number(fields[11]) + Number(fields[12]);
}
