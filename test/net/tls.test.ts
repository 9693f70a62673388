// The handshakes of a worker: one that does not get anywhere ends, and all of them end on close.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { TlsHandshakes, type TlsMaterial } from '../../src/net/tls.ts';
import { scratch } from '../server/launch.ts';
import { makeAuthority, skipWithoutOpenssl } from '../support/certificates.ts';

const skip = skipWithoutOpenssl();

interface Rig {
  readonly handshakes: TlsHandshakes;
  readonly gone: number[];
  readonly errors: () => number;
  client(): Promise<Socket>;
}

async function rig(t: TestContext, handshakeLimit: number): Promise<Rig> {
  const { cert, key } = makeAuthority(scratch(t), 'server');
  const material: TlsMaterial = {
    chain: readFileSync(cert),
    key: readFileSync(key),
    authorities: null,
    ticketKeys: Buffer.alloc(48),
  };
  const gone: number[] = [];
  let errors = 0;
  const handshakes = new TlsHandshakes(
    {
      ciphers: null,
      minVersion: 'TLSv1.2',
      clientCertificate: 'none',
      resume: false,
      handshakeLimit,
    },
    material,
    {
      onStream: () => assert.fail('no handshake here succeeds'),
      onGone: (slot) => gone.push(slot),
      onNewSession: () => undefined,
      onHandshakeError: () => errors++,
      onProtocolError: () => undefined,
    },
  );
  let slots = 0;
  const server = createServer({ pauseOnConnect: true }, (socket) => {
    handshakes.accept(socket, slots++, 0, 'default');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  const clients: Socket[] = [];
  t.after(() => {
    server.close();
    handshakes.close();
    for (const socket of clients) socket.destroy();
  });
  const client = async (): Promise<Socket> => {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => undefined);
    clients.push(socket);
    await once(socket, 'connect');
    return socket.resume();
  };
  return { handshakes, gone, errors: () => errors, client };
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) {
    await new Promise((resolve) => {
      setTimeout(resolve, 5);
    });
  }
}

test('a client that says nothing, or half of its hello, is let go', { skip }, async (t) => {
  const { gone, errors, client } = await rig(t, 50);
  const silent = await client();
  const slow = await client();
  slow.write(Buffer.from([0x16, 3, 1, 2, 0, 1]));
  await Promise.all([once(silent, 'close'), once(slow, 'close')]);
  await until(() => gone.length === 2);
  assert.deepEqual(gone.sort(), [0, 1]);
  assert.equal(errors(), 2);
});

test('close ends those that are under way', { skip }, async (t) => {
  const { handshakes, gone, client } = await rig(t, 600_000);
  const silent = await client();
  const other = await client();
  other.write(Buffer.from([0x16, 3]));
  await new Promise((resolve) => setImmediate(resolve));
  other.end();
  await once(other, 'close');
  handshakes.close();
  await once(silent, 'close');
  await until(() => gone.length === 2);
  assert.deepEqual(gone.sort(), [0, 1]);
});

test('peers that were gone before their handshake began leave nothing behind', {
  skip,
}, async (t) => {
  const { handshakes, gone } = await rig(t, 600_000);
  const sockets: Socket[] = [];
  const server = createServer({ pauseOnConnect: true }, (socket) => sockets.push(socket));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const { port } = server.address() as { port: number };
  const count = 3;
  for (let made = 1; made <= count; made++) {
    const client = connect(port, '127.0.0.1');
    await once(client, 'connect');
    client.resetAndDestroy();
    await once(client, 'close');
    await until(() => sockets.length === made);
  }
  for (const socket of sockets) assert.equal(socket.remoteAddress, undefined);
  for (const [slot, socket] of sockets.entries()) handshakes.accept(socket, slot, 0, 'default');
  await until(() => gone.length >= count);
  assert.deepEqual(gone.sort(), [0, 1, 2]);
});
