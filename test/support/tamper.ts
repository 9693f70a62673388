// A TCP proxy that passes bytes through to a server and spoils some of its replies: it is how a
// comparison is shown to notice a server that is wrong once in a while.
import { connect, createServer, type Socket } from 'node:net';

/** Gets each piece of reply bytes; returns what the client sees, or null to hang up. */
export type Spoil = (reply: Buffer) => Buffer | null;

export interface SpoilingProxy {
  readonly port: number;
  /** How many pieces were changed. */
  spoiled(): number;
  close(): Promise<void>;
}

export function startProxy(serverPort: number, spoil: Spoil): Promise<SpoilingProxy> {
  let spoiled = 0;
  const open = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(serverPort, '127.0.0.1');
    for (const socket of [client, upstream]) {
      socket.setNoDelay(true);
      open.add(socket);
      socket.on('close', () => open.delete(socket));
      socket.on('error', () => undefined);
    }
    client.on('data', (bytes: Buffer) => upstream.write(bytes));
    client.on('close', () => upstream.destroy());
    upstream.on('data', (bytes: Buffer) => {
      const seen = spoil(bytes);
      if (seen === null || !seen.equals(bytes)) spoiled += 1;
      if (seen === null) client.destroy();
      else client.write(seen);
    });
    // A reset has no 'end', only a 'close'.
    upstream.on('close', () => client.end());
  });
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      const port = address !== null && typeof address === 'object' ? address.port : 0;
      const close = () => {
        for (const socket of open) socket.destroy();
        return new Promise<void>((done) => server.close(() => done()));
      };
      resolve({ port, spoiled: () => spoiled, close });
    });
  });
}
