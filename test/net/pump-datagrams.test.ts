// Datagrams through a pump: bursts, sizes, both families, and senders that cannot be answered.
import assert from 'node:assert/strict';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { type TestContext, test } from 'node:test';
import { PumpDatagrams } from '../../src/net/pump-datagrams.ts';
import type { ByteProtocol } from '../../src/net/transport.ts';
import { probePort } from '../../src/net/udp.ts';
import { FEED_MORE } from '../../src/protocol/engine.ts';
import { skipWithoutAddon, theAddon } from '../support/addon.ts';
import { datagram } from '../support/datagrams.ts';
import { TestPump } from '../support/pump.ts';
import { QuietProtocol } from '../support/quiet-protocol.ts';

const EVENT_CLOSED = 6;
const EVENT_DATAGRAM = 7;
const COMMAND_DESTROY = 3;
const COMMAND_DATAGRAM = 6;
const SLOT = 5;
const HEADER_BYTES = 8;
const origin = { protocol: 'auto', transport: 'udp' } as const;
const skip = skipWithoutAddon();
const kinds = skip === false ? theAddon().pumpKinds() : [];

/** Answers a line with its length and its last letter. */
class Measure extends QuietProtocol implements ByteProtocol<null> {
  feed = (_session: null, input: Uint8Array, start: number, end: number) => {
    const letter = String.fromCharCode(input[end - 1]);
    this.output.put(Buffer.from(`${end - start} ${letter}\r\n`));
    return FEED_MORE;
  };
}

interface Served {
  readonly port: number;
  readonly pump: TestPump;
  readonly datagrams: PumpDatagrams<null>;
  /** Serves until that many datagrams have come. */
  turn(count: number): Promise<void>;
}

async function serve(t: TestContext, kind: string, host: string): Promise<Served> {
  const ipv6 = host.includes(':');
  const port = await probePort(host, 0, ipv6);
  const pump = new TestPump(t, kind, 8, [EVENT_DATAGRAM]);
  const carrier = {
    adoptDatagrams: (fd: number, slot: number) => pump.pump.adoptDatagrams(fd, slot),
    sendDatagram: (slot: number, address: Uint8Array, bytes: Uint8Array) =>
      pump.command(slot, COMMAND_DATAGRAM, Buffer.concat([address, bytes])),
    closeDatagrams: (slot: number) => pump.command(slot, COMMAND_DESTROY),
  };
  const datagrams = new PumpDatagrams(theAddon(), carrier, new Measure());
  await datagrams.listen({ host, port, ipv6, slot: SLOT }, origin);
  const turn = async (count: number): Promise<void> => {
    for (const { connection, what, bytes } of await pump.take(count)) {
      assert.deepEqual([connection, what], [SLOT, EVENT_DATAGRAM]);
      datagrams.onDatagram(connection, bytes, 0, bytes.length);
    }
    await pump.take(0);
  };
  return { port, pump, datagrams, turn };
}

async function client(t: TestContext, host: string): Promise<{ socket: Socket; got: string[] }> {
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
  t.after(() => socket.close());
  const got: string[] = [];
  socket.on('message', (message) => got.push(message.toString('latin1', HEADER_BYTES)));
  socket.bind(0, host);
  await once(socket, 'listening');
  return { socket, got };
}

for (const kind of kinds) {
  test(`${kind}: a burst is received in batches and answered in its order`, async (t) => {
    for (const host of ['127.0.0.1', '::1']) {
      const { port, turn, pump, datagrams } = await serve(t, kind, host);
      const { socket, got } = await client(t, host);
      const lengths = Array.from({ length: 50 }, (_, index) => 1 + index * 20);
      for (const length of lengths) socket.send(datagram('x'.repeat(length)), port, host);
      await turn(lengths.length);
      while (got.length < lengths.length) await once(socket, 'message');
      assert.deepEqual(
        got,
        lengths.map((length) => `${length} x\r\n`),
      );
      datagrams.close();
      const [closed] = await pump.take(1);
      assert.deepEqual([closed.connection, closed.what], [SLOT, EVENT_CLOSED]);
    }
  });

  test(`${kind}: the largest datagram comes whole, after many small ones`, async (t) => {
    const host = '127.0.0.1';
    const { port, turn } = await serve(t, kind, host);
    const { socket, got } = await client(t, host);
    const most = 65_507 - HEADER_BYTES;
    const letters = ['a', 'b'.repeat(most), 'c', 'd'.repeat(most), 'e'];
    for (const text of letters) socket.send(datagram(text), port, host);
    await turn(letters.length);
    while (got.length < letters.length) await once(socket, 'message');
    assert.deepEqual(got, ['1 a\r\n', `${most} b\r\n`, '1 c\r\n', `${most} d\r\n`, '1 e\r\n']);
  });

  test(`${kind}: a datagram from the port that is served is dropped`, async (t) => {
    const host = '127.0.0.1';
    const { port, turn } = await serve(t, kind, host);
    const same = createSocket('udp4');
    t.after(() => same.close());
    same.bind(port, '127.0.0.2');
    await once(same, 'listening');
    let answers = 0;
    same.on('message', () => answers++);
    const { socket, got } = await client(t, host);
    same.send(datagram('echo'), port, host);
    await turn(1);
    socket.send(datagram('end'), port, host);
    await turn(1);
    while (got.length === 0) await once(socket, 'message');
    assert.deepEqual([got, answers], [['3 d\r\n'], 0]);
  });
}
