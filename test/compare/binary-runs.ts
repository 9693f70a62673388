// The kinds of binary comparison run: how both servers are started, which steps are taken, and what
// must have been seen in the end.
import type { Launch } from '../support/server.ts';
import { BinarySession } from './binary-session.ts';
import { binarySteps, lossyBinarySteps } from './binary-steps.ts';
import type { Coverage } from './coverage.ts';
import { allowed, explore, type RunKind, type RunLimits } from './runs.ts';
import type { Between } from './session.ts';

export interface BinaryRunKind extends RunKind {
  /** `mixed`: text requests come between. */
  readonly protocols: 'binary' | 'mixed';
}

const NO_BACKGROUND = ['-o', 'no_lru_maintainer,no_lru_crawler'];
export const BINARY_USUAL = {
  flags: ['-m', '64', '-t', '2'],
  theirFlags: NO_BACKGROUND,
  limits: {
    itemSizeMax: 1024 * 1024,
    slabChunkMax: 512 * 1024,
    chunkSizes: [96, 120, 152, 240, 600, 1184],
  },
  evicting: false,
};
const SMALL_ITEMS = {
  flags: ['-m', '64', '-t', '2', '-I', '8k', '-o', 'slab_chunk_max=2048', ...NO_BACKGROUND],
  theirFlags: [],
  limits: { itemSizeMax: 8192, slabChunkMax: 2048, chunkSizes: [96, 304, 1184, 1480, 4096, 6144] },
  evicting: false,
};
const EVICTING = {
  flags: ['-m', '2', '-t', '2', '-I', '64k', '-o', 'slab_chunk_max=16384'],
  theirFlags: NO_BACKGROUND,
  limits: { itemSizeMax: 65536, slabChunkMax: 16384, chunkSizes: [96, 944, 4544, 8880, 32768] },
  evicting: true,
};

export const BINARY_RUN_KINDS: readonly BinaryRunKind[] = [
  { ...BINARY_USUAL, name: 'binary', protocols: 'binary', share: 0.1 },
  {
    ...SMALL_ITEMS,
    name: 'binary with a small item limit and chained items',
    protocols: 'binary',
    share: 0.08,
  },
  { ...SMALL_ITEMS, name: 'binary and text on one keyspace', protocols: 'mixed', share: 0.1 },
  { ...EVICTING, name: 'binary and text, evicting', protocols: 'mixed', share: 0.06 },
];

/** Opcode and status of replies that the random runs must have seen from the real server. */
const REQUIRED_KINDS: readonly string[] = [
  ...['00: 00', '00: 01', '00: 04', '00: 81', '01: 00', '01: 01', '01: 02', '01: 03', '02: 02'],
  ...['03: 01', '04: 00', '04: 01', '04: 02', '05: 00', '05: 01', '05: 02', '05: 06', '06: 00'],
  ...['07: 00', '08: 00', '09: 00', '0a: 00', '0b: 00', '0c: 00', '0c: 01', '0d: 00', '0e: 00'],
  ...['0e: 02', '0e: 05', '0f: 00', '10: 00', '10: 01', '11: 02', '11: 03', '12: 02', '13: 01'],
  ...['14: 01', '15: 06', '16: 01', '19: 05', '1a: 05', '1c: 00', '1c: 01', '1d: 00', '1d: 01'],
  ...['1e: 00', '20: 81', '21: 81', '22: 81', '23: 00', '23: 01', '24: 00', '77: 81'],
].map((kind) => `binary ${kind}`);

export function missingKinds(coverage: Coverage): string[] {
  return [...REQUIRED_KINDS, 'binary closed'].filter((kind) => !coverage.has(kind));
}

/** Runs random steps on a pair of servers until time or runs are up; throws on a difference. */
export async function compareBinaryAtRandom(
  kind: BinaryRunKind,
  ours: Launch,
  theirs: Launch,
  limits: RunLimits,
  coverage: Coverage,
  between?: Between,
): Promise<void> {
  const { evicting, manners, limits: sizes } = kind;
  const session = await BinarySession.start({ ours, theirs, evicting, coverage, manners, between });
  const dumps = kind.theirFlags.length === 0;
  const all = evicting
    ? lossyBinarySteps(sizes)
    : binarySteps(sizes, kind.protocols === 'mixed', dumps, kind.lines);
  const steps = allowed(kind, all);
  await explore(session, steps, limits, () => session.begin(kind.protocols === 'binary'));
}
