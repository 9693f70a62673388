// Stores and fetches many items over one connection, pipelined, and checks every reply: for tests
// of what fits and what is kept.
import { connect, type Socket } from 'node:net';

const BATCH = 1000;
const KEYS_PER_GET = 100;

/** One connection that waits for a given end of the replies. */
export class Bulk {
  private readonly socket: Socket;
  private received = '';
  private wake: () => void = () => {};

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.setEncoding('latin1');
    socket.on('data', (text: string) => {
      this.received += text;
      this.wake();
    });
  }

  static open(port: number): Promise<Bulk> {
    return new Promise((resolve, reject) => {
      const socket = connect(port, '127.0.0.1', () => resolve(new Bulk(socket)));
      socket.once('error', reject);
    });
  }

  close(): void {
    this.socket.destroy();
  }

  /** Stores keys from first to last; throws if any reply is not STORED. */
  async store(
    first: number,
    last: number,
    key: (n: number) => string,
    value: (n: number) => string,
  ) {
    for (let start = first; start < last; start += BATCH) {
      const end = Math.min(last, start + BATCH);
      let request = '';
      for (let n = start; n < end; n++) {
        const text = value(n);
        request += `set ${key(n)} 0 0 ${text.length}\r\n${text}\r\n`;
      }
      const expected = 'STORED\r\n'.repeat(end - start);
      const replies = await this.ask(request, (text) => text.length >= expected.length);
      if (replies !== expected) throw new Error(`a set was refused: ${replies.slice(0, 200)}`);
    }
  }

  /** Fetches keys from first to last; returns how many were there, each with the right value. */
  async count(
    first: number,
    last: number,
    key: (n: number) => string,
    value: (n: number) => string,
  ) {
    let found = 0;
    for (let start = first; start < last; start += KEYS_PER_GET) {
      const end = Math.min(last, start + KEYS_PER_GET);
      let request = 'get';
      const expected = new Map<string, string>();
      for (let n = start; n < end; n++) {
        request += ` ${key(n)}`;
        expected.set(key(n), value(n));
      }
      const lines = (await this.ask(`${request}\r\n`, (text) => text.endsWith('END\r\n'))).split(
        '\r\n',
      );
      for (let line = 0; lines[line] !== 'END'; line += 2) {
        const [, name] = lines[line].split(' ');
        if (expected.get(name) !== lines[line + 1]) throw new Error(`wrong value of ${name}`);
        found++;
      }
    }
    return found;
  }

  /** One number of `stats`. */
  async stat(name: string): Promise<number> {
    const text = await this.ask('stats\r\n', (reply) => reply.endsWith('END\r\n'));
    return Number(new RegExp(`^STAT ${name} (\\d+)`, 'm').exec(text)?.[1]);
  }

  private async ask(request: string, complete: (text: string) => boolean): Promise<string> {
    this.received = '';
    this.socket.write(request, 'latin1');
    while (!complete(this.received)) {
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    }
    return this.received;
  }
}
