/**
 * Tries the fixed examples, which are known to be memcached's answers, on the engine without
 * sockets: whole, byte by byte, and one request per turn, with the whole memory audited after each.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Case } from '../compare/cases.ts';
import { asOurs, fill, matchReply, THEMES } from '../compare/examples.ts';
import { feedPieces, freshTalk, hangUp } from './pieces.ts';

/** Longer input is cut into pieces of many bytes instead of one. */
const LONGEST_SINGLE_BYTES = 3000;

type Cuts = (length: number) => number[];

function everyBytes(step: number): Cuts {
  return (length) => Array.from({ length: Math.floor(length / step) }, (_, at) => (at + 1) * step);
}

const WAYS: ReadonlyArray<readonly [name: string, cuts: Cuts]> = [
  ['whole', () => []],
  ['byte by byte', (length) => everyBytes(length > LONGEST_SINGLE_BYTES ? 777 : 1)(length)],
  ['in pieces of seven', (length) => everyBytes(length > LONGEST_SINGLE_BYTES ? 4099 : 7)(length)],
];

function play(played: Case, cuts: Cuts): void {
  const one = asOurs(played);
  const talk = freshTalk();
  const bound = new Map<string, string>();
  for (const [request, reply] of one.talk) {
    const bytes = Buffer.from(fill(request, bound), 'latin1');
    matchReply(feedPieces(talk, bytes, cuts(bytes.length)), reply, bound);
  }
  assert.equal(talk.closed, one.closes === true);
  hangUp(talk);
}

for (const [theme, list] of THEMES) {
  test(theme, async (group) => {
    for (const one of list) {
      await group.test(one.name, () => {
        for (const [name, cuts] of WAYS) {
          // How much of a line without end is looked at before it is given up depends on the
          // pieces.
          if (name !== 'whole' && one.closes === true) continue;
          play(one, cuts);
        }
      });
    }
  });
}
