/**
 * Clients of all kinds at once, on a server whose workers die now and then: every byte of every
 * reply is checked, and in the end every descriptor, connection and byte of memory is back. A value
 * says whose it is, which version, and what follows from both, so whatever is sent from the wrong
 * place shows. Every client has its own keys; a set without an answer may have happened.
 */
import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { test } from 'node:test';
import { Client, type Launched, launch, pause, waitFor } from '../server/launch.ts';
import { skipWithoutAddon, theAddon } from '../support/addon.ts';

const CLIENTS = 12;
const ROUNDS = 20;
const KEYS = 6;
const VALUE_BYTES_MAX = 600_000;
/** What the process may take more after the second pass; it takes some 10 MB for more items. */
const SLACK_BYTES = 64 * 1024 * 1024;
const PATTERN = Buffer.from(Array.from({ length: VALUE_BYTES_MAX + 1000 }, (_, i) => i % 251));

const kinds = skipWithoutAddon() === false ? theAddon().pumpKinds() : [];

/** The server hung up, which a death of its worker explains. */
class HungUp extends Error {}

/** Reads replies piece by piece. */
class Replies {
  #pieces: Buffer[] = [];
  #kept: Buffer = Buffer.alloc(0);
  #closed = false;
  #wake: () => void = () => undefined;

  constructor(socket: Socket) {
    socket.on('error', () => undefined);
    socket.on('data', (piece: Buffer) => {
      this.#pieces.push(piece);
      this.#wake();
    });
    socket.on('close', () => {
      this.#closed = true;
      this.#wake();
    });
  }

  async line(): Promise<string> {
    for (;;) {
      const end = this.#kept.indexOf('\r\n');
      if (end !== -1) return (await this.bytes(end + 2)).toString('latin1', 0, end);
      if (!(await this.#more())) throw new HungUp();
    }
  }

  async bytes(length: number): Promise<Buffer> {
    while (this.#kept.length < length) {
      if (!(await this.#more())) throw new HungUp();
    }
    const bytes = this.#kept.subarray(0, length);
    this.#kept = this.#kept.subarray(length);
    return bytes;
  }

  /** Nothing more comes, and the connection is closed. */
  async end(): Promise<void> {
    while (await this.#more());
    assert.equal(this.#kept.length, 0);
  }

  /** Waits for what comes next; false when that is the end. */
  async #more(): Promise<boolean> {
    while (this.#pieces.length === 0) {
      if (this.#closed) return false;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    this.#kept = Buffer.concat([this.#kept, ...this.#pieces]);
    this.#pieces = [];
    return true;
  }
}

function bytesOf(key: string, version: number, size: number): Buffer {
  const head = Buffer.from(`${key}:${version}:${size};`);
  return Buffer.concat([head, PATTERN.subarray(version % 251, (version % 251) + size)]);
}

/** One client after the other over the same keys. */
class Chaos {
  readonly #port: number;
  readonly #name: string;
  /** Versions that a key may have; 0 is that it is not there. */
  readonly #versions = new Map<string, number[]>();
  #version = 0;
  replies = 0;

  constructor(port: number, name: string) {
    this.#port = port;
    this.#name = name;
    for (let key = 0; key < KEYS; key++) this.#versions.set(`${name}-${key}`, [0]);
  }

  async run(): Promise<void> {
    for (let round = 0; round < ROUNDS; round++) {
      const socket = connect(this.#port, '127.0.0.1');
      const replies = new Replies(socket);
      try {
        await this.#round(socket, replies);
      } catch (error) {
        if (!(error instanceof HungUp)) throw error;
      } finally {
        socket.destroy();
      }
    }
  }

  async #round(socket: Socket, replies: Replies): Promise<void> {
    for (let sets = randomInt(1, 4); sets > 0; sets--) await this.#set(socket, replies);
    const keys = Array.from({ length: randomInt(1, 12) }, () => this.#key());
    const request = Buffer.from(keys.map((key) => `get ${key}\r\n`).join(''));
    const way = randomInt(5);
    if (way === 0) {
      await this.#write(socket, request);
      await pause(randomInt(4));
      socket.resetAndDestroy();
      return;
    }
    if (way === 1) socket.end(request);
    else await this.#write(socket, request);
    // The replies fill what the kernel takes, and the server has to wait.
    if (way === 2) {
      socket.pause();
      await pause(randomInt(60));
      socket.resume();
    }
    for (const key of keys) await this.#checkGet(key, replies);
    if (way === 1) await replies.end();
  }

  /** All at once, or in pieces of any size, down to a byte. */
  async #write(socket: Socket, bytes: Buffer): Promise<void> {
    if (randomInt(2) === 0) {
      socket.write(bytes);
      return;
    }
    for (let at = 0; at < bytes.length; ) {
      const next = at + 1 + randomInt(1 + Math.ceil(bytes.length / 8));
      socket.write(bytes.subarray(at, next));
      at = next;
      await pause(randomInt(2));
    }
  }

  async #set(socket: Socket, replies: Replies): Promise<void> {
    const key = this.#key();
    const version = ++this.#version;
    const size = randomInt(4) === 0 ? randomInt(VALUE_BYTES_MAX) : randomInt(300);
    const value = bytesOf(key, version, size);
    const before = this.#versions.get(key) ?? [];
    this.#versions.set(key, [...before, version]);
    await this.#write(
      socket,
      Buffer.concat([
        Buffer.from(`set ${key} 0 0 ${value.length}\r\n`),
        value,
        Buffer.from('\r\n'),
      ]),
    );
    assert.equal(await replies.line(), 'STORED');
    this.#versions.set(key, [version]);
    this.replies++;
  }

  async #checkGet(key: string, replies: Replies): Promise<void> {
    const allowed = this.#versions.get(key) ?? [];
    const first = await replies.line();
    if (first === 'END') {
      assert(allowed.includes(0), `${key} is lost`);
    } else {
      const [word, name, flags, length] = first.split(' ');
      assert.deepEqual([word, name, flags], ['VALUE', key, '0']);
      const value = await replies.bytes(Number(length));
      const [, version, size] = /^[^:]*:(\d+):(\d+);/.exec(value.toString('latin1', 0, 60)) ?? [];
      assert(allowed.includes(Number(version)), `version ${version} of ${key}, not ${allowed}`);
      assert(value.equals(bytesOf(key, Number(version), Number(size))), `${key} is spoilt`);
      assert.equal(await replies.line(), '');
      assert.equal(await replies.line(), 'END');
    }
    this.replies++;
  }

  #key(): string {
    return `${this.#name}-${randomInt(KEYS)}`;
  }
}

function descriptors(server: Launched): number {
  return readdirSync(`/proc/${server.child.pid}/fd`).length;
}

function residentBytes(server: Launched): number {
  const status = readFileSync(`/proc/${server.child.pid}/status`, 'latin1');
  return 1024 * Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]);
}

for (const kind of kinds) {
  test(`${kind}: nothing is mixed up and nothing is left behind`, async (t) => {
    const server = await launch(t, ['-m', '256', '-o', `transport=${kind}`]);
    const watcher = async (): Promise<Client> => {
      const client = new Client(t, server.port);
      await client.ask('version\r\n', '\r\n');
      return client;
    };
    let open = 0;
    const resident: number[] = [];
    for (const pass of [0, 1]) {
      const crowd = Array.from(
        { length: CLIENTS },
        (_, i) => new Chaos(server.port, `${pass}${i}`),
      );
      const done = Promise.all(crowd.map((client) => client.run()));
      for (const worker of [0, 1]) {
        await pause(400);
        server.child.send({ kill: worker });
      }
      await done;
      const replies = crowd.reduce((sum, client) => sum + client.replies, 0);
      assert(replies > CLIENTS * ROUNDS, `${replies} replies`);
      const client = await watcher();
      const alone = async () => (await client.stat('curr_connections')) === '1';
      assert.equal(await waitFor(alone, server.ended), true);
      client.socket.destroy();
      // The threads of the first pass have opened all that they open only when they need it.
      if (pass === 0) open = descriptors(server);
      assert.equal(await waitFor(() => descriptors(server) <= open, server.ended), true);
      resident.push(residentBytes(server));
    }
    const [first, second] = resident;

    assert(second < first + SLACK_BYTES, `${first} bytes, then ${second}`);
  });
}
