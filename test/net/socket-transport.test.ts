// The node:net transport against a small protocol of its own: each input byte is a request.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { ReplyStorage } from '../../src/net/reply-storage.ts';
import { SocketTransport } from '../../src/net/socket.ts';
import type { ByteProtocol } from '../../src/net/transport.ts';
import { FEED_CLOSE, FEED_FULL, FEED_MORE, FEED_YIELD } from '../../src/protocol/engine.ts';
import { PLAIN_ORIGIN } from '../../src/protocol/origin.ts';
import { OUTPUT_BYTES, Output } from '../../src/protocol/output.ts';

/** Reply storage that knows how much of it is out with a socket. */
class CountingStorage extends ReplyStorage {
  detached = 0;
  detachedMax = 0;

  override detach(): Buffer {
    this.detached++;
    this.detachedMax = Math.max(this.detachedMax, this.detached);
    return super.detach();
  }

  override recycle(storage: Buffer): void {
    assert.equal(storage.length, OUTPUT_BYTES);
    this.detached--;
    super.recycle(storage);
  }
}

interface Session {
  readonly slot: number;
  overdue: boolean;
  held: Buffer;
  closed: number;
}

/** 'a' is answered with 'a', 'B' with a full buffer, 'y' yields after its reply, 'q' closes. */
class LetterProtocol implements ByteProtocol<Session> {
  readonly output = new Output();
  readonly sessions: Session[] = [];
  feeds = 0;

  open(slot: number): Session {
    const session = { slot, overdue: false, held: Buffer.alloc(0), closed: 0 };
    this.sessions.push(session);
    return session;
  }

  feed(session: Session, input: Uint8Array, start: number, end: number): number {
    this.feeds++;
    session.held = Buffer.concat([session.held, input.subarray(start, end)]);
    return this.resume(session);
  }

  resume(session: Session): number {
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

  close(session: Session): void {
    session.closed++;
  }

  isOverdue(session: Session): boolean {
    return session.overdue;
  }

  isStalled(): boolean {
    return false;
  }

  isEndless(): boolean {
    return false;
  }

  isBusy(session: Session): boolean {
    return session.held.length > 0;
  }

  idleSeconds(_session: Session, sinceRead: number): number {
    return sinceRead;
  }
}

interface Rig {
  readonly protocol: LetterProtocol;
  readonly transport: SocketTransport<Session>;
  readonly storage: CountingStorage;
  readonly closedSlots: number[];
  readonly kicked: number[];
  readonly overdue: number[];
  client(): Promise<Socket>;
}

async function rig(t: TestContext): Promise<Rig> {
  const protocol = new LetterProtocol();
  const closedSlots: number[] = [];
  const kicked: number[] = [];
  const overdue: number[] = [];
  const storage = new CountingStorage();
  const owner = {
    onClose: (slot: number) => closedSlots.push(slot),
    onIdleKick: (slot: number) => kicked.push(slot),
    onOverdue: (slot: number) => overdue.push(slot),
  };
  const transport = new SocketTransport(protocol, owner, storage);
  let slots = 0;
  const server = createServer({ pauseOnConnect: true }, (socket) => {
    transport.serve(socket, slots++, PLAIN_ORIGIN);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  const clients: Socket[] = [];
  t.after(() => {
    server.close();
    for (const socket of clients) socket.destroy();
  });
  const client = async () => {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => undefined);
    clients.push(socket);
    await once(socket, 'connect');
    return socket;
  };
  return { protocol, transport, storage, closedSlots, kicked, overdue, client };
}

async function receive(socket: Socket, length: number): Promise<string> {
  let text = '';
  for await (const data of socket.iterator({ destroyOnReturn: false })) {
    text += data.toString('latin1');
    if (text.length >= length) break;
  }
  return text;
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) {
    await new Promise((resolve) => {
      setTimeout(resolve, 5);
    });
  }
}

test('all replies to one read leave together and the buffer is used again', async (t) => {
  const { protocol, client, storage } = await rig(t);
  const socket = await client();
  const { current } = storage;
  for (let round = 0; round < 3; round++) {
    socket.write('abc');
    assert.equal(await receive(socket, 3), 'abc');
  }
  assert.equal(protocol.feeds, 3);
  assert.equal(protocol.output.bytes, current);
  assert.equal(storage.detachedMax, 0);
});

test('a client that does not read holds one buffer and is not read', async (t) => {
  const { protocol, client, storage } = await rig(t);
  const lazy = await client();
  lazy.pause();
  const requests = 400;
  lazy.write('B'.repeat(requests));
  await until(() => storage.detached === 1);
  const [session] = protocol.sessions;
  const held = session.held.length;
  const { feeds } = protocol;
  // More input comes, and another client is served: the lazy one stays where it was.
  lazy.write('aaaa');
  const other = await client();
  for (let round = 0; round < 20; round++) {
    other.write('z');
    assert.equal(await receive(other, 1), 'z');
  }
  assert.equal(protocol.feeds, feeds + 20);
  assert.equal(session.held.length, held);
  assert.equal(storage.detachedMax, 1);
  const text = await receive(lazy, requests * OUTPUT_BYTES + 4);
  assert.equal(text.length, requests * OUTPUT_BYTES + 4);
  assert.match(text, /^B+aaaa$/);
  await until(() => storage.detached === 0);
});

test('a lazy client that goes away gives its buffer back', async (t) => {
  const { protocol, client, closedSlots, storage } = await rig(t);
  const lazy = await client();
  lazy.pause();
  lazy.write('B'.repeat(400));
  await until(() => storage.detached === 1);
  lazy.resetAndDestroy();
  await until(() => closedSlots.length === 1);
  assert.equal(storage.detached, 0);
  assert.equal(protocol.sessions[0].closed, 1);
});

test('a session that yields lets the others have a turn, and goes on', async (t) => {
  const { protocol, client } = await rig(t);
  const greedy = await client();
  const modest = await client();
  const requests = 20_000;
  greedy.write('y'.repeat(requests));
  await until(() => protocol.sessions[0].held.length > 0);
  modest.write('a');
  assert.equal(await receive(modest, 1), 'a');
  assert.notEqual(protocol.sessions[0].held.length, 0, 'the greedy one is not through yet');
  assert.equal(await receive(greedy, requests), 'y'.repeat(requests));
  assert.equal(protocol.sessions[0].held.length, 0);
});

test('the reply to the last request is sent before the connection is closed', async (t) => {
  const { client, closedSlots, protocol } = await rig(t);
  const socket = await client();
  socket.write('aaqaa');
  assert.equal(await receive(socket, 1000), 'aaq');
  await until(() => closedSlots.length === 1);
  assert.deepEqual(closedSlots, [0]);
  assert.equal(protocol.sessions[0].closed, 1);
});

test('a client that shuts its side gets what it asked for', async (t) => {
  const { client, closedSlots } = await rig(t);
  const socket = await client();
  socket.end('abB');
  assert.equal((await receive(socket, 1_000_000)).length, 2 + OUTPUT_BYTES);
  await until(() => closedSlots.length === 1);
});

test('draining closes who waits at once, and others after their replies', async (t) => {
  const { transport, client, closedSlots, storage } = await rig(t);
  const idle = await client();
  idle.write('a');
  assert.equal(await receive(idle, 1), 'a');
  const lazy = await client();
  lazy.pause();
  lazy.write('B'.repeat(200));
  await until(() => storage.detached === 1);
  const drained = transport.drain();
  await until(() => closedSlots.length === 1);
  assert.deepEqual(closedSlots, [0]);
  const text = await receive(lazy, 1e9);
  assert.equal(text.length, 200 * OUTPUT_BYTES);
  await drained;
  assert.deepEqual(closedSlots, [0, 1]);
});

test('connections that have not authenticated in time are closed', async (t) => {
  const { protocol, transport, client, overdue, closedSlots } = await rig(t);
  const [late, timely] = [await client(), await client()];
  timely.write('a');
  await receive(timely, 1);
  await until(() => protocol.sessions.length === 2);
  protocol.sessions[0].overdue = true;
  transport.closeOverdue();
  assert.deepEqual(overdue, [0]);
  await once(late.resume(), 'close');
  await until(() => closedSlots.length === 1);
  timely.write('a');
  assert.equal(await receive(timely, 1), 'a');
});

test('idle connections are closed, busy ones are not', async (t) => {
  const { transport, client, kicked, storage } = await rig(t);
  const idle = await client();
  const lazy = await client();
  lazy.pause();
  lazy.write('B'.repeat(400));
  await until(() => storage.detached === 1);
  transport.closeIdle(60);
  assert.deepEqual(kicked, []);
  // A limit below 0 makes everything idle that is not busy.
  transport.closeIdle(-1);
  assert.deepEqual(kicked, [0]);
  await once(idle.resume(), 'close');
});
