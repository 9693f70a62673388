// The portable transport: node:net with one read buffer for all connections and one write per send.

import { Socket } from 'node:net';
import type { Transport, TransportHandler } from './transport.ts';

const READ_BUFFER_SIZE = 65_536;

/** Connections over node:net. */
export class NetTransport implements Transport {
  readonly name = 'node:net';
  readonly #sockets: Socket[] = [];
  readonly #outputs: Buffer[] = [];
  #failure: Error | undefined;
  #finish: (() => void) | undefined;

  async connect(
    port: number,
    count: number,
    outputSize: number,
    handler: TransportHandler,
  ): Promise<void> {
    const buffer = Buffer.allocUnsafeSlow(READ_BUFFER_SIZE);
    const opened: Promise<void>[] = [];
    for (let i = 0; i < count; i++) {
      const callback = (length: number): boolean => {
        try {
          handler.received(i, buffer, 0, length);
        } catch (error) {
          this.#fail(error as Error);
        }
        return true;
      };
      const socket = new Socket({ onread: { buffer, callback } });
      this.#sockets.push(socket);
      this.#outputs.push(Buffer.allocUnsafeSlow(outputSize));
      opened.push(new Promise((resolve) => socket.once('connect', resolve)));
      socket.on('error', (error) => this.#fail(error));
      socket.on('end', () => this.#fail(new Error('the server closed a connection')));
      socket.setNoDelay(true);
      socket.connect(port, '127.0.0.1');
    }
    this.#poll = () => handler.poll();
    await Promise.race([Promise.all(opened), this.#failed()]);
    this.#finish = undefined;
    if (this.#failure !== undefined) throw this.#failure;
  }

  output(connection: number): Uint8Array {
    return this.#outputs[connection];
  }

  send(connection: number, length: number): void {
    this.#sockets[connection].write(this.#outputs[connection].subarray(0, length));
  }

  sending(connection: number): boolean {
    return this.#sockets[connection].writableLength > 0;
  }

  async run(polling: boolean): Promise<void> {
    const finished = this.#failed();
    let running = true;
    const turn = (): void => {
      if (!running) return;
      try {
        this.#poll();
      } catch (error) {
        this.#fail(error as Error);
      }
      setImmediate(turn);
    };
    if (polling) setImmediate(turn);
    await finished;
    running = false;
    if (this.#failure !== undefined) throw this.#failure;
  }

  stop(): void {
    this.#finish?.();
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  #poll: () => void = () => {};

  /** Resolves at stop() or at the first failure. */
  #failed(): Promise<void> {
    if (this.#failure !== undefined) return Promise.resolve();
    return new Promise((resolve) => {
      this.#finish = resolve;
    });
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    this.#finish?.();
  }
}
