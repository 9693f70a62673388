// What a fixed example of the binary protocol is, and the words that the examples are written in.
import { deltaExtras, type RequestPacket, words } from '../support/packets.ts';

/** A request whose cas id may be one that a reply has shown. */
export type Sent = Omit<RequestPacket, 'cas'> & { readonly cas?: string | bigint };

export interface Expected {
  readonly opcode: number;
  readonly status?: number;
  readonly opaque?: number;
  readonly extras?: string;
  readonly key?: string;
  readonly value?: string;
  readonly cas?: string;
}

export interface BinaryCase {
  readonly name: string;
  readonly talk: ReadonlyArray<readonly [readonly Sent[], readonly Expected[]]>;
  /** The server hangs up after the last exchange. */
  readonly closes?: true;
  /** Our last replies where they differ from memcached 1.6.18's on purpose. */
  readonly ours?: { readonly replies: readonly Expected[]; readonly closes: boolean };
}

export const NO_FLAGS = '\0\0\0\0';
export const FLAGS = '\xde\xad\xbe\xef';
export const ABSENT = { status: 1, value: 'Not found' };
export const PRESENT = { status: 2, value: 'Data exists for key.' };
export const INVALID = { status: 4, value: 'Invalid arguments' };
export const NOT_STORED = { status: 5, value: 'Not stored.' };
export const NON_NUMERIC = { status: 6, value: 'Non-numeric server-side value for incr or decr' };
export const UNKNOWN = { status: 0x81, value: 'Unknown command' };
export const NEVER = 0xffff_ffff;

export const put = (
  opcode: number,
  key: string,
  value: string,
  more: Partial<Sent> = {},
): Sent => ({
  opcode,
  key,
  extras: words(0xdeadbeef, 0),
  value,
  ...more,
});

export const delta = (
  opcode: number,
  key: string,
  by: bigint,
  initial: bigint,
  exptime: number,
): Sent => ({
  opcode,
  key,
  extras: deltaExtras(by, initial, exptime),
});

export const one = (
  name: string,
  sent: readonly Sent[],
  expected: readonly Expected[],
): BinaryCase => ({
  name,
  talk: [[sent, expected]],
});

export const closing = (
  name: string,
  sent: readonly Sent[],
  expected: readonly Expected[],
): BinaryCase => ({
  ...one(name, sent, expected),
  closes: true,
});
