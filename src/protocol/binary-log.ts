/**
 * What -vv says of the binary protocol: headers byte by byte, keys as text. What a client sends is
 * escaped, so that it can neither end a line nor speak to a terminal.
 */
import { HEADER_BYTES } from './binary-header.ts';
import type { Host } from './host.ts';

const WORD_BYTES = 4;

/** Logs a header as memcached does: a headline, then four bytes on each line. */
export function logBytes(
  host: Host,
  who: string,
  headline: string,
  bytes: Buffer,
  at: number,
): void {
  host.log(2, `${who} ${headline}`);
  for (let word = at; word < at + HEADER_BYTES; word += WORD_BYTES) {
    let line = `${who}   `;
    for (let i = word; i < word + WORD_BYTES; i++) {
      line += ` 0x${bytes[i].toString(16).padStart(2, '0')}`;
    }
    host.log(2, line);
  }
}

/** A key of at most 250 bytes as one word of printable ASCII. */
export function printable(bytes: Buffer, start: number, length: number): string {
  let text = '';
  for (let i = start; i < start + length; i++) {
    const byte = bytes[i];
    const plain = byte > 0x20 && byte < 0x7f && byte !== 0x5c;
    text += plain ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, '0')}`;
  }
  return text;
}
