// The loads that the bench knows by name, and what each of them is there to show.

import type { Workload } from './messages.ts';

/** One line of the table: a load, and what is compared under it. */
export interface Row {
  readonly name: string;
  readonly workload: Workload;
  /** Worker threads (-t) of both servers. */
  readonly threads: number;
  /**
   * `memcached`: slabcached against memcached with the same flags. `one thread`: slabcached with
   * `threads` against slabcached with one.
   */
  readonly opponent: 'memcached' | 'one thread';
  /** Whether memcached before 1.6.35 is at a disadvantage here that current releases are not. */
  readonly bareGets: boolean;
}

const PLAIN: Workload = {
  connections: 50,
  depth: 1,
  keysPerGet: 1,
  meta: false,
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
    opponent: 'memcached',
    bareGets: hasBareGets(workload),
    ...rest,
  };
}

/** Pipelined gets of one key: what memcached before 1.6.35 answers one by one. */
export function hasBareGets({ depth, keysPerGet, meta }: Workload): boolean {
  return depth > 1 && keysPerGet === 1 && !meta;
}

/** The rows of a run without any flag, in order. */
export const DEFAULT_ROWS = [
  'unpipelined',
  'pipelined',
  'multiget',
  'meta',
  'many',
  'zipf',
  'pipelined-zipf',
  'threads',
];

/** All rows that --profile knows. */
export const ROWS: readonly Row[] = [
  row('unpipelined', {}),
  row('pipelined', { depth: 16 }),
  row('multiget', { keysPerGet: 16 }),
  row('meta', { depth: 16, meta: true }),
  row('many', { connections: 200 }),
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
  const { connections, depth, keysPerGet, meta, setShare, valueLengths, distribution } = workload;
  const parts = [`${connections} conns`, `depth ${depth}`];
  if (meta) parts.push('mg');
  if (keysPerGet > 1) parts.push(`${keysPerGet}-key gets`);
  const sets = Math.round(setShare * 100);
  parts.push(`${100 - sets}/${sets}`, `${valueLengths.join(',')} B`);
  parts.push(distribution.kind === 'zipf' ? `zipf ${distribution.exponent}` : 'uniform');
  if (workload.rate > 0) parts.push(`open loop ${workload.rate}/s`);
  return parts.join(', ');
}
