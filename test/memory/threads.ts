/** Threads that do a small task over shared memory, for the tests of locks and cas ids. */
import { once } from 'node:events';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { casHigh, nextCasLow } from '../../src/memory/cas.ts';
import { lock, RANK_STRIPE, unlock } from '../../src/memory/lock.ts';

export interface Task {
  readonly task: 'count' | 'countUnlocked' | 'cas';
  readonly i32: Int32Array;
  readonly actor: number;
  readonly rounds: number;
}

const COUNTER = 8;

/** Runs a task in a thread of its own; resolves with its result when the thread has ended. */
export async function startThread(task: Task): Promise<bigint[]> {
  const worker = new Worker(new URL(import.meta.url), { workerData: task });
  const [[result]] = await Promise.all([once(worker, 'message'), once(worker, 'exit')]);
  return result;
}

/** Runs a task in several threads at once. */
export function inThreads(count: number, taskOf: (actor: number) => Task): Promise<bigint[][]> {
  return Promise.all(Array.from({ length: count }, (_, index) => startThread(taskOf(index + 2))));
}

function count({ i32, actor, rounds }: Task): void {
  for (let i = 0; i < rounds; i++) {
    lock(i32, 0, RANK_STRIPE, actor);
    i32[COUNTER] = i32[COUNTER] + 1;
    unlock(i32, 0);
  }
}

function countUnlocked({ i32, rounds }: Task): void {
  for (let i = 0; i < rounds; i++) i32[COUNTER] = i32[COUNTER] + 1;
}

function takeIds({ i32, rounds }: Task): bigint[] {
  return Array.from({ length: rounds }, () => {
    const low = nextCasLow(i32);
    return (BigInt(casHigh(i32, low) >>> 0) << 32n) | BigInt(low >>> 0);
  });
}

if (!isMainThread && parentPort !== null) {
  const task = workerData as Task;
  let result: bigint[] = [];
  if (task.task === 'count') count(task);
  else if (task.task === 'countUnlocked') countUnlocked(task);
  else result = takeIds(task);
  parentPort.postMessage(result);
}
