// `npm run bench:direct`: protocol and store without sockets. Shows how much two workers on one
// shared memory do compared with one, and that serving allocates nothing. --commands says in which
// dialect (dialects.ts), --memory how many MB there are: with --sets 1 and few of them sets evict.

import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { requestMaintainerStop } from '../src/cache/orders.ts';
import { tickClock } from '../src/memory/clock.ts';
import { DIALECTS } from './dialects.ts';
import type { DirectReply, DirectRequest, DirectSetup } from './direct-worker.ts';
import { machineBusySeconds } from './proc.ts';
import type { Distribution } from './random.ts';
import { claimSlot, createCache } from './rig.ts';
import { median } from './rounds.ts';

const WORKERS = 2;
const ENTRY = new URL('./direct-worker.ts', import.meta.url);
const UNIFORM: Distribution = { kind: 'uniform', exponent: 0 };
const ZIPF: Distribution = { kind: 'zipf', exponent: 1 };

interface Load {
  readonly keys: number;
  readonly valueLength: number;
  readonly setShare: number;
  readonly depth: number;
  readonly distribution: Distribution;
  readonly dialect: string;
  readonly megabytes: number;
}

/** Workers over one memory, with the maintainer at work and the clock running. */
class Workers {
  readonly #threads: Worker[];
  readonly #stop: () => Promise<void>;

  constructor(load: Load) {
    const memory = createCache(load.megabytes, WORKERS);
    const began = performance.now();
    const timer = setInterval(() => tickClock(memory, performance.now() - began), 1000);
    const start = (worker: number): Worker => {
      const slot = worker < 0 ? -1 : claimSlot(memory, worker);
      const shared = { buffer: memory.buffer, worker, workers: WORKERS, slot };
      const workerData: DirectSetup = { ...shared, ...load };
      return new Worker(ENTRY, { workerData });
    };
    this.#threads = Array.from({ length: WORKERS }, (_, worker) => start(worker));
    const maintainer = start(-1);
    const maintainerEnded = once(maintainer, 'exit');
    this.#stop = async () => {
      clearInterval(timer);
      requestMaintainerStop(memory);
      await maintainerEnded;
    };
  }

  /** Has the first `count` workers answer a request at the same time. */
  async ask(count: number, request: DirectRequest): Promise<DirectReply[]> {
    const asked = this.#threads.slice(0, count);
    return await Promise.all(
      asked.map(async (thread) => {
        const reply = once(thread, 'message');
        thread.postMessage(request);
        return (await reply)[0] as DirectReply;
      }),
    );
  }

  async stop(): Promise<void> {
    await this.#stop();
    await Promise.all(this.#threads.map((thread) => thread.terminate()));
  }
}

/** Ops per second of all threads together. */
function throughput(replies: readonly DirectReply[]): number {
  return replies.reduce((sum, { ops, seconds }) => sum + ops / seconds, 0);
}

/** One worker and two in turn; prints the medians. */
async function scaling(load: Load, rounds: number, roundMs: number): Promise<void> {
  const workers = new Workers(load);
  await workers.ask(1, { type: 'fill' });
  await workers.ask(WORKERS, { type: 'run', ms: roundMs });
  const others = watchOthers();
  const single: number[] = [];
  const double: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const order = round % 2 === 0 ? [1, 2] : [2, 1];
    for (const count of order) {
      const replies = await workers.ask(count, { type: 'run', ms: roundMs });
      (count === 1 ? single : double).push(throughput(replies));
    }
  }
  const disturbance = others();
  await workers.stop();
  const ratio = median(double.map((ops, round) => ops / single[round]));
  const name = load.distribution.kind === 'uniform' ? 'uniform' : 'zipf 1.0';
  console.log(
    `${name.padEnd(10)} 1 worker ${millions(median(single))}, ` +
      `2 workers ${millions(median(double))}: ${ratio.toFixed(2)} times${disturbance}`,
  );
}

/** Starts to watch what other processes take; the answer is a text, empty without /proc. */
function watchOthers(): () => string {
  const machine = machineBusySeconds();
  const own = process.cpuUsage();
  const began = performance.now();
  return () => {
    const machineNow = machineBusySeconds();
    if (machine === undefined || machineNow === undefined) return '';
    const { user, system } = process.cpuUsage(own);
    const others = Math.max(0, machineNow - machine - (user + system) / 1e6);
    const share = others / ((performance.now() - began) / 1000);
    return ` (other processes took ${(share * 100).toFixed(0)}% of a core)`;
  };
}

/** Has one worker serve `ops` requests and prints what that did to its heap. */
async function allocations(load: Load, ops: number): Promise<void> {
  const workers = new Workers(load);
  await workers.ask(1, { type: 'fill' });
  // The compilers must be done: what they allocate is not the requests'.
  await workers.ask(1, { type: 'allocations', ops: Math.ceil(ops / 4) });
  const [reply] = await workers.ask(1, { type: 'allocations', ops });
  await workers.stop();
  console.log(
    `${load.depth} per read event: ${reply.ops.toLocaleString('en-US')} ops allocated ` +
      `${reply.allocatedBytes.toLocaleString('en-US')} bytes ` +
      `(${(reply.allocatedBytes / reply.ops).toFixed(4)} per op), heap grew by ` +
      `${reply.heapGrowthBytes.toLocaleString('en-US')} bytes, ${reply.collections} collections, ` +
      `${((reply.cpuSeconds * 1e9) / reply.ops).toFixed(0)} ns of CPU per op`,
  );
}

function millions(opsPerSecond: number): string {
  return `${(opsPerSecond / 1e6).toFixed(2)} M ops/s`;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      keys: { type: 'string', default: '100000' },
      value: { type: 'string', default: '100' },
      sets: { type: 'string', default: '0.1' },
      depth: { type: 'string', default: '16' },
      rounds: { type: 'string', default: '5' },
      seconds: { type: 'string', default: '1' },
      ops: { type: 'string', default: '10000000' },
      commands: { type: 'string', default: 'classic' },
      memory: { type: 'string', default: '1024' },
    },
  });
  const load: Load = {
    keys: Number(values.keys),
    valueLength: Number(values.value),
    setShare: Number(values.sets),
    depth: Number(values.depth),
    distribution: UNIFORM,
    dialect: values.commands,
    megabytes: Number(values.memory),
  };
  const dialects = Object.keys(DIALECTS);
  if (!dialects.includes(load.dialect)) {
    throw new RangeError(`--commands must be one of ${dialects.join(', ')}, not ${load.dialect}`);
  }
  console.log(
    `protocol and store without sockets, ${availableParallelism()} cores, Node ${process.version}`,
  );
  console.log(
    `${load.dialect} commands, ${load.keys} keys, ${load.valueLength}-byte values, ` +
      `${Math.round(load.setShare * 100)}% sets, ${load.depth} requests per read event`,
  );
  const rounds = Number(values.rounds);
  const roundMs = Number(values.seconds) * 1000;
  await scaling(load, rounds, roundMs);
  await scaling({ ...load, distribution: ZIPF }, rounds, roundMs);
  await allocations({ ...load, depth: 1 }, Number(values.ops));
  await allocations(load, Number(values.ops));
}

await main();
