/**
 * The native pumps when things come together that seldom do: each of these once led to bytes that
 * were not the connection's, or to something that was never given back.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { addon, CLOSE, checksOf, DESTROY, KINDS, PAUSE, RESUME, SEND_SLAB } from './pump-driver.ts';

const MEGABYTE = 1024 * 1024;
/** A few more than a cycle of EVENTS_MAX can report. */
const CROWD = 20;
const EVENTS_MAX = 4;

for (const kind of KINDS) {
  const check = checksOf(kind);

  check(
    'a send that blocks is told of in its own cycle, whatever else happens',
    async (pump) => {
      const slow = await pump.client();
      slow.socket.pause();
      const crowd = await pump.arrivals(CROWD);
      assert(pump.turn().length > 1);
      for (let part = 0; part < 12; part++) pump.command(slow.id, SEND_SLAB, 0, MEGABYTE);
      const events = pump.turn();
      // Else the slab would be written over while it is still being sent.
      assert(events.some(({ what, connection }) => what === 'blocked' && connection === slow.id));
      pump.flush();
      for (const { id } of crowd) await pump.until((event) => event.connection === id);
      for (const { socket } of [slow, ...crowd]) socket.destroy();
    },
    EVENTS_MAX,
  );

  check('what is sent before destroy goes to its own connection', async (pump) => {
    const { socket, id } = await pump.client();
    socket.write('x');
    await pump.bytes(id, 1);
    pump.command(id, PAUSE);
    pump.flush();
    // Until nothing is armed for it any more.
    await new Promise((resolve) => setTimeout(resolve, 50));
    pump.send(id, Buffer.from('farewell'));
    pump.command(id, DESTROY);
    pump.flush();
    const [data] = await once(socket, 'data');
    assert.equal(data.toString(), 'farewell');
    await pump.until(({ what }) => what === 'closed');
  });

  check('what was destroyed cannot be brought back to life', async (pump) => {
    const { socket, id } = await pump.client();
    socket.pause();
    for (let part = 0; part < 12; part++) pump.command(id, SEND_SLAB, 0, MEGABYTE);
    pump.flush();
    await pump.until(({ what }) => what === 'blocked');
    pump.flush();
    pump.command(id, PAUSE);
    pump.command(id, DESTROY);
    pump.command(id, RESUME);
    pump.send(id, Buffer.from('?'));
    pump.command(id, CLOSE);
    pump.flush();
    await pump.until(({ what }) => what === 'closed');
    pump.flush();
    assert.equal(pump.reported.length, 0);
    socket.destroy();
  });

  test(`${kind}: a pump that is forgotten closes before its memory is freed`, async () => {
    assert(addon !== undefined);
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const mailbox = addon.openMailbox();
    const before = readdirSync('/proc/self/fd').length;
    makeAndForget(kind, mailbox, 4 * MEGABYTE);
    assert(readdirSync('/proc/self/fd').length > before);
    while (readdirSync('/proc/self/fd').length > before) {
      collect();
      await new Promise((resolve) => setImmediate(resolve));
    }
    addon.closeMailbox(mailbox);
  });

  test(`${kind}: memory that is too small is refused`, () => {
    assert(addon !== undefined);
    const mailbox = addon.openMailbox();
    assert.throws(() => makeAndForget(kind, mailbox, 4096), /no room for what comes in/);
    addon.closeMailbox(mailbox);
  });
}

/** A pump that nobody refers to, but which is not closed. */
function makeAndForget(kind: string, mailbox: number, inputBytes: number): void {
  assert(addon !== undefined);
  const memory = {
    input: new Uint8Array(inputBytes),
    output: new Uint8Array(8),
    slab: new Uint8Array(8),
    events: new Int32Array(64),
    commands: new Int32Array(64),
  };
  new addon.Pump(kind, mailbox, 1, memory, () => undefined);
}
