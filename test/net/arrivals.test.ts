// Accepted connections on their way to a pump, as descriptors: none is lost, none is left open.
import assert from 'node:assert/strict';
import { openSync, readdirSync } from 'node:fs';
import { connect } from 'node:net';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { connectionsOf, listConnections } from '../../src/memory/connections.ts';
import { type OnDescriptor, takeDescriptors } from '../../src/net/arrivals.ts';
import { Dispatcher } from '../../src/net/dispatcher.ts';
import { listen } from '../../src/net/listener.ts';
import { createServerState } from '../../src/net/state.ts';
import { skipWithoutAddon, theAddon } from '../support/addon.ts';
import { makeMemory } from '../support/cache.ts';
import { TestPump } from '../support/pump.ts';

const EVENT_DATA = 0;
const EVENT_OPEN = 5;
const EVENT_CLOSED = 6;
const COMMAND_SEND = 0;
const STORM = 5000;
const skip = skipWithoutAddon();
const kinds = skip === false ? theAddon().pumpKinds() : [];

/** A listener of the addon's on a free port. */
async function listener(t: TestContext, onDescriptor: OnDescriptor, host = '127.0.0.1') {
  const take = takeDescriptors(theAddon(), onDescriptor);
  const [listening] = await listen({ host, port: 0 }, STORM, take);
  t.after(() => listening.close());
  return listening;
}

function descriptors(): number {
  return readdirSync('/proc/self/fd').length;
}

/** What a client of the port reads until the end of the connection. */
async function heard(port: number, say: string): Promise<string> {
  const client = connect(port, '127.0.0.1');
  client.on('error', () => undefined);
  client.write(say);
  let text = '';
  for await (const data of client) text += data;
  return text;
}

for (const kind of kinds) {
  test(`${kind}: a connection arrives with its slot, its listener and both ends`, async (t) => {
    const pump = new TestPump(t, kind, 64, [EVENT_DATA]);
    const ends: string[] = [];
    const listening = await listener(t, (fd, peer, local) => {
      ends.push(peer, local);
      assert.equal(theAddon().handOver(fd, pump.mailbox, 7, 3), true);
    });
    const client = connect(listening.address.port, '127.0.0.1');
    t.after(() => client.destroy());
    client.write('hello');
    const [open, data] = await pump.take(2);
    assert.deepEqual({ ...open, bytes: '' }, { connection: 7, what: EVENT_OPEN, a: 3, bytes: '' });
    assert.equal(data.connection, 7);
    assert.equal(data.bytes.toString(), 'hello');
    assert.deepEqual(ends, [
      `tcp:127.0.0.1:${client.localPort}`,
      `tcp:127.0.0.1:${listening.address.port}`,
    ]);
    pump.command(7, COMMAND_SEND, Buffer.from('good day'));
    pump.pump.cycle(0, false);
    const answer = new Promise((resolve) => client.once('data', resolve));
    await pump.take(0);
    assert.equal(String(await answer), 'good day');
  });
}

test('epoll: what cannot be served is closed at once, and its slot is free again', {
  skip,
}, async (t) => {
  const pump = new TestPump(t, 'epoll', 64, []);
  const before = descriptors();
  // Files cannot be watched.
  const fd = openSync(fileURLToPath(import.meta.url), 'r');
  assert.equal(theAddon().handOver(fd, pump.mailbox, 9, 2), true);
  const events = await pump.take(2);
  assert.deepEqual(
    events.map(({ connection, what }) => [connection, what]),
    [
      [9, EVENT_OPEN],
      [9, EVENT_CLOSED],
    ],
  );
  assert.equal(descriptors(), before);
});

test('IPv4 on an IPv6 listener is IPv4; IPv6 has its brackets', { skip }, async (t) => {
  const ends: string[] = [];
  const refuse: OnDescriptor = (fd, peer, local) => {
    ends.push(peer.replace(/\d+$/, 'n'), local.replace(/\d+$/, 'n'));
    theAddon().refuse(fd, Buffer.alloc(0));
  };
  const both = await listener(t, refuse, '::');
  assert.equal(await heard(both.address.port, ''), '');
  assert.deepEqual(ends, ['tcp:127.0.0.1:n', 'tcp:127.0.0.1:n']);
  const client = connect(both.address.port, '::1').resume();
  await new Promise((resolve) => client.once('close', resolve));
  assert.deepEqual(ends.slice(2), ['tcp6:[::1]:n', 'tcp6:[::1]:n']);
});

test('who is refused hears why, also when it has been talking', { skip }, async (t) => {
  const listening = await listener(t, async (fd) => {
    await sleep(50);
    theAddon().refuse(fd, Buffer.from('go away\r\n'));
  });
  assert.equal(await heard(listening.address.port, 'set a 0 0 1\r\n'.repeat(1000)), 'go away\r\n');
});

test('a storm of connections loses none', { skip }, async (t) => {
  const before = descriptors();
  const accepted: number[] = [];
  const listening = await listener(t, (fd) => accepted.push(fd));
  const clients: number[] = [];
  for (let made = 0; made < STORM; made++) {
    clients.push(theAddon().connectTcp('127.0.0.1', listening.address.port));
  }
  // Messages and timers of the thread had their turn in between.
  let turns = 0;
  while (accepted.length < STORM) {
    await sleep(0);
    turns++;
  }
  assert.ok(turns >= STORM / 1000, String(turns));
  for (const fd of [...clients, ...accepted]) theAddon().refuse(fd, Buffer.alloc(0));
  listening.close();
  assert.ok(descriptors() <= before + 1);
});

test('what lies in a mailbox is closed with it, and then nothing is taken', { skip }, async (t) => {
  const addon = theAddon();
  const mailbox = addon.openMailbox();
  const answers: boolean[] = [];
  const listening = await listener(t, (fd) => {
    answers.push(addon.handOver(fd, mailbox, 0, 0));
    if (answers.length === 3) addon.closeMailbox(mailbox);
    if (answers.length > 3) addon.refuse(fd, Buffer.from('late'));
  });
  const early = [1, 2, 3].map(() => heard(listening.address.port, ''));
  assert.deepEqual(await Promise.all(early), ['', '', '']);
  assert.equal(await heard(listening.address.port, ''), 'late');
  assert.deepEqual(answers, [true, true, true, false]);
});

test('connections wait for the first worker, and for room', { skip }, async (t) => {
  const memory = makeMemory({ workers: 2 });
  const state = createServerState(2);
  const dispatcher = new Dispatcher({ memory, state, maxConns: 2, fast: false, heldMax: 4 });
  t.after(() => dispatcher.close());
  const sent: number[] = [];
  const refused: number[] = [];
  const arrive = (id: number): void =>
    dispatcher.accept({
      peer: `tcp:peer:${id}`,
      local: 'tcp:local:1',
      send: (worker) => sent.push(id * 10 + worker),
      refuse: () => refused.push(id),
    });
  for (let id = 0; id < 3; id++) arrive(id);
  assert.deepEqual([sent, state.held()], [[], 3]);
  dispatcher.restore(1);
  while (sent.length < 2) await sleep(1);
  assert.deepEqual(sent, [1, 11]);
  assert.deepEqual(connectionsOf(memory, 1).length, 2);
  assert.deepEqual(
    listConnections(memory).map(({ peer }) => peer),
    ['tcp:peer:0', 'tcp:peer:1'],
  );
  for (let id = 3; id < 8; id++) arrive(id);
  assert.deepEqual([refused, state.held()], [[6, 7], 4]);
  dispatcher.close();
  assert.deepEqual(refused, [6, 7, 2, 3, 4, 5]);
});
