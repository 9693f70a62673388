// The raw material of random requests: the eight keys, values, and the numbers at which memcached's
// parsing changes its mind. Bytes are written as latin1 strings: one character is one byte.
import fc from 'fast-check';

/** A key of the greatest length, one of control bytes, one of UTF-8 bytes, one that JS trips on. */
export const KEYS: readonly string[] = [
  'k',
  'n',
  'p:1',
  'p:2',
  '__proto__',
  'L'.repeat(250),
  'c\x01\t\x0b\x7fr\r.',
  Buffer.from('ключ:é', 'utf8').toString('latin1'),
];

export const KEY_TOO_LONG = 'x'.repeat(251);

/** What memcached adds to a value: 48 bytes of header, 8 of cas id, NUL, CRLF. */
const ITEM_OVERHEAD = 48 + 8 + 1 + 2;
const CLIENT_FLAGS_SIZE = 4;

/** Sizes that matter to a server started with these limits, all in bytes. */
export interface SizeLimits {
  /** -I */
  readonly itemSizeMax: number;
  /** -o slab_chunk_max */
  readonly slabChunkMax: number;
  /** Chunk sizes of the slab classes to sit around. */
  readonly chunkSizes: readonly number[];
}

/** A value, kept short so that failing cases can be read: literal bytes or `fill` repeated. */
export type Value = { readonly literal: string } | { readonly fill: string; readonly size: number };

export function valueText(value: Value): string {
  return 'literal' in value ? value.literal : value.fill.repeat(value.size);
}

export function valueSize(value: Value): number {
  return 'literal' in value ? value.literal.length : value.size;
}

/** The value length with which key and flags make an item of exactly `total` bytes in memcached. */
export function valueSizeForItem(total: number, key: string, flags: number): number {
  return Math.max(0, total - ITEM_OVERHEAD - key.length - (flags === 0 ? 0 : CLIENT_FLAGS_SIZE));
}

export const key = (): fc.Arbitrary<string> => fc.constantFrom(...KEYS);

const NUMERIC = ['0', '5', '9', '10', '99', '+5', ' 7', '7 ', '42 x', '007', '12\0'];
const LARGE = ['4294967295', '9007199254740993', '1000000000000000000'];
const NON_NUMERIC = ['', 'a', '5x', '18446744073709551616', '0x10'];
const FRAMING = ['\r\n.', 'END\r\n', 'VALUE k 0 1\r\nz\r\n', 'a\nb', 'a\0b', '.\r', '\xff'];

/** Values under 40 bytes: numbers for incr, and bytes that could be mistaken for framing. */
export const smallValue = (): fc.Arbitrary<Value> =>
  fc
    .oneof(
      { weight: 4, arbitrary: fc.constantFrom(...NUMERIC, ...LARGE) },
      { weight: 1, arbitrary: fc.constantFrom(...NON_NUMERIC) },
      { weight: 1, arbitrary: fc.constantFrom(...FRAMING) },
    )
    .map((literal) => ({ literal }));

/** Value sizes around the edges of classes, of chunks and of the item size limit. */
export const edgeSize = (limits: SizeLimits, itemKey: string, flags: number) => {
  const edges = [limits.itemSizeMax, limits.slabChunkMax, ...limits.chunkSizes];
  return fc
    .tuple(fc.constantFrom(...edges), fc.oneof(fc.integer({ min: -2, max: 2 }), nearby))
    .map(([edge, delta]) => Math.max(0, valueSizeForItem(edge, itemKey, flags) + delta));
};
const nearby = fc.integer({ min: -80, max: 80 });

export const fill = (): fc.Arbitrary<string> => fc.constantFrom('x', 'y', '0', '\0', '\xfe');

/** A value for the key; with limits of any size up to them, and a little more. */
export const storedValue = (
  limits: SizeLimits | undefined,
  itemKey: string,
  clientFlags: number,
): fc.Arbitrary<Value> => {
  if (limits === undefined) return smallValue();
  const large = fc
    .tuple(fill(), edgeSize(limits, itemKey, clientFlags))
    .map(([fill, size]): Value => ({ fill, size }));
  return fc.oneof({ weight: 3, arbitrary: smallValue() }, { weight: 2, arbitrary: large });
};

/** Client flags that every memcached takes as they are. */
export const flags = (): fc.Arbitrary<number> => fc.constantFrom(0, 0, 0, 1, 65535, 4294967295);

/**
 * Exptimes that are clearly over or clearly far: nothing here expires during a run. Absolute times
 * start after 30 days' worth of seconds; the largest ones wrap into 32 bits.
 */
export const exptime = (): fc.Arbitrary<string> =>
  fc.constantFrom('0', '0', '0', '0', '100', '1000', '2592000', '2147483647', '-1', '2592001');

/** Numbers at which a parser of 32 or 64 bits changes its mind. */
export const EDGE_NUMBERS: readonly string[] = [
  ['0', '1', '-1', '+1', '-0', '00', '2147483645', '2147483646', '2147483647', '2147483648'],
  ['-2147483648', '-2147483649', '4294967295', '4294967296', '4294967297', '4294967299'],
  ['9223372036854775807', '9223372036854775808', '-9223372036854775808'],
  ['-9223372036854775809', '18446744073709551615', '18446744073709551616', '1'.repeat(40)],
  ['-18446744073709551615', '-18446744073709551616'],
  ['', 'x', '1x', '0x10', '1.5', '1e3', '1\t', '\t1', '1\x0bz', '--1', '1\r', '\r1'],
].flat();
