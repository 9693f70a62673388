// Fixed examples of the binary protocol: packets and the exact replies that memcached gives,
// checked in the engine alone, on our server and on the real memcached.
//
// A cas id is given by a name: the first reply with it binds it, later ones must repeat it; '' is
// 0. Every case starts on a new connection without items.
import { deltaExtras, numberText, type RequestPacket, words } from '../support/packets.ts';

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

const GET = 0x00;
const SET = 0x01;
const ADD = 0x02;
const REPLACE = 0x03;
const DELETE = 0x04;
const INCR = 0x05;
const DECR = 0x06;
const QUIT = 0x07;
const FLUSH = 0x08;
const GETQ = 0x09;
const NOOP = 0x0a;
const VERSION = 0x0b;
const GETK = 0x0c;
const GETKQ = 0x0d;
const APPEND = 0x0e;
const PREPEND = 0x0f;
const STAT = 0x10;
const SETQ = 0x11;
const ADDQ = 0x12;
const REPLACEQ = 0x13;
const DELETEQ = 0x14;
const INCRQ = 0x15;
const DECRQ = 0x16;
const QUITQ = 0x17;
const FLUSHQ = 0x18;
const APPENDQ = 0x19;
const PREPENDQ = 0x1a;
const VERBOSITY = 0x1b;
const TOUCH = 0x1c;
const GAT = 0x1d;
const GATQ = 0x1e;
const LIST_MECHS = 0x20;
const AUTH = 0x21;
const STEP = 0x22;
const GATK = 0x23;
const GATKQ = 0x24;

const NO_FLAGS = '\0\0\0\0';
const FLAGS = '\xde\xad\xbe\xef';
const ABSENT = { status: 1, value: 'Not found' };
const PRESENT = { status: 2, value: 'Data exists for key.' };
const INVALID = { status: 4, value: 'Invalid arguments' };
const NOT_STORED = { status: 5, value: 'Not stored.' };
const NON_NUMERIC = { status: 6, value: 'Non-numeric server-side value for incr or decr' };
const UNKNOWN = { status: 0x81, value: 'Unknown command' };
const NEVER = 0xffff_ffff;

const put = (opcode: number, key: string, value: string, more: Partial<Sent> = {}): Sent => ({
  opcode,
  key,
  extras: words(0xdeadbeef, 0),
  value,
  ...more,
});

const delta = (
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

const one = (name: string, sent: readonly Sent[], expected: readonly Expected[]): BinaryCase => ({
  name,
  talk: [[sent, expected]],
});

const closing = (
  name: string,
  sent: readonly Sent[],
  expected: readonly Expected[],
): BinaryCase => ({
  ...one(name, sent, expected),
  closes: true,
});

const STORE_CASES: readonly BinaryCase[] = [
  one(
    'set and get, opaque and cas echoed',
    [put(SET, 'k', 'value', { opaque: 0x01020304 }), { opcode: GET, key: 'k', opaque: 0xfffffffe }],
    [
      { opcode: SET, opaque: 0x01020304, cas: 'a' },
      { opcode: GET, opaque: 0xfffffffe, extras: FLAGS, value: 'value', cas: 'a' },
    ],
  ),
  one(
    'an empty value, and flags of 0',
    [put(SET, 'k', '', { extras: words(0, 0) }), { opcode: GET, key: 'k' }],
    [
      { opcode: SET, cas: 'a' },
      { opcode: GET, extras: NO_FLAGS, cas: 'a' },
    ],
  ),
  one(
    'keys of any bytes',
    [put(SET, ' \r\n\0\xff', 'x'), { opcode: GETK, key: ' \r\n\0\xff' }],
    [
      { opcode: SET, cas: 'a' },
      { opcode: GETK, key: ' \r\n\0\xff', extras: FLAGS, value: 'x', cas: 'a' },
    ],
  ),
  one(
    'data type and vbucket are not looked at',
    [put(SET, 'k', 'x', { dataType: 7, vbucket: 513 }), { opcode: NOOP, dataType: 1, vbucket: 2 }],
    [{ opcode: SET, cas: 'a' }, { opcode: NOOP }],
  ),
  one(
    'add and replace',
    [put(REPLACE, 'k', 'x'), put(ADD, 'k', '1'), put(ADD, 'k', '2'), put(REPLACE, 'k', '3')],
    [
      { opcode: REPLACE, ...ABSENT },
      { opcode: ADD, cas: 'a' },
      { opcode: ADD, ...PRESENT },
      { opcode: REPLACE, cas: 'b' },
    ],
  ),
  {
    name: 'a cas id that does not match, and one that does',
    talk: [
      [[put(SET, 'k', '1')], [{ opcode: SET, cas: 'a' }]],
      [[put(SET, 'k', '2')], [{ opcode: SET, cas: 'b' }]],
      [[put(SET, 'k', '3', { cas: 'a' })], [{ opcode: SET, ...PRESENT }]],
      [[put(ADD, 'k', '4', { cas: 'b' })], [{ opcode: ADD, cas: 'c' }]],
      [[put(REPLACE, 'k', '5', { cas: 'c' })], [{ opcode: REPLACE, cas: 'd' }]],
      [[{ opcode: GET, key: 'k' }], [{ opcode: GET, extras: FLAGS, value: '5', cas: 'd' }]],
    ],
  },
  one(
    'a cas id for nothing',
    [put(SET, 'k', '1', { cas: 5n }), put(ADD, 'k', '1', { cas: 5n })],
    [
      { opcode: SET, ...ABSENT },
      { opcode: ADD, ...ABSENT },
    ],
  ),
  {
    name: 'append and prepend',
    talk: [
      [[{ opcode: APPEND, key: 'k', value: 'x' }], [{ opcode: APPEND, ...NOT_STORED }]],
      [[{ opcode: PREPEND, key: 'k', value: 'x' }], [{ opcode: PREPEND, ...NOT_STORED }]],
      [[put(SET, 'k', '-')], [{ opcode: SET, cas: 'a' }]],
      [[{ opcode: APPEND, key: 'k', value: '>' }], [{ opcode: APPEND, cas: 'b' }]],
      [[{ opcode: PREPEND, key: 'k', value: '<', cas: 'a' }], [{ opcode: PREPEND, ...PRESENT }]],
      [[{ opcode: PREPEND, key: 'k', value: '<', cas: 'b' }], [{ opcode: PREPEND, cas: 'c' }]],
      [[{ opcode: APPEND, key: 'k' }], [{ opcode: APPEND, cas: 'd' }]],
      [[{ opcode: GET, key: 'k' }], [{ opcode: GET, extras: FLAGS, value: '<->', cas: 'd' }]],
    ],
  },
  {
    name: 'a value that is too large is thrown away, and what it was to replace',
    talk: [
      [[put(SET, 'k', 'x')], [{ opcode: SET, cas: 'a' }]],
      [
        [put(ADD, 'k', 'y'.repeat(1 << 20)), { opcode: GET, key: 'k' }],
        [
          { opcode: ADD, status: 3, value: 'Too large.' },
          { opcode: GET, extras: FLAGS, value: 'x', cas: 'a' },
        ],
      ],
      [
        [put(SETQ, 'k', 'y'.repeat(1 << 20), { opaque: 9 }), { opcode: GET, key: 'k' }],
        [
          { opcode: SETQ, opaque: 9, status: 3, value: 'Too large.' },
          { opcode: GET, ...ABSENT },
        ],
      ],
      [
        [{ opcode: APPEND, key: 'k', value: 'y'.repeat(1 << 20) }],
        [{ opcode: APPEND, status: 3, value: 'Too large.' }],
      ],
    ],
  },
  one(
    'an exptime between 30 days and 1970 is over at once',
    [put(ADD, 'k', 'x', { extras: words(0, 2678400) }), { opcode: GET, key: 'k' }],
    [
      { opcode: ADD, cas: 'a' },
      { opcode: GET, ...ABSENT },
    ],
  ),
  one(
    'the largest exptime is far away, not negative',
    [put(SET, 'k', 'x', { extras: words(0, NEVER) }), { opcode: GET, key: 'k' }],
    [
      { opcode: SET, cas: 'a' },
      { opcode: GET, extras: NO_FLAGS, value: 'x', cas: 'a' },
    ],
  ),
  one(
    'quiet stores say what went wrong only',
    [
      put(SETQ, 'k', '1'),
      put(ADDQ, 'k', '2', { opaque: 1 }),
      put(REPLACEQ, 'j', '2', { opaque: 2 }),
      put(SETQ, 'k', '2', { cas: 1n << 60n, opaque: 3 }),
      { opcode: APPENDQ, key: 'k', value: '0' },
      { opcode: PREPENDQ, key: 'k', value: '2' },
      { opcode: PREPENDQ, key: 'j', value: '2', opaque: 4 },
      { opcode: GETQ, key: 'k' },
    ],
    [
      { opcode: ADDQ, opaque: 1, ...PRESENT },
      { opcode: REPLACEQ, opaque: 2, ...ABSENT },
      { opcode: SETQ, opaque: 3, ...PRESENT },
      { opcode: PREPENDQ, opaque: 4, ...NOT_STORED },
      { opcode: GETQ, extras: FLAGS, value: '210', cas: 'a' },
    ],
  ),
];

const FETCH_CASES: readonly BinaryCase[] = [
  one(
    'misses',
    [
      { opcode: GET, key: 'no', opaque: 1 },
      { opcode: GETK, key: 'no', opaque: 2 },
      { opcode: GETQ, key: 'no', opaque: 3 },
      { opcode: GETKQ, key: 'no', opaque: 4 },
      { opcode: TOUCH, key: 'no', extras: words(0), opaque: 5 },
      { opcode: GAT, key: 'no', extras: words(0), opaque: 6 },
      { opcode: GATK, key: 'no', extras: words(0), opaque: 7 },
      { opcode: GATQ, key: 'no', extras: words(0), opaque: 8 },
      { opcode: GATKQ, key: 'no', extras: words(0), opaque: 9 },
      { opcode: NOOP, opaque: 10 },
    ],
    [
      { opcode: GET, opaque: 1, ...ABSENT },
      { opcode: GETK, opaque: 2, status: 1, key: 'no' },
      { opcode: TOUCH, opaque: 5, ...ABSENT },
      { opcode: GAT, opaque: 6, ...ABSENT },
      { opcode: GATK, opaque: 7, status: 1, key: 'no' },
      { opcode: NOOP, opaque: 10 },
    ],
  ),
  one(
    'hits',
    [
      put(SETQ, 'k', 'v'),
      { opcode: GETK, key: 'k' },
      { opcode: GETKQ, key: 'k' },
      { opcode: TOUCH, key: 'k', extras: words(100) },
      { opcode: GAT, key: 'k', extras: words(0) },
      { opcode: GATQ, key: 'k', extras: words(0) },
      { opcode: GATK, key: 'k', extras: words(0) },
      { opcode: GATKQ, key: 'k', extras: words(2678400) },
      { opcode: GET, key: 'k' },
    ],
    [
      { opcode: GETK, extras: FLAGS, key: 'k', value: 'v', cas: 'a' },
      { opcode: GETKQ, extras: FLAGS, key: 'k', value: 'v', cas: 'a' },
      { opcode: TOUCH, extras: FLAGS, cas: 'a' },
      { opcode: GAT, extras: FLAGS, value: 'v', cas: 'a' },
      { opcode: GATQ, extras: FLAGS, value: 'v', cas: 'a' },
      { opcode: GATK, extras: FLAGS, key: 'k', value: 'v', cas: 'a' },
      { opcode: GATKQ, extras: FLAGS, key: 'k', value: 'v', cas: 'a' },
      { opcode: GET, ...ABSENT },
    ],
  ),
  one(
    'a value larger than any buffer',
    [put(SETQ, 'k', 'ab'.repeat(250_000)), { opcode: GETK, key: 'k' }, { opcode: NOOP }],
    [
      { opcode: GETK, extras: FLAGS, key: 'k', value: 'ab'.repeat(250_000), cas: 'a' },
      { opcode: NOOP },
    ],
  ),
  {
    name: 'delete',
    talk: [
      [[{ opcode: DELETE, key: 'k' }], [{ opcode: DELETE, ...ABSENT }]],
      [[{ opcode: DELETEQ, key: 'k' }], [{ opcode: DELETEQ, ...ABSENT }]],
      [[put(SET, 'k', 'v')], [{ opcode: SET, cas: 'a' }]],
      [[put(SET, 'k', 'v')], [{ opcode: SET, cas: 'b' }]],
      [[{ opcode: DELETE, key: 'k', cas: 'a' }], [{ opcode: DELETE, ...PRESENT }]],
      [[{ opcode: DELETE, key: 'k', cas: 'b' }], [{ opcode: DELETE }]],
      [[put(SET, 'k', 'v')], [{ opcode: SET, cas: 'c' }]],
      [[{ opcode: DELETEQ, key: 'k' }, { opcode: NOOP }], [{ opcode: NOOP }]],
    ],
  },
];

const NUMBER_CASES: readonly BinaryCase[] = [
  {
    name: 'numbers that begin, grow and shrink',
    talk: [
      [[delta(INCR, 'n', 5n, 0n, NEVER)], [{ opcode: INCR, ...ABSENT }]],
      [[delta(DECRQ, 'n', 5n, 0n, NEVER)], [{ opcode: DECRQ, ...ABSENT }]],
      [[delta(INCR, 'n', 5n, 99n, 0)], [{ opcode: INCR, value: numberText(99n), cas: 'a' }]],
      [[delta(INCR, 'n', 5n, 99n, 0)], [{ opcode: INCR, value: numberText(104n), cas: 'b' }]],
      [[delta(DECR, 'n', 5n, 99n, NEVER)], [{ opcode: DECR, value: numberText(99n), cas: 'c' }]],
      [[{ opcode: GET, key: 'n' }], [{ opcode: GET, extras: NO_FLAGS, value: '99 ', cas: 'c' }]],
      [[delta(DECR, 'n', 500n, 0n, 0)], [{ opcode: DECR, value: numberText(0n), cas: 'd' }]],
      [[delta(INCRQ, 'n', 7n, 0n, 0), delta(DECRQ, 'n', 1n, 0n, 0)], []],
      [[{ opcode: GET, key: 'n' }], [{ opcode: GET, extras: NO_FLAGS, value: '6  ', cas: 'e' }]],
    ],
  },
  {
    name: 'numbers of 64 bits',
    talk: [
      [
        [delta(INCR, 'n', 1n, 2n ** 64n - 1n, 0)],
        [{ opcode: INCR, value: numberText(2n ** 64n - 1n), cas: 'a' }],
      ],
      [
        [{ opcode: GET, key: 'n' }],
        [{ opcode: GET, extras: NO_FLAGS, value: '18446744073709551615', cas: 'a' }],
      ],
      [[put(SET, 'm', '4611686018427387904')], [{ opcode: SET, cas: 'b' }]],
      [
        [delta(INCR, 'm', 2n ** 64n - 1n, 0n, 0)],
        [{ opcode: INCR, value: numberText(2n ** 62n - 1n), cas: 'c' }],
      ],
      [
        [delta(INCR, 'm', 2n ** 63n, 0n, 0)],
        [{ opcode: INCR, value: numberText(2n ** 62n - 1n + 2n ** 63n), cas: 'd' }],
      ],
    ],
  },
  {
    name: 'numbers and cas ids',
    talk: [
      [[put(SET, 'n', '5')], [{ opcode: SET, cas: 'a' }]],
      [[put(SET, 'n', '6')], [{ opcode: SET, cas: 'b' }]],
      [[{ ...delta(INCR, 'n', 1n, 0n, 0), cas: 'a' }], [{ opcode: INCR, ...PRESENT }]],
      [
        [{ ...delta(INCR, 'n', 1n, 0n, 0), cas: 'b' }],
        [{ opcode: INCR, value: numberText(7n), cas: 'c' }],
      ],
      [
        [{ ...delta(INCR, 'none', 1n, 8n, 0), cas: 77n }],
        [{ opcode: INCR, value: numberText(8n), cas: 'd' }],
      ],
    ],
  },
  {
    name: 'what is no number',
    talk: [
      [[put(SET, 't', 'text')], [{ opcode: SET, cas: 'a' }]],
      [[delta(INCR, 't', 1n, 0n, 0)], [{ opcode: INCR, ...NON_NUMERIC }]],
      [[delta(DECRQ, 't', 1n, 0n, 0)], [{ opcode: DECRQ, ...NON_NUMERIC }]],
      [[{ ...delta(INCR, 't', 1n, 0n, 0), cas: 1n << 60n }], [{ opcode: INCR, ...PRESENT }]],
      [[put(SET, 't', '')], [{ opcode: SET, cas: 'b' }]],
      [[{ ...delta(INCR, 't', 1n, 0n, 0), cas: 1n << 60n }], [{ opcode: INCR, ...NON_NUMERIC }]],
    ],
  },
];

const ADMIN_CASES: readonly BinaryCase[] = [
  one('noop', [{ opcode: NOOP, opaque: 7, cas: 12n }], [{ opcode: NOOP, opaque: 7 }]),
  one(
    'flush',
    [
      put(SETQ, 'k', 'v'),
      { opcode: FLUSH },
      { opcode: GET, key: 'k' },
      put(SETQ, 'k', 'v'),
      { opcode: FLUSHQ },
      { opcode: GETQ, key: 'k' },
      put(SETQ, 'k', 'v'),
      { opcode: FLUSH, extras: words(0) },
      { opcode: GETQ, key: 'k' },
      { opcode: NOOP },
    ],
    [{ opcode: FLUSH }, { opcode: GET, ...ABSENT }, { opcode: FLUSH }, { opcode: NOOP }],
  ),
  one(
    'a flush in the far future, and one before the server’s time, flush nothing',
    [
      put(SETQ, 'k', 'v'),
      { opcode: FLUSHQ, extras: words(NEVER) },
      { opcode: GET, key: 'k' },
      { opcode: FLUSHQ, extras: words(2678400) },
      { opcode: GET, key: 'k' },
    ],
    [
      { opcode: GET, extras: FLAGS, value: 'v', cas: 'a' },
      { opcode: GET, extras: FLAGS, value: 'v', cas: 'a' },
    ],
  ),
  closing('quit', [{ opcode: QUIT, opaque: 3 }], [{ opcode: QUIT, opaque: 3 }]),
  closing('quiet quit', [{ opcode: NOOP }, { opcode: QUITQ, opaque: 3 }], [{ opcode: NOOP }]),
  one(
    'without authentication the commands for it are unknown',
    [
      { opcode: LIST_MECHS, opaque: 1 },
      { opcode: AUTH, key: 'PLAIN', value: '\0user\0password', opaque: 2 },
      { opcode: STEP, key: 'PLAIN', opaque: 3 },
      { opcode: NOOP },
    ],
    [
      { opcode: LIST_MECHS, opaque: 1, ...UNKNOWN },
      { opcode: AUTH, opaque: 2, ...UNKNOWN },
      { opcode: STEP, opaque: 3, ...UNKNOWN },
      { opcode: NOOP },
    ],
  ),
  one(
    'statistics that are switched',
    [
      { opcode: STAT, key: 'detail on', opaque: 1 },
      { opcode: STAT, key: 'detail off', opaque: 2 },
      { opcode: STAT, key: 'detail dump', opaque: 3 },
      { opcode: STAT, key: 'detail', opaque: 4 },
      { opcode: STAT, key: 'detail maybe', opaque: 5 },
      { opcode: STAT, key: 'reset', opaque: 6 },
      { opcode: STAT, key: 'nonsense', opaque: 7 },
      { opcode: STAT, key: 'cachedump 1 1', opaque: 8 },
      { opcode: STAT, key: 'items ', opaque: 9 },
      { opcode: STAT, key: 'sizes', opaque: 10 },
    ],
    [
      { opcode: STAT, opaque: 1 },
      { opcode: STAT, opaque: 2 },
      { opcode: STAT, opaque: 3, key: 'detailed', value: 'END\r\n' },
      { opcode: STAT, opaque: 3 },
      { opcode: STAT, opaque: 4, ...ABSENT },
      { opcode: STAT, opaque: 5, ...ABSENT },
      { opcode: STAT, opaque: 6 },
      { opcode: STAT, opaque: 7, ...ABSENT },
      { opcode: STAT, opaque: 8, ...ABSENT },
      { opcode: STAT, opaque: 9, ...ABSENT },
      { opcode: STAT, opaque: 10, key: 'sizes_status', value: 'disabled' },
      { opcode: STAT, opaque: 10 },
    ],
  ),
];

const LONG = 'k'.repeat(251);

const MALFORMED_CASES: readonly BinaryCase[] = [
  one(
    'an unknown opcode',
    [{ opcode: 0x77, value: 'x'.repeat(50), opaque: 5 }, { opcode: NOOP }],
    [{ opcode: 0x77, opaque: 5, ...UNKNOWN }, { opcode: NOOP }],
  ),
  {
    ...one(
      'an unknown opcode with a key: memcached throws away as many bytes again',
      [{ opcode: 0x77, key: 'k'.repeat(24) }, { opcode: NOOP, opaque: 1 }, { opcode: NOOP }],
      [{ opcode: 0x77, ...UNKNOWN }, { opcode: NOOP }],
    ),
    ours: {
      replies: [{ opcode: 0x77, ...UNKNOWN }, { opcode: NOOP, opaque: 1 }, { opcode: NOOP }],
      closes: false,
    },
  },
  {
    ...one(
      'VERBOSITY is unknown to memcached, though it is in the protocol',
      [
        { opcode: VERBOSITY, extras: words(0), value: '' },
        { opcode: NOOP, magic: 0x80 },
      ],
      [{ opcode: VERBOSITY, ...UNKNOWN }],
    ),
    ours: { replies: [{ opcode: VERBOSITY }, { opcode: NOOP }], closes: false },
  },
  ...[GET, GETQ, GETK, GETKQ, DELETE, DELETEQ].map((opcode) =>
    closing(
      `opcode ${opcode} with extras`,
      [{ opcode, key: 'k', extras: words(0) }],
      [{ opcode, ...INVALID }],
    ),
  ),
  ...[GET, GETKQ, DELETE, SET, ADDQ, APPEND, INCR, TOUCH, GATKQ, AUTH].map((opcode) =>
    closing(
      `opcode ${opcode} without key`,
      [{ opcode, extras: Buffer.alloc(0) }],
      [{ opcode, ...INVALID }],
    ),
  ),
  ...[GET, DELETE, SET, APPEND, INCR, TOUCH, STAT, NOOP].map((opcode) =>
    closing(
      `opcode ${opcode} with a key of 251 bytes`,
      [{ opcode, key: LONG, opaque: 4 }],
      [{ opcode, opaque: 4, ...INVALID }],
    ),
  ),
  ...[GET, GETK, DELETE].map((opcode) =>
    closing(
      `opcode ${opcode} with a value`,
      [{ opcode, key: 'k', value: 'v' }],
      [{ opcode, ...INVALID }],
    ),
  ),
  ...[SET, ADD, REPLACE].map((opcode) =>
    closing(
      `opcode ${opcode} without extras`,
      [{ opcode, key: 'k', value: 'v' }],
      [{ opcode, ...INVALID }],
    ),
  ),
  ...[NOOP, VERSION, QUIT, QUITQ, LIST_MECHS].map((opcode) =>
    closing(`opcode ${opcode} with a body`, [{ opcode, value: 'v' }], [{ opcode, ...INVALID }]),
  ),
  closing('flush with a key', [{ opcode: FLUSH, key: 'k' }], [{ opcode: FLUSH, ...INVALID }]),
  closing(
    'flush with 8 bytes of extras',
    [{ opcode: FLUSH, extras: words(0, 0) }],
    [{ opcode: FLUSH, ...INVALID }],
  ),
  closing(
    'append with extras',
    [{ opcode: APPEND, key: 'k', extras: words(0, 0) }],
    [{ opcode: APPEND, ...INVALID }],
  ),
  closing(
    'incr with 16 bytes of extras',
    [{ opcode: INCR, key: 'k', extras: words(0, 1, 0, 0) }],
    [{ opcode: INCR, ...INVALID }],
  ),
  closing('stat with extras', [{ opcode: STAT, extras: words(0) }], [{ opcode: STAT, ...INVALID }]),
  closing(
    'more extras than any command has',
    [{ opcode: GET, extras: Buffer.alloc(255), opaque: 2 }],
    [{ opcode: GET, opaque: 2, ...INVALID }],
  ),
  ...[APPEND, PREPENDQ, SET, GET, AUTH].map((opcode) =>
    closing(
      `opcode ${opcode} with a key longer than the body`,
      [{ opcode, key: 'k'.repeat(250), bodyLength: 0, opaque: 6 }],
      [{ opcode, opaque: 6, ...UNKNOWN }],
    ),
  ),
  closing(
    'a body that is too short for key and extras',
    [{ opcode: SET, key: 'key', extras: words(0, 0), bodyLength: 10 }],
    [{ opcode: SET, ...UNKNOWN }],
  ),
  closing(
    'replies before an error are given',
    [put(SET, 'k', 'v', { opaque: 1 }), { opcode: GET, opaque: 2 }],
    [
      { opcode: SET, opaque: 1, cas: 'a' },
      { opcode: GET, opaque: 2, ...INVALID },
    ],
  ),
];

export const BINARY_THEMES: ReadonlyArray<readonly [string, readonly BinaryCase[]]> = [
  ['storage', STORE_CASES],
  ['retrieval', FETCH_CASES],
  ['numbers', NUMBER_CASES],
  ['administration', ADMIN_CASES],
  ['malformed packets', MALFORMED_CASES],
];
