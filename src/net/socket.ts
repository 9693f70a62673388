/**
 * The transport on node:net.
 *
 * An accepted socket is wrapped a second time around its handle, because only the constructor takes
 * `onread`: with it every read of the worker goes into one buffer and no Buffer is made per event.
 * All replies to what one read brought leave in one write. A socket that does not take its bytes at
 * once is not read until it has, so a client that never reads costs one output buffer and no more.
 */
import { Socket, type SocketConstructorOpts } from 'node:net';
import { CLOSE_ERROR, CLOSE_IDLE, CLOSE_NORMAL, CLOSE_SHUTDOWN } from '../memory/connections.ts';
import { FEED_CLOSE, FEED_FULL, FEED_MORE, FEED_YIELD } from '../protocol/engine.ts';
import type { Origin } from '../protocol/origin.ts';
import { NO_REFERENCES } from '../protocol/output.ts';
import { ReplyStorage } from './reply-storage.ts';
import type { ByteProtocol, Transport, TransportOwner } from './transport.ts';

/** Bytes taken from a socket at once; one buffer of this size per worker. */
const READ_BYTES = 64 * 1024;

/** What goes on when the bytes under way are sent. */
const THEN_READ = 0;
const THEN_RESUME = 1;
const THEN_CLOSE = 2;

/** The handle of an accepted socket, of which node:net only knows that it exists. */
interface SocketWithHandle {
  readonly _handle: SocketConstructorOpts['handle'];
}

/** One served connection. */
class Connection<Session> {
  readonly socket: Socket;
  readonly slot: number;
  readonly session: Session;
  /** The output storage that the socket still reads from, if it could not take all at once. */
  sending: Buffer | null = null;
  afterSend = THEN_READ;
  /** Waits for its next turn in the queue of those that yielded. */
  yielding = false;
  closing = false;
  /** Why it closes, once that is known. */
  closeReason = CLOSE_ERROR;
  /** Second of the transport's own clock in which the last bytes came. */
  lastRead: number;
  /** Told when a write is done, where the socket cannot say so by 'drain'; else null. */
  readonly onWritten: ((error?: Error | null) => void) | null;

  constructor(
    socket: Socket,
    slot: number,
    session: Session,
    now: number,
    onWritten: ((error?: Error | null) => void) | null,
  ) {
    this.socket = socket;
    this.slot = slot;
    this.session = session;
    this.lastRead = now;
    this.onWritten = onWritten;
  }
}

/** Serves connections of one worker through node:net. */
export class SocketTransport<Session> implements Transport {
  readonly #protocol: ByteProtocol<Session>;
  readonly #owner: TransportOwner;
  readonly #input = Buffer.allocUnsafeSlow(READ_BYTES);
  readonly #storage: ReplyStorage;
  /** By slot. */
  readonly #connections = new Map<number, Connection<Session>>();
  readonly #yielded: Connection<Session>[] = [];
  /** Seconds, moved on by closeIdle only: a read costs a plain load and no look at a clock. */
  #now = Math.floor(performance.now() / 1000);
  #turnPlanned = false;
  #draining: (() => void) | null = null;

  constructor(
    protocol: ByteProtocol<Session>,
    owner: TransportOwner,
    storage: ReplyStorage = new ReplyStorage(),
  ) {
    this.#protocol = protocol;
    this.#owner = owner;
    this.#storage = storage;
  }

  /** Connections that are served. */
  get size(): number {
    return this.#connections.size;
  }

  /** Serves an accepted, untouched socket under the given slot of the connection table. */
  serve(accepted: Socket, slot: number, origin: Origin): void {
    const options: SocketConstructorOpts & { writableHighWaterMark: number } = {
      handle: (accepted as unknown as SocketWithHandle)._handle,
      onread: {
        buffer: this.#input,
        callback: (length) => this.#onRead(connection, this.#input, length),
      },
      // With 1, write() returns true exactly if the kernel took everything, and 'drain' comes else.
      writableHighWaterMark: 1,
    };
    const socket = new Socket(options);
    const session = this.#protocol.open(slot, origin);
    const connection = new Connection<Session>(socket, slot, session, this.#now, null);
    socket.setNoDelay(true);
    socket.setKeepAlive(true);
    socket.on('drain', () => this.#onSent(connection));
    this.#add(connection);
  }

  /** Serves a stream that another one carries, such as TLS after its handshake. */
  serveStream(stream: Socket, slot: number, origin: Origin): void {
    const session = this.#protocol.open(slot, origin);
    // Such a stream takes writes into a queue of its own and says only later that they are gone.
    const onWritten = (error?: Error | null): void => {
      if (error === null || error === undefined) this.#onSent(connection);
    };
    const connection = new Connection<Session>(stream, slot, session, this.#now, onWritten);
    stream.on('data', (data: Buffer) => {
      if (!this.#onRead(connection, data, data.length)) stream.pause();
    });
    this.#add(connection);
  }

  #add(connection: Connection<Session>): void {
    const { socket } = connection;
    this.#connections.set(connection.slot, connection);
    socket.on('end', () => {
      if (!connection.closing) connection.closeReason = CLOSE_NORMAL;
    });
    socket.on('close', () => this.#onClose(connection));
    // A reset or a broken pipe is an ordinary end: 'close' follows and does the work.
    socket.on('error', () => undefined);
  }

  poke(slot: number): void {
    const connection = this.#connections.get(slot);
    if (connection === undefined || this.#isBusy(connection)) return;
    if (!this.#protocol.isEndless(connection.session)) return;
    // Nothing may be read, and answered, while a write is under way.
    connection.socket.pause();
    this.#resume(connection);
  }

  closeIdle(limit: number): void {
    this.#now = Math.floor(performance.now() / 1000);
    for (const connection of this.#connections.values()) {
      const { session, lastRead } = connection;
      if (this.#protocol.isEndless(session)) continue;
      const idle = this.#protocol.idleSeconds(session, this.#now - lastRead);
      if (idle <= limit || this.#isBusy(connection)) continue;
      this.#owner.onIdleKick(connection.slot);
      connection.closeReason = CLOSE_IDLE;
      connection.socket.destroy();
    }
  }

  closeOverdue(): void {
    for (const connection of this.#connections.values()) {
      if (connection.closing || !this.#protocol.isOverdue(connection.session)) continue;
      this.#owner.onOverdue(connection.slot);
      connection.socket.destroy();
    }
  }

  closeStalled(): void {
    for (const connection of this.#connections.values()) {
      if (connection.sending === null) continue;
      const stopping = this.#draining !== null;
      if (!this.#protocol.isStalled(connection.session, stopping)) continue;
      if (stopping) this.#cut(connection);
      else connection.socket.destroy();
    }
  }

  drain(): Promise<void> {
    return new Promise((resolve) => {
      this.#draining = resolve;
      for (const connection of this.#connections.values()) {
        const inRequest = this.#protocol.isBusy(connection.session);
        if (inRequest || connection.closing) continue;
        if (this.#protocol.isEndless(connection.session)) this.#cut(connection);
        else if (!this.#isBusy(connection)) this.#stop(connection);
      }
      // Whoever has stopped reading before is not waited for.
      this.closeStalled();
      if (this.#connections.size === 0) resolve();
    });
  }

  /** True while replies are under way or complete requests are left. */
  #isBusy(connection: Connection<Session>): boolean {
    return connection.sending !== null || connection.yielding || connection.closing;
  }

  /** Returns false to stop reading, as node:net asks. */
  #onRead(connection: Connection<Session>, input: Buffer, length: number): boolean {
    if (connection.closing) return false;
    connection.lastRead = this.#now;
    this.#aim();
    const status = this.#protocol.feed(connection.session, input, 0, length);
    return this.#answer(connection, status);
  }

  /** Others write to the output of the worker, too, and to other storage. */
  #aim(): void {
    this.#protocol.output.aim(this.#storage.current, 0, NO_REFERENCES);
  }

  /**
   * Sends what the protocol wrote and does what it asked for. True if reading may go on at once.
   */
  #answer(connection: Connection<Session>, first: number): boolean {
    let status = first;
    while (this.#send(connection)) {
      if (status === FEED_FULL) {
        this.#aim();
        status = this.#protocol.resume(connection.session);
      } else {
        return this.#next(connection, status);
      }
    }
    connection.afterSend =
      status === FEED_MORE ? THEN_READ : status === FEED_CLOSE ? THEN_CLOSE : THEN_RESUME;
    return false;
  }

  /** All replies so far are with the kernel. */
  #next(connection: Connection<Session>, status: number): boolean {
    if (status === FEED_CLOSE) {
      this.#end(connection);
      return false;
    }
    if (status === FEED_YIELD) {
      this.#yield(connection);
      return false;
    }
    if (this.#draining !== null && !this.#protocol.isBusy(connection.session)) {
      this.#stop(connection);
      return false;
    }
    return true;
  }

  /**
   * True if the kernel took everything; if not, the storage stays with the socket until 'drain'.
   */
  #send(connection: Connection<Session>): boolean {
    const { output } = this.#protocol;
    if (output.length === 0) return true;
    if (connection.onWritten !== null) {
      connection.socket.write(output.view(), connection.onWritten);
    } else if (connection.socket.write(output.view())) {
      return true;
    }
    connection.sending = this.#storage.detach();
    return false;
  }

  #onSent(connection: Connection<Session>): void {
    this.#recycle(connection);
    if (connection.closing) return;
    if (connection.afterSend === THEN_CLOSE) {
      this.#end(connection);
    } else if (connection.afterSend === THEN_READ) {
      if (this.#next(connection, FEED_MORE)) connection.socket.resume();
    } else {
      this.#resume(connection);
    }
  }

  #resume(connection: Connection<Session>): void {
    this.#aim();
    const status = this.#protocol.resume(connection.session);
    if (this.#answer(connection, status)) connection.socket.resume();
  }

  #yield(connection: Connection<Session>): void {
    connection.yielding = true;
    this.#yielded.push(connection);
    if (this.#turnPlanned) return;
    this.#turnPlanned = true;
    setImmediate(() => this.#onTurn());
  }

  /** The next turn of the loop: those that yielded before it go on, once each. */
  #onTurn(): void {
    this.#turnPlanned = false;
    for (const connection of this.#yielded.splice(0)) {
      connection.yielding = false;
      if (!connection.closing) this.#resume(connection);
    }
  }

  #recycle(connection: Connection<Session>): void {
    if (connection.sending === null) return;
    this.#storage.recycle(connection.sending);
    connection.sending = null;
  }

  /** Closes when what is written has left. */
  #end(connection: Connection<Session>): void {
    connection.closing = true;
    connection.socket.destroySoon();
  }

  /** Closes because the server stops. */
  #stop(connection: Connection<Session>): void {
    connection.closeReason = CLOSE_SHUTDOWN;
    this.#end(connection);
  }

  /** As stop, without waiting for what is written: its reader may never take it. */
  #cut(connection: Connection<Session>): void {
    const unsent = connection.sending !== null;
    this.#stop(connection);
    if (unsent) connection.socket.destroy();
  }

  #onClose(connection: Connection<Session>): void {
    connection.closing = true;
    this.#recycle(connection);
    this.#protocol.close(connection.session, connection.closeReason);
    this.#connections.delete(connection.slot);
    this.#owner.onClose(connection.slot);
    if (this.#connections.size === 0) this.#draining?.();
  }
}
