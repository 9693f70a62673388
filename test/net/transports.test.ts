// What every transport does for a protocol, whatever moves its bytes.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import {
  CLOSE_ERROR,
  CLOSE_IDLE,
  CLOSE_NORMAL,
  CLOSE_SHUTDOWN,
} from '../../src/memory/connections.ts';
import { OUTPUT_BYTES } from '../../src/protocol/output.ts';
import { skipWithoutAddon, theAddon } from '../support/addon.ts';
import { type Rig, receive, rig, until, untilStuck } from './letters.ts';

/** Enough full buffers that no socket takes them all. */
const MANY = 400;

const kinds = skipWithoutAddon() === false ? ['node', ...theAddon().pumpKinds()] : ['node'];

for (const kind of kinds) {
  const check = (name: string, body: (it: Rig) => Promise<void>) =>
    test(`${kind}: ${name}`, async (t) => body(await rig(t, kind)));

  check('replies to one read come in order, read after read', async ({ client }) => {
    const socket = await client();
    for (let round = 0; round < 50; round++) {
      socket.write('abc');
      assert.equal(await receive(socket, 3), 'abc');
    }
  });

  check('a client that does not read is not read; others are served', async (it) => {
    const lazy = await it.client();
    lazy.pause();
    lazy.write('B'.repeat(MANY));
    await until(() => it.protocol.sessions.length === 1);
    const [session] = it.protocol.sessions;
    await untilStuck(session);
    const held = session.held.length;
    // More comes than is kept, and another client is served: the lazy one stays where it was.
    lazy.write('a'.repeat(8_000_000));
    const other = await it.client();
    for (let round = 0; round < 20; round++) {
      other.write('z');
      assert.equal(await receive(other, 1), 'z');
    }
    await untilStuck(session);
    assert.ok(session.held.length >= held);
    assert.ok(session.heldMax < 1_000_000, `${session.heldMax} bytes are kept`);
    const expected = MANY * OUTPUT_BYTES + 8_000_000;
    const text = await receive(lazy, expected);
    assert.equal(text.length, expected);
    assert.equal(text.lastIndexOf('B'), MANY * OUTPUT_BYTES - 1);
    assert.equal(text.indexOf('a'), MANY * OUTPUT_BYTES);
  });

  check('a lazy client that goes away is closed once', async ({ protocol, client, told }) => {
    const lazy = await client();
    lazy.pause();
    lazy.write('B'.repeat(MANY));
    await until(() => protocol.sessions.length === 1);
    const [session] = protocol.sessions;
    await untilStuck(session);
    lazy.resetAndDestroy();
    await until(() => told.closedSlots.length === 1);
    assert.equal(session.closed, 1);
    assert.equal(session.closeReason, CLOSE_ERROR);
  });

  check('a session that yields lets the others have a turn, and goes on', async (it) => {
    const greedy = await it.client();
    const modest = await it.client();
    const requests = 60_000;
    await until(() => it.protocol.sessions.length === 2);
    greedy.write('y'.repeat(requests));
    await until(() => it.protocol.sessions.some(({ held }) => held.length > 0));
    modest.write('a');
    assert.equal(await receive(modest, 1), 'a');
    const left = it.protocol.sessions.reduce((sum, { held }) => sum + held.length, 0);
    assert.notEqual(left, 0, 'the greedy one is not through yet');
    assert.equal(await receive(greedy, requests), 'y'.repeat(requests));
  });

  check('of a client that sends faster than it is served little is kept', async (it) => {
    const greedy = await it.client();
    // Each turn serves a thousand requests.
    const requests = `y${'a'.repeat(999)}`.repeat(16_000);
    greedy.write(requests);
    assert.equal(await receive(greedy, requests.length), requests);
    const [{ heldMax }] = it.protocol.sessions;
    assert.ok(heldMax < 300_000, `${heldMax} bytes were kept`);
  });

  check('the reply to the last request is sent before the connection is closed', async (it) => {
    const socket = await it.client();
    socket.write('aaqaa');
    assert.equal(await receive(socket, 1000), 'aaq');
    await until(() => it.told.closedSlots.length === 1);
    assert.deepEqual(it.told.closedSlots, [0]);
    assert.equal(it.protocol.sessions[0].closed, 1);
  });

  check('a large reply is sent before the connection is closed', async ({ client }) => {
    const socket = await client();
    socket.write(`${'B'.repeat(100)}q`);
    assert.equal((await receive(socket, 1e9)).length, 100 * OUTPUT_BYTES + 1);
  });

  check(
    'a client that shuts its side gets what it asked for',
    async ({ client, told, protocol }) => {
      const socket = await client();
      socket.end(`ab${'B'.repeat(MANY)}`);
      assert.equal((await receive(socket, 1e9)).length, 2 + MANY * OUTPUT_BYTES);
      await until(() => told.closedSlots.length === 1);
      assert.equal(protocol.sessions[0].closeReason, CLOSE_NORMAL);
    },
  );

  check('draining closes who waits at once, and others after their replies', async (it) => {
    const { protocol, transport, client, told } = it;
    const idle = await client();
    idle.write('a');
    assert.equal(await receive(idle, 1), 'a');
    const lazy = await client();
    lazy.pause();
    lazy.write('B'.repeat(MANY));
    await until(() => protocol.sessions.length === 2);
    await untilStuck(protocol.sessions[1]);
    const drained = transport.drain();
    await until(() => told.closedSlots.length === 1);
    assert.deepEqual(told.closedSlots, [0]);
    assert.equal((await receive(lazy, 1e9)).length, MANY * OUTPUT_BYTES);
    await drained;
    assert.deepEqual(told.closedSlots, [0, 1]);
    assert.deepEqual(
      protocol.sessions.map(({ closeReason }) => closeReason),
      [CLOSE_SHUTDOWN, CLOSE_SHUTDOWN],
    );
  });

  check('draining cuts off who is only sent to and does not read', async (it) => {
    const { protocol, transport, client } = it;
    const watcher = await client();
    watcher.pause();
    watcher.write('B'.repeat(MANY));
    await until(() => protocol.sessions.length === 1);
    const [session] = protocol.sessions;
    await untilStuck(session);
    session.endless = true;
    session.stalled = true;
    await transport.drain();
    assert.equal(session.closed, 1);
  });

  check('what waits for a connection that is only sent to is sent when poked', async (it) => {
    const { protocol, transport, client } = it;
    const watcher = await client();
    watcher.write('a');
    assert.equal(await receive(watcher, 1), 'a');
    const [session] = protocol.sessions;
    session.held = Buffer.from('abc');
    transport.poke(0);
    transport.poke(1);
    session.endless = true;
    transport.poke(0);
    assert.equal(await receive(watcher, 3), 'abc');
  });

  check('connections that have not authenticated in time are closed', async (it) => {
    const { protocol, transport, client, told } = it;
    const [late, timely] = [await client(), await client()];
    for (const socket of [late, timely]) {
      socket.write('a');
      await receive(socket, 1);
    }
    protocol.sessions[0].overdue = true;
    transport.closeOverdue();
    assert.deepEqual(told.overdue, [0]);
    await once(late.resume(), 'close');
    await until(() => told.closedSlots.length === 1);
    timely.write('a');
    assert.equal(await receive(timely, 1), 'a');
  });

  check('idle connections are closed, busy ones are not', async (it) => {
    const { protocol, transport, client, told } = it;
    const idle = await client();
    const lazy = await client();
    lazy.pause();
    lazy.write('B'.repeat(MANY));
    await until(() => protocol.sessions.length === 2);
    await untilStuck(protocol.sessions[1]);
    transport.closeIdle(60);
    assert.deepEqual(told.kicked, []);
    // A limit below 0 makes everything idle that is not busy.
    transport.closeIdle(-1);
    assert.deepEqual(told.kicked, [0]);
    await once(idle.resume(), 'close');
    await until(() => told.closedSlots.length === 1);
    assert.equal(protocol.sessions[0].closeReason, CLOSE_IDLE);
  });
}
