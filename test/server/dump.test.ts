// Dumps of a full cache through real sockets: to readers that are quick, slow, or gone to sleep.
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { Bulk } from '../support/bulk.ts';
import { Client, type Launched, launch, waitFor } from './launch.ts';

const ITEMS = 100_000;
/** Each takes three bytes in a dump: together more than the buffers of two sockets hold. */
const PERCENTS = '%'.repeat(80);
const key = (n: number): string => `${PERCENTS}${n}`;

async function filled(t: TestContext, flags: readonly string[]): Promise<Launched> {
  const server = await launch(t, ['-m', '64', ...flags]);
  const bulk = await Bulk.open(server.port);
  await bulk.store(0, ITEMS, key, () => 'v');
  bulk.close();
  return server;
}

/** A client that reads the first bytes of a dump and no more. */
async function asleep(t: TestContext, server: Launched): Promise<Client> {
  const sleeper = new Client(t, server.port);
  sleeper.socket.once('data', () => sleeper.socket.pause());
  sleeper.socket.write('lru_crawler metadump all\r\n');
  assert.equal(await waitFor(() => sleeper.received.startsWith('OK\r\n'), sleeper.closed), true);
  return sleeper;
}

test('a slow reader gets all of 100,000 items, and others are served meanwhile', async (t) => {
  const server = await filled(t, ['-t', '1']);
  const other = new Client(t, server.port);
  const reader = new Client(t, server.port);
  await reader.ask('version\r\n', '\r\n');
  reader.socket.pause();
  reader.socket.write('lru_crawler metadump all\r\n');
  let turns = 0;
  const readOn = setInterval(() => {
    reader.socket.resume();
    setImmediate(() => reader.socket.pause());
  }, 2);
  t.after(() => clearInterval(readOn));
  const over = waitFor(() => reader.received.endsWith('END\r\n'), reader.closed);
  let done = false;
  void over.then(() => {
    done = true;
  });
  while (!done) {
    assert.equal(
      await other.ask(`get ${key(turns)}\r\n`, 'END\r\n'),
      `VALUE ${key(turns)} 0 1\r\nv\r\nEND\r\n`,
    );
    turns++;
  }
  assert.equal(await over, true);
  assert.ok(turns > 0, 'others had no turn');
  const found = reader.received.match(/^key=\S+/gm) ?? [];
  assert.equal(found.length, ITEMS);
  assert.equal(new Set(found).size, ITEMS);
});

test('a reader that takes nothing is hung up on, and the next dump may begin', async (t) => {
  const server = await filled(t, ['-o', 'dump_timeout=1']);
  const sleeper = await asleep(t, server);
  const other = new Client(t, server.port);
  const isBusy = async (): Promise<boolean> =>
    (await other.ask('lru_crawler mgdump 63\r\nversion\r\n', '1.6.45\r\n')).startsWith('BUSY');
  assert.equal(await isBusy(), true);
  assert.equal(await waitFor(async () => !(await isBusy()), server.ended), true);
  const whole = await other.ask('lru_crawler mgdump hash\r\n', 'EN\r\n');
  assert.equal(whole.match(/^mg /gm)?.length, ITEMS);
  sleeper.socket.resume();
  await sleeper.closed;
  assert.equal(sleeper.received.endsWith('END\r\n'), false);
});

test('a stop does not wait for a reader that has gone to sleep', async (t) => {
  const server = await filled(t, []);
  await asleep(t, server);
  const other = new Client(t, server.port);
  const asleepAt = Number(await other.stat('uptime'));
  const slept = async (): Promise<boolean> => Number(await other.stat('uptime')) > asleepAt + 2;
  assert.equal(await waitFor(slept, server.ended), true);
  server.child.kill('SIGTERM');
  assert.equal(await server.ended, 0);
  // The limit of a graceful stop, at which everybody would be cut off.
  assert.equal(/are cut off/.test(server.stderr()), false, server.stderr());
});
