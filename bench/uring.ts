// A minimal io_uring in TypeScript, over node:ffi: the two rings are memory shared with the kernel,
// so queueing a send or reading a completion is a few plain stores and loads, and one system call a
// loop turn carries them all. Linux only; the constructor throws where it cannot be had.

import ffi from 'node:ffi';
import { endianness } from 'node:os';

const SYS_IO_URING_SETUP = 425;
const SYS_IO_URING_ENTER = 426;
const SYS_IO_URING_REGISTER = 427;
const SETUP_CLAMP = 1 << 4;
const SETUP_SINGLE_ISSUER = 1 << 12;
const SETUP_DEFER_TASKRUN = 1 << 13;
const ENTER_GETEVENTS = 1;
const REGISTER_PBUF_RING = 22;
const OP_SEND = 26;
const OP_RECV = 27;
const RECV_MULTISHOT = 2;
const SQE_BUFFER_SELECT = 1 << 5;
const SQE_CQE_SKIP_SUCCESS = 1 << 6;
const MSG_NOSIGNAL_WAITALL = 0x4100;
const OFFSET_SQES = 0x10000000n;
const PAGE = 4096;
const EINTR = 4;
const SQE_WORDS = 16;

/** Completion flag: the multishot receive stays armed. */
export const CQE_MORE = 2;
/** user_data's upper half: what kind of operation completed. */
export const KIND_RECEIVE = 1;
export const KIND_SEND = 2;

const libc = ffi.dlopen(null, {
  syscall: {
    arguments: ['i64', 'i64', 'i64', 'i64', 'i64', 'u64', 'i64'],
    return: 'i64',
  },
  mmap: { arguments: ['u64', 'u64', 'i32', 'i32', 'i32', 'i64'], return: 'u64' },
  munmap: { arguments: ['u64', 'u64'], return: 'i32' },
  close: { arguments: ['i32'], return: 'i32' },
  __errno_location: { arguments: [], return: 'u64' },
});

function syscall(number: number, a: number, b: number | bigint, c: number | bigint, d = 0): number {
  const f = libc.functions.syscall;
  return Number(f(BigInt(number), BigInt(a), BigInt(b), BigInt(c), BigInt(d), 0n, 0n));
}

function errno(): number {
  return ffi.getInt32(libc.functions.__errno_location());
}

interface Mapping {
  readonly address: bigint;
  readonly bytes: ArrayBuffer;
}

function map(fd: number, offset: bigint, length: number): Mapping {
  const readWrite = 3;
  const sharedPopulate = 0x8001;
  const address = libc.functions.mmap(0n, BigInt(length), readWrite, sharedPopulate, fd, offset);
  if (address > 0xffff_ffff_ffff_f000n) throw new Error(`mmap of io_uring failed: ${errno()}`);
  return { address, bytes: ffi.toArrayBuffer(address, length, false) };
}

/** One io_uring with a group of provided receive buffers. Offsets are in 32-bit words. */
export class Uring {
  /** The receive buffers by their number. */
  readonly buffers: readonly Uint8Array[];
  readonly #fd: number;
  readonly #mappings: readonly Mapping[];
  readonly #ring: Uint32Array;
  readonly #sqes: Uint32Array;
  readonly #sqTail: number;
  readonly #sqMask: number;
  readonly #cqHead: number;
  readonly #cqTail: number;
  readonly #cqMask: number;
  readonly #cqes: number;
  #queued = 0;
  readonly #bufferStride: number;
  readonly #bufferLength: number;
  readonly #bufferCount: number;
  readonly #buffersAddress: number;
  readonly #bufferRing: Uint32Array;
  readonly #bufferTail: Uint16Array;

  /** `entries` operations may be queued between two enter()s; `bufferCount` is a power of two. */
  constructor(entries: number, bufferCount: number, bufferLength: number) {
    if (endianness() !== 'LE') throw new Error('io_uring is supported on little-endian machines');
    const params = new Uint32Array(new ArrayBuffer(120));
    params[2] = SETUP_CLAMP | SETUP_SINGLE_ISSUER | SETUP_DEFER_TASKRUN;
    this.#fd = syscall(SYS_IO_URING_SETUP, entries, ffi.getRawPointer(params), 0);
    if (this.#fd < 0) throw new Error(`io_uring_setup failed: errno ${errno()}`);
    const [sqEntries, cqEntries] = params;
    const ringLength = Math.max(params[16] + sqEntries * 4, params[25] + cqEntries * 16);
    const ring = map(this.#fd, 0n, ringLength);
    const sqes = map(this.#fd, OFFSET_SQES, sqEntries * SQE_WORDS * 4);
    this.#mappings = [ring, sqes];
    this.#ring = new Uint32Array(ring.bytes, 0, ringLength >>> 2);
    this.#sqes = new Uint32Array(sqes.bytes);
    this.#sqTail = params[11] >>> 2;
    this.#sqMask = sqEntries - 1;
    this.#cqHead = params[20] >>> 2;
    this.#cqTail = params[21] >>> 2;
    this.#cqMask = cqEntries - 1;
    this.#cqes = params[25] >>> 2;
    for (let i = 0; i < sqEntries; i++) this.#ring[(params[16] >>> 2) + i] = i;

    // A stride that is no multiple of the page spreads the buffers' first bytes over the cache.
    const stride = bufferLength + 192;
    const bufferMemory = new ArrayBuffer(bufferCount * stride);
    this.buffers = Array.from(
      { length: bufferCount },
      (_, id) => new Uint8Array(bufferMemory, id * stride, bufferLength),
    );
    this.#bufferStride = stride;
    this.#bufferLength = bufferLength;
    this.#bufferCount = bufferCount;
    this.#buffersAddress = Number(ffi.getRawPointer(bufferMemory));
    const memory = new ArrayBuffer(bufferCount * 16 + PAGE);
    const start = Number(ffi.getRawPointer(memory));
    const aligned = (PAGE - (start % PAGE)) % PAGE;
    this.#bufferRing = new Uint32Array(memory, aligned, bufferCount * 4);
    this.#bufferTail = new Uint16Array(memory, aligned, bufferCount * 8);
    this.#registerBuffers(start + aligned);
  }

  #registerBuffers(ringAddress: number): void {
    const argument = new BigUint64Array(new ArrayBuffer(40 + 64), 0, 5);
    argument[0] = BigInt(ringAddress);
    argument[1] = BigInt(this.#bufferCount);
    const pointer = ffi.getRawPointer(argument);
    if (syscall(SYS_IO_URING_REGISTER, this.#fd, REGISTER_PBUF_RING, pointer, 1) < 0) {
      throw new Error(`registering receive buffers failed: errno ${errno()}`);
    }
    for (let id = 0; id < this.#bufferCount; id++) this.giveBack(id);
  }

  /** Hands a receive buffer to the kernel. */
  giveBack(id: number): void {
    const tail = this.#bufferTail[7];
    const at = (tail & (this.#bufferCount - 1)) * 4;
    const address = this.#buffersAddress + id * this.#bufferStride;
    this.#bufferRing[at] = address >>> 0;
    this.#bufferRing[at + 1] = (address / 2 ** 32) >>> 0;
    this.#bufferRing[at + 2] = this.#bufferLength;
    this.#bufferTail[at * 2 + 6] = id;
    this.#bufferTail[7] = tail + 1;
  }

  /** Queues a receive that stays armed and takes one of the provided buffers each time. */
  receive(socket: number, id: number): void {
    const at = this.#next(OP_RECV | (SQE_BUFFER_SELECT << 8) | (RECV_MULTISHOT << 16), socket);
    this.#sqes[at + 8] = id;
    this.#sqes[at + 9] = KIND_RECEIVE;
  }

  /** Queues a send of `length` bytes at a memory address; `quiet` completes only when it fails. */
  send(socket: number, id: number, address: number, length: number, quiet: boolean): void {
    const at = this.#next(OP_SEND | ((quiet ? SQE_CQE_SKIP_SUCCESS : 0) << 8), socket);
    this.#sqes[at + 4] = address >>> 0;
    this.#sqes[at + 5] = (address / 2 ** 32) >>> 0;
    this.#sqes[at + 6] = length;
    this.#sqes[at + 7] = MSG_NOSIGNAL_WAITALL;
    this.#sqes[at + 8] = id;
    this.#sqes[at + 9] = KIND_SEND;
  }

  #next(operation: number, socket: number): number {
    if (this.#queued > this.#sqMask) this.enter(0);
    const tail = this.#ring[this.#sqTail];
    const at = (tail & this.#sqMask) * SQE_WORDS;
    this.#sqes.fill(0, at, at + SQE_WORDS);
    this.#sqes[at] = operation;
    this.#sqes[at + 1] = socket;
    this.#ring[this.#sqTail] = tail + 1;
    this.#queued++;
    return at;
  }

  /** Submits what is queued and waits for at least `completions`; blocks this thread. */
  enter(completions: number): void {
    const queued = this.#queued;
    const done = syscall(SYS_IO_URING_ENTER, this.#fd, queued, completions, ENTER_GETEVENTS);
    if (done >= 0) this.#queued -= done;
    else if (errno() !== EINTR) throw new Error(`io_uring_enter failed: errno ${errno()}`);
  }

  /** The completion at the head of the queue as an offset for the functions below, or -1. */
  peek(): number {
    const head = this.#ring[this.#cqHead];
    return head === this.#ring[this.#cqTail] ? -1 : this.#cqes + (head & this.#cqMask) * 4;
  }

  idOf(completion: number): number {
    return this.#ring[completion];
  }

  kindOf(completion: number): number {
    return this.#ring[completion + 1];
  }

  /** Bytes moved, or a negative error number. */
  resultOf(completion: number): number {
    return this.#ring[completion + 2] | 0;
  }

  /** CQE_MORE and the like in the lower half, the number of the receive buffer in the upper. */
  flagsOf(completion: number): number {
    return this.#ring[completion + 3];
  }

  /** Takes the completion at the head off the queue. */
  drop(): void {
    this.#ring[this.#cqHead]++;
  }

  close(): void {
    libc.functions.close(this.#fd);
    for (const { address, bytes } of this.#mappings) {
      libc.functions.munmap(address, BigInt(bytes.byteLength));
    }
  }
}
