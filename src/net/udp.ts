/**
 * The transport over UDP: every datagram is a session of its own, answered in datagrams.
 *
 * Whoever sends a datagram can lie about who he is, and the answer is larger than the question. So
 * what is sent for one datagram is bounded, and so is what waits to be sent.
 */
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { CLOSE_NORMAL } from '../memory/connections.ts';
import { FEED_FULL, FEED_YIELD } from '../protocol/engine.ts';
import type { Origin } from '../protocol/origin.ts';
import { NO_REFERENCES, OUTPUT_BYTES } from '../protocol/output.ts';
import { emptyFrame, FRAME_HEADER_BYTES, framesOf, requestId } from './datagrams.ts';
import type { ByteProtocol } from './transport.ts';

/** The replies to one datagram, bytes: enough for an item of the usual largest size. */
const REPLIES_BYTES_MAX = 2 * 1024 * 1024;
/** Datagrams that the kernel does not take at once are kept up to this many bytes. */
const QUEUE_BYTES_MAX = 4 * 1024 * 1024;
const BINARY_REQUEST = 0x80;
const BINARY_REPLY = 0x81;

/** A bound socket that is to be made; the port is never 0. */
export interface DatagramAddress {
  readonly host: string;
  readonly port: number;
  readonly ipv6: boolean;
  /** Of the connection table. */
  readonly slot: number;
}

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
export class DatagramTransport<Session> {
  readonly #protocol: ByteProtocol<Session>;
  readonly #sockets: Socket[] = [];
  readonly #storage = Buffer.allocUnsafeSlow(OUTPUT_BYTES);

  constructor(protocol: ByteProtocol<Session>) {
    this.#protocol = protocol;
  }

  /** Serves an address, which it shares with other threads that do. */
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
      // Another server's answer: the two would answer each other for ever.
      if (sender.port === port) return;
      // A sender may leave its port out, and then there is nowhere to answer to.
      if (sender.port === 0) return;
      if (socket.getSendQueueSize() > QUEUE_BYTES_MAX) return;
      this.#serve(socket, datagram, sender, slot, origin);
    });
  }

  close(): void {
    for (const socket of this.#sockets.splice(0)) socket.close();
  }

  #serve(socket: Socket, datagram: Buffer, sender: RemoteInfo, slot: number, origin: Origin): void {
    const id = requestId(datagram);
    if (id === -1) return;
    const request = datagram.subarray(FRAME_HEADER_BYTES);
    const session = this.#protocol.open(slot, origin);
    const replies = this.#replies(session, request);
    const isComplete = !this.#protocol.isBusy(session);
    // A request that is not complete ends here: there is no second datagram to it.
    this.#protocol.close(session, CLOSE_NORMAL);
    const frames = framesOf(replies, id, replies[0] === BINARY_REPLY);
    if (replies.length === 0 && isAcknowledged(request, isComplete)) frames.push(emptyFrame(id));
    for (const frame of frames) socket.send(frame, sender.port, sender.address);
  }

  #replies(session: Session, request: Buffer): Buffer {
    const { output } = this.#protocol;
    const pieces: Buffer[] = [];
    let bytes = 0;
    output.aim(this.#storage, 0, NO_REFERENCES);
    let status = this.#protocol.feed(session, request, 0, request.length);
    for (;;) {
      bytes += output.length;
      pieces.push(Buffer.from(output.view()));
      output.aim(this.#storage, 0, NO_REFERENCES);
      const goesOn = status === FEED_FULL || status === FEED_YIELD;
      if (!goesOn || bytes > REPLIES_BYTES_MAX) break;
      status = this.#protocol.resume(session);
    }
    return Buffer.concat(pieces);
  }
}

/** What memcached acknowledges, without a reply to send: `quit`, and quiet binary requests. */
function isAcknowledged(request: Buffer, isComplete: boolean): boolean {
  if (request[0] === BINARY_REQUEST) return isComplete;
  return /^quit *\r?\n/.test(request.toString('latin1', 0, 16));
}
