// Real concurrent histories on 1, 2 and 4 threads are linearizable per key: with room for
// everything strictly, and under memory pressure but for items that vanish and stay away.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findMemcached, skipWithoutMemcached } from '../support/oracle.ts';
import { type Launch, memcached, slabcached, startServer } from '../support/server.ts';
import { type Spoil, startProxy } from '../support/tamper.ts';
import {
  type CheckOptions,
  describeHistory,
  isLinearizable,
  type Operation,
  shortestViolation,
  splitByKey,
} from './checker.ts';
import { keepFilling, recordHistory } from './record.ts';

/** LINEARIZABLE_ROUNDS sets how many histories each test records. */
const ROUNDS = Number(process.env.LINEARIZABLE_ROUNDS ?? 25);
const CLIENTS = 8;
const OPERATIONS_PER_CLIENT = 60;
const KEYS_PER_ROUND = 4;

function check(history: readonly Operation[], options: CheckOptions): void {
  for (const one of splitByKey(history).values()) {
    const violation = shortestViolation(one, options);
    if (violation !== undefined) {
      assert.fail(
        `not linearizable, the last reply is the one too many:\n${describeHistory(violation)}`,
      );
    }
  }
}

/** Keys never used before, so that every history begins with an absent item. */
function freshKeys(round: number): string[] {
  return Array.from({ length: KEYS_PER_ROUND }, (_, at) => `r${round}k${at}`);
}

async function strictRounds(launch: Launch): Promise<number> {
  const server = await startServer(launch);
  let operations = 0;
  try {
    for (let round = 0; round < ROUNDS; round++) {
      const history = await recordHistory({
        port: server.port,
        clients: CLIENTS,
        operationsPerClient: OPERATIONS_PER_CLIENT,
        keys: freshKeys(round),
        padding: 0,
      });
      check(history, { mayVanish: false });
      operations += history.length;
    }
  } finally {
    await server.stop();
  }
  return operations;
}

/**
 * Values of 12 KB, about 85 to a page, and fillers of the same class that push them out of 2 MB.
 */
const PRESSURE_PADDING = 12_000;
const PRESSURE_FLAGS = ['-m', '2', '-I', '64k', '-o', 'slab_chunk_max=16384'];

interface PressureResult {
  readonly fillers: number;
  /** Histories in which an item was seen to vanish. */
  readonly evicted: number;
}

async function pressureRounds(launch: Launch): Promise<PressureResult> {
  const server = await startServer(launch);
  let evicted = 0;
  let fillers = 0;
  try {
    for (let round = 0; round < ROUNDS; round++) {
      let over = false;
      const filling = keepFilling(server.port, PRESSURE_PADDING, () => over);
      const history = await recordHistory({
        port: server.port,
        clients: CLIENTS,
        operationsPerClient: OPERATIONS_PER_CLIENT,
        keys: freshKeys(round),
        padding: PRESSURE_PADDING,
      });
      over = true;
      fillers += await filling;
      check(history, { mayVanish: true });
      const histories = [...splitByKey(history).values()];
      evicted += histories.filter((one) => !isLinearizable(one, { mayVanish: false })).length;
    }
  } finally {
    await server.stop();
  }
  return { fillers, evicted };
}

for (const threads of [1, 2, 4]) {
  test(`strictly linearizable on ${threads} threads`, async (t) => {
    const operations = await strictRounds(slabcached(['-m', '64', '-t', String(threads)]));
    t.diagnostic(`${operations} operations checked`);
  });
}

for (const threads of [1, 2, 4]) {
  test(`linearizable but for evictions on ${threads} threads`, async (t) => {
    const launch = slabcached([...PRESSURE_FLAGS, '-t', String(threads)]);
    const { fillers, evicted } = await pressureRounds(launch);
    t.diagnostic(`${evicted} histories with evictions, ${fillers} fillers stored meanwhile`);
    assert.ok(evicted > 0, 'no watched item was ever evicted: the test shows nothing');
  });
}

const skip = skipWithoutMemcached();
const oracle = findMemcached() ?? '';

test('memcached passes the same checks', { skip }, async () => {
  await strictRounds(memcached(oracle, ['-m', '64', '-t', '4']));
  const { evicted } = await pressureRounds(memcached(oracle, [...PRESSURE_FLAGS, '-t', '4']));
  assert.ok(evicted > 0);
});

/** Hands out an old reply to a get once in a while, as a cache without coherence would. */
function staleReads(): Spoil {
  let old: Buffer | undefined;
  let seen = 0;
  return (reply) => {
    if (!reply.toString('latin1').startsWith('VALUE r0k0 ')) return reply;
    seen += 1;
    if (seen === 5) old = Buffer.from(reply);
    return seen === 30 && old !== undefined ? old : reply;
  };
}

test('a single stale read is found', { skip }, async () => {
  const server = await startServer(memcached(oracle, []));
  const proxy = await startProxy(server.port, staleReads());
  try {
    const history = await recordHistory({
      port: proxy.port,
      clients: CLIENTS,
      operationsPerClient: OPERATIONS_PER_CLIENT,
      keys: ['r0k0'],
      padding: 0,
    });
    assert.equal(proxy.spoiled(), 1);
    assert.throws(() => check(history, { mayVanish: true }), /not linearizable/);
  } finally {
    await proxy.close();
    await server.stop();
  }
});
