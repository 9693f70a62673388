// Fixed examples of the binary protocol: administration, and packets whose headers are wrong.

import {
  ADD,
  ADDQ,
  APPEND,
  AUTH,
  DELETE,
  DELETEQ,
  FLUSH,
  FLUSHQ,
  GATKQ,
  GET,
  GETK,
  GETKQ,
  GETQ,
  INCR,
  LIST_MECHS,
  NOOP,
  PREPENDQ,
  QUIT,
  QUITQ,
  REPLACE,
  SET,
  SETQ,
  STAT,
  STEP,
  TOUCH,
  VERSION,
} from '../support/opcodes.ts';
import { words } from '../support/packets.ts';
import {
  ABSENT,
  type BinaryCase,
  closing,
  FLAGS,
  INVALID,
  NEVER,
  one,
  put,
  UNKNOWN,
} from './binary-case.ts';

export const ADMIN_CASES: readonly BinaryCase[] = [
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

export const MALFORMED_CASES: readonly BinaryCase[] = [
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
