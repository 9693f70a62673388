/**
 * Keys as memcached prints them where a line is made of words: what is not a letter, a digit or one
 * of `-._~` becomes `%` and two hexadecimal digits.
 */

const HEX = Buffer.from('0123456789ABCDEF', 'latin1');
const PERCENT = 0x25;

/** 1 for the bytes that stay as they are. */
const PLAIN = Uint8Array.from({ length: 256 }, (_, byte) =>
  /[A-Za-z0-9\-._~]/.test(String.fromCharCode(byte)) ? 1 : 0,
);

/**
 * Writes source[start, start + length) to `target` from `to` on, three bytes per byte at most.
 * Returns how many bytes were written.
 */
export function putUriEncoded(
  target: Uint8Array,
  to: number,
  source: Uint8Array,
  start: number,
  length: number,
): number {
  let at = to;
  for (let i = 0; i < length; i++) {
    const byte = source[start + i];
    if (PLAIN[byte] === 1) {
      target[at++] = byte;
      continue;
    }
    target[at++] = PERCENT;
    target[at++] = HEX[byte >>> 4];
    target[at++] = HEX[byte & 15];
  }
  return at - to;
}
