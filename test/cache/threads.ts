/** Starts threads that work on a shared cache (killed.ts), and looks at it while they are still. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { CONTROL_COUNT, CONTROL_STILL, type KilledData } from './killed.ts';
import { isWhole, WHOLE_KEYS } from './whole.ts';
import { read, World } from './world.ts';

/** Threads that work on one small cache, until they are told to stand still or are killed. */
export class Threads {
  readonly world: World;
  readonly control = new Int32Array(new SharedArrayBuffer(8));
  private readonly running = new Map<number, Worker>();
  private readonly failures: unknown[] = [];

  constructor(workers: number, megabytes = 6) {
    const bytes = megabytes * 2 ** 20;
    this.world = new World({ memoryLimit: bytes, memoryMax: bytes, workers });
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

/** Audits the cache, and that every value in it is whole; returns how many there are. */
export function checkAll(world: World, when: string): number {
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
