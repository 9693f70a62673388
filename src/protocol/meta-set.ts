/**
 * ms: set, add, replace, append, prepend and cas in one command, with a value behind its line. The
 * value is received by upload.ts. Whatever is wrong with the line, its value is swallowed if its
 * length could be read, and the error is always said: q hides success only.
 */

import { CLASS_SET_CMDS, STORE_NO_MEMORY, STORE_TOO_LARGE } from '../cache/counters.ts';
import { hashKey } from '../cache/hash.ts';
import { isKeyBinary, keyAt, keyBytesOf, setOwnCas, valueBytesOf } from '../cache/item.ts';
import { WATCH_MUTATIONS } from '../cache/log.ts';
import {
  MODE_ADD,
  MODE_APPEND,
  MODE_APPEND_VIVIFY,
  MODE_CAS,
  MODE_CAS_STALE,
  MODE_PREPEND,
  MODE_PREPEND_VIVIFY,
  MODE_REPLACE,
  MODE_SET,
  STORED,
} from '../cache/update.ts';
import { Bytes, copyBytes } from '../memory/bytes.ts';
import { at, CHUNK_STATE_I32, STATE_KEY_BINARY } from '../memory/layout.ts';
import type { Engine } from './engine.ts';
import * as flag from './meta-flags.ts';
import type { MetaReply } from './meta-reply.ts';
import {
  BAD_DATA_CHUNK,
  BAD_FORMAT,
  BAD_MODE_SET,
  EX_CODE,
  HD_CODE,
  NF_CODE,
  NO_MEMORY,
  NO_MEMORY_READING,
  NS_CODE,
  OPAQUE_TOO_LONG,
  TOO_LARGE,
} from './replies.ts';
import type { Session } from './session.ts';
import { TERMINATOR_BYTES, type Uploader } from './upload.ts';

const FLAGS_FROM = 3;
const VALUE_BYTES_MAX = 2 ** 31 - 1 - TERMINATOR_BYTES;
const NO_MODE = -1;

/** Codes by the results of Updater.commit. */
const RESULT_CODES = [HD_CODE, NS_CODE, EX_CODE, NF_CODE];

/** What a session notes of the flags that the reply gives back: an opaque, k, c and s. */
const RETURNS_BYTES = 64;
const SPACE = 0x20;

export class MetaSet implements Uploader {
  private readonly engine: Engine;
  private readonly flags: flag.MetaFlags;
  private readonly reply: MetaReply;
  /** The key of the item at hand, which may be gone when it is asked for. */
  private readonly key = new Bytes(Buffer.alloc(256));

  constructor(engine: Engine, flags: flag.MetaFlags, reply: MetaReply) {
    this.engine = engine;
    this.flags = flags;
    this.reply = reply;
  }

  execute(session: Session): void {
    const { engine, flags } = this;
    const { tokens } = engine;
    if (tokens.count < FLAGS_FROM || !tokens.parseInt32(2) || !tokens.isInt32(2)) {
      engine.reply(session, BAD_FORMAT);
      return;
    }
    const valueBytes = tokens.number;
    if (valueBytes < 0 || valueBytes > VALUE_BYTES_MAX) {
      engine.reply(session, BAD_FORMAT);
      return;
    }
    let error = flags.parse(FLAGS_FROM);
    const mode = this.mode();
    if (error === null && mode === NO_MODE) error = BAD_MODE_SET;
    if (error === null && flags.opaqueTooLong) error = OPAQUE_TOO_LONG;
    if (error !== null) engine.upload.swallow(session, valueBytes + TERMINATOR_BYTES, error);
    else this.begin(session, mode, valueBytes);
  }

  starved(session: Session, missing: number): void {
    this.engine.upload.swallow(session, missing, NO_MEMORY_READING);
  }

  complete(session: Session): void {
    const { engine } = this;
    const { upload } = session;
    const { i32 } = engine.store.memory;
    engine.store.countClass(upload, CLASS_SET_CMDS);
    if (session.terminatorBad) {
      engine.upload.abandon(session);
      engine.reply(session, BAD_DATA_CHUNK);
      return;
    }
    const bytes = valueBytesOf(i32, upload);
    const keyBytes = keyBytesOf(i32, upload);
    const binary = isKeyBinary(i32, upload);
    if (session.returnsBytes > 0) {
      copyBytes(engine.store.memory.bytes, keyAt(i32, upload), this.key, 0, keyBytes);
    }
    const { uploadMode, uploadHash, uploadCasHigh, uploadCasLow } = session;
    const { updater } = engine;
    const result = updater.commit(uploadMode, upload, uploadHash, uploadCasHigh, uploadCasLow);
    engine.upload.finish(session);
    if (result === STORED && session.quiet) return;
    this.reply.code(RESULT_CODES[result]);
    if (session.returnsBytes > 0) this.putReturns(session, result, bytes, keyBytes, binary);
    this.reply.end();
  }

  /** What M asks for; NO_MODE if nobody knows it. */
  private mode(): number {
    const { flags } = this;
    const compare = flags.has(flag.FLAG_COMPARE_CAS);
    const vivify = flags.has(flag.FLAG_VIVIFY);
    switch (flags.mode) {
      case 0x45: // E
        return MODE_ADD;
      case 0x41: // A
        return vivify ? MODE_APPEND_VIVIFY : MODE_APPEND;
      case 0x50: // P
        return vivify ? MODE_PREPEND_VIVIFY : MODE_PREPEND;
      case 0x52: // R
      case 0x53: // S
      case 0:
        if (compare) return flags.has(flag.FLAG_INVALIDATE) ? MODE_CAS_STALE : MODE_CAS;
        return flags.mode === 0x52 ? MODE_REPLACE : MODE_SET;
      default:
        return NO_MODE;
    }
  }

  private begin(session: Session, mode: number, valueBytes: number): void {
    const { engine, flags } = this;
    const { store } = engine;
    const { key, keyStart, keyBytes, clientFlags, compareCas, newCas } = flags;
    const { tenant } = session;
    const hash = flags.keyBinary
      ? hashKey(key, keyStart, keyBytes, tenant)
      : engine.ahead.hashOf(key, keyStart, keyBytes, tenant);
    const vivify = mode === MODE_APPEND_VIVIFY || mode === MODE_PREPEND_VIVIFY;
    const exptime = vivify ? flags.vivifyExptime : flags.exptime;
    const { allocator } = store;
    const ref = allocator.allocItem(
      tenant,
      key,
      keyStart,
      keyBytes,
      clientFlags,
      exptime,
      valueBytes,
    );
    if (ref === 0) {
      const allowed = allocator.sizeAllowed(keyBytes, clientFlags, valueBytes);
      store.count(allowed ? STORE_NO_MEMORY : STORE_TOO_LARGE, 1);
      if (store.log.wants(WATCH_MUTATIONS)) {
        store.log.refused(!allowed, mode, key, keyStart, keyBytes);
      }
      // What was to be replaced must not be found any more, even though that failed.
      store.drop(hash, tenant, key, keyStart, keyBytes);
      const error = allowed ? NO_MEMORY : TOO_LARGE;
      engine.upload.swallow(session, valueBytes + TERMINATOR_BYTES, error);
      return;
    }
    const { i32 } = store.memory;
    if (flags.keyBinary) i32[at(ref) + CHUNK_STATE_I32] |= STATE_KEY_BINARY;
    if (newCas !== null) setOwnCas(i32, ref, newCas.high | 0, newCas.low | 0);
    session.uploadMode = mode;
    session.uploadCasHigh = compareCas.high;
    session.uploadCasLow = compareCas.low;
    session.quiet = flags.has(flag.FLAG_QUIET);
    this.noteReturns(session);
    engine.upload.begin(session, this, ref, hash, true);
  }

  /** Notes the flags that the reply gives back, each with a space behind it. */
  private noteReturns(session: Session): void {
    const { tokens, input } = this.engine;
    session.returnsBytes = 0;
    for (let index = FLAGS_FROM; index < tokens.count; index++) {
      const start = tokens.starts[index];
      const letter = input[start];
      let end = start + 1;
      if (letter === flag.FLAG_OPAQUE) end = tokens.ends[index];
      else if (!isReturned(letter)) continue;
      session.returns ??= Buffer.allocUnsafeSlow(RETURNS_BYTES);
      const { returns } = session;
      for (let i = start; i < end; i++) returns[session.returnsBytes++] = input[i];
      returns[session.returnsBytes++] = SPACE;
    }
  }

  private putReturns(
    session: Session,
    result: number,
    bytes: number,
    keyBytes: number,
    binary: boolean,
  ): void {
    const { reply } = this;
    const { updater } = this.engine;
    const stored = result === STORED;
    const returns = session.returns as Buffer;
    let end = 0;
    for (let start = 0; start < session.returnsBytes; start = end + 1) {
      end = start;
      while (returns[end] !== SPACE) end++;
      const letter = returns[start];
      if (letter === flag.FLAG_OPAQUE) reply.word(returns, start, end);
      else if (letter === flag.FLAG_KEY) reply.key(this.key, 0, keyBytes, binary);
      else if (letter === flag.FLAG_SIZE) reply.count(letter, stored ? updater.storedBytes : bytes);
      else reply.long(letter, stored ? updater.casHigh : 0, stored ? updater.casLow : 0);
    }
  }
}

function isReturned(letter: number): boolean {
  return letter === flag.FLAG_KEY || letter === flag.FLAG_CAS || letter === flag.FLAG_SIZE;
}
