/**
 * Opens everything that the main thread listens on: TCP ports, sockets that were handed over, with
 * the addon the unix socket, and the places for UDP, which workers open themselves.
 */
import type { Socket } from 'node:net';
import type { Addon } from '../net/addon.ts';
import { type OnDescriptor, takeDescriptors, takeSockets } from '../net/arrivals.ts';
import {
  addressesOf,
  type Listener,
  listen,
  listenOnDescriptor,
  type Take,
} from '../net/listener.ts';
import { probePort } from '../net/udp.ts';
import { listenUnixNatively } from '../net/unix.ts';
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

/** Takes accepted connections; `listener` is their listener's place in the table of kinds. */
export interface Entrance {
  onSocket(socket: Socket, listener: number): void;
  onDescriptor(fd: number, peer: string, local: string, listener: number): void;
}

/** What an address family that this machine does not have ends in. */
const NO_SUCH_FAMILY = new Set(['EAFNOSUPPORT', 'EADDRNOTAVAIL', 'EINVAL']);

/** Listeners in the order in which they were opened. */
export class Listeners {
  readonly opened: Listener[] = [];
  readonly kinds: ListenerKind[] = [];
  readonly datagrams: DatagramPlace[] = [];
  readonly #settings: Settings;
  readonly #entrance: Entrance;
  readonly #addon: Addon | null;
  #unix: { close(): void } | null = null;

  /** With the addon, connections that are not encrypted come as descriptors. */
  constructor(settings: Settings, entrance: Entrance, addon: Addon | null) {
    this.#settings = settings;
    this.#entrance = entrance;
    this.#addon = addon;
  }

  /**
   * Opens all but the unix socket; `descriptors` are those handed over. With -s there are none, as
   * in memcached. Rejects with StartError.
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
      logLine(`listening on port ${this.opened.map(({ address }) => address.port).join(', ')}`);
    }
    if (this.datagrams.some(({ host }) => !isLoopback(host))) {
      logLine('warning: -U beyond loopback: anyone can have replies sent to somebody else');
    }
  }

  /** Listens on the unix socket, for all workers. Throws StartError. */
  openUnix(addon: Addon): void {
    const { socketPath: path, socketMask, backlog, protocol } = this.#settings;
    const index = this.#addKind({ origin: { protocol, transport: 'unix' }, tls: 'off' });
    const accept: OnDescriptor = (fd, peer, local) =>
      this.#entrance.onDescriptor(fd, peer, local, index);
    try {
      this.#unix = listenUnixNatively(addon, { path, backlog }, socketMask, accept);
    } catch (error) {
      throw new StartError(`cannot listen on ${path}: ${reasonOf(error)}`);
    }
  }

  close(): void {
    for (const listener of this.opened) listener.close();
    this.#unix?.close();
  }

  /** How connections of such a listener are taken. */
  #take(index: number): Take {
    const { onSocket, onDescriptor } = this.#entrance;
    if (this.#addon === null || this.kinds[index].tls !== 'off') {
      return takeSockets((socket) => onSocket(socket, index));
    }
    return takeDescriptors(this.#addon, (fd, peer, local) => onDescriptor(fd, peer, local, index));
  }

  async #openDescriptor(fd: number): Promise<void> {
    const { protocol, sslEnabled, backlog } = this.#settings;
    const index = this.#addKind({
      origin: { protocol, transport: 'tcp' },
      tls: sslEnabled ? 'default' : 'off',
    });
    try {
      this.opened.push(await listenOnDescriptor(fd, backlog, this.#take(index)));
    } catch (error) {
      throw new StartError(`cannot listen on descriptor ${fd} (LISTEN_FDS): ${reasonOf(error)}`);
    }
  }

  async #openTcp(entry: ListenEntry): Promise<void> {
    const { protocol, tls, tag } = entry;
    if (tag !== '') logLine(`warning: -l tag[${tag}]: a tag has no effect, there is no proxy here`);
    const index = this.#addKind({ origin: { protocol, transport: 'tcp' }, tls });
    try {
      this.opened.push(...(await listen(entry, this.#settings.backlog, this.#take(index))));
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
