/**
 * The transport over the native pump: one call a turn carries out what the last turn wants sent and
 * brings what has arrived on all connections.
 *
 * Bytes are served from where the pump received them, and replies are sent from where they were
 * written. A connection that cannot be served at once (its last replies are not sent, it had its
 * share of the turn, the arena is full) has its bytes kept by its session, up to a bound at which
 * the pump stops reading it; it goes on in a later turn.
 */
import { CLOSE_IDLE, CLOSE_NORMAL, CLOSE_SHUTDOWN } from '../memory/connections.ts';
import { FEED_CLOSE, FEED_MORE } from '../protocol/engine.ts';
import type { Addon, Pump } from './addon.ts';
import {
  COMMAND_CLOSE,
  COMMAND_DESTROY,
  COMMAND_PAUSE,
  COMMAND_RESUME,
  ENTRIES,
  ENTRY_WORDS,
  EVENT_BLOCKED,
  EVENT_BROKEN,
  EVENT_CLOSED,
  EVENT_DATA,
  EVENT_DATAGRAM,
  EVENT_END,
  EVENT_OPEN,
  EVENT_SENT,
} from './exchange.ts';
import { expectAll } from './expectation.ts';
import { Outbox } from './outbox.ts';
import { PumpConnection } from './pump-connection.ts';
import type { PumpOwner, ReferringProtocol, Transport } from './transport.ts';
import { TurnList } from './turn-list.ts';

const INPUT_BYTES = 4 * 1024 * 1024;

/** Bytes that a connection may have kept before it is not read any more. */
const HELD_BYTES_MAX = 64 * 1024;

/** How long turns follow each other before other things of the thread get theirs. */
const SLICE_MS = 1;

/** What a stop takes in of what has come before it, when that never ends. */
const DRAIN_SLICES_MAX = 50;

/** What a pump transport is made from. */
export interface PumpTransportOptions<Session> {
  readonly addon: Addon;
  /** One of addon.pumpKinds(). */
  readonly kind: string;
  /** Where the main thread puts connections. */
  readonly mailbox: number;
  /** Slots of the table of connections. */
  readonly connections: number;
  /** The whole shared memory. */
  readonly slab: Uint8Array;
  readonly protocol: ReferringProtocol<Session>;
  readonly owner: PumpOwner;
}

/** Serves connections of one worker through a pump. */
export class PumpTransport<Session> implements Transport {
  readonly #protocol: ReferringProtocol<Session>;
  readonly #owner: PumpOwner;
  readonly #pump: Pump;
  readonly #input = Buffer.allocUnsafeSlow(INPUT_BYTES);
  readonly #events = new Int32Array(ENTRIES * ENTRY_WORDS);
  readonly #outbox = new Outbox();
  /** By slot. */
  readonly #connections: (PumpConnection<Session> | null)[];
  #open = 0;
  readonly #listed = new TurnList<Session>();
  /** Seconds, moved on by closeIdle only. */
  #now = Math.floor(performance.now() / 1000);
  #running = false;
  #planned: NodeJS.Immediate | null = null;
  #draining: (() => void) | null = null;

  constructor(options: PumpTransportOptions<Session>) {
    const { addon, kind, mailbox, connections, slab } = options;
    this.#protocol = options.protocol;
    this.#owner = options.owner;
    this.#connections = new Array(connections).fill(null);
    const memory = {
      input: this.#input,
      output: this.#outbox.arena,
      slab,
      events: this.#events,
      commands: this.#outbox.commands.words,
    };
    this.#pump = new addon.Pump(kind, mailbox, connections, memory, () => this.#run(true));
  }

  /** Serves a datagram socket under this slot; its datagrams go to the owner. */
  adoptDatagrams(fd: number, slot: number): void {
    this.#pump.adoptDatagrams(fd, slot);
    // Nothing is received before the kernel was asked for it.
    this.#run(false);
  }

  /** Sends a datagram in answer to one; too many at once are lost, as on any network. */
  sendDatagram(slot: number, address: Uint8Array, datagram: Uint8Array): void {
    this.#outbox.sendDatagram(slot, address, datagram);
  }

  closeDatagrams(slot: number): void {
    this.#command(slot, COMMAND_CLOSE);
    this.#flush();
  }

  poke(slot: number): void {
    const connection = this.#connections[slot];
    if (connection === null || connection.isBusy) return;
    if (!this.#protocol.isEndless(connection.session)) return;
    this.#list(connection);
    this.#flush();
  }

  closeIdle(limit: number): void {
    this.#now = Math.floor(performance.now() / 1000);
    for (const connection of this.#connections) {
      if (connection === null || connection.isBusy) continue;
      const { session, slot, lastRead } = connection;
      if (this.#protocol.isEndless(session)) continue;
      if (this.#protocol.idleSeconds(session, this.#now - lastRead) <= limit) continue;
      this.#owner.onIdleKick(slot);
      connection.closeReason = CLOSE_IDLE;
      this.#destroy(connection);
    }
    this.#flush();
  }

  closeOverdue(): void {
    for (const connection of this.#connections) {
      if (connection === null || connection.closing) continue;
      if (!this.#protocol.isOverdue(connection.session)) continue;
      this.#owner.onOverdue(connection.slot);
      this.#destroy(connection);
    }
    this.#flush();
  }

  closeStalled(): void {
    const stopping = this.#draining !== null;
    for (const connection of this.#connections) {
      if (connection === null || !connection.blocked) continue;
      if (!this.#protocol.isStalled(connection.session, stopping)) continue;
      if (stopping) connection.closeReason = CLOSE_SHUTDOWN;
      this.#destroy(connection);
    }
    // Whatever there is to do: should the pump ever not be woken for what has come, it would wait
    // for others to bring something.
    this.#run(false);
  }

  drain(): Promise<void> {
    // Connections and requests that have come are taken in, of which the kernel may have many.
    for (let slice = 0; slice < DRAIN_SLICES_MAX && !this.#run(false); slice++) {}
    return new Promise((resolve) => {
      this.#draining = resolve;
      for (const connection of this.#connections) {
        if (connection === null || connection.closing) continue;
        if (this.#protocol.isBusy(connection.session)) continue;
        if (connection.isBusy && !this.#protocol.isEndless(connection.session)) continue;
        connection.closeReason = CLOSE_SHUTDOWN;
        if (connection.blocked) this.#destroy(connection);
        else this.#close(connection);
      }
      // Whoever has stopped reading before is not waited for.
      this.closeStalled();
      if (this.#open === 0) resolve();
    });
  }

  /** Closes whatever is open at once. */
  close(): void {
    if (this.#planned !== null) clearImmediate(this.#planned);
    this.#pump.close();
  }

  /** Has carried out what was not asked for by a turn. */
  #flush(): void {
    if (this.#outbox.commands.count > 0 || this.#listed.count > 0) this.#run(false);
  }

  /**
   * Turn after turn until there is nothing to do, or until the slice is over; then it returns
   * false and goes on later.
   */
  #run(mayWait: boolean): boolean {
    if (this.#running) return true;
    this.#running = true;
    const end = performance.now() + SLICE_MS;
    const { commands } = this.#outbox;
    let isOver = false;
    while (!isOver) {
      const waits = mayWait && this.#listed.count === 0 && this.#owner.mayWait();
      const count = this.#pump.cycle(commands.count, waits);
      this.#outbox.clear();
      this.#takeTurns(count);
      this.#serve(count);
      if (count === 0 && this.#listed.count === 0 && commands.count === 0) break;
      isOver = performance.now() >= end;
    }
    this.#running = false;
    if (isOver) this.#plan();
    return !isOver;
  }

  /** Goes on after others have had their turn, unless the pump is ready before. */
  #plan(): void {
    if (this.#planned !== null) return;
    this.#planned = setImmediate(() => {
      this.#planned = null;
      this.#pump.slice();
    });
  }

  /**
   * Serves what was listed before this cycle, which has sent what it waited for or blocked. Whoever
   * finds no room is served first in the next turn.
   */
  #takeTurns(count: number): void {
    let left = this.#listed.count;
    if (left > 0) this.#noteBlocked(count);
    for (; left > 0 && this.#outbox.hasRoom; left--) {
      const connection = this.#listed.take();
      if (connection !== null && !connection.blocked && !connection.closing) this.#goOn(connection);
    }
  }

  /** The others have been sent what they wait for. */
  #noteBlocked(count: number): void {
    const events = this.#events;
    for (let word = 0; word < count * ENTRY_WORDS; word += ENTRY_WORDS) {
      if (events[word + 1] === EVENT_BLOCKED) this.#onBlocked(events[word]);
    }
  }

  #serve(count: number): void {
    const events = this.#events;
    expectAll(this.#protocol, this.#connections, this.#input, events, count);
    for (let word = 0; word < count * ENTRY_WORDS; word += ENTRY_WORDS) {
      const slot = events[word];
      const a = events[word + 2];
      const b = events[word + 3];
      switch (events[word + 1]) {
        case EVENT_DATA:
          this.#onData(slot, a, a + b);
          break;
        case EVENT_DATAGRAM:
          this.#owner.onDatagram(slot, this.#input, a, a + b);
          break;
        case EVENT_OPEN:
          this.#onOpen(slot, a);
          break;
        case EVENT_BLOCKED:
          this.#onBlocked(slot);
          break;
        case EVENT_CLOSED:
          this.#onClosed(slot);
          break;
        default:
          this.#onChange(slot, events[word + 1]);
      }
    }
  }

  #onOpen(slot: number, listener: number): void {
    const session = this.#protocol.open(slot, this.#owner.originOf(listener));
    const connection = new PumpConnection(slot, session, this.#now);
    this.#connections[slot] = connection;
    this.#open++;
    // On its way when the stop began.
    if (this.#draining !== null) this.#list(connection);
  }

  #onData(slot: number, start: number, end: number): void {
    const connection = this.#connections[slot];
    if (connection === null || connection.closing) return;
    connection.lastRead = this.#now;
    if (connection.isBusy || !this.#outbox.hasRoom) {
      this.#hold(connection, start, end);
      return;
    }
    this.#outbox.aim(this.#protocol.output);
    this.#answer(connection, this.#protocol.feed(connection.session, this.#input, start, end));
  }

  /** Keeps bytes of a connection for a later turn. */
  #hold(connection: PumpConnection<Session>, start: number, end: number): void {
    const held = this.#protocol.hold(connection.session, this.#input, start, end);
    this.#list(connection);
    const { commands } = this.#outbox;
    if (held <= HELD_BYTES_MAX || connection.paused || commands.room === 0) return;
    connection.paused = true;
    commands.add(connection.slot, COMMAND_PAUSE, 0, 0);
  }

  /** Has a connection served in the next turn; one that is blocked, when it is not any more. */
  #list(connection: PumpConnection<Session>): void {
    if (!connection.listed && !connection.blocked) this.#listed.add(connection);
  }

  /** Everything that was sent is with the kernel: serves what is left. */
  #goOn(connection: PumpConnection<Session>): void {
    const { session } = connection;
    if (connection.referring) {
      connection.referring = false;
      this.#protocol.sent(session);
    }
    if (connection.broken) {
      this.#destroy(connection);
      return;
    }
    this.#outbox.aim(this.#protocol.output);
    this.#answer(connection, this.#protocol.resume(session));
  }

  /** Sends what the protocol wrote and does what it asked for. */
  #answer(connection: PumpConnection<Session>, status: number): void {
    const { output } = this.#protocol;
    this.#outbox.send(connection.slot, output);
    connection.referring = output.pieces.count > 0;
    if (status === FEED_CLOSE) this.#close(connection);
    else if (status !== FEED_MORE || connection.referring) this.#list(connection);
    else this.#settle(connection);
  }

  /** All that came is answered. */
  #settle(connection: PumpConnection<Session>): void {
    if (connection.paused) {
      connection.paused = false;
      this.#outbox.commands.add(connection.slot, COMMAND_RESUME, 0, 0);
    }
    if (connection.ended) {
      connection.closeReason = CLOSE_NORMAL;
      this.#close(connection);
    } else if (this.#draining !== null && !this.#protocol.isBusy(connection.session)) {
      connection.closeReason = CLOSE_SHUTDOWN;
      this.#close(connection);
    }
  }

  /** Something is different; what follows from it is done in the connection's turn. */
  #onChange(slot: number, what: number): void {
    const connection = this.#connections[slot];
    if (connection === null) return;
    if (what === EVENT_END) connection.ended = true;
    if (what === EVENT_BROKEN) connection.broken = true;
    if (what === EVENT_BROKEN || what === EVENT_SENT) connection.blocked = false;
    this.#list(connection);
  }

  #onBlocked(slot: number): void {
    const connection = this.#connections[slot];
    if (connection !== null) connection.blocked = true;
  }

  /** Closes when what is queued is sent. */
  #close(connection: PumpConnection<Session>): void {
    this.#end(connection, COMMAND_CLOSE);
  }

  /** Closes at once. */
  #destroy(connection: PumpConnection<Session>): void {
    this.#end(connection, COMMAND_DESTROY);
  }

  #end(connection: PumpConnection<Session>, command: number): void {
    connection.closing = true;
    this.#command(connection.slot, command);
  }

  #command(slot: number, what: number): void {
    // Within a turn there is room.
    if (this.#outbox.commands.room === 0) this.#run(false);
    this.#outbox.commands.add(slot, what, 0, 0);
  }

  #onClosed(slot: number): void {
    const connection = this.#connections[slot];
    if (connection === null) return;
    // It may still be listed.
    connection.closing = true;
    this.#protocol.close(connection.session, connection.closeReason);
    this.#connections[slot] = null;
    this.#open--;
    this.#owner.onClose(slot);
    if (this.#open === 0) this.#draining?.();
  }
}
