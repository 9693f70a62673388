/**
 * The buffers that replies are written to for node's sockets: one in use by all of them, since each
 * event's replies are sent before the next event is served. One that a socket does not take at once
 * stays with it (detach) until its bytes are gone (recycle).
 */
import { OUTPUT_BYTES } from '../protocol/output.ts';

const SPARES_MAX = 16;

export class ReplyStorage {
  #current: Buffer = Buffer.allocUnsafeSlow(OUTPUT_BYTES);
  readonly #spares: Buffer[] = [];

  /** Where the next replies go. */
  get current(): Buffer {
    return this.#current;
  }

  /** Hands the current buffer over; a fresh one takes its place. */
  detach(): Buffer {
    const storage = this.#current;
    this.#current = this.#spares.pop() ?? Buffer.allocUnsafeSlow(OUTPUT_BYTES);
    return storage;
  }

  /** Takes back a buffer whose bytes have been sent. */
  recycle(storage: Buffer): void {
    if (this.#spares.length < SPARES_MAX) this.#spares.push(storage);
  }
}
