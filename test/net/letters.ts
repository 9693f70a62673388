/**
 * A small protocol for tests of transports: each input byte is a request. 'a' is answered with 'a',
 * 'B' with a full buffer, 'y' yields after its reply, 'q' closes. And a worker's side of each kind
 * of transport that serves it on this thread.
 */
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import type { TestContext } from 'node:test';
import type { Addon } from '../../src/net/addon.ts';
import { takeDescriptors } from '../../src/net/arrivals.ts';
import { listen } from '../../src/net/listener.ts';
import { PumpTransport } from '../../src/net/pump.ts';
import { ReplyStorage } from '../../src/net/reply-storage.ts';
import { SocketTransport } from '../../src/net/socket.ts';
import type { PumpOwner, ReferringProtocol, Transport } from '../../src/net/transport.ts';
import { FEED_CLOSE, FEED_FULL, FEED_MORE, FEED_YIELD } from '../../src/protocol/engine.ts';
import { PLAIN_ORIGIN } from '../../src/protocol/origin.ts';
import { OUTPUT_BYTES, Output } from '../../src/protocol/output.ts';
import { theAddon } from '../support/addon.ts';

export interface LetterSession {
  readonly slot: number;
  overdue: boolean;
  endless: boolean;
  stalled: boolean;
  /** Input that is not served yet. */
  held: Buffer;
  heldMax: number;
  closed: number;
  closeReason: number;
  /** How often it was told that its reference is sent. */
  sent: number;
}

export class LetterProtocol implements ReferringProtocol<LetterSession> {
  readonly output = new Output();
  readonly sessions: LetterSession[] = [];
  feeds = 0;

  open(slot: number): LetterSession {
    const session = {
      ...{ slot, overdue: false, endless: false, stalled: false },
      ...{ held: Buffer.alloc(0), heldMax: 0, closed: 0, closeReason: -1, sent: 0 },
    };
    this.sessions.push(session);
    return session;
  }

  feed(session: LetterSession, input: Uint8Array, start: number, end: number): number {
    this.feeds++;
    this.hold(session, input, start, end);
    return this.resume(session);
  }

  hold(session: LetterSession, input: Uint8Array, start: number, end: number): number {
    session.held = Buffer.concat([session.held, input.subarray(start, end)]);
    session.heldMax = Math.max(session.heldMax, session.held.length);
    return session.held.length;
  }

  resume(session: LetterSession): number {
    const { output } = this;
    while (session.held.length > 0) {
      const letter = String.fromCharCode(session.held[0]);
      const bytes = letter === 'B' ? OUTPUT_BYTES : 1;
      if (bytes > output.room) return FEED_FULL;
      output.bytes.fill(letter, output.end, output.end + bytes);
      output.end += bytes;
      session.held = session.held.subarray(1);
      if (letter === 'y') return FEED_YIELD;
      if (letter === 'q') return FEED_CLOSE;
    }
    return FEED_MORE;
  }

  /** There is nothing to look for. */
  expect(): void {}

  fetchExpected(): void {}

  sent(session: LetterSession): void {
    session.sent++;
  }

  close(session: LetterSession, reason: number): void {
    session.closed++;
    session.closeReason = reason;
  }

  isOverdue(session: LetterSession): boolean {
    return session.overdue;
  }

  isStalled(session: LetterSession): boolean {
    return session.stalled;
  }

  isEndless(session: LetterSession): boolean {
    return session.endless;
  }

  isBusy(session: LetterSession): boolean {
    return session.held.length > 0;
  }

  idleSeconds(_session: LetterSession, sinceRead: number): number {
    return sinceRead;
  }
}

/** What an owner was told. */
export class Told {
  readonly closedSlots: number[] = [];
  readonly kicked: number[] = [];
  readonly overdue: number[] = [];

  readonly owner: PumpOwner = {
    onClose: (slot) => this.closedSlots.push(slot),
    onIdleKick: (slot) => this.kicked.push(slot),
    onOverdue: (slot) => this.overdue.push(slot),
    originOf: () => PLAIN_ORIGIN,
    mayWait: () => true,
    onDatagram: () => undefined,
  };
}

/** A transport that serves the letters. */
export interface Rig {
  readonly protocol: LetterProtocol;
  readonly transport: Transport;
  readonly told: Told;
  /** A connected client. */
  client(): Promise<Socket>;
}

/** One of this kind: `node` or a pump of the addon. */
export async function rig(t: TestContext, kind: string): Promise<Rig> {
  return kind === 'node' ? nodeRig(t) : pumpRig(t, kind, theAddon());
}

/** The transport on node:net; `storage` is where replies are written. */
export async function nodeRig(t: TestContext, storage = new ReplyStorage()): Promise<Rig> {
  const protocol = new LetterProtocol();
  const told = new Told();
  const transport = new SocketTransport(protocol, told.owner, storage);
  let slots = 0;
  const server = createServer({ pauseOnConnect: true }, (socket) => {
    transport.serve(socket, slots++, PLAIN_ORIGIN);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const { port } = server.address() as { port: number };
  return { protocol, transport, told, client: () => clientOf(t, port) };
}

async function pumpRig(t: TestContext, kind: string, addon: Addon): Promise<Rig> {
  const protocol = new LetterProtocol();
  const told = new Told();
  const mailbox = addon.openMailbox();
  const slab = new Uint8Array(new SharedArrayBuffer(8));
  const transport = new PumpTransport({
    ...{ addon, kind, mailbox, connections: 64, slab, protocol },
    owner: told.owner,
  });
  let slots = 0;
  const take = takeDescriptors(addon, (fd) => addon.handOver(fd, mailbox, slots++, 0));
  const [listener] = await listen({ host: '127.0.0.1', port: 0 }, 64, take);
  t.after(() => {
    listener.close();
    transport.close();
    addon.closeMailbox(mailbox);
  });
  return { protocol, transport, told, client: () => clientOf(t, listener.address.port) };
}

async function clientOf(t: TestContext, port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  t.after(() => socket.destroy());
  await once(socket, 'connect');
  return socket;
}

/** What a client receives until it is that much, or the end. */
export async function receive(socket: Socket, length: number): Promise<string> {
  const pieces: Buffer[] = [];
  let got = 0;
  for await (const data of socket.iterator({ destroyOnReturn: false })) {
    pieces.push(data);
    got += data.length;
    if (got >= length) break;
  }
  return Buffer.concat(pieces).toString('latin1');
}

export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await pause();
}

/** Waits until a session is not served any more although there is something left to serve. */
export async function untilStuck(session: LetterSession): Promise<void> {
  let last = -1;
  for (let calm = 0; calm < 20; calm++) {
    const now = session.held.length;
    if (now !== last || now === 0) calm = 0;
    last = now;
    await pause();
  }
}

function pause(): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, 5);
  });
}
