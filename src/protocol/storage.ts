/**
 * set, add, replace, append, prepend and cas: the line, then a value of the announced length, then
 * CR LF.
 *
 * The value is copied into its item as it arrives. The item belongs to the connection, noted in its
 * slot of the connection table, until it is linked or freed.
 */
import { CLASS_SET_CMDS, STORE_NO_MEMORY, STORE_TOO_LARGE } from '../cache/counters.ts';
import { Decimal64 } from '../cache/decimal64.ts';
import { hashKey } from '../cache/hash.ts';
import { KEY_BYTES_MAX } from '../cache/item.ts';
import { MODE_CAS, MODE_SET } from '../cache/update.ts';
import { realtime } from '../memory/clock.ts';
import { CONN_UPLOAD_I32, HEAD_DETAIL_ENABLED } from '../memory/layout.ts';
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
import { IN_COMMAND, IN_SWALLOW, IN_VALUE, type Session } from './session.ts';

const CARRIAGE_RETURN = 0x0d;
const LINE_FEED = 0x0a;
const TERMINATOR_BYTES = 2;
const VALUE_BYTES_MAX = 2 ** 31 - 1 - TERMINATOR_BYTES;

/** Replies by the result codes of Updater.commit. */
const RESULT_LINES = [STORED_LINE, NOT_STORED_LINE, EXISTS_LINE, NOT_FOUND_LINE];

export class Storage {
  private readonly engine: Engine;
  private readonly cas = new Decimal64();

  constructor(engine: Engine) {
    this.engine = engine;
  }

  /** Starts a storage command from its tokens: command, key, flags, exptime, bytes, [cas]. */
  start(session: Session, mode: number): void {
    const { engine, cas } = this;
    const { tokens, store, input } = engine;
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
    const hash = hashKey(input, keyStart, keyBytes, tenant);
    if (store.memory.i32[HEAD_DETAIL_ENABLED] !== 0) {
      engine.prefixes.recordSet(input, keyStart, keyBytes);
    }
    const ref = store.allocator.allocItem(
      tenant,
      input,
      keyStart,
      keyBytes,
      flags,
      exptime,
      valueBytes,
    );
    if (ref === 0) {
      const allowed = store.allocator.sizeAllowed(keyBytes, flags, valueBytes);
      store.count(allowed ? STORE_NO_MEMORY : STORE_TOO_LARGE, 1);
      // What a set was to replace must not be found any more, even though it failed.
      if (mode === MODE_SET) store.drop(hash, tenant, input, keyStart, keyBytes);
      this.swallow(session, valueBytes + TERMINATOR_BYTES, allowed ? NO_MEMORY : TOO_LARGE);
      return;
    }
    store.memory.i32[session.slotWord + CONN_UPLOAD_I32] = ref;
    session.upload = ref;
    session.uploadHash = hash;
    session.uploadMode = mode;
    session.uploadCasHigh = cas.high;
    session.uploadCasLow = cas.low;
    session.terminatorLength = 0;
    session.terminatorBad = false;
    session.writer.begin(ref);
    session.state = IN_VALUE;
  }

  /** Takes value bytes from the input; true when the command is done, false when it wants more. */
  receive(session: Session): boolean {
    const { engine } = this;
    const { writer } = session;
    const run = Math.min(writer.missing, engine.end - engine.at);
    if (run > 0) {
      const from = engine.at;
      engine.at += run;
      const missing = writer.missing - run;
      if (!writer.write(engine.input, from, run)) {
        this.abandon(session);
        this.swallow(session, missing + TERMINATOR_BYTES, NO_MEMORY_READING);
        return true;
      }
    }
    if (writer.missing > 0) return false;
    while (session.terminatorLength < TERMINATOR_BYTES) {
      if (engine.at === engine.end) return false;
      const expected = session.terminatorLength === 0 ? CARRIAGE_RETURN : LINE_FEED;
      if (engine.input[engine.at++] !== expected) session.terminatorBad = true;
      session.terminatorLength++;
    }
    this.complete(session);
    return true;
  }

  /** Frees an upload that will not be completed. */
  abandon(session: Session): void {
    const { store } = this.engine;
    store.discard(session.upload);
    store.memory.i32[session.slotWord + CONN_UPLOAD_I32] = 0;
    session.upload = 0;
  }

  /** Throws away `bytes` of input, then gives the reply, unless noreply. */
  private swallow(session: Session, bytes: number, reply: Uint8Array): void {
    session.swallow = bytes;
    session.swallowReply = session.noreply ? null : reply;
    session.noreply = false;
    session.state = IN_SWALLOW;
  }

  private complete(session: Session): void {
    const { engine } = this;
    const { store } = engine;
    session.state = IN_COMMAND;
    store.countClass(session.upload, CLASS_SET_CMDS);
    if (session.terminatorBad) {
      this.abandon(session);
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
    session.upload = 0;
    store.memory.i32[session.slotWord + CONN_UPLOAD_I32] = 0;
    engine.reply(session, RESULT_LINES[result]);
  }
}
