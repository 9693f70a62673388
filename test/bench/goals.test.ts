// Goals are held against what is printed: reached, or not and by how much.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { goalOf, goalsTable } from '../../bench/goals.ts';
import type { Ratios, RowResult } from '../../bench/rounds.ts';
import { ROWS } from '../../bench/rows.ts';
import type { ServerName } from '../../bench/servers.ts';

const GOAL = { throughput: 1.2, cpu: 0.87, p99: 1 };

function result(sides: readonly (readonly [ServerName, Ratios | undefined])[]): RowResult {
  const [row] = ROWS;
  return {
    row: { ...row, goal: GOAL },
    placement: { server: [0], generator: [1] },
    transport: 'io_uring',
    sides: sides.map(([server, ratios]) => ({
      name: `${server} -t 1`,
      server,
      threads: 1,
      startMs: 1,
      opsPerSecond: 1,
      serverCpuMicrosPerOp: 1,
      serverBusy: 1,
      generatorBusy: 1,
      othersBusy: 0,
      p50: 1,
      p99: 1,
      p999: 1,
      hitShare: 1,
      unsent: 0,
      refused: 0,
      evictions: 0,
      ratios,
      opsPerSecondByRound: [1],
    })),
    loadAverage: 0,
    repeatedRounds: 0,
  };
}

test('epoll may be a little behind io_uring, but no worse than memcached', () => {
  assert.deepEqual(goalOf(GOAL, 'io_uring'), GOAL);
  assert.deepEqual(goalOf(GOAL, 'epoll'), { throughput: 1.1, cpu: 0.97, p99: 1 });
  const even = { throughput: 1, cpu: 1, p99: 1 };
  assert.deepEqual(goalOf(even, 'epoll'), even);
  for (const server of ['node', 'memcached', 'null'] as const) {
    assert.equal(goalOf(GOAL, server), undefined);
  }
});

test('the table says which goals were reached', () => {
  const table = goalsTable([
    result([
      ['io_uring', { throughput: 1.196, cpu: 0.874, p99: 1 }],
      ['epoll', { throughput: 1.3, cpu: 0.98, p99: 1.2 }],
      ['memcached', undefined],
      ['null', { throughput: 2, cpu: 0.5, p99: 0.5 }],
    ]),
  ]);
  const name = ROWS[0].name;
  assert.deepEqual(table.split('\n').slice(2), [
    `| ${name} | io_uring -t 1 | 1.20 (≥ 1.2) | 0.87 (≤ 0.87) | 1.00 (≤ 1) | reached |`,
    `| ${name} | epoll -t 1 | 1.30 (≥ 1.1) | 0.98 (≤ 0.97, **no**) | 1.20 (≤ 1, **no**) |` +
      ' not reached |',
  ]);
});

test('without a comparison there is no table', () => {
  assert.equal(goalsTable([result([['io_uring', undefined]])]), '');
});
