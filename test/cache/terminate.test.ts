/**
 * Threads are terminated at random moments, a worker or the maintainer, while the other goes on.
 * What they leave behind is repaired each time: nothing leaks, and no value is torn.
 *
 * KILLS raises the number of deaths.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { checkAll, Threads } from './threads.ts';
import { Picker } from './whole.ts';
import { MAINTAINER, WORKER_A } from './world.ts';

const KILLS = Number(process.env.KILLS ?? 40);
const SEED = Number(process.env.SEED ?? 1);

test(`${KILLS} threads are terminated in the middle of their work (seed ${SEED})`, async (t) => {
  const threads = new Threads(2);
  t.after(() => threads.stop());
  const picker = new Picker(SEED);
  await threads.start(WORKER_A, picker.below(1e9));
  await threads.start(MAINTAINER, picker.below(1e9));
  let found = 0;
  for (let kill = 0; kill < KILLS; kill++) {
    await sleep(1 + picker.below(25));
    const victim = picker.below(3) === 0 ? MAINTAINER : WORKER_A;
    await threads.kill(victim);
    const when = `kill ${kill}, of actor ${victim}`;
    await threads.still(() => {
      found += checkAll(threads.world, when);
    });
    await threads.start(victim, picker.below(1e9));
  }
  assert.ok(found > KILLS, 'the threads hardly stored anything');
});
