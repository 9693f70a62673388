// A client over UDP: sends one datagram and collects those that come back.
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';

/** What a server that answers at all has answered by then, on a busy machine too. */
const SILENCE_MS = 300;
const FIRST_LIMIT_MS = 10_000;

/** A request under its header: id, number, how many there are. */
export function datagram(body: string | Buffer, id = 7, part = 0, total = 1): Buffer {
  const header = Buffer.alloc(8);
  header.writeUInt16BE(id, 0);
  header.writeUInt16BE(part, 2);
  header.writeUInt16BE(total, 4);
  return Buffer.concat([header, typeof body === 'string' ? Buffer.from(body, 'latin1') : body]);
}

/**
 * Sends the datagrams and returns what comes back, in its order, as latin1. With `expected` it
 * waits for that many; else until nothing more comes.
 */
export async function exchange(
  port: number,
  datagrams: readonly Buffer[],
  expected = -1,
): Promise<string[]> {
  const socket = createSocket('udp4');
  const received: string[] = [];
  socket.on('message', (message) => received.push(message.toString('latin1')));
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  for (const each of datagrams) socket.send(each, port, '127.0.0.1');
  const limit = performance.now() + FIRST_LIMIT_MS;
  while (received.length < expected && performance.now() < limit) await sleep(5);
  for (let before = -1; before !== received.length; ) {
    before = received.length;
    await sleep(expected === -1 ? SILENCE_MS : 20);
  }
  socket.close();
  return received;
}
