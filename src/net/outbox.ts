/**
 * What a worker's pump is to do in its next cycle: the commands, and the arena that the bytes to
 * send lie in. Replies are written where they are sent from, one behind the other.
 */
import { PIECE_WORDS, VALUE_PIECES_MAX } from '../cache/value-pieces.ts';
import { OUTPUT_BYTES, type Output } from '../protocol/output.ts';
import { COMMAND_DATAGRAM, COMMAND_SEND, Commands, ENTRIES } from './exchange.ts';

const ARENA_BYTES = 4 * 1024 * 1024;

/** A value in pieces, what is in front of it and behind it, and what is done afterwards. */
const ANSWER_COMMANDS_MAX = VALUE_PIECES_MAX + 4;

/**
 * Values from this size on are sent from where they lie. That saves half a us of copying at
 * 8 KB, one at 16 KB and 3 at 60 KB, and costs the connection a turn of its own.
 */
const REFERENCE_FROM_BYTES = 8 * 1024;

/** Datagrams that have no room in the next cycle are kept up to this many bytes. */
const DATAGRAM_BYTES_MAX = 4 * 1024 * 1024;

interface WaitingDatagram {
  readonly connection: number;
  readonly address: Uint8Array;
  readonly datagram: Uint8Array;
}

export class Outbox {
  readonly arena = Buffer.allocUnsafeSlow(ARENA_BYTES);
  readonly commands = new Commands();
  /** Bytes of the arena in use. */
  #used = 0;
  #datagrams: WaitingDatagram[] = [];
  #datagramBytes = 0;

  /** Whether one more session can be served before the next cycle. */
  get hasRoom(): boolean {
    return this.#used + OUTPUT_BYTES <= ARENA_BYTES && this.commands.room >= ANSWER_COMMANDS_MAX;
  }

  /** The cycle has carried out all commands: begins those of the next one. */
  clear(): void {
    this.commands.count = 0;
    this.#used = 0;
    if (this.#datagrams.length > 0) this.#putWaitingDatagrams();
  }

  /** Has the next replies written into the arena. There must be room. */
  aim(output: Output): void {
    output.aim(this.arena, this.#used, REFERENCE_FROM_BYTES);
  }

  /** Sends what was written since aim. */
  send(connection: number, output: Output): void {
    const { start, end, pieces } = output;
    const { commands } = this;
    this.#used = end;
    if (pieces.count === 0) {
      if (end > start) commands.add(connection, COMMAND_SEND, start, end - start);
      return;
    }
    const middle = output.referenceAt;
    if (middle > start) commands.add(connection, COMMAND_SEND, start, middle - start);
    const { words } = pieces;
    for (let word = 0; word < pieces.count * PIECE_WORDS; word += PIECE_WORDS) {
      commands.addSlab(connection, words[word], words[word + 1], words[word + 2]);
    }
    if (end > middle) commands.add(connection, COMMAND_SEND, middle, end - middle);
  }

  /** Sends a datagram to an address, in a later cycle if the next one has no room for it. */
  sendDatagram(connection: number, address: Uint8Array, datagram: Uint8Array): void {
    if (this.#datagrams.length === 0 && this.#hasRoomForDatagram) {
      this.#putDatagram(connection, address, datagram);
    } else if (this.#datagramBytes + datagram.length <= DATAGRAM_BYTES_MAX) {
      this.#datagrams.push({ connection, address, datagram });
      this.#datagramBytes += datagram.length;
    }
  }

  /** Half of a cycle is left to connections. */
  get #hasRoomForDatagram(): boolean {
    return this.#used < ARENA_BYTES / 2 && this.commands.room > ENTRIES / 2;
  }

  #putDatagram(connection: number, address: Uint8Array, datagram: Uint8Array): void {
    const bytes = address.length + datagram.length;
    this.arena.set(address, this.#used);
    this.arena.set(datagram, this.#used + address.length);
    this.commands.add(connection, COMMAND_DATAGRAM, this.#used, bytes);
    this.#used += bytes;
  }

  #putWaitingDatagrams(): void {
    let done = 0;
    while (done < this.#datagrams.length && this.#hasRoomForDatagram) {
      const { connection, address, datagram } = this.#datagrams[done++];
      this.#putDatagram(connection, address, datagram);
      this.#datagramBytes -= datagram.length;
    }
    this.#datagrams = this.#datagrams.slice(done);
  }
}
