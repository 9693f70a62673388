/**
 * TCP listeners of the main thread. Node binds and listens; what takes the connections is another's
 * to say (see arrivals.ts).
 */
import { lookup } from 'node:dns/promises';
import { type AddressInfo, createServer, isIPv6, type Server } from 'node:net';

/** host undefined is every interface; port 0 is any free one. */
export interface ListenAddress {
  readonly host: string | undefined;
  readonly port: number;
}

/** A listening TCP socket. */
export interface Listener {
  readonly address: AddressInfo;
  close(): void;
}

/**
 * Makes a listener of a server that listens from this moment on and has accepted nothing yet. It
 * owns the server, also if it throws.
 */
export type Take = (server: Server) => Listener;

/**
 * Listens on all addresses that the host has. Rejects with the system's error if none of them
 * works, or one of several fails for another reason than not existing here.
 */
export async function listen(
  address: ListenAddress,
  backlog: number,
  take: Take,
): Promise<Listener[]> {
  const { host, port } = address;
  if (host === undefined) return [await listenOn({ port, backlog }, take)];
  const hosts = await addressesOf(host);
  const listeners: Listener[] = [];
  let failure: unknown;
  for (const each of hosts) {
    try {
      listeners.push(await listenOn({ host: each, port, backlog }, take));
    } catch (error) {
      failure = error;
      if ((error as NodeJS.ErrnoException).code !== 'EADDRNOTAVAIL') break;
    }
  }
  if (listeners.length === hosts.length) return listeners;
  if (listeners.length > 0 && (failure as NodeJS.ErrnoException).code === 'EADDRNOTAVAIL') {
    return listeners;
  }
  for (const listener of listeners) listener.close();
  throw failure;
}

/** Listens on a descriptor that was handed over. Rejects if it is not a TCP socket that can. */
export function listenOnDescriptor(fd: number, backlog: number, take: Take): Promise<Listener> {
  return listenOn({ fd, backlog }, (server) => {
    const address = server.address();
    const isTcp = typeof address === 'object' && address?.family.startsWith('IPv');
    if (isTcp) return take(server);
    server.close();
    throw new Error('it is not a TCP socket');
  });
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

function listenOn(options: ListenOptions, take: Take): Promise<Listener> {
  return new Promise((resolve, reject) => {
    const server = createServer({ pauseOnConnect: true });
    server.once('error', reject);
    server.listen(options, () => {
      server.off('error', reject);
      try {
        resolve(take(server));
      } catch (error) {
        reject(error);
      }
    });
  });
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
