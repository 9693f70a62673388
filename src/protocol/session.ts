/**
 * What is known of a connection between two reads: how far its input is parsed, and what it is in
 * the middle of. A session is always in one of seven states, each of which can stop at any byte.
 */

import type { Allocator } from '../cache/alloc.ts';
import { ValueWriter } from '../cache/writer.ts';
import type { Bytes } from '../memory/bytes.ts';
import { CLOSE_ERROR, connectionWord } from '../memory/connections.ts';
import type { Memory } from '../memory/memory.ts';
import type { Origin } from './origin.ts';
import type { ReplyStream } from './stream.ts';
import type { Uploader } from './upload.ts';

/** Waiting for a command line. */
export const IN_COMMAND = 0;
/** Receiving the value of a storage command, and its line end. */
export const IN_VALUE = 1;
/** Throwing away the value of a storage command that failed, before its reply is given. */
export const IN_SWALLOW = 2;
/** In the middle of the keys of a retrieval command, because the output was full. */
export const IN_KEYS = 3;
/** In the middle of a reply that is longer than the output buffer. */
export const IN_REPLY = 4;
/** In the middle of the value of a reply that ends the command (see sender.ts). */
export const IN_SENDING = 5;
/** In the middle of a reply that is made while it is sent (see stream.ts). */
export const IN_STREAM = 6;

/* What the connection speaks; which, its first byte decides. */
const SPEAKS_UNKNOWN = 0;
export const SPEAKS_TEXT = 1;
export const SPEAKS_BINARY = 2;

/* What came of a step of the session. */

/** Go on with the next. */
export const STEP_NEXT = 0;
/** More input is needed. */
export const STEP_STARVED = 1;
/** The output is full. */
export const STEP_FULL = 2;
/** The connection has had its share. */
export const STEP_YIELD = 3;

const SPEAKS = { auto: SPEAKS_UNKNOWN, ascii: SPEAKS_TEXT, binary: SPEAKS_BINARY };

export class Session {
  readonly slot: number;
  /** First word of the connection's slot in shared memory. */
  readonly slotWord: number;
  /** The listener that the connection came in by. */
  readonly origin: Origin;
  readonly tenant = 0;
  speaks: number;
  /** May use the cache: it needs no authentication, or has it (see auth.ts). */
  authenticated = false;
  /** Second of the clock since when it is not authenticated. */
  unauthenticatedSince = 0;
  /** SASL_AUTH came without its message, which may follow in a SASL_STEP. */
  saslInvited = false;
  state = IN_COMMAND;
  closing = false;
  /** Why, when it is the protocol that closes: a CLOSE_ reason of connections.ts. */
  closeReason = CLOSE_ERROR;
  /** The reply of the command at hand is not wanted. */
  noreply = false;

  /** Input that could not be used yet; its storage grows with need, up to a limit. */
  pending: Bytes | null = null;
  pendingStart = 0;
  pendingLength = 0;
  /** How many of the pending bytes are known to hold no line end. */
  scanned = 0;

  /** IN_VALUE: the item being filled, and what is to be done with it. */
  uploader: Uploader | null = null;
  upload = 0;
  uploadHash = 0;
  uploadMode = 0;
  uploadCasHigh = 0;
  uploadCasLow = 0;
  /** Of ms: success is not said; the flags that the reply gives back, each followed by a space. */
  quiet = false;
  returns: Buffer | null = null;
  returnsBytes = 0;
  /** Bytes of the line end behind the value that have come: they must be CR LF. */
  terminatorLength = 0;
  terminatorBad = false;
  readonly writer: ValueWriter;

  /** IN_SWALLOW: bytes still to throw away, and the reply that follows. */
  swallow = 0;
  swallowReply: Uint8Array | null = null;

  /** IN_KEYS: bytes of keys left in the input, and bytes of line end behind them. */
  keysLeft = 0;
  keysLineEnd = 0;
  keysWithCas = false;
  keysTouch = false;
  keysExptime = 0;
  /** The item whose value is being sent in pieces, how far, and how much there is. */
  sending = 0;
  sendOffset = 0;
  sendLength = 0;
  sendLineEnd = false;
  /** An item stays pinned because what is being sent refers to its value, which is all out. */
  referring = false;

  /** IN_REPLY: the reply and how far it is sent. */
  reply: Buffer | null = null;
  replyOffset = 0;

  /** IN_STREAM: what makes the reply. */
  stream: ReplyStream | null = null;

  /** The binary request at hand: opcode, opaque (echoed), and whether success is silent. */
  binaryOpcode = 0;
  binaryOpaque = 0;
  binaryQuiet = false;

  constructor(memory: Memory, allocator: Allocator, slot: number, origin: Origin) {
    this.slot = slot;
    this.origin = origin;
    this.speaks = SPEAKS[origin.protocol];
    this.slotWord = connectionWord(memory, slot);
    this.writer = new ValueWriter(memory, allocator);
  }
}
