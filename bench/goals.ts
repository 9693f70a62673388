// Holds what was measured against the goals of the rows, and says of each whether it was reached.
// A goal is never asserted: it depends on the machine, and is printed.

import type { RowResult, SideResult } from './rounds.ts';
import type { Goal } from './rows.ts';

/** How far epoll may be behind io_uring; it may not be worse than memcached either. */
const EPOLL_ALLOWANCE = 0.1;

/** The goal for one server of a row; undefined when nothing is expected of it. */
export function goalOf(goal: Goal | undefined, server: string): Goal | undefined {
  if (goal === undefined) return undefined;
  if (server === 'io_uring' || server === 'slabcached') return goal;
  if (server !== 'epoll') return undefined;
  return {
    throughput: Math.max(1, rounded(goal.throughput - EPOLL_ALLOWANCE)),
    cpu: Math.min(1, rounded(goal.cpu + EPOLL_ALLOWANCE)),
    p99: goal.p99,
  };
}

/** Rounding to the digits that are printed: what looks reached is reached. */
function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}

function judged(value: number | undefined, goal: number, atLeast: boolean): string {
  const sign = atLeast ? '≥' : '≤';
  if (value === undefined) return `– (${sign} ${goal})`;
  const reached = atLeast ? rounded(value) >= goal : rounded(value) <= goal;
  return `${value.toFixed(2)} (${sign} ${goal}${reached ? '' : ', **no**'})`;
}

function isReached({ ratios }: SideResult, goal: Goal): boolean {
  return (
    ratios !== undefined &&
    rounded(ratios.throughput) >= goal.throughput &&
    rounded(ratios.cpu ?? Number.NaN) <= goal.cpu &&
    rounded(ratios.p99) <= goal.p99
  );
}

/** All goals of these results as a Markdown table; empty when there are none. */
export function goalsTable(results: readonly RowResult[]): string {
  const lines = [];
  for (const { row, sides } of results) {
    for (const side of sides) {
      const goal = goalOf(row.goal, side.server);
      if (goal === undefined || side.ratios === undefined) continue;
      const { throughput, cpu, p99 } = side.ratios;
      const cells = [
        row.name,
        side.name,
        judged(throughput, goal.throughput, true),
        judged(cpu, goal.cpu, false),
        judged(p99, goal.p99, false),
        isReached(side, goal) ? 'reached' : 'not reached',
      ];
      lines.push(`| ${cells.join(' | ')} |`);
    }
  }
  if (lines.length === 0) return '';
  return [
    '| load | server | throughput (goal) | CPU/op (goal) | p99 (goal) | all three |',
    '|---|---|---|---|---|---|',
    ...lines,
  ].join('\n');
}
