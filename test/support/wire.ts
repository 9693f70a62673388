// A raw client for the text protocol: sends exact bytes in chosen fragments and hands back exact
// reply bytes. It knows how each command's reply ends, and notices when the server hangs up.
import { connect, type Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';

const VALUES_COMMANDS = new Set(['get', 'gets', 'gat', 'gats', 'bget']);
const ANSWER_LIMIT_MS = 15_000;

/** How a wait for bytes ended: satisfied, connection closed by the server, or nothing came. */
export type WaitEnd = 'done' | 'closed' | 'timeout';

/** Says how many of the received bytes make the awaited reply, or -1 while it is incomplete. */
export type ReplyEnd = (received: Buffer) => number;

export class WireClient {
  /** True once the server has closed (or reset) the connection. */
  closed = false;
  readonly #socket: Socket;
  #received = Buffer.alloc(16 * 1024);
  #length = 0;
  #wake: (() => void) | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => this.#take(chunk));
    const ended = () => {
      this.closed = true;
      this.#wake?.();
    };
    socket.on('end', ended);
    socket.on('close', ended);
    socket.on('error', ended);
  }

  static connect(port: number, host = '127.0.0.1'): Promise<WireClient> {
    return new Promise((resolve, reject) => {
      const socket = connect(port, host);
      socket.once('error', reject);
      socket.once('connect', () => {
        socket.off('error', reject);
        resolve(new WireClient(socket));
      });
    });
  }

  /** Writes the bytes cut at the given ascending offsets, one write per event loop turn. */
  async send(bytes: Uint8Array, cuts: readonly number[] = []): Promise<void> {
    let from = 0;
    for (const cut of cuts) {
      if (cut <= from || cut >= bytes.length) continue;
      if (this.closed) return;
      this.#socket.write(bytes.subarray(from, cut));
      from = cut;
      await turn();
    }
    if (!this.closed) this.#socket.write(bytes.subarray(from));
  }

  /** The bytes received and not yet taken. The view is valid until the next await. */
  peek(): Buffer {
    return this.#received.subarray(0, this.#length);
  }

  /** Takes `count` received bytes out of the buffer (all of them by default). */
  take(count = this.#length): Buffer {
    const taken = Buffer.from(this.#received.subarray(0, count));
    this.#received.copyWithin(0, count, this.#length);
    this.#length -= count;
    return taken;
  }

  /** Waits until `done` holds for what was received, the server hangs up, or time is over. */
  async waitFor(done: (received: Buffer) => boolean, limitMs = ANSWER_LIMIT_MS): Promise<WaitEnd> {
    const limit = performance.now() + limitMs;
    for (;;) {
      if (done(this.peek())) return 'done';
      if (this.closed) return 'closed';
      const left = limit - performance.now();
      if (left <= 0) return 'timeout';
      await this.#nextEvent(left);
    }
  }

  /** Waits until the server closes the connection; bytes that still come are kept. */
  waitClosed(limitMs = ANSWER_LIMIT_MS): Promise<WaitEnd> {
    return this.waitFor(() => false, limitMs);
  }

  /** Reads one reply whose end `end` knows; throws when the connection ends or stays silent. */
  async reply(end: ReplyEnd): Promise<Buffer> {
    const outcome = await this.waitFor((received) => end(received) >= 0);
    if (outcome !== 'done') {
      const got = JSON.stringify(this.peek().toString('latin1').slice(0, 200));
      throw new Error(`no complete reply (${outcome}) after ${got}`);
    }
    return this.take(end(this.peek()));
  }

  /** Sends one request (latin1 text, whole lines) and returns its complete reply as latin1. */
  async ask(request: string): Promise<string> {
    await this.send(Buffer.from(request, 'latin1'));
    return (await this.reply(replyEndOf(request))).toString('latin1');
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #take(chunk: Buffer): void {
    const needed = this.#length + chunk.length;
    if (needed > this.#received.length) {
      const larger = Buffer.alloc(Math.max(needed, this.#received.length * 2));
      this.#received.copy(larger, 0, 0, this.#length);
      this.#received = larger;
    }
    chunk.copy(this.#received, this.#length);
    this.#length = needed;
    this.#wake?.();
  }

  #nextEvent(limitMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, limitMs);
      this.#wake = () => {
        clearTimeout(timer);
        this.#wake = undefined;
        resolve();
      };
    });
  }
}

/** How the reply to a request ends, by its command. */
export function replyEndOf(request: string): ReplyEnd {
  const [command = '', second = ''] = request.split(/[ \r\n]/, 2);
  if (VALUES_COMMANDS.has(command)) return valuesEnd;
  if (command === 'stats' && second !== 'reset') return statsEnd;
  return lineEnd;
}

/** One line. */
export const lineEnd: ReplyEnd = (received) => received.indexOf(10) + 1 || -1;

/** VALUE blocks up to END, or one error line. */
export const valuesEnd: ReplyEnd = (received) => {
  let at = 0;
  for (;;) {
    const newline = received.indexOf(10, at);
    if (newline < 0) return -1;
    const line = received.toString('latin1', at, newline + 1);
    if (!line.startsWith('VALUE ')) return newline + 1;
    at = newline + 1 + Number(line.trimEnd().split(' ')[3]) + 2;
    if (at > received.length) return -1;
  }
};

/** STAT, PREFIX or ITEM lines up to END, or one other line. */
export const statsEnd: ReplyEnd = (received) => {
  let at = 0;
  for (;;) {
    const newline = received.indexOf(10, at);
    if (newline < 0) return -1;
    if (!/^(STAT|PREFIX|ITEM) /.test(received.toString('latin1', at, at + 7))) return newline + 1;
    at = newline + 1;
  }
};
