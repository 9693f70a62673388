// Fixed examples of the binary protocol: packets and the exact replies that memcached gives,
// checked in the engine alone, on our server and on the real memcached. Those of administration and
// of malformed packets are in binary-odd-cases.ts.

import {
  ADD,
  ADDQ,
  APPEND,
  APPENDQ,
  DECR,
  DECRQ,
  DELETE,
  DELETEQ,
  GAT,
  GATK,
  GATKQ,
  GATQ,
  GET,
  GETK,
  GETKQ,
  GETQ,
  INCR,
  INCRQ,
  NOOP,
  PREPEND,
  PREPENDQ,
  REPLACE,
  REPLACEQ,
  SET,
  SETQ,
  TOUCH,
} from '../support/opcodes.ts';
import { numberText, words } from '../support/packets.ts';
import {
  ABSENT,
  type BinaryCase,
  delta,
  FLAGS,
  NEVER,
  NO_FLAGS,
  NON_NUMERIC,
  NOT_STORED,
  one,
  PRESENT,
  put,
} from './binary-case.ts';

export const STORE_CASES: readonly BinaryCase[] = [
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

export const FETCH_CASES: readonly BinaryCase[] = [
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

export const NUMBER_CASES: readonly BinaryCase[] = [
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
