// Two servers fed with the same requests: ours and the real memcached. A fence, a line with an
// unmistakable answer, ends every exchange, so the end of the replies is known even when what was
// sent was garbage and nobody can say how many replies it deserves.

import { parseFrames } from '../support/replies.ts';
import { type Launch, type Server, startServer } from '../support/server.ts';
import type { SpoilingProxy } from '../support/tamper.ts';
import { WireClient } from '../support/wire.ts';
import { CasBook } from './cas-book.ts';
import { type Answer, compareAnswers } from './compare-replies.ts';
import type { Coverage } from './coverage.ts';
import { KEYS } from './material.ts';
import { type CasLookup, deficit, isMeta, mayHangUp, type Request, render } from './requests.ts';

/** A request that no step sends, and its answer that nothing else gets. */
export interface Fence {
  readonly request: Buffer;
  readonly reply: Buffer;
}

/** It changes no counter of any command. */
const FENCE: Fence = {
  request: Buffer.from('stats detail fence\r\n'),
  reply: Buffer.from('CLIENT_ERROR usage: stats detail on|off|dump\r\n'),
};
const STORED = Buffer.from('STORED\r\n');
/** What the lines that clear a server for a run answer, under -F and -X too. */
const CLEARED = new RegExp(
  '^(OK|CLIENT_ERROR flush_all not allowed)\r\n' +
    '(OK|CLIENT_ERROR stats detail not allowed)\r\nOK\r\nRESET\r\n$',
);
const ANSWER_LIMIT_MS = 10_000;
const CLOSE_LIMIT_MS = 500;

/** Cuts of a byte string as fractions of its length, or `bytes`: one byte at a time at first. */
export type Fragmentation = readonly number[] | 'bytes';

/** At most this many single bytes are sent before the rest follows in one piece. */
const SINGLE_BYTES = 150;

/** How the connections of a session speak. */
export interface Manners {
  readonly fence?: Fence | undefined;
  /** What a new connection sends before anything else: a storage line that logs in (-Y). */
  readonly textLogin?: Buffer | undefined;
  /** The same in a packet (-S). */
  readonly binaryLogin?: Buffer | undefined;
}

/** Puts something between client and server; the tests of the comparison itself spoil replies. */
export type Between = (serverPort: number) => Promise<SpoilingProxy>;

export class Side {
  readonly server: Server;
  client: WireClient;
  /** The largest value seen in this run of each counter of lost items. */
  readonly largestLosses = new Map<string, number>();
  readonly #proxy: SpoilingProxy | undefined;
  readonly #fence: Fence;
  readonly #login: Buffer | undefined;

  private constructor(
    server: Server,
    client: WireClient,
    proxy: SpoilingProxy | undefined,
    manners: Manners,
  ) {
    this.server = server;
    this.client = client;
    this.#proxy = proxy;
    this.#fence = manners.fence ?? FENCE;
    this.#login = manners.textLogin;
  }

  static async start(launch: Launch, manners: Manners = {}, between?: Between): Promise<Side> {
    const server = await startServer(launch);
    const proxy = await between?.(server.port);
    const client = await WireClient.connect(proxy?.port ?? server.port);
    return new Side(server, client, proxy, manners);
  }

  /** Where clients connect to: the server, or what is in front of it. */
  get port(): number {
    return this.#proxy?.port ?? this.server.port;
  }

  async reconnect(): Promise<void> {
    this.client.destroy();
    this.client = await WireClient.connect(this.port);
    if (this.#login === undefined) return;
    await this.client.send(this.#login);
    await this.client.waitFor((received) => received.length >= STORED.length, ANSWER_LIMIT_MS);
    const answer = this.client.take();
    if (!answer.equals(STORED)) {
      throw new Error(`${this.server.name} refused the login: ${JSON.stringify(String(answer))}`);
    }
  }

  /**
   * Sends the bytes and the fence; the answer is everything before the fence's own answer. When
   * the bytes may end the connection the fence waits a little: a server that closes with unread
   * bytes before it sends a reset, which can overtake its answers.
   */
  async exchange(bytes: Buffer, how: Fragmentation, mayClose = false): Promise<Answer> {
    const all = mayClose ? bytes : Buffer.concat([bytes, this.#fence.request]);
    await this.client.send(all, cutsOf(all.length, how));
    if (mayClose) {
      const ended = await this.client.waitClosed(CLOSE_LIMIT_MS);
      if (ended === 'closed') return { bytes: this.client.take(), end: 'closed' };
      await this.client.send(this.#fence.request);
    }
    const { reply } = this.#fence;
    const outcome = await this.client.waitFor(
      (received) =>
        received.length >= reply.length && received.subarray(-reply.length).equals(reply),
      ANSWER_LIMIT_MS,
    );
    const received = this.client.take();
    if (outcome === 'done') {
      return { bytes: received.subarray(0, -reply.length), end: 'open' };
    }
    return { bytes: received, end: outcome === 'closed' ? 'closed' : 'stalled' };
  }

  /** Sends bytes and waits until the server hangs up. */
  async exchangeUntilClosed(bytes: Buffer, how: Fragmentation): Promise<Answer> {
    await this.client.send(bytes, cutsOf(bytes.length, how));
    const outcome = await this.client.waitClosed(ANSWER_LIMIT_MS);
    return { bytes: this.client.take(), end: outcome === 'closed' ? 'closed' : 'open' };
  }

  async stop(): Promise<void> {
    this.client.destroy();
    await this.#proxy?.close();
    await this.server.stop();
  }
}

function cutsOf(length: number, how: Fragmentation): number[] {
  if (how === 'bytes') {
    return Array.from({ length: Math.min(length, SINGLE_BYTES) }, (_, index) => index + 1);
  }
  return how.map((fraction) => Math.floor(fraction * length)).sort((a, b) => a - b);
}

/** How the servers of a session are started and what follows from that for comparing. */
export interface SessionOptions {
  readonly ours: Launch;
  readonly theirs: Launch;
  /** True when memory is so small that items get lost at different moments. */
  readonly evicting: boolean;
  readonly coverage: Coverage;
  readonly manners?: Manners | undefined;
  /** Stands before our side only. */
  readonly between?: Between | undefined;
}

export class Session {
  readonly options: SessionOptions;
  readonly ours: Side;
  readonly theirs: Side;
  book = new CasBook();
  /** Per key, the loss counters of both sides when they last agreed on it. */
  readonly losses = new Map<string, readonly [number, number]>();
  /** The loss counters of both sides when they were last read in this run. */
  lastLosses: readonly [number, number] = [0, 0];

  private constructor(options: SessionOptions, ours: Side, theirs: Side) {
    this.options = options;
    this.ours = ours;
    this.theirs = theirs;
  }

  static async start(options: SessionOptions): Promise<Session> {
    const manners = options.manners ?? {};
    const [ours, theirs] = await Promise.all([
      Side.start(options.ours, manners, options.between),
      Side.start(options.theirs, manners),
    ]);
    return new Session(options, ours, theirs);
  }

  async stop(): Promise<void> {
    await Promise.all([this.ours.stop(), this.theirs.stop()]);
  }

  /** Forgets what was learned of the items of the last run. */
  forget(): void {
    this.book = new CasBook();
    this.losses.clear();
    this.lastLosses = [0, 0];
  }

  /** New connections, no items of the last run, counters at zero: where every run begins. */
  async begin(): Promise<void> {
    this.forget();
    const lines = KEYS.map((key) => `delete ${key} noreply\r\n`);
    const switches = 'stats detail off\r\nverbosity 0\r\nstats reset\r\n';
    const reset = `flush_all\r\n${lines.join('')}${switches}`;
    await Promise.all(
      [this.ours, this.theirs].map(async (side) => {
        await side.reconnect();
        side.largestLosses.clear();
        const answer = await side.exchange(Buffer.from(reset, 'latin1'), []);
        const text = answer.bytes.toString('latin1');
        if (!CLEARED.test(text)) {
          throw new Error(`${side.server.name} did not reset: ${JSON.stringify(text)}`);
        }
      }),
    );
  }

  /** The requests' bytes for one side, padded until no data block and no line is left open. */
  bytesFor(requests: readonly Request[], index: 0 | 1): Buffer {
    const lookup: CasLookup = (key, choice) => this.book.lookup(key, choice)?.[index];
    const parts = requests.map((request) => render(request, lookup));
    const open = requests.reduce((sum, request) => sum + deficit(request), 0);
    const bytes = Buffer.concat(parts);
    const unended = bytes[bytes.length - 1] === 10 ? 0 : 1;
    return Buffer.concat([bytes, Buffer.alloc(open + unended, '\n')]);
  }

  /** Sends the same requests to both, counts them, and returns their answers. */
  async ask(requests: readonly Request[], how: Fragmentation): Promise<[Answer, Answer]> {
    const { coverage } = this.options;
    coverage.steps += 1;
    for (const { line } of requests) coverage.requests[isMeta(line) ? 'meta' : 'text'] += 1;
    return await this.send(requests, how);
  }

  /** The same without counting them as compared. */
  async send(requests: readonly Request[], how: Fragmentation): Promise<[Answer, Answer]> {
    const mayClose = requests.some(({ line }) => mayHangUp(line));
    return await Promise.all([
      this.ours.exchange(this.bytesFor(requests, 0), how, mayClose),
      this.theirs.exchange(this.bytesFor(requests, 1), how, mayClose),
    ]);
  }

  count(theirs: Answer): void {
    for (const frame of parseFrames(theirs.bytes)) this.options.coverage.count(frame);
  }

  /** Compares two answers; counts the replies, and connects again where both hung up. */
  async settle(ours: Answer, theirs: Answer): Promise<string | undefined> {
    const difference = compareAnswers(ours, theirs, this.book);
    if (difference !== undefined) return difference;
    this.count(theirs);
    if (theirs.end !== 'open') {
      this.options.coverage.add(theirs.end);
      await Promise.all([this.ours.reconnect(), this.theirs.reconnect()]);
    }
    return undefined;
  }
}
