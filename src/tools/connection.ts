/**
 * One connection of a tool to a cache: sends requests, reads lines and blocks of bytes. It reads
 * from the socket only when it is asked to, so what it holds in memory is bounded.
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { reasonOf } from '../server/errors.ts';
import type { Address } from './address.ts';
import { ToolError } from './tool-error.ts';

/** A cache that stays silent for so long is given up. */
const ANSWER_LIMIT_MS = 60_000;
const LINE_MAX_BYTES = 64 * 1024;
const NEWLINE = 10;

/** The two ways in which text protocol servers take a user and a password: the key of a set. */
const AUTH_DIALECTS: readonly ((address: Address) => readonly [key: string, data: string])[] = [
  ({ user, password }) => ['auth', `${user} ${password}`],
  ({ user, password }) => [user, password],
];

/** A connected, authenticated client. */
export class Connection {
  readonly #socket: Socket;
  readonly #shown: string;
  readonly #chunks: AsyncIterator<Buffer>;
  /** Received and not yet handed out. */
  #pending: Buffer = Buffer.alloc(0);

  private constructor(socket: Socket, shown: string) {
    this.#socket = socket;
    this.#shown = shown;
    // Reading reports it; without a listener it would end the process.
    socket.on('error', () => undefined);
    socket.on('timeout', () => {
      socket.destroy(new Error(`no answer within ${ANSWER_LIMIT_MS / 1000} seconds`));
    });
    this.#chunks = socket[Symbol.asyncIterator]();
  }

  /** Connects, and logs in if the address has a user. Throws ToolError. */
  static async open(address: Address): Promise<Connection> {
    if (address.user === '') return Connection.#connect(address);
    let refusal = '';
    for (const dialect of AUTH_DIALECTS) {
      const connection = await Connection.#connect(address);
      const [key, data] = dialect(address);
      await connection.send(`set ${key} 0 0 ${Buffer.byteLength(data)}\r\n${data}\r\n`);
      const answer = await connection.line().catch((error: ToolError) => error.message);
      if (answer === 'STORED') return connection;
      // The first dialect is memcached's own: what is said to it tells most.
      if (refusal === '') refusal = answer;
      connection.close();
    }
    throw new ToolError(`${address.shown} does not let ${address.user} in: ${refusal}`);
  }

  static async #connect(address: Address): Promise<Connection> {
    const { host, port, path } = address;
    const where = path === '' ? { host, port } : { path };
    const socket = address.isTls ? connectTls(where) : connect(where);
    try {
      await once(socket, address.isTls ? 'secureConnect' : 'connect');
    } catch (error) {
      throw new ToolError(`cannot connect to ${address.shown}: ${reasonOf(error)}`);
    }
    socket.setNoDelay(true);
    return new Connection(socket, address.shown);
  }

  /** Sends a request, piece by piece; resolves when the system has taken all of it. */
  send(...pieces: readonly (string | Buffer)[]): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#socket.cork();
      for (const piece of pieces) this.#socket.write(piece, 'latin1');
      this.#socket.write('', (error) => {
        if (error) reject(new ToolError(`${this.#shown}: ${reasonOf(error)}`));
        else resolve();
      });
      this.#socket.uncork();
    });
  }

  /** The next line (latin1) without its end. */
  async line(): Promise<string> {
    let end = this.#pending.indexOf(NEWLINE);
    while (end === -1) {
      if (this.#pending.length > LINE_MAX_BYTES) {
        throw new ToolError(`${this.#shown} sends a line without an end: is it a memcached?`);
      }
      this.#pending = Buffer.concat([this.#pending, await this.#more()]);
      end = this.#pending.indexOf(NEWLINE);
    }
    const line = this.#pending.toString('latin1', 0, this.#pending[end - 1] === 13 ? end - 1 : end);
    this.#pending = this.#pending.subarray(end + 1);
    return line;
  }

  /** The next `length` bytes, and skips the line end after them. */
  async block(length: number): Promise<Buffer> {
    const whole = Buffer.allocUnsafe(length + 2);
    let filled = 0;
    while (filled < whole.length) {
      if (this.#pending.length === 0) this.#pending = await this.#more();
      const taken = this.#pending.copy(whole, filled);
      filled += taken;
      this.#pending = this.#pending.subarray(taken);
    }
    if (whole[length] !== 13 || whole[length + 1] !== NEWLINE) {
      throw new ToolError(`${this.#shown} sent a value of another length than it announced`);
    }
    return whole.subarray(0, length);
  }

  /** Whether the cache knows the meta protocol, which older ones do not. */
  async knowsMeta(): Promise<boolean> {
    await this.send('mn\r\n');
    return (await this.line()) === 'MN';
  }

  close(): void {
    this.#socket.destroy();
  }

  async #more(): Promise<Buffer> {
    this.#socket.setTimeout(ANSWER_LIMIT_MS);
    let result: IteratorResult<Buffer>;
    try {
      result = await this.#chunks.next();
    } catch (error) {
      throw new ToolError(`${this.#shown}: ${reasonOf(error)}`);
    }
    this.#socket.setTimeout(0);
    if (result.done) throw new ToolError(`${this.#shown} closed the connection`);
    return result.value;
  }
}
