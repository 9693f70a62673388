/**
 * The native pumps, each of them driven by hand: what goes in comes out, in order, whatever the
 * kernel takes at once, and every descriptor is closed in the end.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import {
  addon,
  CLOSE,
  checksOf,
  DESTROY,
  KINDS,
  PAUSE,
  PumpDriver,
  RESUME,
  SEND,
  SEND_SLAB,
} from './pump-driver.ts';

const MEGABYTE = 1024 * 1024;

/** Bytes that show their place. */
function pattern(length: number, from = 0): Buffer {
  const bytes = Buffer.alloc(length);
  for (let i = 0; i < length; i++) bytes[i] = (from + i) % 251;
  return bytes;
}

/** What a client receives, until it is that much. */
function received(socket: Socket, length: number): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let got = 0;
  return new Promise((resolve) => {
    // Listened to all the time: a socket that was paused may bring several pieces at once.
    const take = (data: Buffer): void => {
      pieces.push(data);
      got += data.length;
      if (got < length) return;
      socket.off('data', take);
      resolve(Buffer.concat(pieces));
    };
    socket.on('data', take);
  });
}

/** Open descriptors, once no more of them are closing. */
async function descriptors(): Promise<number> {
  for (let last = -1; ; ) {
    const now = readdirSync('/proc/self/fd').length;
    if (now === last) return now;
    last = now;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

test('the best pump of this machine comes first', { skip: addon === undefined }, () => {
  assert(KINDS.includes('epoll'));
  assert.deepEqual([...KINDS].sort().reverse(), KINDS);
});

for (const kind of KINDS) {
  const check = checksOf(kind);

  check('what is received is answered', async (pump) => {
    const { socket, id } = await pump.client();
    socket.write('question');
    assert.equal((await pump.bytes(id, 8)).toString(), 'question');
    pump.send(id, Buffer.from('answer'));
    pump.flush();
    assert.equal((await received(socket, 6)).toString(), 'answer');
    socket.destroy();
  });

  check('neighbouring sends leave in order, from output and slab', async (pump) => {
    const { socket, id } = await pump.client();
    pattern(3000).copy(pump.slab, 803);
    pump.send(id, Buffer.from('head '), 100);
    pump.command(id, SEND_SLAB | (3 << 8), 100, 3000);
    pump.send(id, Buffer.from(' tail'), 200);
    pump.flush();
    const expected = Buffer.concat([Buffer.from('head '), pattern(3000), Buffer.from(' tail')]);
    assert.deepEqual(await received(socket, expected.length), expected);
    socket.destroy();
  });

  check('more pieces than one call takes leave in order', async (pump) => {
    const { socket, id } = await pump.client();
    pattern(300).copy(pump.output);
    for (let piece = 0; piece < 300; piece++) pump.command(id, SEND, piece, 1);
    pump.flush();
    assert.deepEqual(await received(socket, 300), pattern(300));
    socket.destroy();
  });

  check('sends of one connection that others come between keep their order', async (pump) => {
    const one = await pump.client();
    const two = await pump.client();
    pattern(100).copy(pump.output);
    for (let piece = 0; piece < 100; piece++) {
      pump.command(piece % 2 === 0 ? one.id : two.id, SEND, piece, 1);
    }
    pump.flush();
    const even = Buffer.from(pattern(100).filter((_, place) => place % 2 === 0));
    const odd = Buffer.from(pattern(100).filter((_, place) => place % 2 === 1));
    assert.deepEqual(await received(one.socket, 50), even);
    assert.deepEqual(await received(two.socket, 50), odd);
    one.socket.destroy();
    two.socket.destroy();
  });

  check('what the kernel does not take is kept, in order, until it is sent', async (pump) => {
    const { socket, id } = await pump.client();
    socket.pause();
    pattern(8 * MEGABYTE, 7).copy(pump.slab);
    pump.send(id, pattern(MEGABYTE / 2));
    for (let part = 0; part < 8; part++) {
      pump.command(id, SEND_SLAB, (part * MEGABYTE) / 8, MEGABYTE);
    }
    pump.flush();
    await pump.until(({ what }) => what === 'blocked');
    // The arena is TypeScript's again, and more may be queued behind what is stuck.
    pump.output.fill(0);
    pump.send(id, Buffer.from('end'));
    pump.flush();
    assert.equal(pump.reported.filter(({ what }) => what === 'sent').length, 0);
    socket.resume();
    const expected = Buffer.concat([
      pattern(MEGABYTE / 2),
      pattern(8 * MEGABYTE, 7),
      Buffer.from('end'),
    ]);
    assert((await received(socket, expected.length)).equals(expected));
    await pump.until(({ what }) => what === 'sent');
    socket.destroy();
  });

  check('a connection that is blocked is not read', async (pump) => {
    const { socket, id } = await pump.client();
    socket.pause();
    for (let part = 0; part < 12; part++) pump.command(id, SEND_SLAB, 0, MEGABYTE);
    pump.flush();
    await pump.until(({ what }) => what === 'blocked');
    pump.flush();
    socket.write(pattern(16 * MEGABYTE));
    await new Promise((resolve) => setTimeout(resolve, 200));
    const early = pump.reported.reduce((sum, { what, b }) => sum + (what === 'data' ? b : 0), 0);
    assert(early < MEGABYTE, `${early} bytes were read`);
    socket.resume();
    assert((await pump.bytes(id, 16 * MEGABYTE)).equals(pattern(16 * MEGABYTE)));
    socket.destroy();
  });

  check('nothing is read between pause and resume', async (pump) => {
    const { socket, id } = await pump.client();
    pump.command(id, PAUSE);
    pump.flush();
    pump.flush();
    socket.write('later');
    await new Promise((resolve) => setTimeout(resolve, 100));
    assert.deepEqual(pump.reported, []);
    pump.command(id, RESUME);
    pump.flush();
    assert.equal((await pump.bytes(id, 5)).toString(), 'later');
    socket.destroy();
  });

  check('pause and resume in any rhythm lose nothing', async (pump) => {
    const { socket, id } = await pump.client();
    const sent = pattern(4 * MEGABYTE);
    socket.write(sent);
    const timer = setInterval(() => {
      pump.command(id, PAUSE);
      if (Math.random() < 0.5) pump.flush();
      pump.command(id, RESUME);
      pump.flush();
    }, 1);
    const got = await pump.bytes(id, sent.length);
    clearInterval(timer);
    assert(got.equals(sent));
    socket.destroy();
  });

  check('close sends what is queued first', async (pump) => {
    const { socket, id } = await pump.client();
    socket.pause();
    pattern(8 * MEGABYTE).copy(pump.slab);
    for (let part = 0; part < 8; part++) {
      pump.command(id, SEND_SLAB, (part * MEGABYTE) / 8, MEGABYTE);
    }
    pump.command(id, CLOSE);
    pump.flush();
    const closed = once(socket, 'close');
    socket.resume();
    const all = received(socket, 8 * MEGABYTE);
    await pump.until(({ what, connection }) => what === 'closed' && connection === id);
    assert((await all).equals(pattern(8 * MEGABYTE)));
    await closed;
  });

  check('destroy closes at once', async (pump) => {
    const { socket, id } = await pump.client();
    socket.on('error', () => undefined);
    for (let part = 0; part < 12; part++) pump.command(id, SEND_SLAB, 0, MEGABYTE);
    pump.flush();
    pump.command(id, DESTROY);
    pump.command(id, SEND, 0, 10);
    pump.flush();
    await pump.until(({ what, connection }) => what === 'closed' && connection === id);
    socket.resume();
    await once(socket, 'close');
  });

  check('the end of the input is told after the input', async (pump) => {
    const { socket, id } = await pump.client();
    socket.end('last words');
    assert.equal((await pump.bytes(id, 10)).toString(), 'last words');
    await pump.until(({ what, connection }) => what === 'end' && connection === id);
    pump.send(id, Buffer.from('goodbye'));
    pump.command(id, CLOSE);
    pump.flush();
    assert.equal((await received(socket, 7)).toString(), 'goodbye');
    await pump.until(({ what }) => what === 'closed');
  });

  check('a reset is told as such', async (pump) => {
    const { socket, id } = await pump.client();
    socket.resetAndDestroy();
    const event = await pump.until(({ what }) => what === 'broken' || what === 'end');
    assert.equal(event.what, 'broken');
    assert.equal(event.connection, id);
    pump.command(id, DESTROY);
    pump.flush();
    await pump.until(({ what }) => what === 'closed');
  });

  check('commands to nobody and commands that make no sense change nothing', async (pump) => {
    const { socket, id } = await pump.client();
    for (const nobody of [id + 1, 63, 64, -1, 2 ** 31 - 1]) {
      for (let what = 0; what < 8; what++) pump.command(nobody, what, 0, 10);
    }
    pump.command(id, 77, 0, 10);
    pump.command(id, SEND, pump.output.length - 5, 10);
    pump.command(id, SEND, -1, 1);
    pump.command(id, SEND_SLAB, pump.slab.length / 8, 1);
    pump.send(id, Buffer.from('fine'));
    pump.flush();
    assert.equal((await received(socket, 4)).toString(), 'fine');
    socket.destroy();
  });

  const crowd = async (pump: PumpDriver): Promise<void> => {
    const clients = [];
    for (let more = 0; more < 40; more++) clients.push(await pump.client());
    for (const { socket, id } of clients) socket.write(`client ${id}`);
    for (const { id } of clients) {
      const expected = `client ${id}`;
      assert.equal((await pump.bytes(id, expected.length)).toString(), expected);
    }
    for (const { socket } of clients) socket.end();
    for (const _ of clients) await pump.until(({ what }) => what === 'end');
    for (const { id } of clients) pump.command(id, CLOSE);
    pump.flush();
    for (const _ of clients) await pump.until(({ what }) => what === 'closed');
  };
  check('more happens than one cycle reports', async (pump) => crowdInAnyOrder(pump), 3);
  check('many connections', crowd);

  test(`${kind}: nothing is left open`, async () => {
    const before = await descriptors();
    const pump = new PumpDriver(kind);
    const clients = [await pump.client(), await pump.client()];
    const ends = clients.map(({ socket }) => once(socket.resume(), 'close'));
    pump.command(clients[0].id, CLOSE);
    pump.flush();
    await pump.until(({ what }) => what === 'closed');
    pump.close();
    await Promise.all(ends);
    assert.equal(await descriptors(), before);
  });
}

/** As a crowd, but events may be told in any order between connections. */
async function crowdInAnyOrder(pump: PumpDriver): Promise<void> {
  const clients = [];
  for (let more = 0; more < 20; more++) clients.push(await pump.client());
  const texts = new Map<number, string>();
  for (const { socket, id } of clients) socket.end(`client ${id}`);
  let ended = 0;
  while (ended < clients.length) {
    const event = await pump.until(() => true);
    if (event.what === 'end') ended++;
    const text = (texts.get(event.connection) ?? '') + event.bytes.toString();
    texts.set(event.connection, text);
  }
  for (const { id } of clients) {
    assert.equal(texts.get(id), `client ${id}`);
    pump.command(id, DESTROY);
  }
  pump.flush();
  for (const _ of clients) await pump.until(({ what }) => what === 'closed');
}
