// A small server for the bench's own tests: get and set of memcached's text protocol, told to be
// honest, to lie, to be slow, or to hang up.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import type { TestContext } from 'node:test';

export interface Behaviour {
  /** What the server stores for a value it was given; undefined: it closes the connection. */
  readonly keep: (value: string) => string | undefined;
  /** Milliseconds before each reply to a get. */
  readonly getDelayMs: number;
}

/** get and set of memcached's text protocol, one command after the other on each connection. */
export async function startServer(t: TestContext, behaviour: Behaviour): Promise<number> {
  const values = new Map<string, string>();
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    // A connection that is cut off ends its loop with an error, which is nobody's concern here.
    serve(socket, values, behaviour).catch(() => {});
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  return address.port;
}

async function serve(
  socket: Socket,
  values: Map<string, string>,
  behaviour: Behaviour,
): Promise<void> {
  let text = '';
  for await (const chunk of socket) {
    text += (chunk as Buffer).toString('latin1');
    for (;;) {
      const end = text.indexOf('\r\n');
      if (end < 0) break;
      const words = text.slice(0, end).split(' ');
      if (words[0] === 'set') {
        const length = Number(words[4]);
        if (text.length < end + length + 4) break;
        const kept = behaviour.keep(text.slice(end + 2, end + 2 + length));
        if (kept === undefined) {
          socket.destroy();
          return;
        }
        values.set(words[1], kept);
        text = text.slice(end + length + 4);
        socket.write('STORED\r\n');
        continue;
      }
      text = text.slice(end + 2);
      if (behaviour.getDelayMs > 0) {
        await new Promise((resolve) => setTimeout(resolve, behaviour.getDelayMs));
      }
      const found = words.slice(1).filter((key) => values.has(key));
      const block = (key: string): string =>
        `VALUE ${key} 0 ${values.get(key)!.length}\r\n${values.get(key)}\r\n`;
      socket.write(`${found.map(block).join('')}END\r\n`, 'latin1');
    }
  }
}

/** Keeps what it is given and answers at once. */
export const HONEST: Behaviour = { keep: (value) => value, getDelayMs: 0 };
