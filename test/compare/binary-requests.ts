// One request of the binary protocol as plain data, how it becomes bytes for either server, and the
// generators of right and of wrong packets.
import fc from 'fast-check';
import * as op from '../support/opcodes.ts';
import { deltaExtras, requestBytes, words } from '../support/packets.ts';
import { abbreviate } from '../support/replies.ts';
import * as material from './material.ts';
import type { CasChoice, CasLookup } from './requests.ts';

export interface BinaryRequest {
  readonly opcode: number;
  readonly key: string;
  readonly extras: Buffer;
  readonly value: material.Value;
  /** undefined: no cas id. */
  readonly cas?: CasChoice;
  readonly magic?: number;
  /** Announces less than key and extras need. */
  readonly bodyLength?: number;
}

/** Keys that only this protocol can have. */
export const BINARY_KEYS: readonly string[] = [' ', 'a b', '\0', 'k\r\n', '\x80\xff'];

const UNKNOWN_CAS = 987654321098765n;
const NOTHING: Buffer = Buffer.alloc(0);
const EMPTY: material.Value = { literal: '' };

/** The bytes of the request for one server, which echoes the opaque. */
export function render(request: BinaryRequest, opaque: number, lookup: CasLookup): Buffer {
  const { opcode, key, extras, magic, bodyLength } = request;
  return requestBytes({
    opcode,
    key,
    extras,
    value: material.valueText(request.value),
    opaque,
    cas: casOf(request, lookup),
    ...(magic === undefined ? {} : { magic }),
    ...(bodyLength === undefined ? {} : { bodyLength }),
  });
}

function casOf({ cas, key }: BinaryRequest, lookup: CasLookup): bigint {
  if (cas === undefined || cas === 'zero') return 0n;
  const known = cas === 'unknown' ? undefined : lookup(key, cas);
  return known === undefined ? UNKNOWN_CAS : BigInt(known);
}

export function describeRequest(request: BinaryRequest): string {
  const { opcode, key, extras, value, cas, magic, bodyLength } = request;
  const name = Object.entries(op).find(([, code]) => code === opcode)?.[0] ?? opcode.toString(16);
  const text = material.valueText(value);
  return [
    name,
    JSON.stringify(abbreviate(key)),
    extras.length === 0 ? '' : `extras ${extras.toString('hex')}`,
    text === '' ? '' : `value ${JSON.stringify(abbreviate(text))} (${text.length} bytes)`,
    cas === undefined ? '' : `[cas ${cas}]`,
    magic === undefined ? '' : `magic ${magic}`,
    bodyLength === undefined ? '' : `announces ${bodyLength} bytes`,
  ].join(' ');
}

/** A packet without value. */
export const plain = (opcode: number, key = '', extras: Buffer = NOTHING): BinaryRequest => ({
  opcode,
  key,
  extras,
  value: EMPTY,
});

/** Exptimes that are clearly over or clearly far. */
const EXPTIMES = [0, 0, 0, 0, 1000, 2592000, 2592001, 2678400, 0x7fff_ffff];
/** The largest is no -1 here; see AVOIDED in differences.ts for where it is left out. */
const LAST_EXPTIME = 0xffff_ffff;

/** What requests are made of. */
export interface Ingredients {
  readonly keys: readonly string[];
  readonly limits: material.SizeLimits;
  readonly lastExptime: boolean;
}

const exptime = ({ lastExptime }: Ingredients): fc.Arbitrary<number> =>
  fc.constantFrom(...EXPTIMES, ...(lastExptime ? [LAST_EXPTIME] : []));

const key = ({ keys }: Ingredients): fc.Arbitrary<string> => fc.constantFrom(...keys);

const casChoice = (): fc.Arbitrary<CasChoice | undefined> =>
  fc.oneof(
    { weight: 4, arbitrary: fc.constant(undefined) },
    {
      weight: 5,
      arbitrary: fc.constantFrom<CasChoice>('zero', 'last', 'last', 'older', 'unknown'),
    },
  );

const withCas = (request: BinaryRequest, cas: CasChoice | undefined): BinaryRequest =>
  cas === undefined ? request : { ...request, cas };

const value = (
  limits: material.SizeLimits,
  key: string,
  flags: number,
): fc.Arbitrary<material.Value> =>
  fc.oneof(
    { weight: 4, arbitrary: material.smallValue() },
    {
      weight: 2,
      arbitrary: fc
        .tuple(material.fill(), material.edgeSize(limits, key, flags))
        .map(([fill, size]): material.Value => ({ fill, size })),
    },
  );

const store = (from: Ingredients): fc.Arbitrary<BinaryRequest> =>
  fc
    .tuple(
      fc.constantFrom(op.SET, op.SET, op.SETQ, op.ADD, op.ADDQ, op.REPLACE, op.REPLACEQ),
      key(from),
      material.flags(),
      exptime(from),
      casChoice(),
    )
    .chain(([opcode, name, flags, time, cas]) =>
      value(from.limits, name, flags).map((bytes) =>
        withCas({ opcode, key: name, extras: words(flags, time), value: bytes }, cas),
      ),
    );

const concatenate = (from: Ingredients): fc.Arbitrary<BinaryRequest> =>
  fc
    .tuple(fc.constantFrom(op.APPEND, op.APPENDQ, op.PREPEND, op.PREPENDQ), key(from), casChoice())
    .chain(([opcode, name, cas]) =>
      value(from.limits, name, 0).map((bytes) =>
        withCas({ opcode, key: name, extras: NOTHING, value: bytes }, cas),
      ),
    );

const retrieve = (from: Ingredients): fc.Arbitrary<BinaryRequest> =>
  fc
    .tuple(fc.constantFrom(op.GET, op.GETQ, op.GETK, op.GETKQ), key(from))
    .map(([opcode, key]) => plain(opcode, key));

const touch = (from: Ingredients): fc.Arbitrary<BinaryRequest> =>
  fc
    .tuple(fc.constantFrom(op.TOUCH, op.GAT, op.GATQ, op.GATK, op.GATKQ), key(from), exptime(from))
    .map(([opcode, key, time]) => plain(opcode, key, words(time)));

/** See AVOIDED in differences.ts: the numbers stay clear of 2^63. */
const AMOUNTS = [0n, 1n, 1n, 5n, 10n, 4294967296n, 10n ** 18n];

const delta = (from: Ingredients): fc.Arbitrary<BinaryRequest> =>
  fc
    .tuple(
      fc.constantFrom(op.INCR, op.INCRQ, op.DECR, op.DECRQ),
      fc.oneof(fc.constant('n'), key(from)),
      fc.constantFrom(...AMOUNTS),
      fc.constantFrom(...AMOUNTS),
      fc.oneof(fc.constant(0xffff_ffff), exptime(from)),
      casChoice(),
    )
    .map(([opcode, key, amount, initial, time, cas]) =>
      withCas(plain(opcode, key, deltaExtras(amount, initial, time)), cas),
    );

const remove = (from: Ingredients): fc.Arbitrary<BinaryRequest> =>
  fc
    .tuple(fc.constantFrom(op.DELETE, op.DELETEQ), key(from), casChoice())
    .map(([opcode, key, cas]) => withCas(plain(opcode, key), cas));

const STAT_KEYS = ['detail on', 'detail off', 'reset', 'resetting', 'nonsense', 'sizes'];

const administer = (): fc.Arbitrary<BinaryRequest> =>
  fc.oneof(
    fc.constantFrom(op.NOOP, op.VERSION, op.LIST_MECHS).map((opcode) => plain(opcode)),
    fc.constantFrom(...STAT_KEYS).map((key) => plain(op.STAT, key)),
    fc
      .tuple(fc.constantFrom(op.FLUSH, op.FLUSHQ), fc.constantFrom<number[]>([], [0]))
      .map(([opcode, time]) => plain(opcode, '', words(...time))),
    fc
      .tuple(fc.constantFrom(op.AUTH, op.STEP), fc.constantFrom('', '\0user\0secret'))
      .map(([opcode, literal]) => ({ ...plain(opcode, 'PLAIN'), value: { literal } })),
    fc
      .tuple(fc.constantFrom(0x1f, 0x25, 0x77, 0xff), material.smallValue())
      .map(([opcode, bytes]) => ({ ...plain(opcode), value: bytes })),
  );

/** Any packet whose header is right. */
export const wellFormed = (from: Ingredients): fc.Arbitrary<BinaryRequest> =>
  fc.oneof(
    { weight: 8, arbitrary: store(from) },
    { weight: 4, arbitrary: concatenate(from) },
    { weight: 8, arbitrary: retrieve(from) },
    { weight: 4, arbitrary: touch(from) },
    { weight: 6, arbitrary: delta(from) },
    { weight: 3, arbitrary: remove(from) },
    { weight: 2, arbitrary: administer() },
  );

const TOUCHES: readonly number[] = [op.TOUCH, op.GAT, op.GATQ, op.GATK, op.GATKQ];
const OPCODES_END = 0x25;

/** See AVOIDED in differences.ts: what memcached answers to these depends on what comes next. */
function isAvoided({ opcode, key, extras, value: bytes }: BinaryRequest): boolean {
  const more = material.valueSize(bytes) > 0;
  if (opcode === 0x1b || opcode === 0x1f || opcode >= OPCODES_END) return true;
  if (opcode === op.STAT) return extras.length === 0 && (more || !STAT_KEYS.includes(key));
  return TOUCHES.includes(opcode) && more;
}

const ANY_KEYS = ['', 'k', 'p:1', 'K'.repeat(250), 'K'.repeat(251), 'K'.repeat(300)];

/** Packets with key, extras and value where they may not be, or more of them than announced. */
const malformed = (): fc.Arbitrary<BinaryRequest> =>
  fc
    .record({
      opcode: fc.nat(OPCODES_END - 1),
      key: fc.constantFrom(...ANY_KEYS),
      extras: fc.constantFrom(0, 0, 1, 4, 8, 16, 20, 21, 255).map((size) => Buffer.alloc(size)),
      value: fc.constantFrom('', '', 'x', 'xyz').map((literal) => ({ literal })),
      short: fc.constantFrom(0, 0, 1, 5),
    })
    .map(({ short, ...packet }): BinaryRequest => {
      const needed = packet.key.length + packet.extras.length;
      if (short === 0 || needed < short) return packet;
      return { ...packet, value: EMPTY, bodyLength: needed - short };
    })
    .filter((packet) => packet.bodyLength !== undefined || !isAvoided(packet));

/** What ends a stream: the server hangs up after most of these. */
export const ending = (): fc.Arbitrary<BinaryRequest> =>
  fc.oneof(
    { weight: 12, arbitrary: malformed() },
    { weight: 1, arbitrary: fc.constantFrom(op.QUIT, op.QUITQ).map((opcode) => plain(opcode)) },
  );

const FETCHES: readonly number[] = [op.GET, op.GETQ, op.GETK, op.GETKQ, ...TOUCHES];
const COUNTS: readonly number[] = [op.INCR, op.INCRQ, op.DECR, op.DECRQ];

/**
 * A stream with a NOOP between fetches and numbers, which makes memcached let go of what it has
 * fetched (see AVOIDED in differences.ts).
 */
export function withPauses(requests: readonly BinaryRequest[]): BinaryRequest[] {
  let fetched = false;
  return requests.flatMap((request) => {
    const pause = fetched && COUNTS.includes(request.opcode);
    fetched = (fetched && !pause) || FETCHES.includes(request.opcode);
    return pause ? [plain(op.NOOP), request] : [request];
  });
}
