/**
 * The low 32 bits of XXH3_64bits_withSeed, for inputs of up to 1,024 bytes: keys have 250 at most.
 *
 * XXH3 works on 64-bit numbers. They are kept in two halves (int32), since a BigInt would be
 * allocated at every step; a step that gives one leaves it in `low` and `high`.
 */
import { Bytes } from '../memory/bytes.ts';

/** The 192 bytes that XXH3 mixes with its input, fixed by its specification. */
const SECRET = new Bytes(
  Buffer.from(
    'b8fe6c3923a44bbe7c01812cf721ad1cded46de9839097db7240a4a4b7b3671f' +
      'cb79e64eccc0e578825ad07dccff7221b8084674f743248ee03590e6813a264c' +
      '3c2852bb91c300cb88d0658b1b532ea371644897a20df94e3819ef46a9deacd8' +
      'a8fa763fe39c343ff9dcbbc7c70b4f1d8a51e04bcdb45931c89f7ec9d9787364' +
      'eac5ac8334d3ebc3c581a0fffa1363eb170ddd51b7f0da49d316552629d4689e' +
      '2b16be587d47a1fc8ff8b8d17ad031ce45cb3a8f95160428afd7fbcabb4b407e',
    'hex',
  ),
).view;

/** Primes of the specification: P1 to P5 have 64 bits, Q1 to Q3 have 32. */
const P1_LOW = 0x85ebca87 | 0;
const P1_HIGH = 0x9e3779b1 | 0;
const P2_LOW = 0x27d4eb4f;
const P2_HIGH = 0xc2b2ae3d | 0;
const P3_LOW = 0x9e3779f9 | 0;
const P3_HIGH = 0x165667b1;
const P4_LOW = 0xc2b2ae63 | 0;
const P4_HIGH = 0x85ebca77 | 0;
const P5_LOW = 0x165667c5;
const P5_HIGH = 0x27d4eb2f;
const Q1 = 0x9e3779b1 | 0;
const Q2 = 0x85ebca77 | 0;
const Q3 = 0xc2b2ae3d | 0;
const MIX_LOW = 0x1e98df25;
const MIX_HIGH = 0x9fb21c65 | 0;
const AVALANCHE_LOW = 0x9e3779f9 | 0;
const AVALANCHE_HIGH = 0x16566791;

const TWO_32 = 2 ** 32;
const STRIPE_BYTES = 64;
/** Where the last stripe of a long input, and the merge of the lanes, begin in the secret. */
const LAST_STRIPE_AT = SECRET.byteLength - STRIPE_BYTES - 7;
const MERGE_AT = 11;

let low = 0;
let high = 0;

/** The eight lanes of a long input, low half before high half. */
const lanes = new Int32Array(16);
const LANES_START = Int32Array.of(
  ...[Q3, 0, P1_LOW, P1_HIGH, P2_LOW, P2_HIGH, P3_LOW, P3_HIGH],
  ...[P4_LOW, P4_HIGH, Q2, 0, P5_LOW, P5_HIGH, Q1, 0],
);

/** The secret for long inputs of one seed: the last one that was asked for. */
const seeded = new DataView(
  SECRET.buffer.slice(SECRET.byteOffset, SECRET.byteOffset + SECRET.byteLength),
);
let seededFor = 0;

/** Hash of `length` bytes at `start`, as a signed int32. */
export function xxh3(key: Bytes, start: number, length: number, seed: number): number {
  const { view } = key;
  if (length > 240) return hashLong(view, start, length, seed);
  if (length > 128) return hash129to240(view, start, length, seed);
  if (length > 16) return hash17to128(view, start, length, seed);
  if (length > 8) return hash9to16(view, start, length, seed);
  if (length > 3) return hash4to8(view, start, length, seed);
  if (length > 0) return hash1to3(view, start, length, seed);
  const flipLow = read(SECRET, 56) ^ read(SECRET, 64);
  return avalanche64(flipLow ^ seed, read(SECRET, 60) ^ read(SECRET, 68));
}

function read(bytes: DataView, at: number): number {
  return bytes.getInt32(at, true);
}

/** A word with its bytes in reverse order. */
function swap(x: number): number {
  return (x << 24) | ((x & 0xff00) << 8) | ((x >>> 8) & 0xff00) | (x >>> 24);
}

/** The upper half of the product of two unsigned words. */
function upperProduct(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const first = aHigh * bLow + ((aLow * bLow) >>> 16);
  const second = aLow * bHigh + (first & 0xffff);
  return (aHigh * bHigh + (first >>> 16) + (second >>> 16)) | 0;
}

function add(aLow: number, aHigh: number, bLow: number, bHigh: number): void {
  const sum = (aLow >>> 0) + (bLow >>> 0);
  low = sum | 0;
  high = (aHigh + bHigh + (sum >= TWO_32 ? 1 : 0)) | 0;
}

function subtract(aLow: number, aHigh: number, bLow: number, bHigh: number): void {
  low = (aLow - bLow) | 0;
  high = (aHigh - bHigh - (aLow >>> 0 < bLow >>> 0 ? 1 : 0)) | 0;
}

/** The lower 64 bits of a product. */
function multiply(aLow: number, aHigh: number, bLow: number, bHigh: number): void {
  low = Math.imul(aLow, bLow);
  high = (upperProduct(aLow, bLow) + Math.imul(aLow, bHigh) + Math.imul(aHigh, bLow)) | 0;
}

/** The two halves of a product of 128 bits, exclusive-or. */
function multiplyFold(aLow: number, aHigh: number, bLow: number, bHigh: number): void {
  const cross =
    (upperProduct(aLow, bLow) >>> 0) +
    (Math.imul(aHigh, bLow) >>> 0) +
    (Math.imul(aLow, bHigh) >>> 0);
  const upper =
    (upperProduct(aHigh, bLow) >>> 0) +
    (upperProduct(aLow, bHigh) >>> 0) +
    Math.floor(cross / TWO_32) +
    (Math.imul(aHigh, bHigh) >>> 0);
  const top = (upperProduct(aHigh, bHigh) >>> 0) + Math.floor(upper / TWO_32);
  low = Math.imul(aLow, bLow) ^ (upper | 0);
  high = (cross | 0) ^ (top | 0);
}

/** XXH64's last step. */
function avalanche64(hashLow: number, hashHigh: number): number {
  multiply(hashLow ^ (hashHigh >>> 1), hashHigh, P2_LOW, P2_HIGH);
  multiply(low ^ ((low >>> 29) | (high << 3)), high ^ (high >>> 29), P3_LOW, P3_HIGH);
  return low ^ high;
}

/** XXH3's last step. */
function avalanche(hashLow: number, hashHigh: number): void {
  multiply(hashLow ^ (hashHigh >>> 5), hashHigh, AVALANCHE_LOW, AVALANCHE_HIGH);
  low ^= high;
}

function hash1to3(bytes: DataView, start: number, length: number, seed: number): number {
  const combined =
    (bytes.getUint8(start) << 16) |
    (bytes.getUint8(start + (length >> 1)) << 24) |
    bytes.getUint8(start + length - 1) |
    (length << 8);
  add(read(SECRET, 0) ^ read(SECRET, 4), 0, seed, 0);
  return avalanche64(combined ^ low, high);
}

function hash4to8(bytes: DataView, start: number, length: number, seed: number): number {
  const flipLow = read(SECRET, 8) ^ read(SECRET, 16);
  subtract(flipLow, read(SECRET, 12) ^ read(SECRET, 20), seed, swap(seed));
  const keyLow = read(bytes, start + length - 4) ^ low;
  const keyHigh = read(bytes, start) ^ high;
  const rotated49 = (keyLow << 17) | (keyHigh >>> 15);
  const rotated49High = (keyHigh << 17) | (keyLow >>> 15);
  const rotated24 = (keyLow << 24) | (keyHigh >>> 8);
  const rotated24High = (keyHigh << 24) | (keyLow >>> 8);
  multiply(
    keyLow ^ rotated49High ^ rotated24,
    keyHigh ^ rotated49 ^ rotated24High,
    MIX_LOW,
    MIX_HIGH,
  );
  multiply(low ^ ((high >>> 3) + length), high, MIX_LOW, MIX_HIGH);
  return low ^ ((low >>> 28) | (high << 4));
}

function hash9to16(bytes: DataView, start: number, length: number, seed: number): number {
  const end = start + length - 8;
  add(read(SECRET, 24) ^ read(SECRET, 32), read(SECRET, 28) ^ read(SECRET, 36), seed, 0);
  const firstLow = read(bytes, start) ^ low;
  const firstHigh = read(bytes, start + 4) ^ high;
  subtract(read(SECRET, 40) ^ read(SECRET, 48), read(SECRET, 44) ^ read(SECRET, 52), seed, 0);
  const lastLow = read(bytes, end) ^ low;
  const lastHigh = read(bytes, end + 4) ^ high;
  multiplyFold(firstLow, firstHigh, lastLow, lastHigh);
  add(low, high, lastLow, lastHigh);
  add(low, high, swap(firstHigh), swap(firstLow));
  add(low, high, length, 0);
  avalanche(low, high);
  return low;
}

/** Adds to a sum what 16 bytes of input and of the secret give. */
function mix(
  sumLow: number,
  sumHigh: number,
  bytes: DataView,
  at: number,
  secretAt: number,
  seed: number,
): void {
  add(read(SECRET, secretAt), read(SECRET, secretAt + 4), seed, 0);
  const aLow = read(bytes, at) ^ low;
  const aHigh = read(bytes, at + 4) ^ high;
  subtract(read(SECRET, secretAt + 8), read(SECRET, secretAt + 12), seed, 0);
  multiplyFold(aLow, aHigh, read(bytes, at + 8) ^ low, read(bytes, at + 12) ^ high);
  add(low, high, sumLow, sumHigh);
}

function hash17to128(bytes: DataView, start: number, length: number, seed: number): number {
  const end = start + length;
  multiply(length, 0, P1_LOW, P1_HIGH);
  for (let pair = (length - 1) >> 5; pair >= 0; pair--) {
    mix(low, high, bytes, start + 16 * pair, 32 * pair, seed);
    mix(low, high, bytes, end - 16 * (pair + 1), 32 * pair + 16, seed);
  }
  avalanche(low, high);
  return low;
}

function hash129to240(bytes: DataView, start: number, length: number, seed: number): number {
  multiply(length, 0, P1_LOW, P1_HIGH);
  for (let i = 0; i < 8; i++) mix(low, high, bytes, start + 16 * i, 16 * i, seed);
  avalanche(low, high);
  const rounds = length >> 4;
  for (let i = 8; i < rounds; i++) mix(low, high, bytes, start + 16 * i, 16 * (i - 8) + 3, seed);
  mix(low, high, bytes, start + length - 16, 136 - 17, seed);
  avalanche(low, high);
  return low;
}

function hashLong(bytes: DataView, start: number, length: number, seed: number): number {
  if (seed !== seededFor) seedSecret(seed);
  for (let i = 0; i < lanes.length; i++) lanes[i] = LANES_START[i];
  const stripes = Math.floor((length - 1) / STRIPE_BYTES);
  for (let n = 0; n < stripes; n++) accumulate(bytes, start + n * STRIPE_BYTES, 8 * n);
  accumulate(bytes, start + length - STRIPE_BYTES, LAST_STRIPE_AT);
  multiply(length, 0, P1_LOW, P1_HIGH);
  for (let i = 0; i < 4; i++) {
    const sumLow = low;
    const sumHigh = high;
    const at = MERGE_AT + 16 * i;
    multiplyFold(
      lanes[4 * i] ^ read(seeded, at),
      lanes[4 * i + 1] ^ read(seeded, at + 4),
      lanes[4 * i + 2] ^ read(seeded, at + 8),
      lanes[4 * i + 3] ^ read(seeded, at + 12),
    );
    add(low, high, sumLow, sumHigh);
  }
  avalanche(low, high);
  return low;
}

/** Takes 64 bytes of input into the lanes. */
function accumulate(bytes: DataView, at: number, secretAt: number): void {
  for (let i = 0; i < 8; i++) {
    const dataLow = read(bytes, at + 8 * i);
    const dataHigh = read(bytes, at + 8 * i + 4);
    const keyLow = dataLow ^ read(seeded, secretAt + 8 * i);
    const keyHigh = dataHigh ^ read(seeded, secretAt + 8 * i + 4);
    const other = 2 * (i ^ 1);
    add(lanes[other], lanes[other + 1], dataLow, dataHigh);
    lanes[other] = low;
    lanes[other + 1] = high;
    const product = Math.imul(keyLow, keyHigh);
    add(lanes[2 * i], lanes[2 * i + 1], product, upperProduct(keyLow, keyHigh));
    lanes[2 * i] = low;
    lanes[2 * i + 1] = high;
  }
}

function seedSecret(seed: number): void {
  for (let at = 0; at < SECRET.byteLength; at += 16) {
    add(read(SECRET, at), read(SECRET, at + 4), seed, 0);
    seeded.setInt32(at, low, true);
    seeded.setInt32(at + 4, high, true);
    subtract(read(SECRET, at + 8), read(SECRET, at + 12), seed, 0);
    seeded.setInt32(at + 8, low, true);
    seeded.setInt32(at + 12, high, true);
  }
  seededFor = seed;
}
