// -c, idle_timeout, and who gets which connection.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Client, launch, pause, waitFor } from './launch.ts';

test('one connection too many is told so and closed', async (t) => {
  const server = await launch(t, ['-c', '2']);
  const first = new Client(t, server.port);
  const second = new Client(t, server.port);
  await first.ask('version\r\n', '\r\n');
  await second.ask('version\r\n', '\r\n');
  const third = new Client(t, server.port);
  await third.closed;
  assert.equal(third.received, 'ERROR Too many open connections\r\n');
  assert.equal(await first.stat('rejected_connections'), '1');
  assert.equal(await first.stat('curr_connections'), '2');
  assert.equal(await first.stat('total_connections'), '2');
  second.socket.destroy();
  const room = async () => (await first.stat('curr_connections')) === '1';
  assert.equal(await waitFor(room, server.ended), true);
  assert.match(await new Client(t, server.port).ask('version\r\n', '\r\n'), /^VERSION/);
});

test('with no_maxconns_fast it waits until another one closes', async (t) => {
  const server = await launch(t, ['-c', '1', '-o', 'no_maxconns_fast']);
  const first = new Client(t, server.port);
  await first.ask('version\r\n', '\r\n');
  const second = new Client(t, server.port);
  const reply = second.ask('version\r\n', '\r\n');
  const waits = async () => (await first.stat('accepting_conns')) === '0';
  assert.equal(await waitFor(waits, server.ended), true);
  assert.equal(await first.stat('listen_disabled_num'), '1');
  assert.equal(await first.stat('rejected_connections'), undefined);
  assert.equal(second.received, '');
  first.socket.destroy();
  assert.match(await reply, /^VERSION/);
  assert.equal(await second.stat('accepting_conns'), '1');
  assert.notEqual(await second.stat('time_in_listen_disabled_us'), '0');
});

test('connections are spread evenly over the workers', async (t) => {
  const server = await launch(t, ['-t', '3']);
  const clients = Array.from({ length: 9 }, () => new Client(t, server.port));
  for (const client of clients) await client.ask('version\r\n', '\r\n');
  // Ending a worker ends its connections and no others, which shows how many it had.
  for (let worker = 0; worker < 3; worker++) {
    const before = clients.filter((client) => client.isClosed).length;
    server.child.send({ kill: worker });
    const died = () => clients.filter((client) => client.isClosed).length >= before + 3;
    assert.equal(await waitFor(died, server.ended), true);
    assert.equal(clients.filter((client) => client.isClosed).length, before + 3);
  }
});

test('an idle connection is closed, one that talks is not', async (t) => {
  const server = await launch(t, ['-o', 'idle_timeout=2']);
  const idle = new Client(t, server.port);
  const busy = new Client(t, server.port);
  await idle.ask('version\r\n', '\r\n');
  while (!idle.isClosed) {
    await busy.ask('version\r\n', '\r\n');
    await pause(300);
  }
  assert.equal(await busy.stat('idle_kicks'), '1');
});

for (const [what, drop] of [
  ['a line', 'x'],
  ['the header of a packet', '\x80'],
]) {
  test(`${what} that comes in drops does not keep a connection open`, async (t) => {
    const server = await launch(t, ['-o', 'idle_timeout=2']);
    const slow = new Client(t, server.port);
    while (!slow.isClosed) {
      slow.socket.write(drop ?? '', 'latin1');
      await pause(300);
    }
    assert.equal(slow.received, '');
    const observer = new Client(t, server.port);
    assert.equal(await observer.stat('idle_kicks'), '1');
  });
}

test('a client that has sent its last byte gets its reply', async (t) => {
  const server = await launch(t, []);
  const client = new Client(t, server.port);
  client.socket.end('set a 0 0 1\r\nx\r\nget a\r\n');
  await client.closed;
  assert.equal(client.received, 'STORED\r\nVALUE a 0 1\r\nx\r\nEND\r\n');
});
