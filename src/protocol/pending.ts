/**
 * Input that a session cannot use yet: the beginning of a line, or what came while it had to wait.
 * It is kept in the session until there is more, or until the session goes on.
 */
import { Bytes } from '../memory/bytes.ts';
import { LINE_BYTES_MAX } from './lines.ts';
import type { Session } from './session.ts';

/** Size of the storage that is passed on from session to session: one read of a transport. */
const SPARE_BYTES = 64 * 1024;

export class PendingInput {
  /** A storage that no session needs at the moment. */
  private spare: Bytes | null = null;

  /** Keeps in the session what is left of its input: source[at, end). */
  keepRest(session: Session, source: Bytes, at: number, end: number): void {
    const rest = end - at;
    if (rest === 0) {
      session.pendingStart = 0;
      session.pendingLength = 0;
      // A storage that grew for one long line is not kept for the life of the connection.
      if (session.pending !== null && session.pending.u8.length > LINE_BYTES_MAX) {
        if (session.pending.u8.length === SPARE_BYTES) this.spare = session.pending;
        session.pending = null;
      }
    } else if (source === session.pending) {
      // It stays where it is: a long line is served in many turns, and would be moved in each.
      session.pendingStart = at;
      session.pendingLength = rest;
    } else {
      session.pendingLength = 0;
      this.keep(session, source, at, rest);
    }
  }

  /** Adds input to what the session keeps already. */
  keep(session: Session, source: Bytes, start: number, length: number): void {
    const { pending, pendingStart } = session;
    const needed = session.pendingLength + length;
    let storage = pending;
    if (storage === null || storage.u8.length < needed) {
      storage = this.storageFor(needed);
    }
    if (pending !== null && (storage !== pending || pendingStart > 0)) {
      pending.u8.copy(storage.u8, 0, pendingStart, pendingStart + session.pendingLength);
    }
    session.pending = storage;
    session.pendingStart = 0;
    source.u8.copy(storage.u8, session.pendingLength, start, start + length);
    session.pendingLength = needed;
  }

  /** A storage of at least this many bytes. */
  private storageFor(needed: number): Bytes {
    let size = 256;
    while (size < needed) size *= 2;
    if (size > LINE_BYTES_MAX && size <= SPARE_BYTES) {
      // What is left of a deep pipeline is kept for a turn or two: one storage serves each time.
      const { spare } = this;
      this.spare = null;
      return spare ?? new Bytes(Buffer.allocUnsafeSlow(SPARE_BYTES));
    }
    return new Bytes(Buffer.allocUnsafeSlow(size));
  }
}
