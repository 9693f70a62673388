/**
 * set, add, replace, append, prepend and cas: the line, then a value of the announced length, then
 * CR LF. The value is received by upload.ts.
 */
import { CLASS_SET_CMDS, STORE_NO_MEMORY, STORE_TOO_LARGE } from '../cache/counters.ts';
import { Decimal64 } from '../cache/decimal64.ts';
import { hashedWordEnd, hashKey, hashWord } from '../cache/hash.ts';
import { KEY_BYTES_MAX } from '../cache/item.ts';
import { WATCH_MUTATIONS } from '../cache/log.ts';
import { MODE_CAS, MODE_SET } from '../cache/update.ts';
import { realtime } from '../memory/clock.ts';
import {
  CONN_LAST_COMMAND_I32,
  HEAD_CLOCK,
  HEAD_DETAIL_ENABLED,
  HEAD_VERBOSITY,
} from '../memory/layout.ts';
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

/** `set ` as the word that it is in memory. */
const SET_WORD = Buffer.from('set ').readInt32LE();
const SET_BYTES = 4;

const SPACE = 0x20;
const CARRIAGE_RETURN = 0x0d;
const LINE_FEED = 0x0a;

/** Digits of a number that an int32 holds whatever they are. */
const SAFE_DIGITS = 9;

const VALUE_BYTES_MAX = 2 ** 31 - 1 - TERMINATOR_BYTES;

/** Replies by the result codes of Updater.commit. */
const RESULT_LINES = [STORED_LINE, NOT_STORED_LINE, EXISTS_LINE, NOT_FOUND_LINE];

export class Storage implements Uploader {
  private readonly engine: Engine;
  private readonly cas = new Decimal64();
  /** Flags, exptime and length. */
  private readonly numbers = new Int32Array(3);

  constructor(engine: Engine) {
    this.engine = engine;
  }

  /**
   * Begins the line that most storage commands are, a set of five words, in one pass over its
   * bytes: looking for its end, for tokens and for the key's hash one after another takes 90 ns
   * more. False, with nothing done, for any other line, or one that has not come as a whole; -vv,
   * which shows lines, is for the others, too.
   */
  beginSet(session: Session): boolean {
    const { engine, numbers } = this;
    const { ahead, source, at, end, store } = engine;
    const { i32 } = store.memory;
    const start = at + SET_BYTES;
    if (start >= end || source.view.getInt32(at, true) !== SET_WORD) return false;
    const seen = ahead.find(start);
    const hash = seen
      ? ahead.hash
      : hashWord(source, start, Math.min(end, start + KEY_BYTES_MAX), session.tenant);
    const keyEnd = seen ? ahead.end : hashedWordEnd();
    if (keyEnd === start || i32[HEAD_VERBOSITY] > 1) return false;
    const lineEnd = readNumbers(engine.input, keyEnd, end, numbers);
    if (lineEnd === -1) return false;
    i32[session.slotWord + CONN_LAST_COMMAND_I32] = i32[HEAD_CLOCK];
    engine.verbosity = i32[HEAD_VERBOSITY];
    engine.at = lineEnd;
    this.cas.set(0, 0);
    const exptime = realtime(store.memory, numbers[1]);
    this.begin(session, MODE_SET, hash, start, keyEnd - start, numbers[0], exptime, numbers[2]);
    return true;
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
    const hash = hashKey(source, keyStart, keyBytes, session.tenant);
    this.begin(session, mode, hash, keyStart, keyBytes, flags, exptime, valueBytes);
  }

  /** Gets an item for a command whose line is right, and has its value received. */
  private begin(
    session: Session,
    mode: number,
    hash: number,
    keyStart: number,
    keyBytes: number,
    flags: number,
    exptime: number,
    valueBytes: number,
  ): void {
    const { engine, cas } = this;
    const { store, source } = engine;
    const { tenant } = session;
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

/**
 * Reads the numbers that end a line, each of one to nine digits with a space in front of it, and
 * CR LF. Returns where the next line begins, -1 if anything else stands there.
 */
function readNumbers(input: Buffer, start: number, end: number, numbers: Int32Array): number {
  let at = start;
  for (let i = 0; i < numbers.length; i++) {
    if (at >= end || input[at] !== SPACE) return -1;
    const first = ++at;
    let number = 0;
    while (at < end && at - first <= SAFE_DIGITS) {
      const digit = input[at] - 0x30;
      if (digit < 0 || digit > 9) break;
      number = (Math.imul(number, 10) + digit) | 0;
      at++;
    }
    if (at === first || at - first > SAFE_DIGITS) return -1;
    numbers[i] = number;
  }
  if (at + 2 > end || input[at] !== CARRIAGE_RETURN || input[at + 1] !== LINE_FEED) return -1;
  return at + 2;
}
