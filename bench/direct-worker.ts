// A thread of the bench without sockets: serves prepared requests over the shared memory as fast as
// it can, for as long or as often as it is told.

import { PerformanceObserver } from 'node:perf_hooks';
import { getHeapStatistics } from 'node:v8';
import { parentPort, workerData } from 'node:worker_threads';
import { runMaintainer } from '../src/cache/maintainer.ts';
import { attachMemory } from '../src/memory/memory.ts';
import { DIALECTS } from './dialects.ts';
import { Items } from './items.ts';
import { type Distribution, Random, requestSequence } from './random.ts';
import { type Batch, CACHE_CONFIG, makeBatches, Rig } from './rig.ts';

/** Requests that each thread serves over and over. */
const SEQUENCE_LENGTH = 1 << 18;

export interface DirectSetup {
  readonly buffer: SharedArrayBuffer;
  /** -1 is the maintainer. */
  readonly worker: number;
  readonly workers: number;
  readonly slot: number;
  readonly keys: number;
  readonly valueLength: number;
  readonly setShare: number;
  readonly depth: number;
  readonly distribution: Distribution;
  /** A name of DIALECTS. */
  readonly dialect: string;
}

export type DirectRequest =
  | { readonly type: 'fill' }
  | { readonly type: 'run'; readonly ms: number }
  | { readonly type: 'allocations'; readonly ops: number };

/** What a thread answers: the ops it did, how long it took, and what it did to its heap. */
export interface DirectReply {
  readonly ops: number;
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly allocatedBytes: number;
  readonly heapGrowthBytes: number;
  readonly collections: number;
}

interface Work {
  readonly rig: Rig;
  readonly batches: readonly Batch[];
  readonly fill: readonly Batch[];
  next: number;
}

function prepare(setup: DirectSetup): Work {
  const { worker, workers, keys, depth, distribution, setShare } = setup;
  const random = new Random(1);
  const items = new Items(keys, [setup.valueLength], random);
  // One sequence for all, so that the threads agree on which keys are popular; each has its part.
  const length = SEQUENCE_LENGTH * workers;
  const sequence = requestSequence(length, keys, distribution, setShare, random);
  const part = sequence.subarray(worker * SEQUENCE_LENGTH, (worker + 1) * SEQUENCE_LENGTH);
  const dialect = DIALECTS[setup.dialect];
  const sets = Int32Array.from({ length: Math.ceil(keys / depth) * depth }, (_, i) => ~(i % keys));
  return {
    rig: new Rig(attachMemory(setup.buffer), worker, setup.slot, items, depth),
    batches: makeBatches(items, part, depth, dialect),
    fill: makeBatches(items, sets, depth, dialect),
    next: 0,
  };
}

/** Serves `count` batches, round and round. */
function serve(work: Work, count: number): void {
  const { rig, batches } = work;
  let next = work.next;
  for (let i = 0; i < count; i++) {
    rig.serve(batches[next]);
    if (++next === batches.length) next = 0;
  }
  work.next = next;
}

function answer(work: Work, depth: number, request: DirectRequest): DirectReply {
  work.rig.reading = request.type !== 'allocations';
  const observer = new PerformanceObserver(() => {});
  observer.observe({ entryTypes: ['gc'] });
  const heap = getHeapStatistics();
  const cpu = process.threadCpuUsage();
  const began = performance.now();
  let batches = 0;
  if (request.type === 'fill') {
    for (const batch of work.fill) work.rig.serve(batch);
    batches = work.fill.length;
  } else if (request.type === 'run') {
    const chunk = Math.ceil(2048 / depth);
    for (; performance.now() < began + request.ms; batches += chunk) serve(work, chunk);
  } else {
    batches = Math.ceil(request.ops / depth);
    serve(work, batches);
  }
  const seconds = (performance.now() - began) / 1000;
  const { user, system } = process.threadCpuUsage(cpu);
  const after = getHeapStatistics();
  const collections = observer.takeRecords().length;
  observer.disconnect();
  return {
    ops: batches * depth,
    seconds,
    cpuSeconds: (user + system) / 1e6,
    allocatedBytes: after.total_allocated_bytes - heap.total_allocated_bytes,
    heapGrowthBytes: after.used_heap_size - heap.used_heap_size,
    collections,
  };
}

const setup = workerData as DirectSetup;
if (setup.worker < 0) {
  runMaintainer(attachMemory(setup.buffer), CACHE_CONFIG);
} else {
  const work = prepare(setup);
  parentPort!.on('message', (request: DirectRequest) => {
    parentPort!.postMessage(answer(work, setup.depth, request));
  });
}
