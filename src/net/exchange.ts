/**
 * The words in which a worker and its pump talk: what happened on connections, and what is to be
 * done with them. `native/src/exchange.rs` has the same.
 *
 * An entry of either list is four words: [connection, what, a, b].
 */

/** Words of an event or a command. */
export const ENTRY_WORDS = 4;
/**
 * Entries of either list. A command has at most one event for its answer, so there is room for the
 * answers to all of them.
 */
export const ENTRIES = 1024;

/** Bytes lie at input[a, a + b), until the next cycle. */
export const EVENT_DATA = 0;
/** The peer has finished sending: nothing more comes in. */
export const EVENT_END = 1;
/** The connection failed; b is the errno. */
export const EVENT_BROKEN = 2;
/** All that was queued is with the kernel; comes after BLOCKED only. */
export const EVENT_SENT = 3;
/** The kernel did not take all; the pump keeps the rest, and does not read meanwhile. */
export const EVENT_BLOCKED = 4;
/** A new connection; a is its listener's place in the table of listeners. */
export const EVENT_OPEN = 5;
/**
 * The descriptor is closed and the id free: the answer to CLOSE and DESTROY, or the end of one that
 * was opened and cannot be served.
 */
export const EVENT_CLOSED = 6;
/** input[a, a + b) holds an address and a datagram. */
export const EVENT_DATAGRAM = 7;

/** Send output[a, a + b). */
export const COMMAND_SEND = 0;
/** Send b bytes of the slab from 8a + misalignment on, which stay as they are until they are. */
const COMMAND_SEND_SLAB = 1;
const MISALIGNMENT_SHIFT = 8;
/** Close as soon as what is queued is sent. */
export const COMMAND_CLOSE = 2;
/** Close at once. */
export const COMMAND_DESTROY = 3;
/** Stop reading; what is under way may still come. */
export const COMMAND_PAUSE = 4;
export const COMMAND_RESUME = 5;
/** output[a, a + b) is an address and a datagram to send. */
export const COMMAND_DATAGRAM = 6;

/** The commands of one cycle. The caller looks at `room` before it adds any. */
export class Commands {
  readonly words = new Int32Array(ENTRIES * ENTRY_WORDS);
  count = 0;

  get room(): number {
    return ENTRIES - this.count;
  }

  add(connection: number, what: number, a: number, b: number): void {
    const word = this.count++ * ENTRY_WORDS;
    this.words[word] = connection;
    this.words[word + 1] = what;
    this.words[word + 2] = a;
    this.words[word + 3] = b;
  }

  /** Sends `bytes` of the slab from 8 * units + misalignment on. */
  addSlab(connection: number, units: number, misalignment: number, bytes: number): void {
    const what = COMMAND_SEND_SLAB + (misalignment << MISALIGNMENT_SHIFT);
    this.add(connection, what, units, bytes);
  }
}
