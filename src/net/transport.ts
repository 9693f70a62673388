/**
 * The seams around a transport: what it asks of the protocol above the bytes (so that it can be
 * tested with another one), and what a worker asks of it, so that other ways of moving bytes can
 * stand beside node:net.
 */
import type { Origin } from '../protocol/origin.ts';
import type { Output } from '../protocol/output.ts';

/** The protocol as a transport sees it: bytes in, replies out. feed and resume return a FEED_*. */
export interface ByteProtocol<Session> {
  /** Where replies are written: whoever has a session served aims it before. */
  readonly output: Output;
  open(slot: number, origin: Origin): Session;
  /** input[start, end) has arrived; it is not looked at afterwards. */
  feed(session: Session, input: Uint8Array, start: number, end: number): number;
  resume(session: Session): number;
  /** `reason` is a CLOSE_ of connections.ts. */
  close(session: Session, reason: number): void;
  /** True when the connection has not authenticated in time and must go. */
  isOverdue(session: Session): boolean;
  /** True in the middle of a request. */
  isBusy(session: Session): boolean;
  /** How long the session has done nothing; its last bytes came `sinceRead` seconds ago. */
  idleSeconds(session: Session, sinceRead: number): number;
  /** True when a reply that is stuck should be given up; a stop has less patience. */
  isStalled(session: Session, stopping: boolean): boolean;
  /** True when the connection is only sent to: it is not idle, and a stop does not wait for it. */
  isEndless(session: Session): boolean;
}

/** What a transport needs besides that can send values from the shared memory. */
export interface ReferringProtocol<Session> extends ByteProtocol<Session> {
  /** As feed, without serving it before the next resume; returns how many bytes are kept by now. */
  hold(session: Session, input: Uint8Array, start: number, end: number): number;
  /** What is about to be fed to several sessions: their items are then looked for together. */
  expect(session: Session, input: Uint8Array, start: number, end: number): void;
  fetchExpected(): void;
  /** The value that the last output referred to is sent. */
  sent(session: Session): void;
}

/** What a transport reports to the worker that owns it. */
export interface TransportOwner {
  /** A connection is gone: its slot may be used again. */
  onClose(slot: number): void;
  /** A connection is closed because it has not authenticated in time. */
  onOverdue(slot: number): void;
  /** A connection is closed because it did nothing for idle_timeout seconds. */
  onIdleKick(slot: number): void;
}

/** What a pump asks of the worker that owns it, besides. */
export interface PumpOwner extends TransportOwner {
  /** How connections come in by the listener at this place of the table. */
  originOf(listener: number): Origin;
  /** Whether nothing on this thread suffers when a turn waits for up to a slice. */
  mayWait(): boolean;
  /** input[start, end) is an address and a datagram. */
  onDatagram(slot: number, input: Buffer, start: number, end: number): void;
}

/** One way of serving connections. */
export interface Transport {
  /** Something waits to be sent on a connection that is only sent to; without effect on others. */
  poke(slot: number): void;
  /** Closes connections that did nothing for more than this many seconds. */
  closeIdle(seconds: number): void;
  /** Closes connections that have not authenticated in time. */
  closeOverdue(): void;
  /** Closes connections whose reader has taken nothing of a reply for as long as it may. */
  closeStalled(): void;
  /**
   * Closes every connection as soon as the request that it is in the middle of is answered;
   * resolves when all are closed.
   */
  drain(): Promise<void>;
}
