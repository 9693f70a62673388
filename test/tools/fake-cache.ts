/**
 * A server that answers lines as a test says: for what a real memcached does too rarely.
 */
import { createServer } from 'node:net';
import type { TestContext } from 'node:test';
import type { Address } from '../../src/tools/address.ts';

/** The reply to one line, with its line ends; undefined hangs up. */
export type Answers = (line: string) => string | undefined;

/** Starts the server; it is gone when the test ends. `lines` are all that it was sent. */
export async function fakeCache(
  t: TestContext,
  answers: Answers,
): Promise<{ readonly address: Address; readonly lines: readonly string[] }> {
  const lines: string[] = [];
  const server = createServer((socket) => {
    let pending = '';
    t.after(() => socket.destroy());
    socket.on('error', () => undefined);
    socket.on('data', (data) => {
      const all = (pending + data.toString('latin1')).split('\r\n');
      pending = all.pop() ?? '';
      for (const line of all) {
        lines.push(line);
        const reply = answers(line);
        if (reply === undefined) socket.destroy();
        else socket.write(reply, 'latin1');
      }
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  t.after(() => server.close());
  return { address: addressOf((server.address() as { port: number }).port), lines };
}

/** The address of a server on this machine that asks for no password. */
export function addressOf(port: number): Address {
  const host = '127.0.0.1';
  return { shown: `${host}:${port}`, host, port, path: '', isTls: false, user: '', password: '' };
}
