/**
 * Cuts a command line into tokens, in place: positions, no strings.
 *
 * memcached's rules: only the space separates; a NUL ends the text of the line; at most 23 tokens
 * are cut, and only the retrieval commands read on in what is left.
 */
import { DIGITS_MAX, isSpace, skipZeros } from '../cache/decimal64.ts';

const TOKENS_MAX = 23;
const SAFE_DIGITS = 9;
const INT64_END = 1n << 63n;
const UINT64_END = 1n << 64n;

export class Tokens {
  count = 0;
  readonly starts = new Int32Array(TOKENS_MAX);
  readonly ends = new Int32Array(TOKENS_MAX);
  /** Where the text of the line ends. */
  textEnd = 0;
  /** The number that the last parseInt32 or parseUint32 found. */
  number = 0;
  private bytes: Buffer = Buffer.alloc(0);

  /** Cuts bytes[start, end). */
  cut(bytes: Buffer, start: number, end: number): void {
    const { starts, ends } = this;
    this.bytes = bytes;
    let count = 0;
    let at = start;
    let textEnd = end;
    while (at < textEnd && count < TOKENS_MAX) {
      while (at < textEnd && bytes[at] === 0x20) at++;
      const token = at;
      while (at < textEnd && bytes[at] !== 0x20) {
        if (bytes[at] === 0) {
          textEnd = at;
          break;
        }
        at++;
      }
      if (at > token) {
        starts[count] = token;
        ends[count] = at;
        count++;
      }
    }
    this.count = count;
    this.textEnd = textEnd;
  }

  length(index: number): number {
    return this.ends[index] - this.starts[index];
  }

  /** Whether a token is this word. */
  is(index: number, word: string): boolean {
    if (index >= this.count || this.length(index) !== word.length) return false;
    const start = this.starts[index];
    for (let i = 0; i < word.length; i++) {
      if (this.bytes[start + i] !== word.charCodeAt(i)) return false;
    }
    return true;
  }

  /** A token as text, one character per byte. */
  text(index: number): string {
    return this.bytes.toString('latin1', this.starts[index], this.ends[index]);
  }

  /**
   * Reads a token as memcached's safe_strtol does: 64-bit, then cut to 32 bits. False when it is
   * not a number or beyond 64 bits. The first `skip` bytes of the token are no part of it.
   */
  parseInt32(index: number, skip = 0): boolean {
    const start = this.starts[index] + skip;
    const end = this.ends[index];
    return this.parseSmall(start, end) || this.parseLong(start, end, true);
  }

  /** Reads a token as safe_strtoul does: unsigned 64-bit, cut to 32 bits (as int32). */
  parseUint32(index: number, skip = 0): boolean {
    const start = this.starts[index] + skip;
    const end = this.ends[index];
    return this.parseSmall(start, end) || this.parseLong(start, end, false);
  }

  /** Whether a token that parseInt32 accepted is within int32, so that nothing was cut off. */
  isInt32(index: number): boolean {
    if (this.length(index) <= SAFE_DIGITS) return true;
    const value = Number.parseInt(this.text(index), 10);
    return value === (value | 0);
  }

  /** The common case: one to nine digits and nothing else. */
  private parseSmall(start: number, end: number): boolean {
    const { bytes } = this;
    if (end === start || end - start > SAFE_DIGITS) return false;
    let value = 0;
    for (let at = start; at < end; at++) {
      const digit = bytes[at] - 0x30;
      if (digit < 0 || digit > 9) return false;
      value = (value * 10 + digit) | 0;
    }
    this.number = value;
    return true;
  }

  /** Everything else that strtol and strtoul take: white space, signs, long numbers. */
  private parseLong(start: number, end: number, signed: boolean): boolean {
    const { bytes } = this;
    let at = start;
    while (at < end && isSpace(bytes[at])) at++;
    const negative = bytes[at] === 0x2d;
    if (at < end && (negative || bytes[at] === 0x2b)) at++;
    const digits = at;
    while (at < end && bytes[at] >= 0x30 && bytes[at] <= 0x39) at++;
    if (at === digits || (at < end && !isSpace(bytes[at]))) return false;
    const first = skipZeros(bytes, digits, at);
    if (at - first > DIGITS_MAX) return false;
    let value = BigInt(bytes.toString('latin1', first, at));
    if (signed) {
      if (value > INT64_END || (value === INT64_END && !negative)) return false;
      if (negative) value = -value;
    } else {
      if (value >= UINT64_END) return false;
      if (negative) value = (UINT64_END - value) % UINT64_END;
      if (value >= INT64_END && bytes.subarray(start, end).includes(0x2d)) return false;
    }
    this.number = Number(BigInt.asIntN(32, value));
    return true;
  }
}
