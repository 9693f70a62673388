// Datagrams that no socket of a well-behaved peer sends, put into the transport by hand.
import assert from 'node:assert/strict';
import type { Socket } from 'node:dgram';
import { createSocket } from 'node:dgram';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { test } from 'node:test';
import type { ByteProtocol } from '../../src/net/transport.ts';
import { NodeDatagrams, probePort } from '../../src/net/udp.ts';
import { FEED_MORE } from '../../src/protocol/engine.ts';
import { QuietProtocol } from '../support/quiet-protocol.ts';

const REPLY = Buffer.from('OK\r\n');
const REQUEST = Buffer.from('\x00\x01\x00\x00\x00\x01\x00\x00x\r\n', 'latin1');

/** Answers every datagram with the same line. */
class Parrot extends QuietProtocol implements ByteProtocol<null> {
  fed = 0;
  feed = () => {
    this.fed++;
    this.output.put(REPLY);
    return FEED_MORE;
  };
}

test('a datagram from port 0, which cannot be answered, is dropped', async (t) => {
  const made: Socket[] = [];
  const remember = (message: unknown): void => {
    made.push((message as { readonly socket: Socket }).socket);
  };
  const port = await probePort('127.0.0.1', 0, false);
  const protocol = new Parrot();
  const transport = new NodeDatagrams(protocol);
  t.after(() => transport.close());
  subscribe('udp.socket', remember);
  const origin = { protocol: 'auto', transport: 'udp' } as const;
  await transport.listen({ host: '127.0.0.1', port, ipv6: false, slot: 0 }, origin);
  unsubscribe('udp.socket', remember);
  const [socket] = made;
  // A sender needs no port, as far as UDP cares.
  socket.emit('message', REQUEST, { address: '127.0.0.1', family: 'IPv4', port: 0, size: 11 });
  assert.equal(protocol.fed, 0);
  const client = createSocket('udp4');
  t.after(() => client.close());
  client.send(REQUEST, port, '127.0.0.1');
  const [answer] = await once(client, 'message');
  assert.equal(answer.toString('latin1', 8), 'OK\r\n');
});
