/**
 * Threads are terminated at random moments, a worker or the maintainer, while the other goes on.
 * What they leave behind is repaired each time: nothing leaks, and no value is torn.
 *
 * KILLS raises the number of deaths.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { CONTROL_COUNT, CONTROL_STILL, type KilledData } from './killed.ts';
import { isWhole, Picker, WHOLE_KEYS } from './whole.ts';
import { MAINTAINER, read, WORKER_A, World } from './world.ts';

const KILLS = Number(process.env.KILLS ?? 40);
const SEED = Number(process.env.SEED ?? 1);

class Threads {
  readonly world: World;
  readonly control = new Int32Array(new SharedArrayBuffer(8));
  private readonly running = new Map<number, Worker>();
  private readonly failures: unknown[] = [];

  constructor() {
    this.world = new World({ memoryLimit: 6 * 2 ** 20, memoryMax: 6 * 2 ** 20 });
  }

  async start(actor: number, seed: number): Promise<void> {
    const workerData: KilledData = {
      buffer: this.world.memory.buffer,
      control: this.control,
      actor,
      seed,
    };
    const worker = new Worker(new URL('./killed.ts', import.meta.url), { workerData });
    worker.on('error', (error) => this.failures.push(error));
    this.running.set(actor, worker);
    await once(worker, 'message');
  }

  async kill(actor: number): Promise<void> {
    const worker = this.running.get(actor);
    this.running.delete(actor);
    await worker?.terminate();
    assert.deepEqual(this.failures, []);
    this.world.recover(actor);
  }

  /** Runs `inspect` while all threads stand still. */
  async still(inspect: () => void): Promise<void> {
    Atomics.store(this.control, CONTROL_STILL, 1);
    while (Atomics.load(this.control, CONTROL_COUNT) < this.running.size) {
      await sleep(1);
      assert.deepEqual(this.failures, []);
    }
    inspect();
    Atomics.store(this.control, CONTROL_STILL, 0);
    Atomics.notify(this.control, CONTROL_STILL);
    while (Atomics.load(this.control, CONTROL_COUNT) > 0) await sleep(1);
  }

  async stop(): Promise<void> {
    for (const worker of this.running.values()) await worker.terminate();
  }
}

function checkAll(world: World, when: string): number {
  assert.deepEqual(world.audit(), [], when);
  let found = 0;
  for (const key of WHOLE_KEYS) {
    const value = read(world.b, key);
    if (value === null) continue;
    found++;
    assert.ok(isWhole(key, value), `${when}: ${key} holds ${value.slice(0, 60)}`);
  }
  assert.deepEqual(world.audit(), [], `${when}, after reading`);
  return found;
}

test(`${KILLS} threads are terminated in the middle of their work (seed ${SEED})`, async (t) => {
  const threads = new Threads();
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
