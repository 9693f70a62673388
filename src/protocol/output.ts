/**
 * Where replies are written: one per worker, shared by its connections. A transport aims it at
 * memory of its own before it has a session served, and takes what was written from there.
 *
 * A transport that can send from the shared memory gets large values as references to their bytes
 * (see sender.ts), which belong between two parts of what was written.
 */
import { ValuePieces } from '../cache/value-pieces.ts';
import { Bytes } from '../memory/bytes.ts';

/** What a session may write before it is sent: there is that much room wherever it is aimed. */
export const OUTPUT_BYTES = 64 * 1024;

/** A bound that no value reaches. */
export const NO_REFERENCES = 2 ** 31 - 1;

export class Output {
  bytes: Buffer;
  /** The same bytes, for moving them by words. */
  target: Bytes;
  /** bytes[start, end) are written and not yet sent. */
  start = 0;
  end = 0;
  /** Where the room ends. */
  limit = OUTPUT_BYTES;
  /** Values of at least so many bytes are referenced. */
  referenceFrom = NO_REFERENCES;
  /** The referenced value, or a part of it; it belongs in front of bytes[referenceAt]. */
  readonly pieces = new ValuePieces();
  referenceAt = 0;

  constructor() {
    this.target = new Bytes(Buffer.allocUnsafeSlow(OUTPUT_BYTES));
    this.bytes = this.target.u8;
  }

  /**
   * The next replies are written to bytes[start, start + OUTPUT_BYTES). Values of `referenceFrom`
   * bytes and more are referenced, which may be NO_REFERENCES.
   */
  aim(bytes: Buffer, start: number, referenceFrom: number): void {
    if (bytes !== this.bytes) {
      this.bytes = bytes;
      this.target = new Bytes(bytes);
    }
    this.start = start;
    this.end = start;
    this.limit = start + OUTPUT_BYTES;
    this.referenceFrom = referenceFrom;
    this.pieces.count = 0;
  }

  /** Bytes written. */
  get length(): number {
    return this.end - this.start;
  }

  get room(): number {
    return this.limit - this.end;
  }

  /** The written bytes. */
  view(): Buffer {
    return this.bytes.subarray(this.start, this.end);
  }

  /** Forgets the bytes: they were sent. */
  reset(): void {
    this.aim(this.bytes, this.start, this.referenceFrom);
  }

  /** Appends a prepared reply; the caller has made sure of the room. */
  put(reply: Uint8Array): void {
    const { bytes } = this;
    let at = this.end;
    for (let i = 0; i < reply.length; i++) bytes[at++] = reply[i];
    this.end = at;
  }

  /**
   * The value whose pieces have been added comes here. After it there is room for nothing but the
   * `tail` bytes that end its reply: no other item may be looked at before it is sent.
   */
  closeBehindReference(tail: number): void {
    this.referenceAt = this.end;
    this.limit = Math.min(this.limit, this.end + tail);
  }
}
