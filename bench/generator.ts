// The load itself: builds requests, keeps the connections busy (closed loop) or on schedule (open
// loop), checks the replies and measures. One Generator loads one server.

import { BinaryReplies } from './binary-replies.ts';
import { CountedReplies, type ReplyLengths } from './counted-replies.ts';
import { DIALECTS, type Dialect } from './dialects.ts';
import { Histogram } from './histogram.ts';
import { type Items, KEY_LENGTH } from './items.ts';
import { cpuSecondsOf, machineBusySeconds } from './proc.ts';
import type { ReplyCounts, ReplyReader } from './reply-reader.ts';
import { TextReplies } from './text-replies.ts';
import type { Transport, TransportHandler } from './transport.ts';

/** Meta: gets are `mg <key> k v`, sets are `ms`. Meta and binary gets have one key each. */
export type Protocol = 'text' | 'meta' | 'binary';

/** The shape of the load, the same for every server. */
export interface LoadShape {
  readonly connections: number;
  /** Requests that one connection has under way at most. */
  readonly depth: number;
  /** Keys in each get. */
  readonly keysPerGet: number;
  readonly protocol: Protocol;
  /** Requests per second over all connections, or 0 for a closed loop. */
  readonly rate: number;
}

/** What one round measured. Seconds are wall time or processor time, latencies milliseconds. */
export interface RoundResult {
  readonly seconds: number;
  /** Keys asked for or stored. */
  readonly ops: number;
  readonly requests: number;
  readonly counts: ReplyCounts;
  /** Processor time of the server's process, all threads; undefined where /proc does not tell. */
  readonly serverCpuSeconds: number | undefined;
  readonly generatorCpuSeconds: number;
  /** Processor time that neither server nor generator used: others disturbed the measurement. */
  readonly othersCpuSeconds: number | undefined;
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
  /** Open loop: requests that were due and still waited for a free connection at the end. */
  readonly unsent: number;
}

/** Processor seconds used so far at one time, which is in milliseconds. */
interface CpuMark {
  readonly at: number;
  readonly server: number | undefined;
  readonly generator: number;
  readonly machine: number | undefined;
}

const WARMING = 0;
const MEASURING = 1;
const DRAINING = 2;
const FILL_BATCH_BYTES = 16_384;

interface Connection {
  readonly reader: ReplyReader;
  /** Requests sent and not answered. */
  underWay: number;
  /** Closed loop: when the requests under way were sent. */
  sentAt: number;
  /** Open loop: requests whose time has come and that wait for a place in the pipeline. */
  owed: number;
  /** Open loop: requests answered in this round; gives the intended time of the next answer. */
  answered: number;
  /** Place in the request sequence. */
  next: number;
}

/** Loads one server over its own connections; fill() first, then any number of round()s. */
export class Generator implements TransportHandler {
  readonly #shape: LoadShape;
  readonly #dialect: Dialect;
  readonly #items: Items;
  readonly #sequence: Int32Array;
  readonly #transport: Transport;
  readonly #pid: number;
  readonly #counted: ReplyLengths | undefined;
  readonly #connections: Connection[] = [];
  readonly #latencies = new Histogram();
  readonly #counts: ReplyCounts = { hits: 0, misses: 0, stores: 0, refused: 0, fullyChecked: 0 };
  #filling = false;
  #fillNext = 0;
  #phase = DRAINING;
  #measureAt = 0;
  #endAt = 0;
  #startAt = 0;
  /** Open loop: milliseconds between requests, and requests whose time has come so far. */
  #interval = 0;
  #due = 0;
  #requests = 0;
  #underWay = 0;
  #begun: CpuMark = { at: 0, server: 0, generator: 0, machine: 0 };
  #result: RoundResult | undefined;

  /** `counted`: the server sends filler of these lengths, which is counted and not read. */
  constructor(
    shape: LoadShape,
    items: Items,
    sequence: Int32Array,
    transport: Transport,
    pid: number,
    counted?: ReplyLengths,
  ) {
    this.#shape = shape;
    this.#dialect = dialectOf(shape);
    this.#items = items;
    this.#sequence = sequence;
    this.#transport = transport;
    this.#pid = pid;
    this.#counted = counted;
  }

  /** Opens the connections. */
  async connect(port: number): Promise<void> {
    const { connections, depth, keysPerGet } = this.#shape;
    const longest = Math.max(this.#items.maxSetLength, 16 + keysPerGet * (KEY_LENGTH + 1));
    const outputSize = Math.max(depth * longest, FILL_BATCH_BYTES + this.#items.maxSetLength);
    await this.#transport.connect(port, connections, outputSize, this);
    const words = Math.max(depth * (keysPerGet + 1), FILL_BATCH_BYTES);
    const stride = Math.floor(this.#sequence.length / connections);
    for (let i = 0; i < connections; i++) {
      const reader = this.#newReader(words);
      const next = i * stride;
      this.#connections.push({ reader, underWay: 0, sentAt: 0, owed: 0, answered: 0, next });
    }
  }

  #newReader(words: number): ReplyReader {
    if (this.#counted !== undefined) {
      return new CountedReplies(this.#items, this.#counts, this.#counted, words);
    }
    const { protocol } = this.#shape;
    return protocol === 'binary'
      ? new BinaryReplies(this.#items, this.#counts, words)
      : new TextReplies(this.#items, this.#counts, protocol === 'meta', words);
  }

  /** Stores every item once. */
  async fill(): Promise<void> {
    this.#filling = true;
    this.#fillNext = 0;
    this.#connections.forEach((connection, i) => {
      this.#sendFill(connection, i);
    });
    await this.#transport.run(false);
    this.#filling = false;
  }

  /** Loads the server for `warmupMs + measureMs` and returns what the second part showed. */
  async round(warmupMs: number, measureMs: number): Promise<RoundResult> {
    this.#phase = WARMING;
    this.#startAt = performance.now();
    this.#measureAt = this.#startAt + warmupMs;
    this.#endAt = this.#measureAt + measureMs;
    const open = this.#shape.rate > 0;
    if (open) {
      this.#interval = 1000 / this.#shape.rate;
      this.#due = 0;
      for (const connection of this.#connections) {
        connection.owed = 0;
        connection.answered = 0;
      }
    } else {
      this.#connections.forEach((connection, i) => {
        connection.sentAt = performance.now();
        this.#sendTurn(connection, i, this.#shape.depth);
      });
    }
    await this.#transport.run(open);
    if (this.#result === undefined) throw new Error('the round ended before it was measured');
    return this.#result;
  }

  close(): void {
    this.#transport.close();
  }

  received(index: number, bytes: Uint8Array, start: number, end: number): void {
    const connection = this.#connections[index];
    const completed = connection.reader.feed(bytes, start, end);
    connection.underWay -= completed;
    this.#underWay -= completed;
    if (this.#filling) {
      if (connection.underWay === 0) this.#sendFill(connection, index);
      return;
    }
    const now = performance.now();
    this.#advance(now);
    if (this.#shape.rate > 0) {
      this.#completeOpen(connection, index, completed, now);
      return;
    }
    if (this.#phase !== DRAINING) {
      const latency = now - connection.sentAt;
      for (let i = 0; i < completed; i++) this.#latencies.record(latency);
      this.#requests += completed;
      if (connection.underWay === 0) {
        connection.sentAt = now;
        this.#sendTurn(connection, index, this.#shape.depth);
      }
    } else if (this.#underWay === 0) {
      this.#transport.stop();
    }
  }

  /** Open loop: sends what has become due; a full pipeline lets it wait, and its clock runs on. */
  poll(): void {
    const now = performance.now();
    this.#advance(now);
    if (this.#phase === DRAINING) {
      if (this.#underWay === 0) this.#transport.stop();
      return;
    }
    const count = this.#connections.length;
    while (this.#startAt + this.#due * this.#interval <= now) {
      const index = this.#due++ % count;
      const connection = this.#connections[index];
      connection.owed++;
      this.#sendOwed(connection, index);
    }
  }

  #completeOpen(connection: Connection, index: number, completed: number, now: number): void {
    const count = this.#connections.length;
    for (let i = 0; i < completed; i++) {
      const number = connection.answered++ * count + index;
      if (this.#phase !== DRAINING) {
        this.#latencies.record(now - (this.#startAt + number * this.#interval));
        this.#requests++;
      }
    }
    if (this.#phase !== DRAINING) this.#sendOwed(connection, index);
  }

  #sendOwed(connection: Connection, index: number): void {
    const free = Math.min(connection.owed, this.#shape.depth - connection.underWay);
    if (free === 0) return;
    if (connection.underWay > 0 && this.#transport.sending(index)) return;
    connection.owed -= free;
    this.#sendTurn(connection, index, free);
  }

  /** Moves on to the next phase of the round when its time has come. */
  #advance(now: number): void {
    if (this.#phase === WARMING && now >= this.#measureAt) {
      this.#phase = MEASURING;
      this.#latencies.reset();
      this.#requests = 0;
      Object.assign(this.#counts, { hits: 0, misses: 0, stores: 0, refused: 0, fullyChecked: 0 });
      this.#begun = this.#mark(now);
    } else if (this.#phase === MEASURING && now >= this.#endAt) {
      this.#phase = DRAINING;
      this.#result = this.#summary(now);
    }
  }

  #mark(now: number): CpuMark {
    const { user, system } = process.cpuUsage();
    return {
      at: now,
      server: cpuSecondsOf(this.#pid),
      generator: (user + system) / 1e6,
      machine: machineBusySeconds(),
    };
  }

  #summary(now: number): RoundResult {
    const begun = this.#begun;
    const ended = this.#mark(now);
    const server = difference(begun.server, ended.server);
    const machine = difference(begun.machine, ended.machine);
    const generator = ended.generator - begun.generator;
    const counts = { ...this.#counts };
    return {
      seconds: (now - begun.at) / 1000,
      ops: counts.hits + counts.misses + counts.stores,
      requests: this.#requests,
      counts,
      serverCpuSeconds: server,
      generatorCpuSeconds: generator,
      othersCpuSeconds:
        machine === undefined || server === undefined
          ? undefined
          : Math.max(0, machine - server - generator),
      p50: this.#latencies.percentileMs(0.5),
      p99: this.#latencies.percentileMs(0.99),
      p999: this.#latencies.percentileMs(0.999),
      max: this.#latencies.maxMs,
      unsent: this.#connections.reduce((sum, connection) => sum + connection.owed, 0),
    };
  }

  /** Writes the connection's next requests into its output buffer and sends them in one piece. */
  #sendTurn(connection: Connection, index: number, requests: number): void {
    const output = this.#transport.output(index);
    const sequence = this.#sequence;
    const dialect = this.#dialect;
    const keysPerGet = this.#shape.keysPerGet;
    const reader = connection.reader;
    let at = 0;
    let next = connection.next;
    for (let i = 0; i < requests; i++) {
      const first = sequence[next];
      if (++next === sequence.length) next = 0;
      if (first < 0) {
        reader.expectStored(~first);
        at = dialect.writeSet(output, at, ~first, this.#items);
        continue;
      }
      reader.expectGet(keysPerGet);
      reader.expectKey(first);
      at = dialect.writeGet(output, at, first, true);
      for (let k = 1; k < keysPerGet; k++) {
        const value = sequence[next];
        const item = value < 0 ? ~value : value;
        if (++next === sequence.length) next = 0;
        reader.expectKey(item);
        at = dialect.writeGet(output, at, item, false);
      }
    }
    connection.next = next;
    connection.underWay += requests;
    this.#underWay += requests;
    this.#transport.send(index, at);
  }

  #sendFill(connection: Connection, index: number): void {
    const output = this.#transport.output(index);
    let at = 0;
    while (at < FILL_BATCH_BYTES && this.#fillNext < this.#items.count) {
      const item = this.#fillNext++;
      connection.reader.expectStored(item);
      at = this.#dialect.writeSet(output, at, item, this.#items);
      connection.underWay++;
      this.#underWay++;
    }
    if (at > 0) this.#transport.send(index, at);
    else if (this.#underWay === 0) this.#transport.stop();
  }
}

/** The words that requests of this shape are written in. */
export function dialectOf({ protocol, keysPerGet }: LoadShape): Dialect {
  if (protocol === 'text') return keysPerGet === 1 ? DIALECTS.classic : DIALECTS.multi;
  return DIALECTS[protocol];
}

function difference(from: number | undefined, to: number | undefined): number | undefined {
  return from === undefined || to === undefined ? undefined : to - from;
}
