/**
 * Datagrams carried by a pump. What the kernel does not take at once is dropped, as a full network
 * would do further on.
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

/** What the owner of the pump does. */
export interface DatagramPump {
  /** Serves a socket, which the pump owns from now on, and reports its datagrams. */
  adoptDatagrams(fd: number, slot: number): void;
  /** Sends a datagram to the address; both are free when this returns. */
  sendDatagram(slot: number, address: Uint8Array, datagram: Uint8Array): void;
  /** Closes the socket. */
  closeDatagrams(slot: number): void;
}

interface DatagramSocket {
  readonly port: number;
  readonly origin: Origin;
}

/** The datagram sockets of one worker. */
export class PumpDatagrams<Session> implements DatagramTransport {
  readonly #addon: Addon;
  readonly #pump: DatagramPump;
  readonly #sessions: DatagramSessions<Session>;
  /** By slot. */
  readonly #sockets = new Map<number, DatagramSocket>();

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
    for (const frame of frames) this.#pump.sendDatagram(slot, address, frame);
  }

  close(): void {
    for (const slot of this.#sockets.keys()) this.#pump.closeDatagrams(slot);
    this.#sockets.clear();
  }
}
