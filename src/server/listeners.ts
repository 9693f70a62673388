/**
 * Opens everything that the server listens on: TCP ports, sockets that were handed over, and the
 * places for UDP, which workers open themselves since datagram sockets cannot be handed to them.
 */
import type { Server, Socket } from 'node:net';
import { addressesOf, listen, listenOnDescriptor, portOf } from '../net/listener.ts';
import { probePort } from '../net/udp.ts';
import { reasonOf, StartError } from './errors.ts';
import { type ListenEntry, listenEntries } from './listen-addresses.ts';
import { logLine } from './log.ts';
import type { ListenerKind } from './messages.ts';
import type { Settings } from './setting.ts';

/** An address that workers are to serve over UDP. The port is never 0. */
export interface DatagramPlace {
  readonly host: string;
  readonly port: number;
  readonly ipv6: boolean;
  /** Its kind in the table of listeners. */
  readonly listener: number;
}

/** Takes an accepted socket; `listener` is its listener's place in the table of kinds. */
export type AcceptFrom = (socket: Socket, listener: number) => void;

/** What an address family that this machine does not have ends in. */
const NO_SUCH_FAMILY = new Set(['EAFNOSUPPORT', 'EADDRNOTAVAIL', 'EINVAL']);

/** Listeners in the order in which they were opened. */
export class Listeners {
  readonly servers: Server[] = [];
  readonly kinds: ListenerKind[] = [];
  readonly datagrams: DatagramPlace[] = [];
  readonly #settings: Settings;
  readonly #accept: AcceptFrom;

  constructor(settings: Settings, accept: AcceptFrom) {
    this.#settings = settings;
    this.#accept = accept;
  }

  /**
   * Opens all of them; `descriptors` are those handed over. With -s there are none, as in
   * memcached. Rejects with StartError.
   */
  async open(descriptors: readonly number[]): Promise<void> {
    const { listen: given, port, portGiven, udpPort, socketPath } = this.#settings;
    if (socketPath !== '') {
      if (descriptors.length === 0) return;
      throw new StartError('-s cannot be used with listening sockets handed over by LISTEN_FDS');
    }
    for (const fd of descriptors) await this.#openDescriptor(fd);
    // Sockets handed over stand in for the default listener, not for those that were asked for.
    if (descriptors.length === 0 || portGiven || given !== '') {
      for (const entry of listenEntries(this.#settings, port)) await this.#openTcp(entry);
    }
    for (const entry of listenEntries(this.#settings, udpPort)) {
      if (udpPort !== 0) await this.#openUdp(entry);
    }
    if (port === -1) {
      logLine(`listening on port ${this.servers.map((server) => portOf(server)).join(', ')}`);
    }
    if (this.datagrams.some(({ host }) => !isLoopback(host))) {
      logLine('warning: -U beyond loopback: anyone can have replies sent to somebody else');
    }
  }

  close(): void {
    for (const server of this.servers) server.close();
  }

  async #openDescriptor(fd: number): Promise<void> {
    const { protocol, sslEnabled, backlog } = this.#settings;
    const index = this.#addKind({
      origin: { protocol, transport: 'tcp' },
      tls: sslEnabled ? 'default' : 'off',
    });
    try {
      const accept = (socket: Socket): void => this.#accept(socket, index);
      this.servers.push(await listenOnDescriptor(fd, backlog, accept));
    } catch (error) {
      throw new StartError(`cannot listen on descriptor ${fd} (LISTEN_FDS): ${reasonOf(error)}`);
    }
  }

  async #openTcp(entry: ListenEntry): Promise<void> {
    const { protocol, tls, tag } = entry;
    if (tag !== '') logLine(`warning: -l tag[${tag}]: a tag has no effect, there is no proxy here`);
    const index = this.#addKind({ origin: { protocol, transport: 'tcp' }, tls });
    try {
      const accept = (socket: Socket): void => this.#accept(socket, index);
      this.servers.push(...(await listen(entry, this.#settings.backlog, accept)));
    } catch (error) {
      throw cannotListen(entry, 'port', error);
    }
  }

  async #openUdp(entry: ListenEntry): Promise<void> {
    const { host, port, protocol } = entry;
    const listener = this.#addKind({ origin: { protocol, transport: 'udp' }, tls: 'off' });
    let opened = 0;
    try {
      for (const address of await addressesOf(host)) {
        const ipv6 = address.includes(':');
        const bound = await probePort(address, port, ipv6).catch(ifNoSuchFamily);
        if (bound === -1) continue;
        this.datagrams.push({ host: address, port: bound, ipv6, listener });
        opened++;
      }
    } catch (error) {
      throw cannotListen(entry, 'UDP port', error);
    }
    if (opened === 0) {
      const reason = new Error('this machine does not have that address');
      throw cannotListen(entry, 'UDP port', reason);
    }
  }

  #addKind(kind: ListenerKind): number {
    this.kinds.push(kind);
    return this.kinds.length - 1;
  }
}

/** -1 for an address of a family that there is none of here; throws what else went wrong. */
function ifNoSuchFamily(error: NodeJS.ErrnoException): number {
  if (NO_SUCH_FAMILY.has(error.code ?? '')) return -1;
  throw error;
}

function cannotListen(entry: ListenEntry, what: string, error: unknown): StartError {
  const host = entry.host ?? '*';
  return new StartError(`cannot listen on ${host} ${what} ${entry.port}: ${reasonOf(error)}`);
}

function isLoopback(address: string): boolean {
  return address === '::1' || address.startsWith('127.');
}
