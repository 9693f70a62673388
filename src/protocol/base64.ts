/**
 * Base64 of keys, as memcached reads and writes it: into and out of bytes at hand, without a string
 * in between. Reading is lenient: characters outside the alphabet are passed over.
 */

const ALPHABET = Buffer.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/');
const PADDING = 0x3d;
const NO_DIGIT = 0x80;

/** The six bits that a character stands for; padding counts as zeros. */
const DIGITS = new Uint8Array(256).fill(NO_DIGIT);
for (let i = 0; i < ALPHABET.length; i++) DIGITS[ALPHABET[i]] = i;
DIGITS[PADDING] = 0;

/**
 * Decodes source[start, end) to the start of `target`, which has as much room as the source is
 * long. Returns the number of bytes; 0 when it is not base64.
 */
export function decodeBase64(
  source: Uint8Array,
  start: number,
  end: number,
  target: Uint8Array,
): number {
  let digits = 0;
  for (let i = start; i < end; i++) if (DIGITS[source[i]] !== NO_DIGIT) digits++;
  if (digits === 0 || digits % 4 !== 0) return 0;
  let to = 0;
  let group = 0;
  let count = 0;
  let padding = 0;
  for (let i = start; i < end; i++) {
    const digit = DIGITS[source[i]];
    if (digit === NO_DIGIT) continue;
    if (source[i] === PADDING) padding++;
    group = (group << 6) | digit;
    if (++count < 4) continue;
    target[to++] = group >> 16;
    target[to++] = group >> 8;
    target[to++] = group;
    // What follows a padded group is not looked at.
    if (padding > 0) return padding > 2 ? 0 : to - padding;
    group = 0;
    count = 0;
  }
  return to;
}

/** Encodes source[start, start + length) to target[at, …); returns the number of characters. */
export function encodeBase64(
  source: Uint8Array,
  start: number,
  length: number,
  target: Uint8Array,
  at: number,
): number {
  let to = at;
  for (let i = 0; i < length; i += 3) {
    const left = length - i;
    const first = source[start + i];
    const second = left > 1 ? source[start + i + 1] : 0;
    const third = left > 2 ? source[start + i + 2] : 0;
    target[to++] = ALPHABET[first >> 2];
    target[to++] = ALPHABET[((first & 3) << 4) | (second >> 4)];
    target[to++] = left > 1 ? ALPHABET[((second & 15) << 2) | (third >> 6)] : PADDING;
    target[to++] = left > 2 ? ALPHABET[third & 63] : PADDING;
  }
  return to - at;
}
