/**
 * get, gets, gat and gats: any number of keys on a line.
 *
 * A line is served key by key, in as many turns as the output needs: no reply, however long, needs
 * more than one buffer.
 */

import { Decimal64, printSafe } from '../cache/decimal64.ts';
import { hashedWordEnd, hashKey, hashWord } from '../cache/hash.ts';
import { clientFlagsOf, KEY_BYTES_MAX, valueBytesOf } from '../cache/item.ts';
import { copyBytes } from '../memory/bytes.ts';
import { realtime } from '../memory/clock.ts';
import {
  at,
  CONN_LAST_COMMAND_I32,
  HEAD_CLOCK,
  HEAD_DETAIL_ENABLED,
  HEAD_VERBOSITY,
  ITEM_CAS_HIGH_I32,
  ITEM_CAS_LOW_I32,
} from '../memory/layout.ts';
import type { Engine } from './engine.ts';
import { BAD_EXPTIME, BAD_FORMAT, END_LINE, ERROR_LINE } from './replies.ts';
import { IN_COMMAND, IN_KEYS, type Session, STEP_FULL, STEP_NEXT, STEP_YIELD } from './session.ts';

/** `VALUE <key> <flags> <bytes> <cas>`, line ends, and END. */
const HEADER_ROOM = 6 + KEY_BYTES_MAX + 11 + 11 + 21 + 4 + 5;

/** Keys of one line that are looked up before other connections get their turn. */
const KEYS_PER_TURN = 1024;

/** `get ` as the word that it is in memory. */
const GET_WORD = Buffer.from('get ').readInt32LE();
const GET_BYTES = 4;

const VALUE_WORD = Buffer.from('VALUE ');
const SPACE = 0x20;
const CARRIAGE_RETURN = 0x0d;
const LINE_FEED = 0x0a;

export class Retrieval {
  private readonly engine: Engine;
  private readonly cas = new Decimal64();

  constructor(engine: Engine) {
    this.engine = engine;
  }

  /**
   * Serves the line that most requests are, `get <key>` with one key, in one pass over its bytes:
   * looking for its end, for tokens and for the key's hash one after another takes 70 ns more of
   * 320. False, with nothing done, for any other line, or one that has not come as a whole; -vv,
   * which shows lines, is for the others, too.
   */
  serveGet(session: Session): boolean {
    const { engine } = this;
    const { ahead, source, input, at: lineStart, end, store } = engine;
    const { i32 } = store.memory;
    const start = lineStart + GET_BYTES;
    if (start >= end || source.view.getInt32(lineStart, true) !== GET_WORD) return false;
    const seen = ahead.find(start);
    const hash = seen
      ? ahead.hash
      : hashWord(source, start, Math.min(end, start + KEY_BYTES_MAX), session.tenant);
    const keyEnd = seen ? ahead.end : hashedWordEnd();
    if (keyEnd === start || keyEnd + 2 > end || i32[HEAD_VERBOSITY] > 1) return false;
    if (input[keyEnd] !== CARRIAGE_RETURN || input[keyEnd + 1] !== LINE_FEED) return false;
    i32[session.slotWord + CONN_LAST_COMMAND_I32] = i32[HEAD_CLOCK];
    engine.verbosity = i32[HEAD_VERBOSITY];
    session.keysWithCas = false;
    session.keysTouch = false;
    const { output } = engine;
    if (this.serveKey(session, hash, start, keyEnd - start) && output.room >= END_LINE.length) {
      engine.at = keyEnd + 2;
      output.put(END_LINE);
      return true;
    }
    // What there is no room for, the rest of the value and END, is left to proceed.
    session.keysLeft = 0;
    session.keysLineEnd = 2;
    engine.at = keyEnd;
    session.state = IN_KEYS;
    return true;
  }

  /** Starts a retrieval command; its tokens are cut, its line is input[lineStart, textEnd). */
  start(session: Session, textEnd: number, withCas: boolean, touch: boolean): void {
    const { engine } = this;
    const { tokens } = engine;
    if (tokens.count < 2) {
      engine.reply(session, ERROR_LINE);
      return;
    }
    session.keysWithCas = withCas;
    session.keysTouch = touch;
    let keysStart = tokens.ends[0];
    if (touch) {
      if (!tokens.parseInt32(1)) {
        engine.reply(session, BAD_EXPTIME);
        return;
      }
      session.keysExptime = realtime(engine.store.memory, tokens.number);
      keysStart = tokens.ends[1];
    }
    const keysEnd = this.endOfText(textEnd);
    if (keysEnd - keysStart > KEY_BYTES_MAX && this.hasLongKey(keysStart, keysEnd)) {
      this.refuse(session, keysStart, keysEnd);
      return;
    }
    session.keysLeft = keysEnd - keysStart;
    session.keysLineEnd = engine.at - keysEnd;
    engine.at = keysStart;
    session.state = IN_KEYS;
  }

  /** Serves keys until the line ends, the output is full or the turn is over. Returns a STEP_*. */
  proceed(session: Session): number {
    const { engine } = this;
    const { ahead, input, source, output } = engine;
    if (session.sending !== 0 && !engine.sender.proceed(session)) return STEP_FULL;
    let served = 0;
    let position = engine.at;
    const keysEnd = position + session.keysLeft;
    for (;;) {
      while (position < keysEnd && input[position] === SPACE) position++;
      if (position === keysEnd || output.room < HEADER_ROOM || served === KEYS_PER_TURN) break;
      served++;
      const start = position;
      ahead.lookAtKeys(start, keysEnd, session.tenant);
      const seen = ahead.find(start);
      let hash = seen ? ahead.hash : hashWord(source, start, keysEnd, session.tenant);
      position = seen ? ahead.end : hashedWordEnd();
      if (position < keysEnd && input[position] !== SPACE) {
        // Control characters are parts of a key.
        while (position < keysEnd && input[position] !== SPACE) position++;
        hash = hashKey(source, start, position - start, session.tenant);
      }
      if (!this.serveKey(session, hash, start, position - start)) break;
    }
    engine.at = position;
    session.keysLeft = keysEnd - position;
    if (session.sending !== 0) return STEP_FULL;
    if (position < keysEnd) return output.room < HEADER_ROOM ? STEP_FULL : STEP_YIELD;
    if (output.room < END_LINE.length) return STEP_FULL;
    if (engine.verbosity > 1) engine.host.log(2, `>${session.slot} END`);
    output.put(END_LINE);
    engine.at += session.keysLineEnd;
    session.state = IN_COMMAND;
    return STEP_NEXT;
  }

  /** False when the value is on its way in pieces, and waits for room. */
  private serveKey(session: Session, hash: number, start: number, length: number): boolean {
    const { engine } = this;
    const { store, source } = engine;
    const ref = session.keysTouch
      ? store.getAndTouch(hash, session.tenant, source, start, length, session.keysExptime)
      : store.get(hash, session.tenant, source, start, length);
    if (store.memory.i32[HEAD_DETAIL_ENABLED] !== 0) {
      // The prefix lock comes after the stripe in the lock order.
      engine.prefixes.recordGet(source, start, length, ref !== 0);
    }
    if (engine.verbosity > 1) this.log(session, start, length, ref !== 0);
    if (ref === 0) return true;
    const bytes = valueBytesOf(store.memory.i32, ref);
    this.putHeader(session, ref, start, length, bytes);
    return engine.sender.send(session, hash, ref, bytes, true);
  }

  private putHeader(
    session: Session,
    ref: number,
    start: number,
    length: number,
    valueBytes: number,
  ): void {
    const { output, source, store } = this.engine;
    const { i32 } = store.memory;
    const { bytes, target } = output;
    let to = output.end;
    for (let i = 0; i < 6; i++) bytes[to++] = VALUE_WORD[i];
    copyBytes(source, start, target, to, length);
    to += length;
    bytes[to++] = SPACE;
    to += printSafe(bytes, to, clientFlagsOf(i32, ref));
    bytes[to++] = SPACE;
    to += printSafe(bytes, to, valueBytes);
    if (session.keysWithCas) {
      const word = at(ref);
      this.cas.set(i32[word + ITEM_CAS_HIGH_I32] >>> 0, i32[word + ITEM_CAS_LOW_I32] >>> 0);
      bytes[to++] = SPACE;
      to += this.cas.print(bytes, to);
    }
    bytes[to++] = CARRIAGE_RETURN;
    bytes[to++] = LINE_FEED;
    output.end = to;
  }

  /** What -vv and -vvv say of a look-up. */
  private log(session: Session, start: number, length: number, found: boolean): void {
    const { engine } = this;
    const key = engine.input.toString('latin1', start, start + length);
    engine.host.log(3, found ? `> FOUND KEY ${key}` : `> NOT FOUND ${key}`);
    if (found) engine.host.log(2, `>${session.slot} sending key ${key}`);
  }

  /** Where the keys end: at the end of the line, or at a NUL that the tokens did not reach. */
  private endOfText(textEnd: number): number {
    const { tokens, input } = this.engine;
    if (tokens.textEnd < textEnd) return tokens.textEnd;
    const last = tokens.ends[tokens.count - 1];
    if (last === textEnd) return textEnd;
    const nul = input.subarray(last, textEnd).indexOf(0);
    return nul === -1 ? textEnd : last + nul;
  }

  private hasLongKey(start: number, end: number): boolean {
    const { input } = this.engine;
    // Of a key that is too long one of every so many bytes is a part: only from there is it
    // looked back for a space, which spares most of the line.
    let first = start;
    while (first + KEY_BYTES_MAX < end) {
      let space = first + KEY_BYTES_MAX;
      while (space >= first && input[space] !== SPACE) space--;
      if (space < first) return true;
      first = space + 1;
    }
    return false;
  }

  /**
   * A line with a key that is too long gets an error and nothing else; but as in memcached the keys
   * before it have been looked up by then, which shows in counters and exptimes.
   */
  private refuse(session: Session, start: number, end: number): void {
    const { engine } = this;
    const { store, input, source } = engine;
    let position = start;
    while (position < end) {
      while (position < end && input[position] === SPACE) position++;
      const key = position;
      while (position < end && input[position] !== SPACE) position++;
      const length = position - key;
      if (length > KEY_BYTES_MAX) break;
      const hash = hashKey(source, key, length, session.tenant);
      const ref = session.keysTouch
        ? store.getAndTouch(hash, session.tenant, source, key, length, session.keysExptime)
        : store.get(hash, session.tenant, source, key, length);
      if (store.memory.i32[HEAD_DETAIL_ENABLED] !== 0) {
        engine.prefixes.recordGet(source, key, length, ref !== 0);
      }
      if (ref !== 0) store.endGet(hash);
    }
    engine.reply(session, BAD_FORMAT);
  }
}
