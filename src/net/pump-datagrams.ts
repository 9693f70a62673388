/**
 * Datagrams carried by a pump. What the kernel does not take at once is dropped, as a full network
 * would do further on; what finds no room in a turn of the pump waits for the next one.
 */
import type { Origin } from '../protocol/origin.ts';
import type { Addon } from './addon.ts';
import {
  type DatagramAddress,
  DatagramSessions,
  type DatagramTransport,
  isAnswerable,
} from './datagram-sessions.ts';
import type { ByteProtocol } from './transport.ts';

/** The address of the other end, which stands in front of each datagram. */
const ADDRESS_BYTES = 28;
/** Where in it the port is, in network order. */
const PORT_AT = 2;
/** What may wait, in datagrams of at most 1400 bytes; answers beyond that are dropped. */
const WAITING_MAX = 4096;

/** What the owner of the pump does. */
export interface DatagramPump {
  /** Serves a socket, which the pump owns from now on, and reports its datagrams. */
  adoptDatagrams(fd: number, slot: number): void;
  /**
   * Sends a datagram to the address with the next cycle; both are free when this returns. False if
   * there is no room for it before that.
   */
  sendDatagram(slot: number, address: Uint8Array, datagram: Uint8Array): boolean;
  /** Has a cycle done, outside of the pump's own turns. */
  flush(): void;
  /** Closes the socket. */
  closeDatagrams(slot: number): void;
}

interface DatagramSocket {
  readonly port: number;
  readonly origin: Origin;
}

/** A datagram on its way out. */
interface Waiting {
  readonly slot: number;
  readonly address: Buffer;
  readonly frame: Buffer;
}

/** The datagram sockets of one worker. */
export class PumpDatagrams<Session> implements DatagramTransport {
  readonly #addon: Addon;
  readonly #pump: DatagramPump;
  readonly #sessions: DatagramSessions<Session>;
  /** By slot. */
  readonly #sockets = new Map<number, DatagramSocket>();
  #waiting: Waiting[] = [];

  constructor(addon: Addon, pump: DatagramPump, protocol: ByteProtocol<Session>) {
    this.#addon = addon;
    this.#pump = pump;
    this.#sessions = new DatagramSessions(protocol);
  }

  async listen(address: DatagramAddress, origin: Origin): Promise<void> {
    const { host, port, ipv6, slot } = address;
    const fd = this.#addon.bindDatagrams(host, port, ipv6);
    this.#sockets.set(slot, { port, origin });
    this.#pump.adoptDatagrams(fd, slot);
  }

  /** input[start, end) has arrived: an address and a datagram. */
  onDatagram(slot: number, input: Buffer, start: number, end: number): void {
    const socket = this.#sockets.get(slot);
    if (socket === undefined) return;
    if (!isAnswerable(input.readUInt16BE(start + PORT_AT), socket.port)) return;
    const datagram = input.subarray(start + ADDRESS_BYTES, end);
    const frames = this.#sessions.answer(datagram, slot, socket.origin);
    if (frames.length === 0) return;
    // The input may be filled anew while the answer is sent.
    const address = Buffer.from(input.subarray(start, start + ADDRESS_BYTES));
    for (const frame of frames) this.#send({ slot, address, frame });
  }

  close(): void {
    this.#waiting = [];
    for (const slot of this.#sockets.keys()) this.#pump.closeDatagrams(slot);
    this.#sockets.clear();
  }

  #send(datagram: Waiting): void {
    const { slot, address, frame } = datagram;
    if (this.#waiting.length === 0) {
      if (this.#pump.sendDatagram(slot, address, frame)) return;
      setImmediate(() => this.#sendWaiting());
    }
    if (this.#waiting.length < WAITING_MAX) this.#waiting.push(datagram);
  }

  /** In a turn of the loop of its own. */
  #sendWaiting(): void {
    this.#pump.flush();
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const datagram of waiting) this.#send(datagram);
    this.#pump.flush();
  }
}
