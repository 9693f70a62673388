/**
 * Writes the reply line of a meta command piece by piece into the output, where the engine has made
 * sure of the room: a code of two letters, flags with what they ask for, and the line's end.
 */
import { Decimal64, printSafe } from '../cache/decimal64.ts';
import { encodeBase64 } from './base64.ts';
import { FLAG_BINARY, FLAG_KEY, FLAG_OPAQUE, type MetaFlags } from './meta-flags.ts';
import type { Output } from './output.ts';
import type { Tokens } from './tokens.ts';

const SPACE = 0x20;

export class MetaReply {
  private readonly output: Output;
  private readonly number = new Decimal64();

  constructor(output: Output) {
    this.output = output;
  }

  /** Two letters. */
  code(code: Uint8Array): void {
    this.output.put(code);
  }

  /** ` f` */
  flag(flag: number): void {
    const { output } = this;
    output.bytes[output.length++] = SPACE;
    output.bytes[output.length++] = flag;
  }

  /** ` f123`; a flag of 0 is left out. The value is below 2^53. */
  count(flag: number, value: number): void {
    const { output } = this;
    output.bytes[output.length++] = SPACE;
    if (flag !== 0) output.bytes[output.length++] = flag;
    output.length += printSafe(output.bytes, output.length, value);
  }

  /** ` f123` for a number of 64 bits in int32 halves. */
  long(flag: number, high: number, low: number): void {
    const { output, number } = this;
    this.flag(flag);
    number.set(high >>> 0, low >>> 0);
    output.length += number.print(output.bytes, output.length);
  }

  /** Seconds to live, -1 for ever. */
  ttl(flag: number, exptime: number, now: number): void {
    const { output } = this;
    if (exptime !== 0) {
      // As memcached prints it: what has just been given a time in the past wraps around.
      this.count(flag, (exptime - now) >>> 0);
      return;
    }
    this.flag(flag);
    output.bytes[output.length++] = 0x2d;
    output.bytes[output.length++] = 0x31;
  }

  /** ` kname`, or ` kbase64 b` for a binary one. */
  key(key: Uint8Array, start: number, length: number, binary: boolean): void {
    const { output } = this;
    this.flag(FLAG_KEY);
    if (binary) {
      output.length += encodeBase64(key, start, length, output.bytes, output.length);
      this.flag(FLAG_BINARY);
      return;
    }
    const { bytes } = output;
    for (let i = 0; i < length; i++) bytes[output.length + i] = key[start + i];
    output.length += length;
  }

  /** A word as it stood on the line. */
  word(input: Uint8Array, start: number, end: number): void {
    const { output } = this;
    const { bytes } = output;
    bytes[output.length++] = SPACE;
    for (let i = start; i < end; i++) bytes[output.length++] = input[i];
  }

  /** What every reply of a missing item gives back: opaque and key, in their order on the line. */
  echo(tokens: Tokens, input: Uint8Array, flags: MetaFlags, first: number): void {
    for (let index = first; index < tokens.count; index++) {
      const letter = input[tokens.starts[index]];
      if (letter === FLAG_OPAQUE) this.word(input, tokens.starts[index], tokens.ends[index]);
      else if (letter === FLAG_KEY) {
        this.key(flags.key, flags.keyStart, flags.keyBytes, flags.keyBinary);
      }
    }
  }

  end(): void {
    const { output } = this;
    output.bytes[output.length++] = 0x0d;
    output.bytes[output.length++] = 0x0a;
  }
}
