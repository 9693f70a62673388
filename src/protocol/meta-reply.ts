/**
 * Writes the reply line of a meta command piece by piece into the output, where the engine has made
 * sure of the room: a code of two letters, flags with what they ask for, and the line's end.
 */
import { Decimal64, printSafe } from '../cache/decimal64.ts';
import { type Bytes, copyBytes } from '../memory/bytes.ts';
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
    output.bytes[output.end++] = SPACE;
    output.bytes[output.end++] = flag;
  }

  /** ` f123`; a flag of 0 is left out. The value is below 2^53. */
  count(flag: number, value: number): void {
    const { output } = this;
    output.bytes[output.end++] = SPACE;
    if (flag !== 0) output.bytes[output.end++] = flag;
    output.end += printSafe(output.bytes, output.end, value);
  }

  /** ` f123` for a number of 64 bits in int32 halves. */
  long(flag: number, high: number, low: number): void {
    const { output, number } = this;
    this.flag(flag);
    number.set(high >>> 0, low >>> 0);
    output.end += number.print(output.bytes, output.end);
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
    output.bytes[output.end++] = 0x2d;
    output.bytes[output.end++] = 0x31;
  }

  /** ` kname`, or ` kbase64 b` for a binary one. */
  key(key: Bytes, start: number, length: number, binary: boolean): void {
    const { output } = this;
    this.flag(FLAG_KEY);
    if (binary) {
      output.end += encodeBase64(key.u8, start, length, output.bytes, output.end);
      this.flag(FLAG_BINARY);
      return;
    }
    copyBytes(key, start, output.target, output.end, length);
    output.end += length;
  }

  /** A word as it stood on the line. */
  word(input: Uint8Array, start: number, end: number): void {
    const { output } = this;
    const { bytes } = output;
    bytes[output.end++] = SPACE;
    for (let i = start; i < end; i++) bytes[output.end++] = input[i];
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
    output.bytes[output.end++] = 0x0d;
    output.bytes[output.end++] = 0x0a;
  }
}
