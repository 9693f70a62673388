/**
 * The flags of a meta command line: which are there, and what those that have a token say. Parsed
 * once, before anything is done, so that a line with a mistake changes nothing.
 *
 * The order of checks is memcached's: a flag that repeats or that nobody knows ends the parsing at
 * once; of several bad tokens the last one names the error.
 */
import { Decimal64 } from '../cache/decimal64.ts';
import { hashKey } from '../cache/hash.ts';
import { isKeyBinary, isKeyUnfit, KEY_BYTES_MAX } from '../cache/item.ts';
import type { MetaStore } from '../cache/meta.ts';
import { Bytes } from '../memory/bytes.ts';
import { realtime } from '../memory/clock.ts';
import { decodeBase64 } from './base64.ts';
import type { Engine } from './engine.ts';
import {
  BAD_DELTA_TOKEN,
  BAD_FORMAT,
  BAD_INITIAL_TOKEN,
  BAD_KEY_ENCODING,
  BAD_MODE_LENGTH,
  BAD_TOKEN,
  DUPLICATE_FLAG,
  FLAGS_TOO_LONG,
  INVALID_FLAG,
} from './replies.ts';

/** The key came in base64. */
export const FLAG_BINARY = 0x62; // b
export const FLAG_CAS = 0x63; // c
export const FLAG_CLIENT_FLAGS = 0x66; // f
export const FLAG_HIT_BEFORE = 0x68; // h
export const FLAG_KEY = 0x6b; // k
export const FLAG_LAST_ACCESS = 0x6c; // l
export const FLAG_QUIET = 0x71; // q
export const FLAG_SIZE = 0x73; // s
export const FLAG_TTL = 0x74; // t
export const FLAG_NO_BUMP = 0x75; // u
export const FLAG_VALUE = 0x76; // v
/** md: leave an empty item. */
export const FLAG_EMPTY = 0x78; // x
export const FLAG_COMPARE_CAS = 0x43; // C
const FLAG_DELTA = 0x44; // D
const FLAG_EXPLICIT_CAS = 0x45; // E
const FLAG_SET_CLIENT_FLAGS = 0x46; // F
export const FLAG_INVALIDATE = 0x49; // I
const FLAG_INITIAL = 0x4a; // J
const FLAG_MODE = 0x4d; // M
export const FLAG_VIVIFY = 0x4e; // N
export const FLAG_OPAQUE = 0x4f; // O
export const FLAG_RECACHE = 0x52; // R
export const FLAG_TOUCH = 0x54; // T

/** Flags without a token, L and P (for proxies) among them: they are taken and mean nothing. */
const PLAIN_FLAGS = 'cfhklqstuvxILOP';
const LOWER_CASE = 0x20;

/** Words of a line: command, key, length and flags. */
const WORDS_MAX = 20;
/** Bytes of an opaque, its O included. */
const OPAQUE_BYTES_MAX = 32;

/** The bit of a letter among those of its case. */
function bitOf(letter: number): number {
  return 1 << (letter & 31);
}

/** Flags of mg that only ask for something, or for less (q, u): alone they change nothing. */
let asking = 0;
for (const letter of Buffer.from('cfhklqstuv')) asking |= bitOf(letter);

/** The bit of a flag that only asks; 0 for other flags, and for what is none. */
export function askingBit(letter: number): number {
  return letter > 0x60 && letter < 0x7b ? bitOf(letter) & asking : 0;
}

let plainLower = 0;
let plainUpper = 0;
for (const letter of Buffer.from(PLAIN_FLAGS)) {
  if ((letter & LOWER_CASE) !== 0) plainLower |= bitOf(letter);
  else plainUpper |= bitOf(letter);
}

/** The flags of the line at hand: one for all requests. */
export class MetaFlags {
  private readonly engine: Engine;
  /** The key: key[keyStart, keyStart + keyBytes). */
  key: Bytes;
  keyStart = 0;
  keyBytes = 0;
  keyBinary = false;
  /** Of the key, once find has looked it up. */
  hash = 0;
  /** Of T, N and R, in clock seconds; 0 without them. */
  exptime = 0;
  vivifyExptime = 0;
  recacheTime = 0;
  /** Of F, as int32. */
  clientFlags = 0;
  /** Of C, E, D (1 without it) and J. */
  readonly compareCas = new Decimal64();
  readonly delta = new Decimal64();
  readonly initial = new Decimal64();
  /** Of M, a letter; 0 without it. */
  mode = 0;
  opaqueTooLong = false;
  private readonly explicitCas = new Decimal64();
  private readonly decoded = new Bytes(Buffer.alloc(KEY_BYTES_MAX));
  /** The letters that were seen, by case. */
  private lower = 0;
  private upper = 0;
  private error: Buffer | null = null;

  constructor(engine: Engine) {
    this.engine = engine;
    this.key = engine.source;
  }

  has(flag: number): boolean {
    return (((flag & LOWER_CASE) !== 0 ? this.lower : this.upper) & bitOf(flag)) !== 0;
  }

  /** The cas id that the client wants a change to have, or null. 0 is no id. */
  get newCas(): Decimal64 | null {
    const { explicitCas } = this;
    return explicitCas.low === 0 && explicitCas.high === 0 ? null : explicitCas;
  }

  /** Takes a key with its hash, and the bits of flags that only ask. */
  ask(key: Bytes, keyStart: number, keyBytes: number, hash: number, letters: number): void {
    this.reset();
    this.key = key;
    this.keyStart = keyStart;
    this.keyBytes = keyBytes;
    this.hash = hash;
    this.lower = letters;
  }

  /** Parses the flags from token `first` on, and the key. Returns what is wrong, or null. */
  parse(first: number): Buffer | null {
    const { engine } = this;
    const { tokens, input } = engine;
    this.reset();
    if (tokens.length(1) > KEY_BYTES_MAX) return BAD_FORMAT;
    if (tokens.count > WORDS_MAX) return FLAGS_TOO_LONG;
    this.parseKey(false);
    for (let index = first; index < tokens.count; index++) {
      const letter = input[tokens.starts[index]];
      if (letter > 0x7e) return DUPLICATE_FLAG;
      const lower = (letter & LOWER_CASE) !== 0;
      const bit = letter < 0x41 ? 0 : bitOf(letter);
      if (((lower ? this.lower : this.upper) & bit) !== 0) return DUPLICATE_FLAG;
      if (letter === FLAG_OPAQUE && tokens.length(index) > OPAQUE_BYTES_MAX) {
        this.opaqueTooLong = true;
      }
      if (((lower ? plainLower : plainUpper) & bit) === 0 && !this.parseToken(letter, index)) {
        return INVALID_FLAG;
      }
      if (lower) this.lower |= bit;
      else this.upper |= bit;
    }
    return this.error;
  }

  /**
   * The living item with the key, or 0. In any case the stripe of `hash` stays locked until the
   * store releases it.
   */
  find(store: MetaStore, tenant: number): number {
    const { key, keyStart, keyBytes } = this;
    this.hash = this.keyBinary
      ? hashKey(key, keyStart, keyBytes, tenant)
      : this.engine.ahead.hashOf(key, keyStart, keyBytes, tenant);
    return store.find(this.hash, tenant, key, keyStart, keyBytes);
  }

  /**
   * Creates the item that find has missed, for N: with this number as value, or empty. Returns it,
   * or 0 when there is no memory.
   */
  vivify(store: MetaStore, tenant: number, initial: Decimal64 | null): number {
    const { hash, key, keyStart, keyBytes, keyBinary, vivifyExptime, newCas } = this;
    return store.doVivify(
      hash,
      tenant,
      key,
      keyStart,
      keyBytes,
      keyBinary,
      vivifyExptime,
      initial,
      newCas,
    );
  }

  /** Takes the key from the line, out of base64 if it is `binary`; false when it is not that. */
  parseKey(binary: boolean): boolean {
    const { tokens, input, source } = this.engine;
    this.keyBinary = binary;
    if (!binary) {
      this.key = source;
      this.keyStart = tokens.starts[1];
      this.keyBytes = tokens.length(1);
      return true;
    }
    this.key = this.decoded;
    this.keyStart = 0;
    this.keyBytes = decodeBase64(input, tokens.starts[1], tokens.ends[1], this.decoded.u8);
    return this.keyBytes > 0;
  }

  /**
   * Whether the key of a found item is given back in base64: if the item has it so, or if it was
   * asked for so and could not stand on the line otherwise.
   */
  encodesKey(ref: number): boolean {
    const { i32, u8 } = this.engine.store.memory;
    return this.keyBinary ? isKeyUnfit(i32, u8, ref) : isKeyBinary(i32, ref);
  }

  private reset(): void {
    this.lower = 0;
    this.upper = 0;
    this.error = null;
    this.keyBinary = false;
    this.exptime = 0;
    this.vivifyExptime = 0;
    this.recacheTime = 0;
    this.clientFlags = 0;
    this.mode = 0;
    this.opaqueTooLong = false;
    this.compareCas.set(0, 0);
    this.explicitCas.set(0, 0);
    this.delta.set(0, 1);
    this.initial.set(0, 0);
  }

  /** Reads the token of a flag; false when nobody knows the flag. */
  private parseToken(letter: number, index: number): boolean {
    const { tokens } = this.engine;
    switch (letter) {
      case FLAG_BINARY:
        if (!this.parseKey(true)) this.error = BAD_KEY_ENCODING;
        return true;
      case FLAG_TOUCH:
        this.exptime = this.parseTime(index);
        return true;
      case FLAG_VIVIFY:
        this.vivifyExptime = this.parseTime(index);
        return true;
      case FLAG_RECACHE:
        this.recacheTime = this.parseTime(index);
        return true;
      case FLAG_SET_CLIENT_FLAGS:
        if (tokens.parseUint32(index, 1)) this.clientFlags = tokens.number;
        else this.error ??= BAD_FORMAT;
        return true;
      case FLAG_COMPARE_CAS:
        this.parseNumber(this.compareCas, index, BAD_TOKEN);
        return true;
      case FLAG_EXPLICIT_CAS:
        this.parseNumber(this.explicitCas, index, BAD_TOKEN);
        return true;
      case FLAG_DELTA:
        this.parseNumber(this.delta, index, BAD_DELTA_TOKEN);
        return true;
      case FLAG_INITIAL:
        this.parseNumber(this.initial, index, BAD_INITIAL_TOKEN);
        return true;
      case FLAG_MODE:
        if (tokens.length(index) === 2) this.mode = this.engine.input[tokens.starts[index] + 1];
        else this.error = BAD_MODE_LENGTH;
        return true;
      default:
        return false;
    }
  }

  private parseTime(index: number): number {
    const { tokens, store } = this.engine;
    if (tokens.parseInt32(index, 1)) return realtime(store.memory, tokens.number);
    this.error = BAD_TOKEN;
    return 0;
  }

  private parseNumber(number: Decimal64, index: number, error: Buffer): void {
    const { tokens, input } = this.engine;
    if (!number.parse(input, tokens.starts[index] + 1, tokens.ends[index])) this.error = error;
  }
}
