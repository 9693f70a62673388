// Two servers, each with a connection that speaks text and one that speaks binary: the same
// requests go to both servers, by either connection, and to one keyspace.
import { DELETEQ } from '../support/opcodes.ts';
import { parseReplies } from '../support/packets.ts';
import { compareReplies, kindOf } from './binary-replies.ts';
import { BINARY_KEYS, type BinaryRequest, render } from './binary-requests.ts';
import { BinarySide } from './binary-side.ts';
import type { Answer } from './compare-replies.ts';
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
    const [mine, other] = await Promise.all([
      BinarySide.connect(ours.port),
      BinarySide.connect(theirs.port),
    ]);
    return new BinarySession(text, mine, other);
  }

  async stop(): Promise<void> {
    this.ours.client.destroy();
    this.theirs.client.destroy();
    await this.text.stop();
  }

  /** New connections, no items of the last run, counters at zero: where every run begins. */
  async begin(): Promise<void> {
    await Promise.all([this.ours.reconnect(), this.theirs.reconnect()]);
    const deletes = BINARY_KEYS.map((key): BinaryRequest => {
      return { opcode: DELETEQ, key, extras: Buffer.alloc(0), value: { literal: '' } };
    });
    await this.ask(deletes, []);
    await this.text.begin();
  }

  /** Sends the same requests to both; the opaque of each is its place in the list. */
  async ask(
    requests: readonly BinaryRequest[],
    cuts: readonly number[],
  ): Promise<[Answer, Answer]> {
    const { coverage } = this.text.options;
    coverage.steps += 1;
    coverage.requests += requests.length;
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
    for (const packet of parseReplies(theirs.bytes).packets) options.coverage.add(kindOf(packet));
    if (theirs.end !== 'open') {
      options.coverage.add(`binary ${theirs.end}`);
      await Promise.all([this.ours.reconnect(), this.theirs.reconnect()]);
    }
    return undefined;
  }

  #bytesFor(requests: readonly BinaryRequest[], index: 0 | 1): Buffer {
    const { book } = this.text;
    const lookup: CasLookup = (key, choice) => book.lookup(key, choice)?.[index];
    return Buffer.concat(requests.map((request, at) => render(request, at, lookup)));
  }
}
