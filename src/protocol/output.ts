/**
 * The buffer that replies are written to: one per worker, shared by its connections, since each
 * event's replies are sent before the next event is served.
 *
 * When a socket does not take all of them at once, the transport takes the storage away (detach)
 * and gives it back when the bytes are gone (recycle).
 */

/** One buffer: what a connection may have under way before it is made to wait. */
export const OUTPUT_BYTES = 64 * 1024;
const SPARES_MAX = 16;

export class Output {
  bytes: Buffer = Buffer.allocUnsafeSlow(OUTPUT_BYTES);
  /** Bytes written and not yet sent. */
  length = 0;
  private readonly spares: Buffer[] = [];

  get room(): number {
    return OUTPUT_BYTES - this.length;
  }

  /** The bytes to send; valid until reset or detach. */
  view(): Buffer {
    return this.bytes.subarray(0, this.length);
  }

  /** Forgets the bytes: they were sent. */
  reset(): void {
    this.length = 0;
  }

  /** Hands the storage over, with its bytes still being sent; a fresh one takes its place. */
  detach(): Buffer {
    const storage = this.bytes;
    this.bytes = this.spares.pop() ?? Buffer.allocUnsafeSlow(OUTPUT_BYTES);
    this.length = 0;
    return storage;
  }

  /** Takes back a storage whose bytes have been sent. */
  recycle(storage: Buffer): void {
    if (this.spares.length < SPARES_MAX) this.spares.push(storage);
  }

  /** Appends a prepared reply; the caller has made sure of the room. */
  put(reply: Uint8Array): void {
    const { bytes } = this;
    let at = this.length;
    for (let i = 0; i < reply.length; i++) bytes[at++] = reply[i];
    this.length = at;
  }
}
