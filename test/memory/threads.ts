/** Runs contenders (contender.ts) side by side and collects what they say. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { CasTask, CountTask } from './contender.ts';

/** One thread per task; resolves when all have ended, with the number that each reported. */
export async function runThreads(tasks: readonly (CasTask | CountTask)[]): Promise<number[]> {
  return await Promise.all(
    tasks.map(async (task) => {
      const worker = new Worker(new URL('./contender.ts', import.meta.url), { workerData: task });
      const [[answer]] = await Promise.all([once(worker, 'message'), once(worker, 'exit')]);
      return Number(answer);
    }),
  );
}
