/** Checks the fixed examples of the binary protocol in the engine alone, whole and byte by byte. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { asOurs, BINARY_THEMES, matchReplies, sentBytes } from '../compare/binary-examples.ts';
import { feedPieces, freshTalk, hangUp } from './pieces.ts';

const LONGEST_SINGLE_BYTES = 3000;

for (const [theme, list] of BINARY_THEMES) {
  test(`the engine answers the examples of ${theme}`, async (suite) => {
    for (const one of list.map(asOurs)) {
      await suite.test(one.name, () => {
        for (const single of [false, true]) {
          const talk = freshTalk();
          const bound = new Map<string, bigint>();
          for (const [sent, expected] of one.talk) {
            const bytes = sentBytes(sent, bound);
            const whole = !single || bytes.length > LONGEST_SINGLE_BYTES;
            const cuts = whole ? [] : Array.from(bytes, (_, index) => index).slice(1);
            const replies = feedPieces(talk, bytes, cuts);
            matchReplies(Buffer.from(replies, 'latin1'), expected, bound);
          }
          assert.equal(talk.closed, one.closes === true);
          hangUp(talk);
        }
      });
    }
  });
}
