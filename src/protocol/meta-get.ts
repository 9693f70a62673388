/**
 * mg: fetch an item, or facts about it, in one command that can also touch it, create it when it is
 * missing, and say which of many clients is to renew it (N, R, and items marked as stale).
 */
import { hashedWordEnd, hashWord } from '../cache/hash.ts';
import {
  clientFlagsOf,
  idleSecondsOf,
  KEY_BYTES_MAX,
  keyAt,
  keyBytesOf,
  valueBytesOf,
} from '../cache/item.ts';
import type { MetaStore } from '../cache/meta.ts';
import {
  at,
  CHUNK_STATE_I32,
  CONN_LAST_COMMAND_I32,
  HEAD_CLOCK,
  HEAD_VERBOSITY,
  ITEM_CAS_HIGH_I32,
  ITEM_CAS_LOW_I32,
  ITEM_EXPTIME_I32,
  STATE_FETCHED,
  STATE_STALE,
  STATE_TOKEN_SENT,
} from '../memory/layout.ts';
import type { Engine } from './engine.ts';
import * as flag from './meta-flags.ts';
import type { MetaReply } from './meta-reply.ts';
import { EN_CODE, HD_CODE, OPAQUE_TOO_LONG, VA_CODE } from './replies.ts';
import { IN_SENDING, type Session } from './session.ts';

/** `mg ` as the low bytes of the word that it is in memory. */
const MG_WORD = Buffer.from('mg ').readUIntLE(0, 3);
const MG_BYTES = 3;
const THREE_BYTES = 0xffffff;

const SPACE = 0x20;
const CARRIAGE_RETURN = 0x0d;
const LINE_FEED = 0x0a;

const FLAGS_FROM = 2;
const WON = 0x57; // W
const STALE = 0x58; // X
const ALREADY_WON = 0x5a; // Z

export class MetaGet {
  private readonly engine: Engine;
  private readonly store: MetaStore;
  private readonly flags: flag.MetaFlags;
  private readonly reply: MetaReply;
  /** Whether the request at hand has created its item. */
  private created = false;

  constructor(engine: Engine, store: MetaStore, flags: flag.MetaFlags, reply: MetaReply) {
    this.engine = engine;
    this.store = store;
    this.flags = flags;
    this.reply = reply;
  }

  /**
   * Serves an `mg` whose flags are single letters that only ask, in one pass over its line: looking
   * for its end, for tokens and for what the flags say one after another takes 90 ns more. False,
   * with nothing done, for any other line, or one that has not come as a whole; -vv, which shows
   * lines, is for the others, too.
   */
  serve(session: Session): boolean {
    const { engine, flags } = this;
    const { ahead, source, input, at: lineStart, end, tokens } = engine;
    const { i32 } = engine.store.memory;
    const start = lineStart + MG_BYTES;
    if (start >= end || (source.view.getInt32(lineStart, true) & THREE_BYTES) !== MG_WORD) {
      return false;
    }
    const seen = ahead.find(start);
    const limit = Math.min(end, start + KEY_BYTES_MAX);
    const hash = seen ? ahead.hash : hashWord(source, start, limit, session.tenant);
    const keyEnd = seen ? ahead.end : hashedWordEnd();
    if (keyEnd === start || i32[HEAD_VERBOSITY] > 1) return false;
    let at = keyEnd;
    let letters = 0;
    tokens.count = FLAGS_FROM;
    for (; at + 3 < end && input[at] === SPACE; at += 2) {
      const bit = flag.askingBit(input[at + 1]);
      if (bit === 0 || (letters & bit) !== 0 || input[at + 2] > SPACE) return false;
      letters |= bit;
      tokens.starts[tokens.count] = at + 1;
      tokens.ends[tokens.count++] = at + 2;
    }
    if (at + 2 > end || input[at] !== CARRIAGE_RETURN || input[at + 1] !== LINE_FEED) return false;
    i32[session.slotWord + CONN_LAST_COMMAND_I32] = i32[HEAD_CLOCK];
    engine.verbosity = i32[HEAD_VERBOSITY];
    engine.at = at + 2;
    flags.ask(source, start, keyEnd - start, hash, letters);
    this.fetch(session, this.store.find(hash, session.tenant, source, start, keyEnd - start));
    return true;
  }

  execute(session: Session): void {
    const { engine, flags, store } = this;
    const error = flags.parse(FLAGS_FROM) ?? (flags.opaqueTooLong ? OPAQUE_TOO_LONG : null);
    if (error !== null) {
      engine.reply(session, error);
      return;
    }
    this.fetch(session, flags.find(store, session.tenant));
  }

  /** Replies with what find has found; it has locked the stripe. */
  private fetch(session: Session, found: number): void {
    const { engine, flags, store } = this;
    const { hash } = flags;
    let ref = found;
    this.created = false;
    if (ref === 0 && flags.has(flag.FLAG_VIVIFY)) {
      ref = flags.vivify(store, session.tenant, null);
      this.created = ref !== 0;
    }
    if (ref === 0) {
      store.release(hash);
      store.countMiss();
      this.replyMiss();
      return;
    }
    this.replyHit(ref);
    store.doFetched(ref, flags.has(flag.FLAG_TOUCH), !flags.has(flag.FLAG_NO_BUMP));
    if (!flags.has(flag.FLAG_VALUE)) {
      store.release(hash);
      return;
    }
    const bytes = valueBytesOf(engine.store.memory.i32, ref);
    if (!engine.sender.send(session, hash, ref, bytes, true)) session.state = IN_SENDING;
  }

  private replyMiss(): void {
    const { engine, flags, reply } = this;
    if (flags.has(flag.FLAG_QUIET)) return;
    reply.code(EN_CODE);
    reply.echo(engine.tokens, engine.input, flags, FLAGS_FROM);
    reply.end();
  }

  /** The reply line of a hit. What flags do to the item is done in their order, too. */
  private replyHit(ref: number): void {
    const { engine, flags, reply } = this;
    const { tokens, input } = engine;
    const { i32 } = engine.store.memory;
    const word = at(ref);
    const now = i32[HEAD_CLOCK];
    const touched = flags.has(flag.FLAG_TOUCH);
    const state = i32[word + CHUNK_STATE_I32];
    // As if a new item got its time only when N has its turn.
    let exptime = this.created ? 0 : i32[word + ITEM_EXPTIME_I32];
    let won = this.created;
    if (flags.has(flag.FLAG_VALUE)) {
      reply.code(VA_CODE);
      reply.count(0, valueBytesOf(i32, ref));
    } else {
      reply.code(HD_CODE);
    }
    for (let index = FLAGS_FROM; index < tokens.count; index++) {
      const letter = input[tokens.starts[index]];
      switch (letter) {
        case flag.FLAG_TOUCH:
          exptime = flags.exptime;
          break;
        case flag.FLAG_VIVIFY:
          if (this.created) exptime = flags.vivifyExptime;
          break;
        case flag.FLAG_RECACHE:
          won ||= (state & STATE_TOKEN_SENT) === 0 && exptime !== 0 && exptime < flags.recacheTime;
          break;
        case flag.FLAG_TTL:
          reply.ttl(letter, exptime, now);
          break;
        case flag.FLAG_OPAQUE:
          reply.word(input, tokens.starts[index], tokens.ends[index]);
          break;
        case flag.FLAG_KEY: {
          const { bytes } = engine.store.memory;
          reply.key(bytes, keyAt(i32, ref), keyBytesOf(i32, ref), flags.encodesKey(ref));
          break;
        }
        default:
          this.fact(letter, ref);
      }
    }
    if (touched || this.created) i32[word + ITEM_EXPTIME_I32] = exptime;
    this.leases(ref, state, won);
    reply.end();
  }

  /** A flag that asks for what is known of the item. */
  private fact(letter: number, ref: number): void {
    const { reply } = this;
    const { i32 } = this.engine.store.memory;
    const word = at(ref);
    switch (letter) {
      case flag.FLAG_SIZE:
        reply.count(letter, valueBytesOf(i32, ref));
        break;
      case flag.FLAG_CLIENT_FLAGS:
        reply.count(letter, clientFlagsOf(i32, ref));
        break;
      case flag.FLAG_CAS:
        reply.long(letter, i32[word + ITEM_CAS_HIGH_I32], i32[word + ITEM_CAS_LOW_I32]);
        break;
      case flag.FLAG_LAST_ACCESS:
        reply.count(letter, idleSecondsOf(i32, ref));
        break;
      case flag.FLAG_HIT_BEFORE:
        reply.count(letter, (i32[word + CHUNK_STATE_I32] & STATE_FETCHED) === 0 ? 0 : 1);
        break;
      default:
    }
  }

  /** Says who renews the item: W to the winner, Z to those after it; X if it is stale. */
  private leases(ref: number, state: number, hasWon: boolean): void {
    const { reply } = this;
    const sent = (state & STATE_TOKEN_SENT) !== 0;
    const stale = (state & STATE_STALE) !== 0;
    if (sent) reply.flag(ALREADY_WON);
    if (stale) reply.flag(STALE);
    if (!hasWon && (!stale || sent)) return;
    reply.flag(WON);
    this.engine.store.memory.i32[at(ref) + CHUNK_STATE_I32] |= STATE_TOKEN_SENT;
  }
}
