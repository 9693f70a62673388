// The comparison of binary packets itself is tested: spoiled replies must be found.
import type { Spoil } from '../support/tamper.ts';
import { BINARY_RUN_KINDS, compareBinaryAtRandom } from './binary-runs.ts';
import { closeEvery, type NamedSpoil, testComparison } from './spoiling.ts';

/** Changes a byte of every n-th piece of replies that begins with these bytes. */
function everyNth(n: number, start: readonly number[], at: number): Spoil {
  let seen = 0;
  return (reply) => {
    if (reply.length <= at || !reply.subarray(0, start.length).equals(Buffer.from(start))) {
      return reply;
    }
    if (++seen % n !== 0) return reply;
    const spoiled = Buffer.from(reply);
    spoiled[at] = (spoiled[at] ?? 0) ^ 1;
    return spoiled;
  };
}

const SET_REPLY = [0x81, 0x01];
const GETK_REPLY = [0x81, 0x0c];
const HEADER_BYTES = 24;

const SPOILS: readonly NamedSpoil[] = [
  ['a status', () => everyNth(20, SET_REPLY, 7)],
  ['an opaque', () => everyNth(20, SET_REPLY, 15)],
  ['a cas id', () => everyNth(5, [...SET_REPLY, 0, 0, 0, 0, 0, 0], 23)],
  ['the data type', () => everyNth(20, GETK_REPLY, 5)],
  ['the first byte of a body', () => everyNth(20, GETK_REPLY, HEADER_BYTES)],
  ['a connection that is closed', () => closeEvery(500)],
];

testComparison(compareBinaryAtRandom, BINARY_RUN_KINDS, SPOILS, 1_500);
