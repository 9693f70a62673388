// The kinds of comparison run that speak text only, and what all kinds have in common: how both
// servers are started, which steps are taken, and how the time is shared among them.
import fc from 'fast-check';
import { type Launch, memcached, slabcached } from '../support/server.ts';
import type { Coverage } from './coverage.ts';
import type { SizeLimits } from './material.ts';
import { type Between, type Manners, Session } from './session.ts';
import { lossySteps, roomySteps, type Step } from './steps.ts';

export interface RunKind {
  readonly name: string;
  readonly flags: readonly string[];
  /** Flags for memcached only: without its background threads its answers depend on us alone. */
  readonly theirFlags: readonly string[];
  /** Flags for us only. */
  readonly ourFlags?: readonly string[];
  readonly theirEnvironment?: Readonly<Record<string, string>>;
  readonly limits: SizeLimits;
  readonly evicting: boolean;
  /** Lines that only these servers are asked, because others answer them differently. */
  readonly lines?: readonly string[];
  /** Steps that are left out if their text has this; AVOIDED in differences.ts says why. */
  readonly without?: RegExp;
  readonly manners?: Manners;
  /** Why the run cannot be made on this machine. */
  readonly skip?: string | undefined;
  /** Share of the whole time. */
  readonly share: number;
}

const NO_BACKGROUND = ['-o', 'no_lru_maintainer,no_lru_crawler'];
const SMALL_CHUNKS = [96, 120, 152, 240, 600, 1184];

export const RUN_KINDS: readonly RunKind[] = [
  {
    name: 'default sizes',
    flags: ['-m', '64', '-t', '2'],
    theirFlags: NO_BACKGROUND,
    limits: { itemSizeMax: 1024 * 1024, slabChunkMax: 512 * 1024, chunkSizes: SMALL_CHUNKS },
    evicting: false,
    share: 0.15,
  },
  {
    name: 'small item limit, chained items, no background threads',
    flags: ['-m', '64', '-t', '2', '-I', '8k', '-o', 'slab_chunk_max=2048', ...NO_BACKGROUND],
    theirFlags: [],
    limits: {
      itemSizeMax: 8192,
      slabChunkMax: 2048,
      chunkSizes: [96, 304, 1184, 1480, 4096, 6144],
    },
    evicting: false,
    share: 0.15,
  },
  {
    name: 'evicting',
    flags: ['-m', '2', '-t', '2', '-I', '64k', '-o', 'slab_chunk_max=16384'],
    theirFlags: NO_BACKGROUND,
    limits: { itemSizeMax: 65536, slabChunkMax: 16384, chunkSizes: [96, 944, 4544, 8880, 32768] },
    evicting: true,
    share: 0.12,
  },
  {
    name: 'full without eviction',
    flags: ['-M', '-m', '2', '-t', '2', '-I', '64k', '-o', 'slab_chunk_max=16384'],
    theirFlags: NO_BACKGROUND,
    limits: { itemSizeMax: 65536, slabChunkMax: 16384, chunkSizes: [96, 944, 4544, 8880, 32768] },
    evicting: true,
    share: 0.08,
  },
];

export interface RunLimits {
  readonly milliseconds: number;
  readonly runs: number;
  readonly seed: number | undefined;
  readonly path: string | undefined;
  readonly replayPath: string | undefined;
  /** False stops at the first failure without looking for a smaller one. */
  readonly shrink: boolean;
}

const USUAL_SEED = 16_045;
const USUAL_SECONDS = 110;

/**
 * From the environment: COMPARE_SECONDS for all kinds together, COMPARE_RUNS per kind, and
 * COMPARE_SEED, COMPARE_PATH and COMPARE_REPLAY_PATH to repeat a failure. Without a seed the runs
 * are the same every time, so that a failure is the fault of what was changed;
 * `COMPARE_SEED=random` (npm run compare) looks for new ones.
 */
export function limitsFromEnvironment(share: number): RunLimits {
  const { env } = process;
  const seconds = Number(env.COMPARE_SECONDS ?? USUAL_SECONDS);
  return {
    milliseconds: seconds * share * 1000,
    runs: Number(env.COMPARE_RUNS ?? 1_000_000),
    seed: env.COMPARE_SEED === 'random' ? undefined : Number(env.COMPARE_SEED ?? USUAL_SEED),
    path: env.COMPARE_PATH,
    replayPath: env.COMPARE_REPLAY_PATH,
    shrink: true,
  };
}

/** Our side of a comparison; COMPARE_SELF=1 puts a second memcached there to test the tests. */
export function ourLaunch(oracle: string, kind: RunKind): Launch {
  if (process.env.COMPARE_SELF === '1') return theirLaunch(oracle, kind);
  return slabcached([...kind.flags, ...(kind.ourFlags ?? [])]);
}

export function theirLaunch(oracle: string, kind: RunKind): Launch {
  const launch = memcached(oracle, [...kind.flags, ...kind.theirFlags]);
  return { ...launch, environment: kind.theirEnvironment };
}

/** The steps without those that this kind of run avoids. */
export function allowed<T>(
  { without }: RunKind,
  steps: ReadonlyArray<fc.Arbitrary<T>>,
): Array<fc.Arbitrary<T>> {
  return steps.map((step) => step.filter((one) => without?.test(String(one)) !== true));
}

const MOST_STEPS = 60;

/**
 * Runs random steps on a pair of servers until time or runs are used up; throws on a difference.
 */
export async function compareAtRandom(
  kind: RunKind,
  ours: Launch,
  theirs: Launch,
  limits: RunLimits,
  coverage: Coverage,
  between?: Between,
): Promise<void> {
  const { evicting, manners } = kind;
  const session = await Session.start({ ours, theirs, evicting, coverage, manners, between });
  const all: Array<fc.Arbitrary<Step>> = kind.evicting
    ? lossySteps(kind.limits)
    : roomySteps(kind.limits, kind.theirFlags.length === 0, kind.lines);
  const steps = allowed(kind, all);
  await explore(session, steps, limits, () => session.begin());
}

/** Random sequences of steps, each after `begin`, until time or runs are used up. */
export async function explore<S extends { stop(): Promise<void> }>(
  session: S,
  steps: Array<fc.Arbitrary<fc.AsyncCommand<object, S>>>,
  limits: RunLimits,
  begin: () => Promise<void>,
): Promise<void> {
  const replay = limits.replayPath === undefined ? {} : { replayPath: limits.replayPath };
  const property = fc.asyncProperty(
    fc.commands(steps, { maxCommands: MOST_STEPS, size: 'max', ...replay }),
    async (commands) => {
      await begin();
      await fc.asyncModelRun(() => ({ model: {}, real: session }), commands);
    },
  );
  try {
    await fc.assert(property, {
      numRuns: limits.runs,
      interruptAfterTimeLimit: limits.milliseconds,
      endOnFailure: !limits.shrink,
      ...(limits.seed === undefined ? {} : { seed: limits.seed }),
      ...(limits.path === undefined ? {} : { path: limits.path }),
    });
  } finally {
    await session.stop();
  }
}
