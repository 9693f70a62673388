/**
 * Bytes in, store operations, bytes out: drives sessions through their input, with no sockets in
 * sight. One engine per worker.
 *
 * Whatever is not finished when the input ends, the output is full or the connection has had its
 * share of requests stays in the session, so the fragmentation of the input can never be seen in
 * the replies.
 */

import { BYTES_READ, BYTES_WRITTEN, CONN_YIELDS } from '../cache/counters.ts';
import { Prefixes } from '../cache/prefixes.ts';
import type { Store } from '../cache/store.ts';
import { Updater } from '../cache/update.ts';
import { Bytes } from '../memory/bytes.ts';
import { CLOSE_NORMAL } from '../memory/connections.ts';
import { CONN_LAST_COMMAND_I32, HEAD_CLOCK, HEAD_VERBOSITY } from '../memory/layout.ts';
import { Ahead } from './ahead.ts';
import { Auth } from './auth.ts';
import { BinaryCommands } from './binary.ts';
import { REQUEST_MAGIC } from './binary-header.ts';
import { logClosed, logOpened } from './connection-log.ts';
import type { EngineOptions, Host } from './host.ts';
import { findLineFeed, LINE_BYTES_MAX, mayGrow } from './lines.ts';
import { type Origin, PLAIN_ORIGIN } from './origin.ts';
import { Output } from './output.ts';
import { PendingInput } from './pending.ts';
import { Retrieval } from './retrieval.ts';
import { Sender } from './sender.ts';
import {
  IN_COMMAND,
  IN_KEYS,
  IN_REPLY,
  IN_SENDING,
  IN_STREAM,
  IN_SWALLOW,
  IN_VALUE,
  Session,
  SPEAKS_BINARY,
  SPEAKS_TEXT,
  STEP_FULL,
  STEP_NEXT,
  STEP_STARVED,
  STEP_YIELD,
} from './session.ts';
import { Statistics } from './statistics.ts';
import { Storage } from './storage.ts';
import { TextCommands } from './text.ts';
import { TextAuth } from './text-auth.ts';
import { Tokens } from './tokens.ts';
import { Upload } from './upload.ts';

/** All input taken: send the output, wait for more. */
export const FEED_MORE = 0;
/** Output full: send it, resume when the socket has taken it, and do not read meanwhile. */
export const FEED_FULL = 1;
/** Send the output, then close. */
export const FEED_CLOSE = 2;
/** The connection has had its share: send the output, resume on a later turn. */
export const FEED_YIELD = 3;

/** The longest line of any reply but a value, with a margin. */
const LINE_ROOM = 1024;

const CARRIAGE_RETURN = 0x0d;

export class Engine {
  readonly output = new Output();
  readonly store: Store;
  readonly host: Host;
  readonly options: EngineOptions;
  readonly tokens = new Tokens();
  readonly updater: Updater;
  readonly prefixes: Prefixes;
  /** The input at hand: bytes[at, end) are not parsed yet. */
  input: Buffer = Buffer.alloc(0);
  /** The same input, for moving bytes by words. */
  source = new Bytes(this.input);
  at = 0;
  end = 0;
  /** The verbosity when the command at hand began; 2 logs requests and replies, 3 look-ups too. */
  verbosity = 0;
  /** Called when a connection has become a watcher: its transport has to be poked from now on. */
  onWatcher: (() => void) | null = null;
  /** What a transport has read into last. */
  private read = this.source;
  private readonly pending = new PendingInput();
  readonly sender: Sender;
  readonly upload: Upload;
  readonly auth: Auth;
  readonly ahead: Ahead;
  private readonly textAuth: TextAuth;
  private readonly retrieval: Retrieval;
  private readonly text: TextCommands;
  private readonly binary: BinaryCommands;

  constructor(store: Store, host: Host, options: EngineOptions) {
    this.store = store;
    this.host = host;
    this.options = options;
    this.updater = new Updater(store);
    this.prefixes = new Prefixes(store.memory, store.actor, store.config.prefixDelimiter);
    this.sender = new Sender(this);
    this.upload = new Upload(this);
    this.auth = new Auth(store, options.auth, options.saslAny === true);
    this.ahead = new Ahead(this);
    this.textAuth = new TextAuth(this);
    this.retrieval = new Retrieval(this);
    const statistics = new Statistics(this);
    this.text = new TextCommands(this, this.retrieval, new Storage(this), statistics);
    this.binary = new BinaryCommands(this, statistics);
  }

  /** A session for the connection in this slot of the connection table. */
  open(slot: number, origin: Origin = PLAIN_ORIGIN): Session {
    const narrowed = this.auth.narrow(origin);
    logOpened(this, slot, narrowed);
    const session = new Session(this.store.memory, this.store.allocator, slot, narrowed);
    this.auth.begin(session);
    return session;
  }

  /**
   * Serves input[start, end), which has arrived and may be reused afterwards. Returns one of
   * FEED_*.
   */
  feed(session: Session, input: Buffer, start: number, end: number): number {
    this.store.count(BYTES_READ, end - start);
    const source = this.sourceOf(input);
    if (session.pendingLength === 0) return this.serve(session, source, start, end);
    this.pending.keep(session, source, start, end - start);
    return this.resume(session);
  }

  /**
   * Keeps what has arrived for the next resume: the session cannot be served now. Returns how many
   * bytes it keeps by now.
   */
  hold(session: Session, input: Buffer, start: number, end: number): number {
    this.store.count(BYTES_READ, end - start);
    this.pending.keep(session, this.sourceOf(input), start, end - start);
    return session.pendingLength;
  }

  /**
   * Says what is about to be fed to sessions, several of them: their items are looked for together
   * (see ahead.ts), when all has been said and fetchExpected is called.
   */
  expect(session: Session, input: Buffer, start: number, end: number): void {
    if (session.state !== IN_COMMAND || session.pendingLength > 0) return;
    this.ahead.expect(this.sourceOf(input), start, end, session.tenant);
  }

  fetchExpected(): void {
    this.ahead.fetch();
  }

  /** All that was output for the session is sent; to be called if it referred to a value. */
  sent(session: Session): void {
    if (session.referring) this.sender.stop(session);
  }

  /** Goes on after FEED_FULL or FEED_YIELD, or with what was held. Returns one of FEED_*. */
  resume(session: Session): number {
    const pending = session.pending ?? this.source;
    const { pendingStart } = session;
    return this.serve(session, pending, pendingStart, pendingStart + session.pendingLength);
  }

  /** Releases what the session holds; the connection is gone, for a CLOSE_ reason. */
  close(session: Session, reason: number = CLOSE_NORMAL): void {
    logClosed(this, session, reason);
    if (session.sending !== 0 || session.referring) this.sender.stop(session);
    if (session.upload !== 0) this.upload.abandon(session);
    session.stream?.stop(session);
    session.stream = null;
    session.pending = null;
    session.pendingLength = 0;
    session.reply = null;
  }

  /** Whether the session is in the middle of a command, or has received a part of one. */
  isBusy(session: Session): boolean {
    if (this.isEndless(session)) return false;
    return session.state !== IN_COMMAND || session.pendingLength > 0;
  }

  /** Whether the connection must be closed, because it did not authenticate in time. */
  isOverdue(session: Session): boolean {
    return this.auth.isOverdue(session);
  }

  /**
   * How long the connection has been idle, when its last bytes came `sinceRead` seconds ago. Bytes
   * that do not make up a command count for nothing, as in memcached: a line or a header that comes
   * in drops, and never ends, keeps no connection open.
   */
  idleSeconds(session: Session, sinceRead: number): number {
    if (session.state !== IN_COMMAND || session.pendingLength === 0) return sinceRead;
    const { i32 } = this.store.memory;
    return i32[HEAD_CLOCK] - i32[session.slotWord + CONN_LAST_COMMAND_I32];
  }

  /**
   * Whether what is being sent should be given up, because its reader takes nothing; a stop has
   * less patience.
   */
  isStalled(session: Session, stopping: boolean): boolean {
    return session.stream?.isStalled?.(stopping) === true;
  }

  /** Whether the session is only sent to from now on, until its connection ends. */
  isEndless(session: Session): boolean {
    return session.stream?.endless === true;
  }

  /** Gives the reply of a command, unless noreply; the caller may not count on room. */
  reply(session: Session, line: Buffer): void {
    if (this.verbosity > 1) {
      const kind = session.noreply ? 'NOREPLY ' : '';
      this.host.log(2, `>${session.slot} ${kind}${line.toString('latin1').trimEnd()}`);
    }
    if (session.noreply) {
      session.noreply = false;
      return;
    }
    this.output.put(line);
  }

  /** Gives a reply of any length. */
  replyLong(session: Session, bytes: Buffer): void {
    session.reply = bytes;
    session.replyOffset = 0;
    session.state = IN_REPLY;
  }

  private serve(session: Session, source: Bytes, start: number, end: number): number {
    const before = this.output.end;
    this.source = source;
    this.input = source.u8;
    this.at = start;
    this.end = end;
    this.ahead.clear();
    this.store.log.connection = session.slot;
    const result = this.run(session);
    this.pending.keepRest(session, source, this.at, end);
    this.store.count(BYTES_WRITTEN, this.output.end - before);
    return result;
  }

  private run(session: Session): number {
    let requests = 0;
    for (;;) {
      let step = STEP_NEXT;
      switch (session.state) {
        case IN_COMMAND:
          if (session.closing) return FEED_CLOSE;
          if (this.output.room < LINE_ROOM) return this.at < this.end ? FEED_FULL : FEED_MORE;
          if (requests === this.options.requestsPerEvent && this.at < this.end) {
            step = STEP_YIELD;
            break;
          }
          requests++;
          step = this.stepCommand(session);
          break;
        case IN_VALUE:
          if (this.output.room < LINE_ROOM) return FEED_FULL;
          step = this.upload.receive(session) ? STEP_NEXT : STEP_STARVED;
          break;
        case IN_SWALLOW:
          step = this.stepSwallow(session);
          break;
        case IN_KEYS:
          step = this.retrieval.proceed(session);
          break;
        case IN_SENDING:
          step = this.stepSending(session);
          break;
        case IN_STREAM:
          step = session.stream?.proceed(session) ?? STEP_NEXT;
          break;
        default:
          step = this.stepReply(session);
      }
      if (step === STEP_STARVED) return session.closing ? FEED_CLOSE : FEED_MORE;
      if (step === STEP_FULL) return FEED_FULL;
      if (step === STEP_YIELD) {
        this.store.count(CONN_YIELDS, 1);
        return FEED_YIELD;
      }
    }
  }

  /** Finds the next command and executes it. */
  private stepCommand(session: Session): number {
    if (session.speaks === SPEAKS_BINARY) return this.binary.step(session);
    if (session.speaks === SPEAKS_TEXT) {
      return session.authenticated ? this.stepLine(session) : this.textAuth.proceed(session);
    }
    if (this.at === this.end) return STEP_STARVED;
    session.speaks = this.input[this.at] === REQUEST_MAGIC ? SPEAKS_BINARY : SPEAKS_TEXT;
    if (this.store.memory.i32[HEAD_VERBOSITY] > 1) {
      const protocol = session.speaks === SPEAKS_BINARY ? 'binary' : 'ascii';
      this.host.log(2, `${session.slot}: Client using the ${protocol} protocol`);
    }
    return this.stepCommand(session);
  }

  /** Finds the next line and executes it. */
  private stepLine(session: Session): number {
    if (session.scanned === 0) {
      this.ahead.lookAtLines(session.tenant);
      if (this.text.executeCommon(session)) return STEP_NEXT;
    }
    const { input, at, end } = this;
    const lineFeed = findLineFeed(this, session);
    if (lineFeed === end) {
      if (end - at > LINE_BYTES_MAX && !mayGrow(this)) session.closing = true;
      return STEP_STARVED;
    }
    session.scanned = 0;
    const { i32 } = this.store.memory;
    i32[session.slotWord + CONN_LAST_COMMAND_I32] = i32[HEAD_CLOCK];
    this.at = lineFeed + 1;
    let textEnd = lineFeed;
    if (lineFeed - at > 1 && input[lineFeed - 1] === CARRIAGE_RETURN) textEnd--;
    this.verbosity = i32[HEAD_VERBOSITY];
    this.tokens.cut(input, at, textEnd);
    this.text.execute(session, at, textEnd);
    return STEP_NEXT;
  }

  private stepSwallow(session: Session): number {
    const run = Math.min(session.swallow, this.end - this.at);
    this.at += run;
    session.swallow -= run;
    if (session.swallow > 0) return STEP_STARVED;
    if (this.output.room < LINE_ROOM) return STEP_FULL;
    session.state = IN_COMMAND;
    if (session.swallowReply !== null) this.output.put(session.swallowReply);
    return STEP_NEXT;
  }

  private stepSending(session: Session): number {
    if (!this.sender.proceed(session)) return STEP_FULL;
    session.state = IN_COMMAND;
    return STEP_NEXT;
  }

  private stepReply(session: Session): number {
    const { output } = this;
    const reply = session.reply as Buffer;
    const run = Math.min(output.room, reply.length - session.replyOffset);
    reply.copy(output.bytes, output.end, session.replyOffset, session.replyOffset + run);
    output.end += run;
    session.replyOffset += run;
    if (session.replyOffset < reply.length) return STEP_FULL;
    session.reply = null;
    session.state = IN_COMMAND;
    return STEP_NEXT;
  }

  /** The input of a transport, which mostly reads into the same buffer. */
  private sourceOf(input: Buffer): Bytes {
    if (input !== this.read.u8) this.read = new Bytes(input);
    return this.read;
  }
}
