/**
 * Sessions over UDP: every datagram is one of its own, answered in datagrams.
 *
 * Whoever sends a datagram can lie about who he is, and the answer is larger than the question. So
 * what is sent for one datagram is bounded.
 */
import { CLOSE_NORMAL } from '../memory/connections.ts';
import { FEED_FULL, FEED_YIELD } from '../protocol/engine.ts';
import type { Origin } from '../protocol/origin.ts';
import { NO_REFERENCES, OUTPUT_BYTES } from '../protocol/output.ts';
import { emptyFrame, FRAME_HEADER_BYTES, framesOf, requestId } from './datagrams.ts';
import type { ByteProtocol } from './transport.ts';

/** The replies to one datagram, bytes: enough for an item of the usual largest size. */
const REPLIES_BYTES_MAX = 2 * 1024 * 1024;
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

/** The datagram sockets of one worker, however they are carried. */
export interface DatagramTransport {
  /** Serves an address, which it shares with other threads that do. Rejects if it cannot. */
  listen(address: DatagramAddress, origin: Origin): Promise<void>;
  close(): void;
}

/** Whether a sender can be answered, by a socket of ours with that port. */
export function isAnswerable(senderPort: number, ownPort: number): boolean {
  // Another server's answer: the two would answer each other for ever. And a sender may leave its
  // port out, and then there is nowhere to answer to.
  return senderPort !== ownPort && senderPort !== 0;
}

/** What answers the datagrams of one worker. */
export class DatagramSessions<Session> {
  readonly #protocol: ByteProtocol<Session>;
  readonly #storage = Buffer.allocUnsafeSlow(OUTPUT_BYTES);

  constructor(protocol: ByteProtocol<Session>) {
    this.#protocol = protocol;
  }

  /** The datagrams that answer this one, which came in over the socket of that slot. */
  answer(datagram: Buffer, slot: number, origin: Origin): Buffer[] {
    const id = requestId(datagram);
    if (id === -1) return [];
    const request = datagram.subarray(FRAME_HEADER_BYTES);
    const session = this.#protocol.open(slot, origin);
    const replies = this.#replies(session, request);
    const isComplete = !this.#protocol.isBusy(session);
    // A request that is not complete ends here: there is no second datagram to it.
    this.#protocol.close(session, CLOSE_NORMAL);
    const frames = framesOf(replies, id, replies[0] === BINARY_REPLY);
    if (replies.length === 0 && isAcknowledged(request, isComplete)) frames.push(emptyFrame(id));
    return frames;
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
