/**
 * Datagrams carried by Node's own sockets.
 */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import type { Origin } from '../protocol/origin.ts';
import {
  type DatagramAddress,
  DatagramSessions,
  type DatagramTransport,
  isAnswerable,
} from './datagram-sessions.ts';
import type { ByteProtocol } from './transport.ts';

/** Datagrams that the kernel does not take at once are kept up to this many bytes. */
const QUEUE_BYTES_MAX = 4 * 1024 * 1024;

/** Binds without sharing, to learn the port behind 0 and whether it is free. Rejects if not. */
export async function probePort(host: string, port: number, ipv6: boolean): Promise<number> {
  const socket = createSocket({ type: ipv6 ? 'udp6' : 'udp4', ipv6Only: ipv6 });
  try {
    socket.bind({ address: host, port, exclusive: true });
    await once(socket, 'listening');
    return socket.address().port;
  } finally {
    socket.close();
  }
}

/** The datagram sockets of one worker. */
export class NodeDatagrams<Session> implements DatagramTransport {
  readonly #sessions: DatagramSessions<Session>;
  readonly #sockets: Socket[] = [];

  constructor(protocol: ByteProtocol<Session>) {
    this.#sessions = new DatagramSessions(protocol);
  }

  async listen(address: DatagramAddress, origin: Origin): Promise<void> {
    const { host, port, ipv6, slot } = address;
    const socket = createSocket({
      type: ipv6 ? 'udp6' : 'udp4',
      ipv6Only: ipv6,
      reusePort: true,
      // Answers go to addresses, which nothing needs to be asked about.
      lookup: (name, _options, callback) => callback(null, name, ipv6 ? 6 : 4),
    });
    this.#sockets.push(socket);
    // With such a look-up it may listen before bind returns.
    const listening = once(socket, 'listening');
    socket.bind({ address: host, port, exclusive: true });
    await listening;
    // A destination that cannot be reached is no concern of ours.
    socket.on('error', () => undefined);
    socket.on('message', (datagram, sender) => {
      if (!isAnswerable(sender.port, port)) return;
      if (socket.getSendQueueSize() > QUEUE_BYTES_MAX) return;
      for (const frame of this.#sessions.answer(datagram, slot, origin)) {
        socket.send(frame, sender.port, sender.address);
      }
    });
  }

  close(): void {
    for (const socket of this.#sockets.splice(0)) socket.close();
  }
}
