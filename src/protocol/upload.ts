/**
 * Receives the value of a storage command into its item, in whatever pieces it arrives. What is
 * done with the complete item, and what is replied, is up to the protocol that began the upload.
 *
 * The item belongs to the connection, noted in its slot of the connection table, until it is linked
 * or freed.
 */
import { CONN_UPLOAD_I32 } from '../memory/layout.ts';
import type { Engine } from './engine.ts';
import { IN_COMMAND, IN_SWALLOW, IN_VALUE, type Session } from './session.ts';

/** Bytes of the line end behind a value in the text protocols. */
export const TERMINATOR_BYTES = 2;

const CARRIAGE_RETURN = 0x0d;
const LINE_FEED = 0x0a;

/** The protocol's part of an upload. */
export interface Uploader {
  /**
   * The value has come, and its line end, which may be a wrong one (session.terminatorBad). The
   * session is back in IN_COMMAND; the uploader stores the item and calls finish, or abandons it.
   */
  complete(session: Session): void;
  /**
   * There was no memory for a part of the value. The item is gone; the uploader has the rest of the
   * input, `missing` bytes, swallowed and replies.
   */
  starved(session: Session, missing: number): void;
}

export class Upload {
  private readonly engine: Engine;

  constructor(engine: Engine) {
    this.engine = engine;
  }

  /** Takes over an allocated item; `terminated` if a line end follows the value. */
  begin(
    session: Session,
    uploader: Uploader,
    ref: number,
    hash: number,
    terminated: boolean,
  ): void {
    this.engine.store.memory.i32[session.slotWord + CONN_UPLOAD_I32] = ref;
    session.uploader = uploader;
    session.upload = ref;
    session.uploadHash = hash;
    session.terminatorLength = terminated ? 0 : TERMINATOR_BYTES;
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
      if (!writer.write(engine.source, from, run)) {
        const terminator = TERMINATOR_BYTES - session.terminatorLength;
        this.abandon(session);
        session.state = IN_COMMAND;
        this.uploaderOf(session).starved(session, missing + terminator);
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
    session.state = IN_COMMAND;
    this.uploaderOf(session).complete(session);
    return true;
  }

  /** The item was stored, or consumed by the attempt: it is not the connection's any more. */
  finish(session: Session): void {
    this.engine.store.memory.i32[session.slotWord + CONN_UPLOAD_I32] = 0;
    session.upload = 0;
  }

  /** Frees an upload that will not be stored. */
  abandon(session: Session): void {
    this.engine.store.discard(session.upload);
    this.finish(session);
  }

  /** Throws away `bytes` of input, then gives the reply, if there is one. */
  swallow(session: Session, bytes: number, reply: Uint8Array | null): void {
    session.swallow = bytes;
    session.swallowReply = reply;
    session.state = IN_SWALLOW;
  }

  private uploaderOf(session: Session): Uploader {
    const { uploader } = session;
    if (uploader === null) throw new Error('a value arrives that no command has announced');
    return uploader;
  }
}
