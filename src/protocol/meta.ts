/**
 * The meta commands (protocol.txt): two letters, a key, and flags that say what to do and what to
 * give back. The big four have files of their own; me and mn are here.
 */
import { idleSecondsOf, itemBytes, KEY_BYTES_MAX, keyAt, keyBytesOf } from '../cache/item.ts';
import { MetaStore } from '../cache/meta.ts';
import {
  at,
  CHUNK_STATE_I32,
  HEAD_CLOCK,
  ITEM_CAS_HIGH_I32,
  ITEM_CAS_LOW_I32,
  ITEM_EXPTIME_I32,
  STATE_FETCHED,
} from '../memory/layout.ts';
import type { Engine } from './engine.ts';
import { MetaArithmetic } from './meta-arithmetic.ts';
import { MetaDelete } from './meta-delete.ts';
import { MetaFlags } from './meta-flags.ts';
import { MetaGet } from './meta-get.ts';
import { MetaReply } from './meta-reply.ts';
import { MetaSet } from './meta-set.ts';
import { BAD_FORMAT, EN_LINE, ERROR_LINE, MN_LINE } from './replies.ts';
import type { Session } from './session.ts';

export class MetaCommands {
  private readonly engine: Engine;
  private readonly store: MetaStore;
  private readonly flags: MetaFlags;
  private readonly get: MetaGet;
  private readonly set: MetaSet;
  private readonly delete: MetaDelete;
  private readonly arithmetic: MetaArithmetic;

  constructor(engine: Engine) {
    this.engine = engine;
    const store = new MetaStore(engine.store);
    const flags = new MetaFlags(engine);
    const reply = new MetaReply(engine.output);
    this.store = store;
    this.flags = flags;
    this.get = new MetaGet(engine, store, flags, reply);
    this.set = new MetaSet(engine, flags, reply);
    this.delete = new MetaDelete(engine, store, flags, reply);
    this.arithmetic = new MetaArithmetic(engine, store, flags, reply);
  }

  /** Executes the line at hand if it is an mg of the usual kind; see MetaGet.serve. */
  serveGet(session: Session): boolean {
    return this.get.serve(session);
  }

  /** Executes a line whose command is `m` and another letter; its tokens are cut. */
  execute(session: Session): void {
    const { engine } = this;
    const { tokens, input } = engine;
    const letter = input[tokens.starts[0] + 1];
    switch (letter) {
      case 0x67: // g
      case 0x73: // s
      case 0x64: // d
      case 0x61: // a
      case 0x65: // e
        if (tokens.count < 2) engine.reply(session, BAD_FORMAT);
        else this.executeKeyed(session, letter);
        return;
      case 0x6e: // n
        engine.reply(session, MN_LINE);
        return;
      default:
        engine.reply(session, ERROR_LINE);
    }
  }

  private executeKeyed(session: Session, letter: number): void {
    if (letter === 0x67) this.get.execute(session);
    else if (letter === 0x73) this.set.execute(session);
    else if (letter === 0x64) this.delete.execute(session);
    else if (letter === 0x61) this.arithmetic.execute(session);
    else this.look(session);
  }

  /** `me <key> [b]`: what is known of an item, for people. */
  private look(session: Session): void {
    const { engine, flags, store } = this;
    const { tokens } = engine;
    const binary = tokens.is(2, 'b');
    if (tokens.length(1) > KEY_BYTES_MAX || !flags.parseKey(binary)) {
      engine.reply(session, BAD_FORMAT);
      return;
    }
    const ref = flags.find(store, session.tenant);
    const line = ref === 0 ? EN_LINE : this.describe(ref);
    store.release(flags.hash);
    store.countLook();
    engine.reply(session, line);
  }

  private describe(ref: number): Buffer {
    const { memory, lists } = this.engine.store;
    const { i32, u8 } = memory;
    const word = at(ref);
    const now = i32[HEAD_CLOCK];
    const exptime = i32[word + ITEM_EXPTIME_I32];
    const high = BigInt(i32[word + ITEM_CAS_HIGH_I32] >>> 0);
    const cas = (high << 32n) | BigInt(i32[word + ITEM_CAS_LOW_I32] >>> 0);
    const start = keyAt(i32, ref);
    const key = u8.toString(
      this.flags.encodesKey(ref) ? 'base64' : 'latin1',
      start,
      start + keyBytesOf(i32, ref),
    );
    const facts = [
      `exp=${exptime === 0 ? -1 : exptime - now}`,
      `la=${idleSecondsOf(i32, ref)}`,
      `cas=${cas}`,
      `fetch=${(i32[word + CHUNK_STATE_I32] & STATE_FETCHED) === 0 ? 'no' : 'yes'}`,
      `cls=${lists.classOf(ref)}`,
      `size=${itemBytes(i32, ref)}`,
    ];
    return Buffer.from(`ME ${key} ${facts.join(' ')}\r\n`, 'latin1');
  }
}
