/**
 * The format of a dump file. All numbers are big-endian; a reader needs nothing but the file.
 *
 *   header, 32 bytes
 *     0  8  "SLABDUMP"
 *     8  4  version of the format, 1
 *    12  4  0
 *    16  8  when the dump was begun, milliseconds since 1970
 *    24  4  0
 *    28  4  CRC-32 of bytes 0 to 27
 *   record, any number of them
 *     0  4  length of the body in bytes
 *     4  n  body
 *   4+n  4  CRC-32 of the body
 *   body of an item                          body of the end, which is the last record
 *     0  1  1                                  0  1  2
 *     1  1  1: binary key, else 0              1  1  0
 *     2  2  length of the key                  2  2  0
 *     4  4  client flags                       4  4  0
 *     8  8  expiry, seconds since 1970,        8  8  items in the file
 *           0 for never
 *    16     key, then the value
 *
 * A file without an end is one whose dump was interrupted; what it has is whole up to its last
 * complete record, and the dump can go on from there.
 */
import { crc32 } from 'node:zlib';
import { KEY_BYTES_MAX } from '../cache/item.ts';
import { type CopiedItem, needsBase64 } from './item.ts';

export const HEADER_BYTES = 32;
export const BODY_HEAD_BYTES = 16;
/** The largest item there can be, with room for its key. */
export const BODY_MAX_BYTES = 1024 * 1024 * 1024 + 1024;
export const KIND_ITEM = 1;
export const KIND_END = 2;

const MAGIC = Buffer.from('SLABDUMP');
const VERSION = 1;
const CHECKED_BYTES = 28;

export function encodeHeader(startedMs: number): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  MAGIC.copy(header);
  header.writeUInt32BE(VERSION, 8);
  header.writeBigUInt64BE(BigInt(startedMs), 16);
  header.writeUInt32BE(crc32(header.subarray(0, CHECKED_BYTES)), CHECKED_BYTES);
  return header;
}

/** What is wrong with a header: the end of a sentence that begins with the file; or undefined. */
export function headerFault(header: Buffer): string | undefined {
  if (header.length < HEADER_BYTES || !header.subarray(0, MAGIC.length).equals(MAGIC)) {
    return 'is not a dump of slabcached';
  }
  const version = header.readUInt32BE(8);
  if (version !== VERSION) return `has version ${version} of the format, not ${VERSION}`;
  if (crc32(header.subarray(0, CHECKED_BYTES)) !== header.readUInt32BE(CHECKED_BYTES)) {
    return 'has a damaged header';
  }
  return undefined;
}

/** The pieces of an item's record, to be written one after the other. */
export function encodeItem({ key, isBinary, flags, expiry, value }: CopiedItem): Buffer[] {
  const head = Buffer.alloc(4 + BODY_HEAD_BYTES);
  head.writeUInt32BE(BODY_HEAD_BYTES + key.length + value.length, 0);
  head[4] = KIND_ITEM;
  head[5] = isBinary ? 1 : 0;
  head.writeUInt16BE(key.length, 6);
  head.writeUInt32BE(flags, 8);
  head.writeBigUInt64BE(BigInt(expiry), 12);
  const sum = Buffer.alloc(4);
  sum.writeUInt32BE(crc32(value, crc32(key, crc32(head.subarray(4)))), 0);
  return [head, key, value, sum];
}

export function encodeEnd(count: number): Buffer {
  const record = Buffer.alloc(4 + BODY_HEAD_BYTES + 4);
  record.writeUInt32BE(BODY_HEAD_BYTES, 0);
  record[4] = KIND_END;
  record.writeBigUInt64BE(BigInt(count), 12);
  const sum = crc32(record.subarray(4, 4 + BODY_HEAD_BYTES));
  record.writeUInt32BE(sum, 4 + BODY_HEAD_BYTES);
  return record;
}

/** The item of a body, or undefined when its lengths do not fit, or its key cannot be one. */
export function decodeItem(body: Buffer): CopiedItem | undefined {
  const valueAt = BODY_HEAD_BYTES + body.readUInt16BE(2);
  if (valueAt > body.length || valueAt === BODY_HEAD_BYTES) return undefined;
  const key = body.subarray(BODY_HEAD_BYTES, valueAt);
  const isBinary = body[1] === 1;
  // It will stand in a request: a line end in it would begin another one.
  if (key.length > KEY_BYTES_MAX || (!isBinary && needsBase64(key))) return undefined;
  return {
    key,
    isBinary,
    flags: body.readUInt32BE(4),
    expiry: Number(body.readBigUInt64BE(8)),
    value: body.subarray(valueAt),
  };
}
