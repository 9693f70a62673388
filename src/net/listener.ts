/**
 * TCP listeners of the main thread. Accepted sockets are paused and untouched, as their transfer to
 * a worker needs.
 */
import { lookup } from 'node:dns/promises';
import { createServer, isIPv6, type Server, type Socket } from 'node:net';

/** host undefined is every interface; port 0 is any free one. */
export interface ListenAddress {
  readonly host: string | undefined;
  readonly port: number;
}

/** What a listener does with an accepted socket. */
export type Accept = (socket: Socket) => void;

/**
 * Listens on all addresses that the host has. Rejects with the system's error if none of them
 * works, or one of several fails for another reason than not existing here.
 */
export async function listen(
  address: ListenAddress,
  backlog: number,
  accept: Accept,
): Promise<Server[]> {
  const { host, port } = address;
  if (host === undefined) return [await listenOn({ port, backlog }, accept)];
  const hosts = await addressesOf(host);
  const servers: Server[] = [];
  let failure: unknown;
  for (const each of hosts) {
    try {
      servers.push(await listenOn({ host: each, port, backlog }, accept));
    } catch (error) {
      failure = error;
      if ((error as NodeJS.ErrnoException).code !== 'EADDRNOTAVAIL') break;
    }
  }
  if (servers.length === hosts.length) return servers;
  if (servers.length > 0 && (failure as NodeJS.ErrnoException).code === 'EADDRNOTAVAIL') {
    return servers;
  }
  for (const server of servers) server.close();
  throw failure;
}

/** Listens on a descriptor that was handed over. Rejects if it is not a TCP socket that can. */
export async function listenOnDescriptor(
  fd: number,
  backlog: number,
  accept: Accept,
): Promise<Server> {
  const server = await listenOn({ fd, backlog }, accept);
  const address = server.address();
  if (typeof address === 'object' && address !== null && address.family.startsWith('IPv')) {
    return server;
  }
  server.close();
  throw new Error('it is not a TCP socket');
}

/** The addresses of a host, or what stands for all interfaces. */
export async function addressesOf(host: string | undefined): Promise<string[]> {
  if (host === undefined) return ['0.0.0.0', '::'];
  const found = await lookup(host, { all: true });
  return [...new Set(found.map((entry) => entry.address))];
}

interface ListenOptions {
  readonly fd?: number;
  readonly host?: string;
  readonly port?: number;
  readonly backlog: number;
}

function listenOn(options: ListenOptions, accept: Accept): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer({ pauseOnConnect: true }, accept);
    server.once('error', reject);
    server.listen(options, () => {
      server.off('error', reject);
      // Running out of descriptors ends one accept, not the server.
      server.on('error', () => undefined);
      resolve(server);
    });
  });
}

/** The port a listener got. */
export function portOf(server: Server): number {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

/** An end of a connection as `stats conns` prints it. */
export function endpointText(
  host: string | undefined,
  port: number | undefined,
  transport: 'tcp' | 'udp' = 'tcp',
): string {
  if (host === undefined) return 'unknown';
  // A listener on all interfaces sees IPv4 peers as mapped addresses.
  const plain = host.startsWith('::ffff:') ? host.slice(7) : host;
  return isIPv6(plain) ? `${transport}6:[${plain}]:${port}` : `${transport}:${plain}:${port}`;
}
