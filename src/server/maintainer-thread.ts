/**
 * The thread of the cache's maintainer. It sleeps in Atomics.wait between its rounds, so its event
 * loop never turns: stop requests reach it through the shared memory.
 */
import { workerData } from 'node:worker_threads';
import type { CacheConfig } from '../cache/config.ts';
import { runMaintainer } from '../cache/maintainer.ts';
import { attachMemory } from '../memory/memory.ts';

/** What the thread is started with. */
export interface MaintainerData {
  readonly memory: SharedArrayBuffer;
  readonly cache: CacheConfig;
}

const { memory, cache } = workerData as MaintainerData;
runMaintainer(attachMemory(memory), cache);
