/** What a worker may be at when it dies in the binary protocol, where that is not as in text. */
import * as op from '../support/opcodes.ts';
import { deltaExtras, type RequestPacket, requestBytes, words } from '../support/packets.ts';
import type { Scenario } from './death-worker.ts';
import { filler, type World } from './world.ts';

const SMALL = filler('small', 60);
const OTHER = filler('other', 61);
const LARGE = filler('large', 50_000);
const HUGE = filler('huge', 150_000);

/** The world's first item has the first cas id. */
const FIRST_CAS = 1n;
const WRONG_CAS = 77n;

function one(
  name: string,
  before: string | null,
  packets: readonly RequestPacket[],
  outcomes: readonly string[],
): Scenario {
  return {
    name: `binary: ${name}`,
    prepare: (world: World) => {
      if (before !== null) world.put('k', before);
      world.put('near', OTHER);
    },
    act: (world: World) => {
      world.a.send(Buffer.concat(packets.map(requestBytes)));
    },
    outcomes: { k: outcomes },
  };
}

const put = (opcode: number, value: string, cas = 0n): RequestPacket => ({
  opcode,
  key: 'k',
  extras: words(7, 0),
  value,
  cas,
});

const begin = { opcode: op.INCR, key: 'k', extras: deltaExtras(1n, 41n, 0) };

export const BINARY_WORK: readonly Scenario[] = [
  one('a large value fetched with its key', LARGE, [{ opcode: op.GETK, key: 'k' }], [LARGE]),
  one('a value sent in pieces', HUGE, [{ opcode: op.GETQ, key: 'k' }, { opcode: op.NOOP }], [HUGE]),
  one('a touch', SMALL, [{ opcode: op.TOUCH, key: 'k', extras: words(100) }], [SMALL]),
  one('a set of a large value', SMALL, [put(op.SET, LARGE)], [SMALL, LARGE]),
  one('a set if unchanged', SMALL, [put(op.SETQ, OTHER, FIRST_CAS)], [SMALL, OTHER]),
  one('a set refused', SMALL, [put(op.SET, LARGE, WRONG_CAS)], [SMALL]),
  one(
    'an append if unchanged',
    SMALL,
    [{ opcode: op.APPEND, key: 'k', value: LARGE, cas: FIRST_CAS }],
    [SMALL, SMALL + LARGE],
  ),
  one(
    'a prepend refused',
    SMALL,
    [{ opcode: op.PREPEND, key: 'k', value: LARGE, cas: WRONG_CAS }],
    [SMALL],
  ),
  one('a number that begins, and grows', null, [begin, begin], ['41', '42']),
  one('a delete if unchanged', LARGE, [{ opcode: op.DELETE, key: 'k', cas: FIRST_CAS }], [LARGE]),
  one('a delete refused', SMALL, [{ opcode: op.DELETE, key: 'k', cas: WRONG_CAS }], [SMALL]),
  one('statistics', SMALL, [{ opcode: op.STAT }, { opcode: op.STAT, key: 'reset' }], [SMALL]),
];
