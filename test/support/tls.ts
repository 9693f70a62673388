// A client over TLS, and the flags of a server that speaks it.
import { once } from 'node:events';
import type { TestContext } from 'node:test';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import type { Pair } from './certificates.ts';

/** Flags for TLS with these certificates and more of `-o`. */
export function tls(own: Pair, ...options: string[]): string[] {
  const all = [`ssl_chain_cert=${own.cert}`, `ssl_key=${own.key}`, ...options];
  return ['-Z', '-o', all.join(',')];
}

/** A client over TLS; `ended` is how its connection ended. */
export class SecureClient {
  readonly socket: TLSSocket;
  readonly ended: Promise<unknown>;
  #received = '';

  constructor(t: TestContext, port: number, options: ConnectionOptions = {}) {
    this.socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ...options });
    this.socket.on('data', (data) => {
      this.#received += data.toString('latin1');
    });
    this.socket.on('error', () => undefined);
    this.ended = new Promise((resolve) => this.socket.once('close', resolve));
    t.after(() => this.socket.destroy());
  }

  /** The reply up to `end`, or what came before the server hung up. */
  async ask(request: string, end: string): Promise<string> {
    this.#received = '';
    this.socket.write(request);
    while (!this.#received.endsWith(end) && !this.socket.destroyed) {
      await Promise.race([once(this.socket, 'data').catch(() => undefined), this.ended]);
    }
    return this.#received;
  }

  version(): Promise<string> {
    return this.ask('version\r\n', '\r\n');
  }

  async stat(name: string): Promise<string | undefined> {
    const reply = await this.ask('stats\r\n', 'END\r\n');
    return new RegExp(`^STAT ${name} (.*)\r$`, 'm').exec(reply)?.[1];
  }
}
