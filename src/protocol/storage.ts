/**
 * set, add, replace, append, prepend and cas: the line, then a value of the announced length, then
 * CR LF. The value is received by upload.ts.
 */
import { CLASS_SET_CMDS, STORE_NO_MEMORY, STORE_TOO_LARGE } from '../cache/counters.ts';
import { Decimal64 } from '../cache/decimal64.ts';
import { hashKey } from '../cache/hash.ts';
import { KEY_BYTES_MAX } from '../cache/item.ts';
import { WATCH_MUTATIONS } from '../cache/log.ts';
import { MODE_CAS, MODE_SET } from '../cache/update.ts';
import { realtime } from '../memory/clock.ts';
import { HEAD_DETAIL_ENABLED } from '../memory/layout.ts';
import type { Engine } from './engine.ts';
import {
  BAD_DATA_CHUNK,
  BAD_FORMAT,
  EXISTS_LINE,
  NO_MEMORY,
  NO_MEMORY_READING,
  NOT_FOUND_LINE,
  NOT_STORED_LINE,
  STORED_LINE,
  TOO_LARGE,
} from './replies.ts';
import type { Session } from './session.ts';
import { TERMINATOR_BYTES, type Uploader } from './upload.ts';

const VALUE_BYTES_MAX = 2 ** 31 - 1 - TERMINATOR_BYTES;

/** Replies by the result codes of Updater.commit. */
const RESULT_LINES = [STORED_LINE, NOT_STORED_LINE, EXISTS_LINE, NOT_FOUND_LINE];

export class Storage implements Uploader {
  private readonly engine: Engine;
  private readonly cas = new Decimal64();

  constructor(engine: Engine) {
    this.engine = engine;
  }

  /** Starts a storage command from its tokens: command, key, flags, exptime, bytes, [cas]. */
  start(session: Session, mode: number): void {
    const { engine, cas } = this;
    const { tokens, store, input, source } = engine;
    const keyStart = tokens.starts[1];
    const keyBytes = tokens.length(1);
    if (keyBytes > KEY_BYTES_MAX || !tokens.parseUint32(2)) {
      engine.reply(session, BAD_FORMAT);
      return;
    }
    const flags = tokens.number;
    if (!tokens.parseInt32(3)) {
      engine.reply(session, BAD_FORMAT);
      return;
    }
    const exptime = realtime(store.memory, tokens.number);
    if (!tokens.parseInt32(4) || !tokens.isInt32(4)) {
      engine.reply(session, BAD_FORMAT);
      return;
    }
    const valueBytes = tokens.number;
    cas.set(0, 0);
    if (mode === MODE_CAS && !cas.parse(input, tokens.starts[5], tokens.ends[5])) {
      engine.reply(session, BAD_FORMAT);
      return;
    }
    if (valueBytes < 0 || valueBytes > VALUE_BYTES_MAX) {
      engine.reply(session, BAD_FORMAT);
      return;
    }
    const { tenant } = session;
    const hash = hashKey(source, keyStart, keyBytes, tenant);
    if (store.memory.i32[HEAD_DETAIL_ENABLED] !== 0) {
      engine.prefixes.recordSet(source, keyStart, keyBytes);
    }
    const ref = store.allocator.allocItem(
      tenant,
      source,
      keyStart,
      keyBytes,
      flags,
      exptime,
      valueBytes,
    );
    if (ref === 0) {
      const allowed = store.allocator.sizeAllowed(keyBytes, flags, valueBytes);
      store.count(allowed ? STORE_NO_MEMORY : STORE_TOO_LARGE, 1);
      if (store.log.wants(WATCH_MUTATIONS)) {
        store.log.refused(!allowed, mode, source, keyStart, keyBytes);
      }
      // What a set was to replace must not be found any more, even though it failed.
      if (mode === MODE_SET) store.drop(hash, tenant, source, keyStart, keyBytes);
      this.swallow(session, valueBytes + TERMINATOR_BYTES, allowed ? NO_MEMORY : TOO_LARGE);
      return;
    }
    session.uploadMode = mode;
    session.uploadCasHigh = cas.high;
    session.uploadCasLow = cas.low;
    engine.upload.begin(session, this, ref, hash, true);
  }

  starved(session: Session, missing: number): void {
    this.swallow(session, missing, NO_MEMORY_READING);
  }

  /** Throws away `bytes` of input, then gives the reply, unless noreply. */
  private swallow(session: Session, bytes: number, reply: Uint8Array): void {
    this.engine.upload.swallow(session, bytes, session.noreply ? null : reply);
    session.noreply = false;
  }

  complete(session: Session): void {
    const { engine } = this;
    engine.store.countClass(session.upload, CLASS_SET_CMDS);
    if (session.terminatorBad) {
      engine.upload.abandon(session);
      engine.reply(session, BAD_DATA_CHUNK);
      return;
    }
    const result = engine.updater.commit(
      session.uploadMode,
      session.upload,
      session.uploadHash,
      session.uploadCasHigh,
      session.uploadCasLow,
    );
    engine.upload.finish(session);
    engine.reply(session, RESULT_LINES[result]);
  }
}
