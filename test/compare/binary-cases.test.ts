// Checks the fixed examples of the binary protocol against our server and against the real
// memcached, each sent whole and, where no close cuts it short, byte by byte.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FLUSH, STAT } from '../support/opcodes.ts';
import { findMemcached, skipWithoutMemcached } from '../support/oracle.ts';
import { type Launch, memcached, slabcached, startServer } from '../support/server.ts';
import type { BinaryCase } from './binary-case.ts';
import { asOurs, BINARY_THEMES, matchReplies, sentBytes } from './binary-examples.ts';
import { BinarySide } from './binary-side.ts';

const FLAGS = ['-m', '64', '-t', '2'];
// Without its LRU maintainer memcached pads numbers every time (see AVOIDED in differences.ts).
const THEIR_FLAGS = [...FLAGS, '-o', 'no_lru_maintainer,no_lru_crawler'];
const LONGEST_SINGLE_BYTES = 3000;
const CLEAN = sentBytes([{ opcode: FLUSH }, { opcode: STAT, key: 'detail off' }], new Map());

async function play(side: BinarySide, one: BinaryCase, single: boolean): Promise<void> {
  await side.reconnect();
  await side.exchange(CLEAN, []);
  const bound = new Map<string, bigint>();
  for (const [at, [sent, expected]] of one.talk.entries()) {
    const bytes = sentBytes(sent, bound);
    const cuts = single ? Array.from(bytes, (_, index) => index) : [];
    const answer = await side.exchange(bytes, cuts);
    matchReplies(answer.bytes, expected, bound);
    const closes = one.closes === true && at === one.talk.length - 1;
    assert.equal(answer.end, closes ? 'closed' : 'open');
  }
}

function bytesOf(one: BinaryCase): number {
  return one.talk.reduce((sum, [sent]) => sum + sentBytes(sent, new Map()).length, 0);
}

function checkCases(name: string, skip: string | false, launch: Launch): void {
  test(name, { skip }, async (suite) => {
    const server = await startServer(launch);
    const side = await BinarySide.connect(server.port);
    try {
      for (const [theme, list] of BINARY_THEMES) {
        for (const each of list) {
          const one = server.name === 'slabcached' ? asOurs(each) : each;
          await suite.test(`${theme}: ${one.name}`, async () => {
            await play(side, one, false);
            if (one.closes !== true && bytesOf(one) <= LONGEST_SINGLE_BYTES) {
              await play(side, one, true);
            }
          });
        }
      }
    } finally {
      side.client.destroy();
      await server.stop();
    }
  });
}

const oracle = findMemcached() ?? '';
checkCases(
  'memcached answers the fixed packets so',
  skipWithoutMemcached(),
  memcached(oracle, THEIR_FLAGS),
);
checkCases('we answer the fixed packets so', false, slabcached(FLAGS));
