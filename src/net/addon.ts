/**
 * The native addon of `native/`: what it exports, and how it is found. It is optional: where it was
 * not built, or does not fit the machine, everything runs without it, only slower.
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * Which revision of the interfaces below, and of the words in `exchange.ts`, this code speaks; the
 * addon says its own (`native/src/revision.rs`). Raised with every change to them: a file left over
 * from an older build is then passed by, instead of moving bytes to wrong places.
 */
const REVISION = 3;

/** Memory that TypeScript owns and the pump works in; it must not be resizable. */
export interface PumpMemory {
  /** What is received. */
  readonly input: Uint8Array;
  /** What is to be sent. */
  readonly output: Uint8Array;
  /** The whole shared memory of the cache, for values sent from where they lie. */
  readonly slab: Uint8Array;
  /** 4 words each, see `exchange.ts`. */
  readonly events: Int32Array;
  /** 4 words each, see `exchange.ts`. */
  readonly commands: Int32Array;
}

/** Moves the bytes of all connections of one worker thread. */
export interface Pump {
  readonly kind: string;
  /**
   * One turn: carries out that many commands, waits for events if it may and the slice of time
   * since onReady is not over, receives. Returns the number of events; 0 means back to libuv.
   */
  cycle(commands: number, mayWait: boolean): number;
  /** Begins a slice of time at once: calls onReady. */
  slice(): void;
  /** Serves this descriptor, which the pump owns from now on, under an id. */
  adopt(fd: number, connection: number): void;
  /** The same for a datagram socket. */
  adoptDatagrams(fd: number, connection: number): void;
  /** Closes all descriptors at once. */
  close(): void;
}

/** Accepts connections on a listening descriptor, which it owns. */
export interface Acceptor {
  /** Accepts nothing until resume; connections wait in the kernel. */
  pause(): void;
  resume(): void;
  close(): void;
}

/** What the addon exports. */
export interface Addon {
  readonly REVISION: number;
  /** The kinds of pump that work here, best first: some of 'io_uring' and 'epoll'. */
  pumpKinds(): string[];
  /** Connections have the ids 0 to connections - 1. Throws an Error when the kernel refuses. */
  readonly Pump: new (
    kind: string,
    mailbox: number,
    connections: number,
    memory: PumpMemory,
    onReady: () => void,
  ) => Pump;
  /** Opens a place for descriptors on their way to one worker; its number is never used again. */
  openMailbox(): number;
  /** Closes it, and the descriptors left in it. */
  closeMailbox(mailbox: number): void;
  /**
   * Addresses are as in `stats conns`: tcp:127.0.0.1:1234, tcp6:[::1]:1234, unix:/path. Has to be
   * paused in onExhausted, which is called when descriptors or memory have run out.
   */
  readonly Acceptor: new (
    fd: number,
    onConnection: (fd: number, peer: string, local: string) => void,
    onExhausted: () => void,
  ) => Acceptor;
  /** A listening unix socket with the mode that the umask leaves. Throws an Error with a code. */
  listenUnix(path: string, backlog: number): number;
  /** A second descriptor for the same open file. */
  duplicate(fd: number): number;
  /** Gives a descriptor to a worker; when this returns false the caller still owns it. */
  handOver(fd: number, mailbox: number, slot: number, listener: number): boolean;
  /** Sends what the kernel takes of the text at once, and closes. */
  refuse(fd: number, text: Uint8Array): void;
  /** A bound UDP socket that shares its port. Throws an Error with a code. */
  bindDatagrams(host: string, port: number, ipv6: boolean): number;
  /** A connected TCP socket. Throws an Error with a code. */
  connectTcp(host: string, port: number): number;
  /**
   * Has the kernel use large pages for memory that nothing has touched yet. Throws an Error with a
   * code where it has none.
   */
  useLargePages(memory: Uint8Array): void;
  /**
   * Keeps memory from being swapped out, as it is touched. Throws an Error with a code: ENOMEM or
   * EPERM where less may be locked (ulimit -l).
   */
  lockMemory(memory: Uint8Array): void;
  /** The CRC-32 of zlib. */
  checksum(bytes: Uint8Array): number;
  /** Hash of the key of `length` bytes at `start`; `algorithm` is an index of HASH_ALGORITHMS. */
  hashKey(
    bytes: Uint8Array,
    start: number,
    length: number,
    seed: number,
    algorithm: number,
  ): number;
  /**
   * Finds the keys in bytes[start, end), which spaces separate, and writes start, length and hash
   * of each to `found`, as far as there is room; returns how many.
   */
  hashKeys(
    bytes: Uint8Array,
    start: number,
    end: number,
    seed: number,
    algorithm: number,
    found: Int32Array,
  ): number;
}

/** This package, from here as well as from the compiled file. */
const PACKAGE = fileURLToPath(new URL('../..', import.meta.url));

const ELF_HEADER_BYTES = 64;

/**
 * Whether a file ends before its own table of sections, as one does that was copied in part: the
 * loader of the C library would map what is not there, and the process would end by SIGBUS.
 */
function isCutOff(path: string): boolean {
  const fd = openSync(path, 'r');
  try {
    const header = Buffer.alloc(ELF_HEADER_BYTES);
    if (readSync(fd, header, 0, ELF_HEADER_BYTES, 0) < ELF_HEADER_BYTES) return true;
    const tableAt = Number(header.readBigUInt64LE(40));
    const tableBytes = header.readUInt16LE(58) * header.readUInt16LE(60);
    return tableAt + tableBytes > fstatSync(fd).size;
  } finally {
    closeSync(fd);
  }
}

/**
 * The addon of this package, or of the one in `folder`: first what was built there, then what npm
 * installed beside it. Undefined where there is none that works: it never throws. Of the two C
 * libraries of Linux the wrong one's build does not load, so both are tried.
 */
export function loadAddon(folder = PACKAGE): Addon | undefined {
  if (process.platform !== 'linux') return undefined;
  const require = createRequire(join(folder, 'package.json'));
  for (const libc of ['gnu', 'musl']) {
    const target = `linux-${process.arch}-${libc}`;
    const file = `slabcached.${target}.node`;
    for (const place of [`./native/${file}`, `slabcached-${target}/${file}`]) {
      try {
        const path = require.resolve(place);
        const addon: Addon | undefined = isCutOff(path) ? undefined : require(path);
        if (addon?.REVISION === REVISION) return addon;
      } catch {
        // Not there, or of another machine: the next may do.
      }
    }
  }
  return undefined;
}
