// What the bench prints and writes: a block for each row as it is done, a summary at the end in
// Markdown, and the same figures as JSON.

import { mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { dirname } from 'node:path';
import {
  DISTURBED_SHARE,
  isDisjoint,
  type Placement,
  type RowResult,
  type SideResult,
} from './rounds.ts';
import { describe, type Row } from './rows.ts';
import { type Program, sendsRepliesSingly } from './servers.ts';

/** From this share of its core on, the generator may be what limits a server less busy. */
const GENERATOR_LIMIT = 0.95;
const COLUMNS = [
  'ops/s',
  'server µs/op',
  'server busy',
  'p50 ms',
  'p99 ms',
  'p99.9 ms',
  'generator',
  'ops ×',
  'CPU ×',
  'p99 ×',
];

/** The lines before the first row: what is compared, and on what machine. */
export function heading(programs: readonly Program[]): string {
  const processor = cpus()[0]?.model ?? 'unknown processor';
  const lines = [
    `${availableParallelism()} cores (${processor}), Node ${process.version}`,
    ...programs.map((program) => `${program.name} ${program.version}`),
  ];
  return lines.join('\n');
}

/** What a reader must know about a row before believing it. */
export function caveats(row: Row, placement: Placement, programs: readonly Program[]): string[] {
  const notes = [];
  if (placement.server.length === 0) {
    notes.push('not pinned: servers and generator share the cores (no taskset, or one core)');
  } else if (!isDisjoint(placement)) {
    notes.push('no core is left for the generator alone: it shares them with the server');
  }
  const memcached = programs.find((program) => program.name === 'memcached');
  if (row.bareGets && memcached !== undefined && sendsRepliesSingly(memcached.version)) {
    notes.push(
      `memcached ${memcached.version} sends each reply of pipelined gets by itself (1.6.35 and` +
        ' later send them together): the meta rows and "multiget" are the fair comparison',
    );
  }
  return notes;
}

/** The block of one finished row. */
export function rowBlock(result: RowResult): string {
  const { sides } = result;
  const lines = [columns('', COLUMNS), ...sides.map((side) => columns(side.name, cells(side)))];
  lines.push(
    `  load average ${result.loadAverage.toFixed(2)}, generator over ${result.transport}, other` +
      ` processes took ${sides.map((side) => percent(side.othersBusy)).join(', ')} of a core`,
  );
  const starts = sides.map((side) => `${side.name} ${Math.round(side.startMs)} ms`);
  lines.push(`  from start to first answer: ${starts.join(', ')}`);
  for (const side of sides) {
    if (side.hitShare < 1) lines.push(`  ${side.name}: ${percent(side.hitShare)} hits`);
    if (result.row.evicting) lines.push(`  ${side.name}: ${evictions(side)}`);
    if (side.refused > 0) {
      lines.push(`  ${side.name}: ${thousands(side.refused)} sets refused for lack of memory`);
    }
    if (side.unsent > 0) lines.push(`  ${side.name}: ${side.unsent} requests came due unsent`);
  }
  if (result.repeatedRounds > 0) {
    lines.push(`  ${result.repeatedRounds} rounds were disturbed and measured again`);
  }
  if (sides.some((side) => (side.othersBusy ?? 0) >= DISTURBED_SHARE)) {
    lines.push('  disturbed: repeat this row on a quiet machine');
  }
  const open = result.row.workload.rate > 0;
  const limited = sides.filter(isGeneratorLimited);
  if (open) lines.push('  open loop: the generator polls, so its core is always busy');
  else if (limited.length > 0) {
    const names = limited.map((side) => side.name).join(' and ');
    lines.push(`  the generator was at its limit under ${names}: more may be possible`);
  }
  return lines.join('\n');
}

function evictions({ evictions: count }: SideResult): string {
  if (count === undefined) return 'stores nothing';
  return count === 0 ? 'nothing was evicted: the row shows nothing' : `${thousands(count)} evicted`;
}

function isGeneratorLimited({ generatorBusy, serverBusy, threads }: SideResult): boolean {
  const serverIdles = serverBusy === undefined || serverBusy < GENERATOR_LIMIT * threads;
  return generatorBusy >= GENERATOR_LIMIT && serverIdles;
}

function cells(side: SideResult): string[] {
  return [
    thousands(side.opsPerSecond),
    fixed(side.serverCpuMicrosPerOp, 2),
    percent(side.serverBusy),
    side.p50.toFixed(3),
    side.p99.toFixed(3),
    side.p999.toFixed(3),
    percent(side.generatorBusy),
    fixed(side.ratios?.throughput, 2),
    fixed(side.ratios?.cpu, 2),
    fixed(side.ratios?.p99, 2),
  ];
}

function columns(name: string, values: readonly string[]): string {
  const widths = [11, 14, 13, 9, 9, 10, 11, 8, 8, 8];
  return `  ${name.padEnd(25)}${values.map((value, i) => value.padStart(widths[i])).join('')}`;
}

/** All rows as one Markdown table; the ratios are to memcached, or to one thread. */
export function summary(results: readonly RowResult[]): string {
  const lines = [
    '| load | server | ops/s | CPU µs/op | p99 ms | ops/s ratio | CPU/op ratio | p99 ratio |',
    '|---|---|---:|---:|---:|---:|---:|---:|',
  ];
  for (const { row, sides } of results) {
    for (const [i, side] of sides.entries()) {
      const cells = [
        i === 0 ? `${row.name}: ${describe(row.workload)}` : '',
        side.name,
        thousands(side.opsPerSecond),
        fixed(side.serverCpuMicrosPerOp, 2),
        side.p99.toFixed(2),
        fixed(side.ratios?.throughput, 2),
        fixed(side.ratios?.cpu, 2),
        fixed(side.ratios?.p99, 2),
      ];
      lines.push(`| ${cells.join(' | ')} |`);
    }
  }
  return lines.join('\n');
}

/** Writes the results of a run as JSON; makes the folder when it is missing. */
export function writeJson(
  file: string,
  date: Date,
  programs: readonly Program[],
  results: readonly RowResult[],
): void {
  const versions = Object.fromEntries(programs.map(({ name, version }) => [name, version]));
  const report = {
    date: date.toISOString(),
    cores: availableParallelism(),
    processor: cpus()[0]?.model,
    versions: { node: process.version, ...versions },
    rows: results,
  };
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify(report, rounded, 2)}\n`);
}

/** Keeps six significant digits: more were not measured. */
function rounded(_key: string, value: unknown): unknown {
  return typeof value === 'number' && !Number.isInteger(value)
    ? Number(value.toPrecision(6))
    : value;
}

function thousands(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

function percent(share: number | undefined): string {
  return share === undefined ? '–' : `${(share * 100).toFixed(0)}%`;
}

function fixed(value: number | undefined, digits: number): string {
  return value === undefined ? '–' : value.toFixed(digits);
}
