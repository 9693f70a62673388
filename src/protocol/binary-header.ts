/**
 * The wire format of the binary protocol, and the request at hand cut into its fields.
 *
 *        0       1       2       3
 *     0  magic | opcode| key length
 *     4  extras| type  | vbucket, in a reply: status
 *     8  body length: extras + key + value
 *    12  opaque: echoed in the reply as it is
 *    16  cas, high half
 *    20  cas, low half
 *    24  extras... key... value...
 *
 * All numbers are big-endian. The data type and the vbucket of a request are not looked at.
 */

export const HEADER_BYTES = 24;
export const REQUEST_MAGIC = 0x80;
export const REPLY_MAGIC = 0x81;

/** Announcing a longer body ends the connection: nothing that large can be stored. */
export const BODY_BYTES_MAX = 1024 * 1024 * 1024;

export const OP_GET = 0x00;
export const OP_SET = 0x01;
export const OP_ADD = 0x02;
export const OP_REPLACE = 0x03;
export const OP_DELETE = 0x04;
export const OP_INCREMENT = 0x05;
export const OP_DECREMENT = 0x06;
export const OP_QUIT = 0x07;
export const OP_FLUSH = 0x08;
const OP_GETQ = 0x09;
export const OP_NOOP = 0x0a;
export const OP_VERSION = 0x0b;
export const OP_GETK = 0x0c;
const OP_GETKQ = 0x0d;
export const OP_APPEND = 0x0e;
export const OP_PREPEND = 0x0f;
export const OP_STAT = 0x10;
const OP_SETQ = 0x11;
const OP_ADDQ = 0x12;
const OP_REPLACEQ = 0x13;
const OP_DELETEQ = 0x14;
const OP_INCREMENTQ = 0x15;
const OP_DECREMENTQ = 0x16;
const OP_QUITQ = 0x17;
const OP_FLUSHQ = 0x18;
const OP_APPENDQ = 0x19;
const OP_PREPENDQ = 0x1a;
export const OP_VERBOSITY = 0x1b;
export const OP_TOUCH = 0x1c;
export const OP_GAT = 0x1d;
const OP_GATQ = 0x1e;
export const OP_SASL_LIST_MECHS = 0x20;
export const OP_SASL_AUTH = 0x21;
export const OP_SASL_STEP = 0x22;
export const OP_GATK = 0x23;
const OP_GATKQ = 0x24;

/** Each quiet opcode and the one that it is the quiet form of. */
const QUIET_PAIRS: readonly (readonly [number, number])[] = [
  [OP_GETQ, OP_GET],
  [OP_GETKQ, OP_GETK],
  [OP_SETQ, OP_SET],
  [OP_ADDQ, OP_ADD],
  [OP_REPLACEQ, OP_REPLACE],
  [OP_DELETEQ, OP_DELETE],
  [OP_INCREMENTQ, OP_INCREMENT],
  [OP_DECREMENTQ, OP_DECREMENT],
  [OP_QUITQ, OP_QUIT],
  [OP_FLUSHQ, OP_FLUSH],
  [OP_APPENDQ, OP_APPEND],
  [OP_PREPENDQ, OP_PREPEND],
  [OP_GATQ, OP_GAT],
  [OP_GATKQ, OP_GATK],
];

/** By opcode: what it does, which for a quiet one is another opcode. */
const LOUD = Uint8Array.from({ length: 256 }, (_, opcode) => opcode);
for (const [quiet, loud] of QUIET_PAIRS) LOUD[quiet] = loud;

export const STATUS_SUCCESS = 0x00;
export const STATUS_NOT_FOUND = 0x01;
export const STATUS_EXISTS = 0x02;
export const STATUS_TOO_LARGE = 0x03;
export const STATUS_INVALID = 0x04;
export const STATUS_NOT_STORED = 0x05;
export const STATUS_NON_NUMERIC = 0x06;
export const STATUS_AUTH_ERROR = 0x20;
export const STATUS_AUTH_CONTINUE = 0x21;
export const STATUS_UNKNOWN_COMMAND = 0x81;
export const STATUS_NO_MEMORY = 0x82;

/** The text that is the body of a reply with this status. */
export const STATUS_TEXTS: Readonly<Record<number, Buffer>> = {
  [STATUS_NOT_FOUND]: Buffer.from('Not found'),
  [STATUS_EXISTS]: Buffer.from('Data exists for key.'),
  [STATUS_TOO_LARGE]: Buffer.from('Too large.'),
  [STATUS_INVALID]: Buffer.from('Invalid arguments'),
  [STATUS_NOT_STORED]: Buffer.from('Not stored.'),
  [STATUS_NON_NUMERIC]: Buffer.from('Non-numeric server-side value for incr or decr'),
  [STATUS_AUTH_ERROR]: Buffer.from('Auth failure.'),
  [STATUS_UNKNOWN_COMMAND]: Buffer.from('Unknown command'),
  [STATUS_NO_MEMORY]: Buffer.from('Out of memory'),
};

/** Reads four bytes, signed. */
export function readInt(bytes: Buffer, at: number): number {
  return (bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3];
}

/** Writes the low 32 bits of a number. */
export function putInt(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
}

/** A request header; one per engine, filled anew for each request. */
export class BinaryRequest {
  /** The opcode as it was sent. */
  opcode = 0;
  /** What is asked for, whether or not quietly. */
  command = 0;
  keyBytes = 0;
  extrasBytes = 0;
  bodyBytes = 0;
  opaque = 0;
  casHigh = 0;
  casLow = 0;
  /** Where extras and key are in the input. */
  extrasAt = 0;
  keyAt = 0;

  /** Reads the header at input[at, at + 24). */
  read(input: Buffer, at: number): void {
    this.opcode = input[at + 1];
    this.command = LOUD[this.opcode];
    this.keyBytes = (input[at + 2] << 8) | input[at + 3];
    this.extrasBytes = input[at + 4];
    this.bodyBytes = readInt(input, at + 8) >>> 0;
    this.opaque = readInt(input, at + 12);
    this.casHigh = readInt(input, at + 16);
    this.casLow = readInt(input, at + 20);
    this.extrasAt = at + HEADER_BYTES;
    this.keyAt = this.extrasAt + this.extrasBytes;
  }

  /** Success is not worth a reply. */
  get quiet(): boolean {
    return this.command !== this.opcode;
  }

  get valueBytes(): number {
    return this.bodyBytes - this.extrasBytes - this.keyBytes;
  }
}
