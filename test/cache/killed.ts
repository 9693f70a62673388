/**
 * A thread that works on a shared cache without pause until it is terminated: a worker that sends
 * itself requests, or the maintainer. All values say themselves whether they are whole.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { Maintainer } from '../../src/cache/maintainer.ts';
import { PageMover } from '../../src/cache/mover.ts';
import { atomicAdd, atomicLoad, atomicWait } from '../../src/memory/atomics.ts';
import { CLASS_PAGES_I32 } from '../../src/memory/layout.ts';
import { attachMemory } from '../../src/memory/memory.ts';
import { CACHE_DEFAULTS, makeEngine, makeStore, Talk } from '../support/cache.ts';
import { Picker, randomRequest } from './whole.ts';
import { MAINTAINER } from './world.ts';

/** Words of the control array: 1 asks everybody to stand still; how many do. */
export const CONTROL_STILL = 0;
export const CONTROL_COUNT = 1;

export interface KilledData {
  readonly buffer: SharedArrayBuffer;
  readonly control: Int32Array;
  readonly actor: number;
  readonly seed: number;
}

function standStill(control: Int32Array): void {
  if (atomicLoad(control, CONTROL_STILL) === 0) return;
  atomicAdd(control, CONTROL_COUNT, 1);
  while (atomicLoad(control, CONTROL_STILL) !== 0) atomicWait(control, CONTROL_STILL, 1, 50);
  atomicAdd(control, CONTROL_COUNT, -1);
}

function work({ buffer, control, actor, seed }: KilledData): void {
  const memory = attachMemory(buffer);
  const picker = new Picker(seed);
  const talk = new Talk(makeEngine(makeStore(memory, {}, actor)));
  parentPort?.postMessage('ready');
  for (;;) {
    standStill(control);
    talk.send(randomRequest(picker));
  }
}

function maintain({ buffer, control, seed }: KilledData): void {
  const memory = attachMemory(buffer);
  const picker = new Picker(seed);
  const maintainer = new Maintainer(memory, CACHE_DEFAULTS);
  const { slab } = maintainer.store;
  const mover = new PageMover(maintainer.store, () => {});
  parentPort?.postMessage('ready');
  for (;;) {
    standStill(control);
    maintainer.round();
    const rich: number[] = [];
    for (let id = 1; id <= memory.classLargest; id++) {
      if (memory.i32[slab.classWord(id) + CLASS_PAGES_I32] > 1) rich.push(id);
    }
    const to = 1 + picker.below(memory.classLargest);
    if (rich.length > 0) mover.move(rich[picker.below(rich.length)], to);
    maintainer.crawler.crawl(1 + picker.below(memory.classLargest));
  }
}

if (parentPort !== null) {
  const data = workerData as KilledData;
  if (data.actor === MAINTAINER) maintain(data);
  else work(data);
}
