/** ma: incr and decr, which can also touch the number, and create it when it is missing. */

import type { Decimal64 } from '../cache/decimal64.ts';
import type { MetaStore } from '../cache/meta.ts';
import { DELTA_EXISTS, DELTA_NO_MEMORY, DELTA_NON_NUMERIC, DELTA_OK } from '../cache/update.ts';
import {
  at,
  HEAD_CLOCK,
  ITEM_CAS_HIGH_I32,
  ITEM_CAS_LOW_I32,
  ITEM_EXPTIME_I32,
} from '../memory/layout.ts';
import type { Engine } from './engine.ts';
import * as flag from './meta-flags.ts';
import type { MetaReply } from './meta-reply.ts';
import {
  BAD_FLAGS,
  BAD_FORMAT,
  BAD_MODE_ARITHMETIC,
  EX_CODE,
  FLAGS_TOO_LONG,
  HD_CODE,
  NF_CODE,
  NO_MEMORY_DELTA,
  NO_MEMORY_NUMBER,
  NON_NUMERIC,
  OPAQUE_TOO_LONG,
  VA_CODE,
} from './replies.ts';
import type { Session } from './session.ts';

const FLAGS_FROM = 2;

export class MetaArithmetic {
  private readonly engine: Engine;
  private readonly store: MetaStore;
  private readonly flags: flag.MetaFlags;
  private readonly reply: MetaReply;

  constructor(engine: Engine, store: MetaStore, flags: flag.MetaFlags, reply: MetaReply) {
    this.engine = engine;
    this.store = store;
    this.flags = flags;
    this.reply = reply;
  }

  execute(session: Session): void {
    const { engine, flags, store } = this;
    const error = this.check();
    if (error !== null) {
      engine.reply(session, error);
      return;
    }
    const ref = flags.find(store, session.tenant);
    if (ref === 0) this.missing(session, flags.hash);
    else this.change(session, flags.hash, ref);
  }

  /** What is wrong with the line, or null. */
  private check(): Buffer | null {
    const { flags } = this;
    const error = flags.parse(FLAGS_FROM);
    // Of the flags themselves memcached only says that there is something wrong.
    if (error !== null) return error === BAD_FORMAT || error === FLAGS_TOO_LONG ? error : BAD_FLAGS;
    if (flags.mode !== 0 && !isIncrement(flags.mode) && !isDecrement(flags.mode)) {
      return BAD_MODE_ARITHMETIC;
    }
    return flags.opaqueTooLong ? OPAQUE_TOO_LONG : null;
  }

  /** No item has the key, whose stripe is held: N creates one. */
  private missing(session: Session, hash: number): void {
    const { engine, flags, store } = this;
    if (!flags.has(flag.FLAG_VIVIFY)) {
      store.release(hash);
      engine.updater.countDeltaMiss(!isDecrement(flags.mode));
      this.say(NF_CODE);
      return;
    }
    const ref = flags.vivify(store, session.tenant, flags.initial);
    if (ref !== 0) this.done(hash, ref, flags.initial, true);
    else {
      store.release(hash);
      engine.reply(session, NO_MEMORY_NUMBER);
    }
  }

  /** Changes the found item, whose stripe is held. */
  private change(session: Session, hash: number, ref: number): void {
    const { engine, flags, store } = this;
    const { updater } = engine;
    const { compareCas, delta, newCas } = flags;
    const increment = !isDecrement(flags.mode);
    const { high, low } = compareCas;
    const result = updater.doDelta(hash, ref, increment, delta, high, low);
    if (result === DELTA_OK) {
      if (newCas !== null) {
        engine.store.doSetOwnCas(updater.changed, newCas.high | 0, newCas.low | 0);
      }
      this.done(hash, updater.changed, updater.result, false);
      return;
    }
    store.release(hash);
    if (result === DELTA_NON_NUMERIC) engine.reply(session, NON_NUMERIC);
    else if (result === DELTA_NO_MEMORY) engine.reply(session, NO_MEMORY_DELTA);
    else if (result === DELTA_EXISTS) this.say(EX_CODE);
  }

  /** The reply of a success. What flags do to the item is done in their order; ends the command. */
  private done(hash: number, ref: number, number: Decimal64, created: boolean): void {
    const { engine, flags, reply } = this;
    const { output } = engine;
    const { i32 } = engine.store.memory;
    const before = output.end;
    // As if a new item got its time only when N has its turn.
    const word = at(ref) + ITEM_EXPTIME_I32;
    const exptime = this.putFlags(ref, created ? 0 : i32[word], number, created);
    if (created || flags.has(flag.FLAG_TOUCH)) i32[word] = exptime;
    this.store.release(hash);
    reply.end();
    if (flags.has(flag.FLAG_VALUE)) {
      output.end += number.print(output.bytes, output.end);
      reply.end();
    }
    if (flags.has(flag.FLAG_QUIET)) output.end = before;
  }

  /** Code and flags; returns the item's exptime after them. */
  private putFlags(ref: number, exptime: number, number: Decimal64, created: boolean): number {
    const { engine, flags, reply } = this;
    const { tokens, input } = engine;
    const { i32 } = engine.store.memory;
    const word = at(ref);
    let ends = exptime;
    if (flags.has(flag.FLAG_VALUE)) {
      reply.code(VA_CODE);
      reply.count(0, number.digits());
    } else {
      reply.code(HD_CODE);
    }
    for (let index = FLAGS_FROM; index < tokens.count; index++) {
      const letter = input[tokens.starts[index]];
      switch (letter) {
        case flag.FLAG_CAS:
          reply.long(letter, i32[word + ITEM_CAS_HIGH_I32], i32[word + ITEM_CAS_LOW_I32]);
          break;
        case flag.FLAG_TTL:
          reply.ttl(letter, ends, i32[HEAD_CLOCK]);
          break;
        case flag.FLAG_TOUCH:
          ends = flags.exptime;
          break;
        case flag.FLAG_VIVIFY:
          if (created) ends = flags.vivifyExptime;
          break;
        case flag.FLAG_OPAQUE:
          reply.word(input, tokens.starts[index], tokens.ends[index]);
          break;
        case flag.FLAG_KEY:
          reply.key(flags.key, flags.keyStart, flags.keyBytes, flags.keyBinary);
          break;
        default:
      }
    }
    return ends;
  }

  private say(code: Uint8Array): void {
    const { engine, reply } = this;
    reply.code(code);
    reply.echo(engine.tokens, engine.input, this.flags, FLAGS_FROM);
    reply.end();
  }
}

/** I or +. */
function isIncrement(mode: number): boolean {
  return mode === 0x49 || mode === 0x2b;
}

/** D or -. */
function isDecrement(mode: number): boolean {
  return mode === 0x44 || mode === 0x2d;
}
