/** md: delete an item, or mark it as stale (I), or leave an empty one in its place (x). */
import { casIs } from '../cache/item.ts';
import type { MetaStore } from '../cache/meta.ts';
import { at, ITEM_EXPTIME_I32 } from '../memory/layout.ts';
import type { Engine } from './engine.ts';
import * as flag from './meta-flags.ts';
import type { MetaReply } from './meta-reply.ts';
import { EX_CODE, HD_CODE, NF_CODE, NO_MEMORY_DELTA, OPAQUE_TOO_LONG } from './replies.ts';
import type { Session } from './session.ts';

const FLAGS_FROM = 2;

export class MetaDelete {
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
    const error = flags.parse(FLAGS_FROM) ?? (flags.opaqueTooLong ? OPAQUE_TOO_LONG : null);
    if (error !== null) {
      engine.reply(session, error);
      return;
    }
    const ref = flags.find(store, session.tenant);
    const { hash } = flags;
    if (ref === 0) {
      store.release(hash);
      store.countDeleteMiss();
      this.say(NF_CODE);
    } else if (!this.casFits(ref)) {
      store.release(hash);
      store.countDeleteMiss();
      this.say(EX_CODE);
    } else {
      const done = this.carryOut(hash, ref);
      store.release(hash);
      if (!done) engine.reply(session, NO_MEMORY_DELTA);
      else if (!flags.has(flag.FLAG_QUIET)) this.say(HD_CODE);
    }
  }

  private casFits(ref: number): boolean {
    const { flags } = this;
    if (!flags.has(flag.FLAG_COMPARE_CAS)) return true;
    const { high, low } = flags.compareCas;
    return casIs(this.engine.store.memory.i32, ref, high, low);
  }

  /** False when there is no memory for an empty item. */
  private carryOut(hash: number, found: number): boolean {
    const { flags, store } = this;
    const empty = flags.has(flag.FLAG_EMPTY);
    let ref = found;
    if (empty) {
      ref = store.doEmpty(hash, found, flags.clientFlags, flags.exptime, flags.newCas);
      if (ref === 0) return false;
    }
    if (!flags.has(flag.FLAG_INVALIDATE)) {
      store.doDelete(hash, ref, empty);
      return true;
    }
    const { i32 } = this.engine.store.memory;
    if (flags.has(flag.FLAG_TOUCH)) i32[at(ref) + ITEM_EXPTIME_I32] = flags.exptime;
    store.doInvalidate(ref, flags.newCas);
    return true;
  }

  private say(code: Uint8Array): void {
    const { engine, reply } = this;
    reply.code(code);
    reply.echo(engine.tokens, engine.input, this.flags, FLAGS_FROM);
    reply.end();
  }
}
