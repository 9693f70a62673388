// The shutdown command ends the process as the signals do that stand behind it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Client, launch, pause, scratch } from './launch.ts';

for (const line of ['shutdown', 'shutdown graceful']) {
  test(`${line} ends the server with 0, and answers nothing`, async (t) => {
    const server = await launch(t, ['-A']);
    const client = new Client(t, server.port);
    client.socket.write(`set a 0 0 1\r\nx\r\n${line}\r\n`);
    assert.equal(await server.ended, 0);
    await client.closed;
    assert.equal(client.received, 'STORED\r\n');
  });
}

test('a second shutdown does not cut the first one short', async (t) => {
  const file = `${scratch(t)}/memory`;
  const server = await launch(t, ['-A', '-t', '1', '-e', file]);
  const late = new Client(t, server.port);
  await late.ask('set a 0 0 1\r\nx\r\n', 'STORED\r\n');
  const half = new Client(t, server.port);
  await half.ask('version\r\n', '\r\n');
  // Both are in the middle of a request when the server begins to stop.
  half.socket.write('set half 0 0 2\r\nx');
  late.socket.write('shutdow');
  const first = new Client(t, server.port);
  await first.ask('version\r\n', '\r\n');
  await pause(50);
  first.socket.write('shutdown\r\n');
  await first.closed;
  late.socket.write('n\r\n');
  await late.closed;
  await pause(50);
  half.socket.write('y\r\n');
  assert.equal(await server.ended, 0);
  assert.equal(half.received.endsWith('STORED\r\n'), true);
  assert.match(server.stderr(), /saved: 2 items/);
});

test('without -A it is refused', async (t) => {
  const server = await launch(t, []);
  const client = new Client(t, server.port);
  assert.equal(await client.ask('shutdown\r\n', '\r\n'), 'ERROR: shutdown not enabled\r\n');
});

test('debugtime moves the clock of all threads, which goes on from there', async (t) => {
  const server = await launch(t, ['-o', 'test_commands']);
  const clients = [new Client(t, server.port), new Client(t, server.port)];
  for (const client of clients) await client.ask('version\r\n', '\r\n');
  const uptime = async (client: Client): Promise<number> =>
    Number(/uptime (\d+)/.exec(await client.ask('stats\r\n', 'END\r\n'))?.[1]);
  const before = await uptime(clients[0]);
  assert.equal(await clients[0].ask('debugtime 1000\r\n', '\r\n'), 'OK\r\n');
  const after = await uptime(clients[1]);
  assert.ok(after >= before + 1000 && after < before + 1010, `${before} ${after}`);
  while ((await uptime(clients[1])) === after) {}
  assert.ok((await uptime(clients[1])) < after + 10, 'it goes on by seconds');
});

test('-D collects prefixes from the start, by its own delimiter', async (t) => {
  const server = await launch(t, ['-D', '/']);
  const client = new Client(t, server.port);
  await client.ask('set a/b 0 0 1\r\nx\r\n', 'STORED\r\n');
  await client.ask('get a/b\r\n', 'END\r\n');
  assert.equal(
    await client.ask('stats detail dump\r\n', 'END\r\n'),
    'PREFIX a get 1 hit 1 set 1 del 0\r\nEND\r\n',
  );
});
