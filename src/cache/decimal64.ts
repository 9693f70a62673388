/**
 * Unsigned 64-bit numbers in decimal text, parsed and printed as memcached does (strtoull): leading
 * white space and a sign are accepted, and white space ends the number.
 *
 * A number is a pair of 32-bit halves. Up to 15 digits are plain double arithmetic; only longer
 * ones, which are rare, go through BigInt.
 */

const SAFE_DIGITS = 15;
/** Digits of 2^64; a value of half a megabyte is not worth a BigInt to find it too large. */
export const DIGITS_MAX = 20;
const TWO_32 = 2 ** 32;
const UINT64_END = 1n << 64n;
const INT64_END = 1n << 63n;

/** The result of parse: reused, since parsing is on the way of a request. */
export class Decimal64 {
  high = 0; // as uint32
  low = 0; // as uint32

  set(high: number, low: number): void {
    this.high = high;
    this.low = low;
  }

  /** Sets a number that a double holds exactly. */
  setSafe(value: number): void {
    this.high = Math.floor(value / TWO_32);
    this.low = value % TWO_32;
  }

  setBig(value: bigint): void {
    this.high = Number((value >> 32n) & 0xffff_ffffn);
    this.low = Number(value & 0xffff_ffffn);
  }

  isSafe(): boolean {
    return this.high < 0x1f_ffff;
  }

  /** The value as a double; exact if isSafe(). */
  toNumber(): number {
    return this.high * TWO_32 + this.low;
  }

  toBig(): bigint {
    return (BigInt(this.high) << 32n) | BigInt(this.low);
  }

  /** Adds, wrapping at 2^64. */
  add(other: Decimal64): void {
    const low = this.low + other.low;
    const carry = low >= TWO_32 ? 1 : 0;
    this.low = low - carry * TWO_32;
    this.high = (this.high + other.high + carry) % TWO_32;
  }

  /** Subtracts, stopping at 0. */
  subtractToZero(other: Decimal64): void {
    if (this.high < other.high || (this.high === other.high && this.low < other.low)) {
      this.set(0, 0);
      return;
    }
    const low = this.low - other.low;
    const borrow = low < 0 ? 1 : 0;
    this.low = low + borrow * TWO_32;
    this.high = this.high - other.high - borrow;
  }

  /**
   * Parses bytes[start, end); false when they are not a number that memcached accepts. What follows
   * the number after white space is ignored.
   */
  parse(bytes: Uint8Array, start: number, end: number): boolean {
    let at = start;
    while (at < end && isSpace(bytes[at])) at++;
    const negative = at < end && bytes[at] === 0x2d;
    if (at < end && (negative || bytes[at] === 0x2b)) at++;
    const digits = at;
    let value = 0;
    while (at < end && bytes[at] >= 0x30 && bytes[at] <= 0x39) {
      value = value * 10 + (bytes[at] - 0x30);
      at++;
    }
    if (at === digits) return false;
    if (at < end && bytes[at] !== 0 && !isSpace(bytes[at])) return false;
    if (at - digits <= SAFE_DIGITS && !negative) {
      this.setSafe(value);
      return true;
    }
    return this.parseLong(bytes, digits, at, end, negative);
  }

  /** How many digits print gives. */
  digits(): number {
    if (this.isSafe()) return digitsOfSafe(this.toNumber());
    return this.toBig().toString().length;
  }

  /** Prints the number at `target`; returns the number of digits (1 to 20). */
  print(bytes: Uint8Array, target: number): number {
    if (this.isSafe()) return printSafe(bytes, target, this.toNumber());
    const text = this.toBig().toString();
    for (let i = 0; i < text.length; i++) bytes[target + i] = text.charCodeAt(i);
    return text.length;
  }

  private parseLong(
    bytes: Uint8Array,
    digits: number,
    digitsEnd: number,
    end: number,
    negative: boolean,
  ): boolean {
    const first = skipZeros(bytes, digits, digitsEnd);
    if (digitsEnd - first > DIGITS_MAX) return false;
    let text = '';
    for (let i = first; i < digitsEnd; i++) text += String.fromCharCode(bytes[i]);
    const magnitude = BigInt(text);
    if (magnitude >= UINT64_END) return false;
    const value = negative ? (UINT64_END - magnitude) % UINT64_END : magnitude;
    // memcached looks for a minus sign only when the number has its highest bit set, and then
    // anywhere in the text.
    if (value >= INT64_END && (negative || hasMinus(bytes, digitsEnd, end))) return false;
    this.setBig(value);
    return true;
  }
}

/** Prints a non-negative integer below 2^53; returns the number of digits. */
export function printSafe(bytes: Uint8Array, target: number, value: number): number {
  const length = digitsOfSafe(value);
  let rest = value;
  let at = target + length - 1;
  while (rest > 0x7fff_ffff) {
    const next = Math.floor(rest / 10);
    bytes[at--] = 0x30 + (rest - next * 10);
    rest = next;
  }
  // From here on the number is a small integer, which divides faster.
  let small = rest | 0;
  while (at >= target) {
    const next = (small / 10) | 0;
    bytes[at--] = 0x30 + (small - next * 10);
    small = next;
  }
  return length;
}

function digitsOfSafe(value: number): number {
  let length = 1;
  for (let power = 10; power <= value; power *= 10) length++;
  return length;
}

/** C's isspace: tab, line feed, vertical tab, form feed, carriage return, space. */
export function isSpace(byte: number): boolean {
  return byte === 0x20 || (byte >= 0x09 && byte <= 0x0d);
}

/** Where the digits that count begin; the last zero stays if there is nothing else. */
export function skipZeros(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  while (at < end - 1 && bytes[at] === 0x30) at++;
  return at;
}

function hasMinus(bytes: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end && bytes[i] !== 0; i++) if (bytes[i] === 0x2d) return true;
  return false;
}
