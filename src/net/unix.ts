/**
 * The unix socket. The main thread listens on it with the addon, for all workers. Without it one
 * worker does, and serves all its connections: Node cannot transfer pipes between threads.
 */
import { accessSync, lstatSync, unlinkSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { dirname } from 'node:path';
import type { Addon } from './addon.ts';
import { acceptDescriptors, type OnDescriptor } from './arrivals.ts';

/** Where to listen. */
export interface UnixAddress {
  readonly path: string;
  readonly backlog: number;
}

/**
 * Removes a socket file that a former server left behind; any other kind of file stays, and
 * listening will fail on it.
 */
export function removeStaleSocket(path: string): void {
  const status = lstatSync(path, { throwIfNoEntry: false });
  if (status?.isSocket()) unlinkSync(path);
}

/** Listens on a path. The file gets the mode that the process's umask leaves it. */
export async function listenUnix(
  address: UnixAddress,
  accept: (socket: Socket) => void,
): Promise<Server> {
  // libuv reports a folder that does not exist as a lack of permission.
  accessSync(dirname(address.path));
  return new Promise((resolve, reject) => {
    const server = createServer({ pauseOnConnect: true }, accept);
    server.once('error', reject);
    server.listen({ path: address.path, backlog: address.backlog }, () => {
      server.off('error', reject);
      server.on('error', () => undefined);
      resolve(server);
    });
  });
}

/**
 * Listens on a path, from which a socket that a former server left behind is removed. The file gets
 * the mode that is given. Throws the system's error.
 */
export function listenUnixNatively(
  addon: Addon,
  address: UnixAddress,
  mode: number,
  onDescriptor: OnDescriptor,
): { close(): void } {
  removeStaleSocket(address.path);
  const umask = process.umask(~mode & 0o777);
  try {
    const fd = addon.listenUnix(address.path, address.backlog);
    return acceptDescriptors(addon, fd, onDescriptor);
  } finally {
    process.umask(umask);
  }
}
