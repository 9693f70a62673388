/**
 * One, two and four workers and the maintainer work on one small cache at once, with evictions and
 * page moves all the time. Whenever they stand still, every invariant holds and every value is
 * whole.
 *
 * SEED chooses another run.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { sumCounter, TOTAL_ITEMS } from '../../src/cache/counters.ts';
import { checkAll, Threads } from './threads.ts';
import { Picker } from './whole.ts';
import { MAINTAINER, WORKER_A } from './world.ts';

const SEED = Number(process.env.SEED ?? 1);
const HALTS = 12;
const WORK_MS = 150;

for (const workers of [1, 2, 4]) {
  test(`${workers} workers leave a whole cache whenever they halt (seed ${SEED})`, async (t) => {
    const threads = new Threads(Math.max(workers, 2));
    t.after(() => threads.stop());
    const picker = new Picker(SEED);
    for (let worker = 0; worker < workers; worker++) {
      await threads.start(WORKER_A + worker, picker.below(1e9));
    }
    await threads.start(MAINTAINER, picker.below(1e9));
    const { memory } = threads.world;
    for (let halt = 0; halt < HALTS; halt++) {
      const before = sumCounter(memory, TOTAL_ITEMS);
      await sleep(WORK_MS);
      await threads.still(() => {
        checkAll(threads.world, `halt ${halt}`);
      });
      assert.ok(sumCounter(memory, TOTAL_ITEMS) > before, 'nothing was stored meanwhile');
    }
  });
}
