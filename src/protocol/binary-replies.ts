/**
 * Writes the replies of the binary protocol. Opcode and opaque come from the session, since the
 * reply to a storage command is due long after its header was read.
 */
import {
  HEADER_BYTES,
  putInt,
  REPLY_MAGIC,
  STATUS_SUCCESS,
  STATUS_TEXTS,
} from './binary-header.ts';
import { logBytes } from './binary-log.ts';
import type { Engine } from './engine.ts';
import type { Session } from './session.ts';

export class BinaryReplies {
  private readonly engine: Engine;

  constructor(engine: Engine) {
    this.engine = engine;
  }

  /**
   * Puts a reply's header to the output; the caller has made sure of the room, and puts the body.
   */
  putHeader(
    session: Session,
    status: number,
    extrasBytes: number,
    keyBytes: number,
    bodyBytes: number,
    casHigh: number,
    casLow: number,
  ): void {
    const { output } = this.engine;
    writeHeader(output.bytes, output.end, session, status, extrasBytes, keyBytes, bodyBytes);
    putInt(output.bytes, output.end + 16, casHigh);
    putInt(output.bytes, output.end + 20, casLow);
    if (this.engine.verbosity > 1) this.log(session, output.bytes, output.end);
    output.end += HEADER_BYTES;
  }

  /** Success without a body; nothing at all for a quiet command. */
  done(session: Session, casHigh: number, casLow: number): void {
    if (session.binaryQuiet) return;
    this.putHeader(session, STATUS_SUCCESS, 0, 0, 0, casHigh, casLow);
  }

  /** Success with a text. */
  text(session: Session, text: Uint8Array): void {
    this.putHeader(session, STATUS_SUCCESS, 0, 0, text.length, 0, 0);
    this.engine.output.put(text);
  }

  /** A status that is not success, with its text or a given one; quiet commands get it too. */
  error(session: Session, status: number, text: Uint8Array = STATUS_TEXTS[status]): void {
    if (this.engine.verbosity > 1) this.logError(session, text);
    this.putHeader(session, status, 0, 0, text.length, 0, 0);
    this.engine.output.put(text);
  }

  /** Throws away the value that follows, then gives the error. */
  errorAfter(
    session: Session,
    bytes: number,
    status: number,
    text: Uint8Array = STATUS_TEXTS[status],
  ): void {
    if (bytes === 0) {
      this.error(session, status, text);
      return;
    }
    if (this.engine.verbosity > 1) this.logError(session, text);
    const reply = Buffer.alloc(HEADER_BYTES + text.length);
    writeHeader(reply, 0, session, status, 0, 0, text.length);
    reply.set(text, HEADER_BYTES);
    if (this.engine.verbosity > 1) this.log(session, reply, 0);
    this.engine.upload.swallow(session, bytes, reply);
  }

  private logError(session: Session, text: Uint8Array): void {
    const words = Buffer.from(text).toString('latin1');
    this.engine.host.log(2, `>${session.slot} Writing an error: ${words}`);
  }

  private log(session: Session, bytes: Buffer, at: number): void {
    logBytes(this.engine.host, `>${session.slot}`, 'Writing bin response:', bytes, at);
  }
}

/** Writes a reply's header, its cas left 0. */
export function writeHeader(
  bytes: Uint8Array,
  at: number,
  session: Session,
  status: number,
  extrasBytes: number,
  keyBytes: number,
  bodyBytes: number,
): void {
  bytes[at] = REPLY_MAGIC;
  bytes[at + 1] = session.binaryOpcode;
  bytes[at + 2] = keyBytes >>> 8;
  bytes[at + 3] = keyBytes;
  bytes[at + 4] = extrasBytes;
  bytes[at + 5] = 0;
  bytes[at + 6] = status >>> 8;
  bytes[at + 7] = status;
  putInt(bytes, at + 8, bodyBytes);
  putInt(bytes, at + 12, session.binaryOpaque);
  putInt(bytes, at + 16, 0);
  putInt(bytes, at + 20, 0);
}
