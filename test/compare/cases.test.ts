// Checks the fixed examples against our server and against the real memcached, each sent whole
// and again byte by byte.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findMemcached, skipWithoutMemcached } from '../support/oracle.ts';
import { memcached, slabcached } from '../support/server.ts';
import { WireClient } from '../support/wire.ts';
import type { Case } from './cases.ts';
import { asOurs, fill, matchReply, THEMES } from './examples.ts';
import { type Fragmentation, Side } from './session.ts';

const FLAGS = ['-m', '64', '-t', '2'];
// Without its LRU maintainer memcached pads numbers every time (see AVOIDED in differences.ts).
const THEIR_FLAGS = [...FLAGS, '-o', 'no_lru_maintainer,no_lru_crawler'];
const LONGEST_SINGLE_BYTES = 3000;

async function play(side: Side, played: Case, how: Fragmentation): Promise<void> {
  const one = side.server.name === 'slabcached' ? asOurs(played) : played;
  await side.reconnect();
  await side.exchange(Buffer.from('flush_all\r\nverbosity 0\r\n'), []);
  const bound = new Map<string, string>();
  for (const [at, [request, reply]] of one.talk.entries()) {
    const bytes = Buffer.from(fill(request, bound), 'latin1');
    const closes = one.closes === true && at === one.talk.length - 1;
    // The usage line of stats detail is the fence's own reply, so it cannot be waited for by it.
    const answer = closes
      ? await side.exchangeUntilClosed(bytes, how)
      : reply.includes('CLIENT_ERROR usage')
        ? await askWithoutFence(side, bytes, reply.length)
        : await side.exchange(bytes, how);
    matchReply(answer.bytes.toString('latin1'), reply, bound);
    assert.equal(answer.end, closes ? 'closed' : 'open');
  }
}

async function askWithoutFence(side: Side, bytes: Buffer, length: number) {
  await side.client.send(bytes);
  await side.client.waitFor((received) => received.length >= length);
  return { bytes: side.client.take(), end: 'open' as const };
}

function checkCases(name: string, skip: string | false, start: () => Promise<Side>): void {
  test(name, { skip }, async (suite) => {
    const side = await start();
    try {
      for (const [theme, list] of THEMES) {
        await suite.test(theme, async (group) => {
          for (const one of list) {
            await group.test(one.name, async () => {
              await play(side, one, []);
              const bytes = one.talk.reduce((sum, [request]) => sum + request.length, 0);
              if (bytes <= LONGEST_SINGLE_BYTES && one.closes !== true) {
                await play(side, one, 'bytes');
              }
            });
          }
        });
      }
    } finally {
      await side.stop();
    }
  });
}

const oracle = findMemcached() ?? '';
checkCases('memcached answers the fixed examples so', skipWithoutMemcached(), () =>
  Side.start(memcached(oracle, THEIR_FLAGS)),
);
checkCases('we answer the fixed examples so', false, () => Side.start(slabcached(FLAGS)));

test('a huge announced value blocks only its own connection', async () => {
  const side = await Side.start(slabcached(FLAGS));
  try {
    const stuck = await WireClient.connect(side.server.port);
    await stuck.send(Buffer.from('set k 0 0 2147483645\r\n'));
    const answer = await side.exchange(Buffer.from('get k\r\n'), []);
    assert.equal(answer.bytes.toString('latin1'), 'END\r\n');
    assert.equal(stuck.closed, false);
    stuck.destroy();
  } finally {
    await side.stop();
  }
});
