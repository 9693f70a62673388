/**
 * A pump on the test's own thread, driven by hand: tests say what it is to do, and wait for what it
 * reports. Clients are sockets of Node.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { test } from 'node:test';
import { type Addon, loadAddon, type Pump } from '../../src/net/addon.ts';

export const EVENT_NAMES = [
  'data',
  'end',
  'broken',
  'sent',
  'blocked',
  'open',
  'closed',
  'datagram',
] as const;
export const SEND = 0;
export const SEND_SLAB = 1;
export const CLOSE = 2;
export const DESTROY = 3;
export const PAUSE = 4;
export const RESUME = 5;

/** What the pump reported. */
export interface Event {
  readonly what: (typeof EVENT_NAMES)[number];
  readonly connection: number;
  readonly a: number;
  readonly b: number;
  /** Of 'data'. */
  readonly bytes: Buffer;
}

const INPUT_BYTES = 4 * 1024 * 1024;
const WAIT_MS = 5;
const LISTENER = 3;

/** The other end of a connection, and its id. */
export interface Client {
  readonly socket: Socket;
  readonly id: number;
}

/** The addon where it was built; tests without it are skipped with the reason. */
export const addon: Addon | undefined = loadAddon();

/** The kinds of pump to test. */
export const KINDS: readonly string[] = addon === undefined ? [] : addon.pumpKinds();

export class PumpDriver {
  readonly output = Buffer.allocUnsafeSlow(1024 * 1024);
  readonly slab = Buffer.from(new SharedArrayBuffer(16 * 1024 * 1024));
  readonly mailbox: number;
  readonly reported: Event[] = [];
  readonly #native: Addon;
  readonly #pump: Pump;
  readonly #input = Buffer.allocUnsafeSlow(INPUT_BYTES);
  readonly #events: Int32Array;
  readonly #commands = new Int32Array(4 * 1024);
  readonly #server = createServer({ pauseOnConnect: true });
  #queued = 0;
  #slot = 0;

  constructor(kind: string, eventsMax = 256) {
    assert(addon !== undefined);
    this.#native = addon;
    this.mailbox = addon.openMailbox();
    this.#events = new Int32Array(4 * eventsMax);
    const memory = {
      input: this.#input,
      output: this.output,
      slab: this.slab,
      events: this.#events,
      commands: this.#commands,
    };
    this.#pump = new addon.Pump(kind, this.mailbox, 64, memory, () => this.#collect(true));
  }

  /** A client and the id of its connection. */
  async client(): Promise<Client> {
    const { client, fd } = await this.#connect();
    assert(this.#native.handOver(fd, this.mailbox, client.id, LISTENER));
    await this.until((event) => event.what === 'open' && event.connection === client.id);
    return client;
  }

  /** Clients that have all arrived when this resolves, and of which the pump has told nothing. */
  async arrivals(count: number): Promise<Client[]> {
    const waiting = [];
    for (let more = 0; more < count; more++) waiting.push(await this.#connect());
    for (const { client, fd } of waiting) {
      assert(this.#native.handOver(fd, this.mailbox, client.id, LISTENER));
    }
    return waiting.map(({ client }) => client);
  }

  async #connect(): Promise<{ client: Client; fd: number }> {
    if (!this.#server.listening) {
      this.#server.listen(0, '127.0.0.1');
      await once(this.#server, 'listening');
    }
    const address = this.#server.address();
    assert(typeof address === 'object' && address !== null);
    const socket = connect(address.port, '127.0.0.1');
    const [accepted] = await once(this.#server, 'connection');
    const { fd } = (accepted as { _handle: { fd: number } })._handle;
    const copy = this.#native.duplicate(fd);
    accepted.destroy();
    return { client: { socket, id: this.#slot++ }, fd: copy };
  }

  /** Adds a command for the next cycle. */
  command(connection: number, what: number, a = 0, b = 0): void {
    this.#commands.set([connection, what, a, b], 4 * this.#queued++);
  }

  /** Adds the command that sends these bytes, which lie at `at` of the output. */
  send(connection: number, bytes: Buffer, at = 0): void {
    bytes.copy(this.output, at);
    this.command(connection, SEND, at, bytes.length);
  }

  /** Has the commands carried out, outside of a slice. */
  flush(): void {
    this.#collect(false);
  }

  /** Waits until such an event was reported, now or before, and takes it. */
  async until(wanted: (event: Event) => boolean): Promise<Event> {
    for (;;) {
      const index = this.reported.findIndex(wanted);
      if (index !== -1) return this.reported.splice(index, 1)[0];
      await new Promise((resolve) => setTimeout(resolve, WAIT_MS));
    }
  }

  /** All bytes of a connection, until there are so many. */
  async bytes(connection: number, length: number): Promise<Buffer> {
    const pieces: Buffer[] = [];
    let got = 0;
    while (got < length) {
      const event = await this.until(
        ({ what, connection: id }) => what === 'data' && id === connection,
      );
      pieces.push(event.bytes);
      got += event.b;
    }
    return Buffer.concat(pieces);
  }

  close(): void {
    this.#pump.close();
    this.#native.closeMailbox(this.mailbox);
    this.#server.close();
  }

  /** One cycle outside of a slice: what it reported. */
  turn(): readonly Event[] {
    const before = this.reported.length;
    this.#cycle(false);
    return this.reported.slice(before);
  }

  #collect(mayWait: boolean): void {
    while (this.#cycle(mayWait) > 0);
  }

  #cycle(mayWait: boolean): number {
    const count = this.#pump.cycle(this.#take(), mayWait);
    assert(count <= this.#events.length / 4);
    for (let at = 0; at < 4 * count; at += 4) {
      const [connection, what, a, b] = this.#events.subarray(at, at + 4);
      const bytes = what === 0 ? Buffer.from(this.#input.subarray(a, a + b)) : Buffer.alloc(0);
      this.reported.push({ what: EVENT_NAMES[what], connection, a, b, bytes });
    }
    return count;
  }

  #take(): number {
    const count = this.#queued;
    this.#queued = 0;
    return count;
  }
}

/** What makes a test of a pump of that kind, which is closed afterwards. */
export function checksOf(kind: string) {
  return (name: string, body: (pump: PumpDriver) => Promise<void>, eventsMax = 256) =>
    test(`${kind}: ${name}`, async () => {
      const pump = new PumpDriver(kind, eventsMax);
      try {
        await body(pump);
      } finally {
        pump.close();
      }
    });
}
