/**
 * How connections come in: as sockets of Node, which are transferred to their worker, or as
 * descriptors, which the addon hands over. TLS takes sockets, a pump descriptors.
 */
import type { AddressInfo, Server, Socket } from 'node:net';
import type { Addon } from './addon.ts';
import { endpointText, type Take } from './listener.ts';

/** An accepted connection that no worker has yet. */
export interface Arrival {
  /** Its ends, as in `stats conns`. */
  readonly peer: string;
  readonly local: string;
  /** Gives it to a worker, under a slot of the connection table. */
  send(worker: number, slot: number): void;
  /** Says this and closes. */
  refuse(text: string): void;
}

/** Takes an accepted descriptor over, with its ends as in `stats conns`. */
export type OnDescriptor = (fd: number, peer: string, local: string) => void;

/** When descriptors have run out, how long until accepting is tried again, ms. */
const EXHAUSTED_PAUSE_MS = 10;

/** A paused, untouched socket, which `give` moves to a worker. */
export class SocketArrival implements Arrival {
  readonly #socket: Socket;
  readonly #give: (worker: number, slot: number) => void;

  constructor(socket: Socket, give: (worker: number, slot: number) => void) {
    this.#socket = socket;
    this.#give = give;
  }

  get peer(): string {
    return endpointText(this.#socket.remoteAddress, this.#socket.remotePort);
  }

  get local(): string {
    return endpointText(this.#socket.localAddress, this.#socket.localPort);
  }

  send(worker: number, slot: number): void {
    this.#give(worker, slot);
  }

  refuse(text: string): void {
    this.#socket.on('error', () => undefined);
    this.#socket.write(text);
    this.#socket.destroySoon();
  }
}

/** Has Node accept: paused and untouched sockets, as their transfer to a worker needs. */
export function takeSockets(onSocket: (socket: Socket) => void): Take {
  return (server) => {
    // Running out of descriptors ends one accept, not the server.
    server.on('error', () => undefined);
    server.on('connection', onSocket);
    return { address: server.address() as AddressInfo, close: () => server.close() };
  };
}

/** A server of Node, which has a descriptor that it does not show. */
interface ServerWithHandle {
  readonly _handle: { readonly fd: number };
}

/** Has the addon accept in place of the server, which is closed. */
export function takeDescriptors(addon: Addon, onDescriptor: OnDescriptor): Take {
  return (server: Server) => {
    try {
      const address = server.address() as AddressInfo;
      const fd = addon.duplicate((server as unknown as ServerWithHandle)._handle.fd);
      const acceptor = acceptDescriptors(addon, fd, onDescriptor);
      return { address, close: () => acceptor.close() };
    } finally {
      server.close();
    }
  };
}

/** Accepts on a listening descriptor until it is closed. */
export function acceptDescriptors(
  addon: Addon,
  fd: number,
  onDescriptor: OnDescriptor,
): { close(): void } {
  const acceptor = new addon.Acceptor(fd, onDescriptor, () => {
    acceptor.pause();
    setTimeout(() => acceptor.resume(), EXHAUSTED_PAUSE_MS);
  });
  return acceptor;
}
