/**
 * Sends a value that is too large to be copied under its lock, or that the output has no room for:
 * the item is pinned, and copied piece by piece as the output drains, or referenced where the
 * transport can send from the shared memory. Every protocol's fetches end here; what follows the
 * value on the wire is the line end or nothing.
 */
import { BYTES_WRITTEN } from '../cache/counters.ts';
import { readValue } from '../cache/value.ts';
import type { Engine } from './engine.ts';
import type { Session } from './session.ts';

/** Values up to this are copied under the lock; above it the item is pinned. */
const COPY_LOCKED_BYTES = 8 * 1024;

const LINE_END = [0x0d, 0x0a];

/** The most that ends a reply behind a value: the line end, and the END of a get. */
const TAIL_BYTES = LINE_END.length + 'END\r\n'.length;

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
    readValue(store.memory, ref, 0, output.target, output.end, bytes);
    store.endGet(hash);
    output.end += bytes;
    if (lineEnd) this.putLineEnd();
    return true;
  }

  /** Goes on with a pinned value as far as there is room; true when it is all out. */
  proceed(session: Session): boolean {
    const { output, store } = this.engine;
    if (session.sendLength >= output.referenceFrom) return this.refer(session);
    const left = session.sendLength - session.sendOffset;
    const run = Math.min(left, output.room);
    readValue(store.memory, session.sending, session.sendOffset, output.target, output.end, run);
    output.end += run;
    session.sendOffset += run;
    if (run < left) return false;
    if (session.sendLineEnd) {
      if (output.room < LINE_END.length) return false;
      this.putLineEnd();
    }
    this.stop(session);
    return true;
  }

  /** As proceed, by reference: the item stays pinned when its value is out, until it is sent. */
  private refer(session: Session): boolean {
    const { output, store } = this.engine;
    const { sending, sendOffset, sendLength } = session;
    const listed = output.pieces.list(store.memory, sending, sendOffset, sendLength);
    store.count(BYTES_WRITTEN, listed - sendOffset);
    session.sendOffset = listed;
    if (listed < sendLength) {
      output.closeBehindReference(0);
      return false;
    }
    output.closeBehindReference(TAIL_BYTES);
    if (session.sendLineEnd) this.putLineEnd();
    session.sending = 0;
    session.referring = true;
    return true;
  }

  /** Lets go of the item being sent: it is sent, or the connection is gone. */
  stop(session: Session): void {
    this.engine.store.unpin(session.slot);
    session.sending = 0;
    session.referring = false;
  }

  private putLineEnd(): void {
    const { output } = this.engine;
    output.bytes[output.end++] = LINE_END[0];
    output.bytes[output.end++] = LINE_END[1];
  }
}
