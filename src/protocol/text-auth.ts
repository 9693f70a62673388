/**
 * A text connection that has not authenticated: everything but a `set` with credentials is refused.
 *
 * Two dialects are understood: memcached's, `set <any> <flags> <exptime> <bytes>` with the value
 * `user password` (protocol.txt, Authentication), and that of hosted services, where the key is the
 * user and the value the password. Nothing is kept for an announced length: the value waits in the
 * input, which is as long as what has arrived.
 */
import type { Credential } from './credentials.ts';
import type { Engine } from './engine.ts';
import { findLineFeed, LINE_BYTES_MAX } from './lines.ts';
import {
  AUTH_FAILURE,
  AUTH_TOO_LONG,
  BAD_AUTH_TOKEN,
  BAD_TERMINATION,
  STORED_LINE,
  UNAUTHENTICATED,
} from './replies.ts';
import { type Session, STEP_NEXT, STEP_STARVED } from './session.ts';

/** Fewer bytes are not looked at: nothing that short can be of use. */
const INPUT_BYTES_MIN = 3;
/** The longest `user password`. */
const TOKEN_BYTES_MAX = 16384;
const TERMINATOR_BYTES = 2;
/** Place of the length in the line, and the number of words it must have. */
const LENGTH_WORD = 4;
const WORDS_MIN = 5;

const SPACE = 0x20;
const CARRIAGE_RETURN = 0x0d;
const LINE_FEED = 0x0a;

export class TextAuth {
  private readonly engine: Engine;

  constructor(engine: Engine) {
    this.engine = engine;
  }

  /** Takes one line, with its value if it announces one. Returns a STEP_*. */
  proceed(session: Session): number {
    const { engine } = this;
    const { input, at, end, tokens } = engine;
    if (end - at < INPUT_BYTES_MIN) return STEP_STARVED;
    const lineFeed = findLineFeed(engine, session);
    if (lineFeed === end) {
      if (end - at > LINE_BYTES_MAX) session.closing = true;
      return STEP_STARVED;
    }
    const textEnd = input[lineFeed - 1] === CARRIAGE_RETURN ? lineFeed - 1 : lineFeed;
    // Whoever sends empty lines is no client.
    if (textEnd <= at) {
      session.closing = true;
      return STEP_STARVED;
    }
    tokens.cut(input, at, textEnd);
    if (tokens.count < WORDS_MIN || !tokens.is(0, 'set') || !tokens.parseUint32(LENGTH_WORD)) {
      return this.answer(session, lineFeed + 1, UNAUTHENTICATED);
    }
    const length = tokens.number >>> 0;
    if (length > TOKEN_BYTES_MAX || !tokens.isInt32(LENGTH_WORD)) {
      return this.answer(session, lineFeed + 1, AUTH_TOO_LONG);
    }
    const value = lineFeed + 1;
    const valueEnd = value + length;
    // The line is read again when more has come; where it ends is known by then.
    if (end - valueEnd < TERMINATOR_BYTES) return STEP_STARVED;
    return this.answer(session, valueEnd + TERMINATOR_BYTES, this.judge(session, value, valueEnd));
  }

  /** The reply to the value input[start, end). */
  private judge(session: Session, start: number, end: number): Buffer {
    const { auth, input, tokens } = this.engine;
    if (input[end] !== CARRIAGE_RETURN || input[end + 1] !== LINE_FEED) return BAD_TERMINATION;
    const value = input.subarray(start, end);
    const key = input.subarray(tokens.starts[1], tokens.ends[1]);
    const claims: Credential[] = [{ user: key, password: value }];
    const space = value.indexOf(SPACE);
    if (space !== -1) {
      claims.push({ user: value.subarray(0, space), password: value.subarray(space + 1) });
    }
    if (auth.tryText(session, claims)) return STORED_LINE;
    return space === -1 ? BAD_AUTH_TOKEN : AUTH_FAILURE;
  }

  private answer(session: Session, next: number, reply: Buffer): number {
    this.engine.at = next;
    session.scanned = 0;
    this.engine.output.put(reply);
    return STEP_NEXT;
  }
}
