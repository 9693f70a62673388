/**
 * Sends a value that is too large to be copied under its lock, or that the output has no room for:
 * the item is pinned and copied piece by piece as the output drains. Every protocol's fetches end
 * here; what follows the value on the wire is the line end or nothing.
 */
import { readValue } from '../cache/value.ts';
import type { Engine } from './engine.ts';
import type { Session } from './session.ts';

/** Values up to this are copied under the lock; above it the item is pinned. */
const COPY_LOCKED_BYTES = 8 * 1024;

const LINE_END = [0x0d, 0x0a];

export class Sender {
  private readonly engine: Engine;

  constructor(engine: Engine) {
    this.engine = engine;
  }

  /**
   * Sends the value of an item whose header is in the output, and ends the get: the stripe of
   * `hash` is unlocked afterwards. False when the value is on its way in pieces and waits for room;
   * then proceed goes on with it.
   */
  send(session: Session, hash: number, ref: number, bytes: number, lineEnd: boolean): boolean {
    const { store, output } = this.engine;
    const tail = lineEnd ? LINE_END.length : 0;
    if (bytes > COPY_LOCKED_BYTES || bytes + tail > output.room) {
      store.pin(session.slot, ref);
      store.endGet(hash);
      session.sending = ref;
      session.sendOffset = 0;
      session.sendLength = bytes;
      session.sendLineEnd = lineEnd;
      return this.proceed(session);
    }
    readValue(store.memory, ref, 0, output.bytes, output.length, bytes);
    store.endGet(hash);
    output.length += bytes;
    if (lineEnd) this.putLineEnd();
    return true;
  }

  /** Copies as much of a pinned value as there is room for; true when it is all out. */
  proceed(session: Session): boolean {
    const { output, store } = this.engine;
    const left = session.sendLength - session.sendOffset;
    const run = Math.min(left, output.room);
    readValue(store.memory, session.sending, session.sendOffset, output.bytes, output.length, run);
    output.length += run;
    session.sendOffset += run;
    if (run < left) return false;
    if (session.sendLineEnd) {
      if (output.room < LINE_END.length) return false;
      this.putLineEnd();
    }
    this.stop(session);
    return true;
  }

  /** Lets go of the item being sent: it is sent, or the connection is gone. */
  stop(session: Session): void {
    this.engine.store.unpin(session.slot);
    session.sending = 0;
  }

  private putLineEnd(): void {
    const { output } = this.engine;
    output.bytes[output.length++] = LINE_END[0];
    output.bytes[output.length++] = LINE_END[1];
  }
}
