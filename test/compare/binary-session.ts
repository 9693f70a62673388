// Two servers, each with a connection that speaks text and one that speaks binary: the same
// requests go to both servers, by either connection, and to one keyspace.
import { DELETEQ, FLUSHQ, STAT } from '../support/opcodes.ts';
import { parseReplies } from '../support/packets.ts';
import { compareReplies, kindOf } from './binary-replies.ts';
import { BINARY_KEYS, type BinaryRequest, plain, render } from './binary-requests.ts';
import { BinarySide } from './binary-side.ts';
import type { Answer } from './compare-replies.ts';
import { KEYS } from './material.ts';
import type { CasLookup } from './requests.ts';
import { Session, type SessionOptions } from './session.ts';

export class BinarySession {
  readonly text: Session;
  readonly ours: BinarySide;
  readonly theirs: BinarySide;

  private constructor(text: Session, ours: BinarySide, theirs: BinarySide) {
    this.text = text;
    this.ours = ours;
    this.theirs = theirs;
  }

  static async start(options: SessionOptions): Promise<BinarySession> {
    const text = await Session.start(options);
    const { ours, theirs } = text;
    const login = options.manners?.binaryLogin;
    const [mine, other] = await Promise.all([
      BinarySide.connect(ours.port, login),
      BinarySide.connect(theirs.port, login),
    ]);
    return new BinarySession(text, mine, other);
  }

  async stop(): Promise<void> {
    this.ours.client.destroy();
    this.theirs.client.destroy();
    await this.text.stop();
  }

  /**
   * New connections, no items of the last run, counters at zero: where every run begins.
   * `byPackets`: the text connections are of no use here.
   */
  async begin(byPackets: boolean): Promise<void> {
    await Promise.all([this.ours.reconnect(), this.theirs.reconnect()]);
    const deletes = [...KEYS, ...BINARY_KEYS].map((key) => plain(DELETEQ, key));
    const switches = ['detail off', 'reset'].map((key) => plain(STAT, key));
    const last = byPackets ? [plain(FLUSHQ), ...switches] : [];
    await this.send([...deletes, ...last], []);
    if (byPackets) this.text.forget();
    else await this.text.begin();
  }

  /** Sends the same requests to both, and counts them. */
  async ask(
    requests: readonly BinaryRequest[],
    cuts: readonly number[],
  ): Promise<[Answer, Answer]> {
    const { coverage } = this.text.options;
    coverage.steps += 1;
    coverage.requests.binary += requests.length;
    return await this.send(requests, cuts);
  }

  /** Sends the same requests to both; the opaque of each is its place in the list. */
  async send(
    requests: readonly BinaryRequest[],
    cuts: readonly number[],
  ): Promise<[Answer, Answer]> {
    return await Promise.all([
      this.ours.exchange(this.#bytesFor(requests, 0), cuts),
      this.theirs.exchange(this.#bytesFor(requests, 1), cuts),
    ]);
  }

  /** Compares two answers; counts the replies, and connects again where both hung up. */
  async settle(
    requests: readonly BinaryRequest[],
    ours: Answer,
    theirs: Answer,
  ): Promise<string | undefined> {
    const { book, options } = this.text;
    const difference = compareReplies(requests, ours, theirs, book);
    if (difference !== undefined) return difference;
    this.count(theirs);
    if (theirs.end !== 'open') {
      options.coverage.add(`binary ${theirs.end}`);
      await Promise.all([this.ours.reconnect(), this.theirs.reconnect()]);
    }
    return undefined;
  }

  count(theirs: Answer): void {
    const { coverage } = this.text.options;
    for (const packet of parseReplies(theirs.bytes).packets) coverage.add(kindOf(packet));
  }

  #bytesFor(requests: readonly BinaryRequest[], index: 0 | 1): Buffer {
    const { book } = this.text;
    const lookup: CasLookup = (key, choice) => book.lookup(key, choice)?.[index];
    return Buffer.concat(requests.map((request, at) => render(request, at, lookup)));
  }
}
