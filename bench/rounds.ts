// Runs one row: starts its servers, loads them in interleaved rounds from one load process, and
// reduces the rounds to medians.

import { availableParallelism, loadavg } from 'node:os';
import type { RoundResult } from './generator.ts';
import { LoadProcess } from './load-process.ts';
import type { Target } from './messages.ts';
import { replyLengths } from './null-server.ts';
import type { BenchOptions } from './options.ts';
import type { Row } from './rows.ts';
import {
  canPin,
  type Program,
  type Server,
  type ServerName,
  startServer,
  statOf,
} from './servers.ts';

const PREPARE_LIMIT_MS = 120_000;
const GRACE_MS = 15_000;
/** A first round that nobody counts: it lets the compilers of both sides settle. */
const SETTLE_MS = 1000;

/** From this share of a core on, other processes disturbed a round too much to trust its ops/s. */
export const DISTURBED_SHARE = 0.1;

/** A program with the flags that one side of a comparison runs it with. */
export interface Side {
  readonly program: Program;
  readonly threads: number;
}

/** Which cores the servers and the generator run on; empty: not pinned. */
export interface Placement {
  readonly server: readonly number[];
  readonly generator: readonly number[];
}

/** What one side did as a multiple of what the reference did, medians of the rounds. */
export interface Ratios {
  readonly throughput: number;
  /** Server processor time per op. */
  readonly cpu: number | undefined;
  readonly p99: number;
}

/** The median round of one side. Times are per op, shares are of one core. */
export interface SideResult {
  readonly name: string;
  readonly server: ServerName;
  readonly threads: number;
  readonly startMs: number;
  readonly opsPerSecond: number;
  readonly serverCpuMicrosPerOp: number | undefined;
  readonly serverBusy: number | undefined;
  readonly generatorBusy: number;
  /** What other processes took of the machine, as a share of one core. */
  readonly othersBusy: number | undefined;
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
  readonly hitShare: number;
  readonly unsent: number;
  /** Stores in all rounds that the server had no memory for. */
  readonly refused: number;
  /** Items evicted during the rounds, as far as the server tells. */
  readonly evictions: number | undefined;
  /** Against the row's reference, round by round; the reference itself has none. */
  readonly ratios: Ratios | undefined;
  readonly opsPerSecondByRound: readonly number[];
}

export interface RowResult {
  readonly row: Row;
  readonly placement: Placement;
  readonly transport: string;
  readonly sides: readonly SideResult[];
  readonly loadAverage: number;
  /** Rounds that other processes disturbed and that were measured again. */
  readonly repeatedRounds: number;
}

/** Keeps the generator off the servers' cores as long as there are enough. */
export function place(threads: number): Placement {
  const cores = availableParallelism();
  if (!canPin() || cores < 2) return { server: [], generator: [] };
  const all = Array.from({ length: cores }, (_, core) => core);
  if (threads >= cores) return { server: all, generator: all };
  return { server: all.slice(0, threads), generator: all.slice(threads) };
}

/** Whether servers and generator have cores of their own. */
export function isDisjoint(placement: Placement): boolean {
  const { server, generator } = placement;
  return server.length > 0 && server.every((core) => !generator.includes(core));
}

/** Runs a row and reports on the way; throws when a server or the generator fails. */
export async function runRow(
  row: Row,
  sides: readonly Side[],
  options: BenchOptions,
  report: (progress: string) => void,
): Promise<RowResult> {
  const placement = place(Math.max(...sides.map((side) => side.threads)));
  const servers: Server[] = [];
  const load = new LoadProcess(placement.generator);
  try {
    for (const side of sides) {
      const flags = serverFlags(side, row, options);
      servers.push(await startServer(side.program, flags, placement.server));
    }
    report('storing the items');
    const { workload } = row;
    const targets = servers.map((server) => targetOf(server, row));
    const { transport } = options;
    const ready = await load.ask(
      { type: 'prepare', workload, targets, transport },
      PREPARE_LIMIT_MS,
    );
    const before = await evictionsOf(servers);
    const { results: rounds, repeated } = await runRounds(load, sides, options, report);
    const after = await evictionsOf(servers);
    const reference = referenceOf(row, sides);
    return {
      row,
      placement,
      transport: ready.type === 'ready' ? ready.transport : '',
      sides: sides.map((side, i) => ({
        ...summarize(side, servers[i].startMs, rounds[i]),
        evictions: difference(before[i], after[i]),
        ratios: i === reference || reference < 0 ? undefined : ratios(rounds[i], rounds[reference]),
      })),
      loadAverage: loadavg()[0],
      repeatedRounds: repeated,
    };
  } finally {
    await load.close();
    for (const server of servers) await server.stop();
  }
}

function serverFlags(side: Side, row: Row, options: BenchOptions): string[] {
  if (side.program.server === 'null') {
    const { get, set } = replyLengths(row.workload)!;
    return [`--get-reply=${get}`, `--set-reply=${set}`];
  }
  const connections = row.workload.connections + 16;
  const flags = ['-t', String(side.threads), '-m', String(row.megabytes)];
  if (connections > 1024) flags.push('-c', String(connections));
  return [...flags, ...options.serverArgs];
}

function targetOf({ port, pid, program }: Server, row: Row): Target {
  const counted = program.server === 'null' ? replyLengths(row.workload) : undefined;
  return counted === undefined ? { port, pid } : { port, pid, counted };
}

/** Which side the others are compared with: memcached, or one thread; -1 when it is not there. */
function referenceOf(row: Row, sides: readonly Side[]): number {
  return row.opponent === 'one thread'
    ? sides.findIndex((side) => side.threads === 1)
    : sides.findIndex((side) => side.program.server === 'memcached');
}

async function evictionsOf(servers: readonly Server[]): Promise<(number | undefined)[]> {
  const found: (number | undefined)[] = [];
  for (const { port, program } of servers) {
    found.push(program.server === 'null' ? undefined : await statOf(port, 'evictions'));
  }
  return found;
}

interface Rounds {
  /** Results by side, then by round. */
  readonly results: readonly (readonly RoundResult[])[];
  readonly repeated: number;
}

/** Rounds of all sides in turn; every other turn runs backwards, so that a drift favours nobody. */
async function runRounds(
  load: LoadProcess,
  sides: readonly Side[],
  options: BenchOptions,
  report: (progress: string) => void,
): Promise<Rounds> {
  const results: RoundResult[][] = sides.map(() => []);
  const order = sides.map((_, i) => i);
  const run = async (target: number, warmupMs: number, measureMs: number): Promise<RoundResult> => {
    const request = { type: 'round', target, warmupMs, measureMs } as const;
    const limit = warmupMs + measureMs + GRACE_MS;
    const reply = await load.ask(request, limit).catch((error: Error) => {
      throw new Error(`${nameOf(sides[target])}: ${error.message}`);
    });
    if (reply.type !== 'result') throw new Error(`the load process answered ${reply.type}`);
    return reply.result;
  };
  report('settling');
  for (const target of order) await run(target, 0, Math.min(SETTLE_MS, options.roundMs));
  const repeatedMax = Math.floor(options.rounds / 2);
  let repeated = 0;
  for (let round = 1; round <= options.rounds; ) {
    const turn: RoundResult[] = [];
    for (const target of round % 2 === 1 ? order : order.toReversed()) {
      report(`round ${round}/${options.rounds}: ${nameOf(sides[target])}`);
      turn[target] = await run(target, options.warmupMs, options.roundMs);
    }
    if (repeated < repeatedMax && turn.some(isDisturbed)) {
      repeated++;
      continue;
    }
    for (const target of order) results[target].push(turn[target]);
    round++;
  }
  return { results, repeated };
}

function othersBusy(round: RoundResult): number {
  return (round.othersCpuSeconds ?? 0) / round.seconds;
}

function isDisturbed(round: RoundResult): boolean {
  return othersBusy(round) >= DISTURBED_SHARE;
}

/** The name of a side in the table. */
export function nameOf(side: Side): string {
  const { name, server } = side.program;
  return server === 'null' ? name : `${name} -t ${side.threads}`;
}

function summarize(
  side: Side,
  startMs: number,
  rounds: readonly RoundResult[],
): Omit<SideResult, 'evictions' | 'ratios'> {
  const middle = (of: (round: RoundResult) => number): number => median(rounds.map(of));
  const measured = rounds.every((round) => round.serverCpuSeconds !== undefined);
  const cpu = (round: RoundResult): number => round.serverCpuSeconds ?? 0;
  return {
    name: nameOf(side),
    server: side.program.server,
    threads: side.threads,
    startMs,
    opsPerSecond: middle((round) => round.ops / round.seconds),
    serverCpuMicrosPerOp: measured ? middle((round) => (cpu(round) * 1e6) / round.ops) : undefined,
    serverBusy: measured ? middle((round) => cpu(round) / round.seconds) : undefined,
    generatorBusy: middle((round) => round.generatorCpuSeconds / round.seconds),
    othersBusy: measured ? middle(othersBusy) : undefined,
    p50: middle((round) => round.p50),
    p99: middle((round) => round.p99),
    p999: middle((round) => round.p999),
    hitShare: middle((round) => {
      const { hits, misses } = round.counts;
      return hits + misses === 0 ? 1 : hits / (hits + misses);
    }),
    unsent: middle((round) => round.unsent),
    refused: rounds.reduce((sum, round) => sum + round.counts.refused, 0),
    opsPerSecondByRound: rounds.map((round) => Math.round(round.ops / round.seconds)),
  };
}

/** Rounds of one side against those of another that were measured beside them. */
export function ratios(rounds: readonly RoundResult[], reference: readonly RoundResult[]): Ratios {
  const ratio = (of: (round: RoundResult) => number): number =>
    median(rounds.map((round, i) => of(round) / of(reference[i])));
  const cpu = ratio((round) => (round.serverCpuSeconds ?? Number.NaN) / round.ops);
  return {
    throughput: ratio((round) => round.ops / round.seconds),
    cpu: Number.isNaN(cpu) ? undefined : cpu,
    p99: ratio((round) => round.p99),
  };
}

function difference(from: number | undefined, to: number | undefined): number | undefined {
  return from === undefined || to === undefined ? undefined : to - from;
}

/** The middle value, or the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >>> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
