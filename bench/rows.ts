// The loads that the bench knows by name, and what each of them is there to show.

import type { Workload } from './messages.ts';

/** What is to be reached, as ratios to memcached: more throughput, less of the others. */
export interface Goal {
  readonly throughput: number;
  /** Server processor time per op. */
  readonly cpu: number;
  readonly p99: number;
}

/** One line of the table: a load, and what is compared under it. */
export interface Row {
  readonly name: string;
  readonly workload: Workload;
  /** Worker threads (-t) of the servers. */
  readonly threads: number;
  /** -m of the servers. */
  readonly megabytes: number;
  /**
   * `servers`: slabcached and others with the same flags. `one thread`: slabcached with `threads`
   * against slabcached with one.
   */
  readonly opponent: 'servers' | 'one thread';
  /** Whether memcached before 1.6.35 is at a disadvantage here that current releases are not. */
  readonly bareGets: boolean;
  /** Whether it shows anything only when items are evicted. */
  readonly evicting: boolean;
  readonly goal: Goal | undefined;
}

const PLAIN: Workload = {
  connections: 50,
  depth: 1,
  keysPerGet: 1,
  protocol: 'text',
  rate: 0,
  keys: 100_000,
  valueLengths: [100],
  setShare: 0.1,
  distribution: { kind: 'uniform', exponent: 0 },
  seed: 1,
};
const ZIPF = { kind: 'zipf', exponent: 1 } as const;

function row(name: string, changes: Partial<Workload>, rest: Partial<Row> = {}): Row {
  const workload = { ...PLAIN, ...changes };
  return {
    name,
    workload,
    threads: 1,
    megabytes: 1024,
    opponent: 'servers',
    bareGets: hasBareGets(workload),
    evicting: false,
    goal: undefined,
    ...rest,
  };
}

function goal(throughput: number, cpu: number): Pick<Row, 'goal'> {
  return { goal: { throughput, cpu, p99: 1 } };
}

/** Pipelined gets of one key, not by meta commands: what memcached before 1.6.35 answers singly. */
export function hasBareGets({ depth, keysPerGet, protocol }: Workload): boolean {
  return depth > 1 && keysPerGet === 1 && protocol !== 'meta';
}

/** The rows of a run without any flag, in order. */
export const DEFAULT_ROWS = [
  'unpipelined',
  'many',
  'meta-pipelined',
  'multiget',
  'values-10k',
  'values-100k',
  'evicting',
  'binary',
  'meta',
  'one',
  'pipelined',
  'zipf',
  'threads',
];

/** All rows that --profile knows. */
export const ROWS: readonly Row[] = [
  row('unpipelined', {}, goal(1.2, 0.87)),
  row('many', { connections: 200 }, goal(1.2, 0.8)),
  row('meta-pipelined', { depth: 16, protocol: 'meta' }, goal(1.4, 0.75)),
  row('multiget', { keysPerGet: 100 }, goal(1.3, 0.8)),
  row('values-10k', { keys: 10_000, valueLengths: [10_240] }, goal(1, 1)),
  row('values-100k', { keys: 2000, valueLengths: [102_400] }, goal(1, 1)),
  row(
    'evicting',
    { setShare: 1, keys: 1_000_000 },
    { megabytes: 64, evicting: true, ...goal(1, 1) },
  ),
  row('binary', { protocol: 'binary' }, goal(1.2, 0.8)),
  row('meta', { protocol: 'meta' }, goal(1.2, 0.8)),
  row('one', { connections: 1 }, goal(1, 1)),
  row('pipelined', { depth: 16 }),
  row('binary-pipelined', { depth: 16, protocol: 'binary' }),
  row('zipf', { distribution: ZIPF }),
  row('pipelined-zipf', { depth: 16, distribution: ZIPF }),
  row('threads', {}, { threads: 2, opponent: 'one thread' }),
  row('threads-pipelined', { depth: 16 }, { threads: 2, opponent: 'one thread' }),
  row('writes', { setShare: 0.5 }),
  row('large', { keys: 10_000, valueLengths: [4096] }),
  row('mixed-sizes', { distribution: ZIPF, valueLengths: [16, 64, 256, 1024, 4096] }),
];

/** The row that flags alone describe. */
export const CUSTOM_ROW: Row = row('custom', {});

/** A short text of a load for the table. */
export function describe(workload: Workload): string {
  const { connections, depth, keysPerGet, setShare, valueLengths, distribution } = workload;
  const parts = [`${connections} conn${connections === 1 ? '' : 's'}`, `depth ${depth}`];
  if (workload.protocol !== 'text') parts.push(workload.protocol);
  if (keysPerGet > 1) parts.push(`${keysPerGet}-key gets`);
  const sets = Math.round(setShare * 100);
  parts.push(`${100 - sets}/${sets}`, `${valueLengths.join(',')} B`);
  parts.push(distribution.kind === 'zipf' ? `zipf ${distribution.exponent}` : 'uniform');
  if (workload.rate > 0) parts.push(`open loop ${workload.rate}/s`);
  return parts.join(', ');
}
