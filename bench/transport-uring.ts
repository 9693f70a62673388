// The cheap transport: sockets made and driven through io_uring, one system call for all sends and
// receives of a loop turn. It halves what node:net costs, which is what lets one core of load keep
// one core of server busy.

import ffi from 'node:ffi';
import type { Transport, TransportHandler } from './transport.ts';
import { CQE_MORE, KIND_SEND, Uring } from './uring.ts';

const RECEIVE_BUFFER_LENGTH = 16_384;
const AF_INET = 2;
const SOCK_STREAM = 1;
const IPPROTO_TCP = 6;
const TCP_NODELAY = 1;
const ENOBUFS = 105;

const libc = ffi.dlopen(null, {
  socket: { arguments: ['i32', 'i32', 'i32'], return: 'i32' },
  connect: { arguments: ['i32', 'buffer', 'u32'], return: 'i32' },
  setsockopt: { arguments: ['i32', 'i32', 'i32', 'buffer', 'u32'], return: 'i32' },
  close: { arguments: ['i32'], return: 'i32' },
});

function connectedSocket(port: number): number {
  const address = Buffer.alloc(16);
  address.writeUInt16LE(AF_INET, 0);
  address.writeUInt16BE(port, 2);
  address.set([127, 0, 0, 1], 4);
  const on = Buffer.alloc(4);
  on.writeInt32LE(1);
  const { socket, connect, setsockopt } = libc.functions;
  const fd = socket(AF_INET, SOCK_STREAM, 0);
  if (fd < 0 || connect(fd, address, address.length) !== 0) {
    throw new Error(`cannot connect to 127.0.0.1:${port}`);
  }
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, on, on.length);
  return fd;
}

/** The least power of two that is no smaller than `n`. */
function powerOfTwo(n: number): number {
  return 2 ** Math.ceil(Math.log2(n));
}

/** Connections over io_uring; run() blocks the thread until stop(). */
export class UringTransport implements Transport {
  readonly name = 'io_uring';
  readonly #ring: Uring;
  readonly #sockets: number[] = [];
  readonly #outputs: Uint8Array[] = [];
  readonly #sending: Uint8Array;
  #outputSize = 0;
  #outputsAddress = 0;
  #handler: TransportHandler | undefined;
  #polling = false;
  #stopped = true;

  /** Throws where io_uring is not to be had. */
  constructor(connections: number) {
    const entries = powerOfTwo(2 * connections + 16);
    this.#ring = new Uring(entries, Math.max(64, entries), RECEIVE_BUFFER_LENGTH);
    this.#sending = new Uint8Array(connections);
  }

  async connect(
    port: number,
    count: number,
    outputSize: number,
    handler: TransportHandler,
  ): Promise<void> {
    this.#handler = handler;
    this.#outputSize = outputSize;
    const memory = new ArrayBuffer(count * outputSize);
    this.#outputsAddress = Number(ffi.getRawPointer(memory));
    for (let i = 0; i < count; i++) {
      const socket = connectedSocket(port);
      this.#sockets.push(socket);
      this.#outputs.push(new Uint8Array(memory, i * outputSize, outputSize));
      this.#ring.receive(socket, i);
    }
  }

  output(connection: number): Uint8Array {
    return this.#outputs[connection];
  }

  send(connection: number, length: number): void {
    const address = this.#outputsAddress + connection * this.#outputSize;
    const quiet = !this.#polling;
    if (!quiet) this.#sending[connection]++;
    this.#ring.send(this.#sockets[connection], connection, address, length, quiet);
  }

  sending(connection: number): boolean {
    return this.#sending[connection] > 0;
  }

  async run(polling: boolean): Promise<void> {
    this.#polling = polling;
    this.#stopped = false;
    while (!this.#stopped) {
      if (polling) this.#handler!.poll();
      this.#ring.enter(polling ? 0 : 1);
      this.#takeCompletions();
    }
    this.#polling = false;
  }

  #takeCompletions(): void {
    const ring = this.#ring;
    for (let at = ring.peek(); at >= 0; at = ring.peek()) {
      const connection = ring.idOf(at);
      const result = ring.resultOf(at);
      const flags = ring.flagsOf(at);
      const kind = ring.kindOf(at);
      ring.drop();
      if (kind === KIND_SEND) {
        if (result < 0) throw new Error(`a send failed: errno ${-result}`);
        this.#sending[connection]--;
        continue;
      }
      if (result > 0) {
        const buffer = flags >>> 16;
        this.#handler!.received(connection, ring.buffers[buffer], 0, result);
        ring.giveBack(buffer);
      } else if (result !== -ENOBUFS) {
        throw new Error(`the server closed a connection (${result})`);
      }
      if ((flags & CQE_MORE) === 0) ring.receive(this.#sockets[connection], connection);
    }
  }

  stop(): void {
    this.#stopped = true;
  }

  close(): void {
    for (const socket of this.#sockets) libc.functions.close(socket);
    this.#ring.close();
  }
}
