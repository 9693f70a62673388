/**
 * A thread for tests of what threads share: it contends for a lock around a plain counter, or takes
 * cas ids. What it is to do comes as workerData.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { casHigh, nextCasLow } from '../../src/memory/cas.ts';
import { lock, RANK_CLASS, unlock } from '../../src/memory/lock.ts';

/** Adds 1 to a plain word under a lock; every step in between tells who is inside. */
export interface CountTask {
  readonly kind: 'count';
  readonly i32: Int32Array<SharedArrayBuffer>;
  readonly actor: number;
  readonly lockWord: number;
  readonly counterWord: number;
  readonly insideWord: number;
  readonly rounds: number;
}

/** Takes ids and writes them, as doubles, to `ids`. */
export interface CasTask {
  readonly kind: 'cas';
  readonly i32: Int32Array<SharedArrayBuffer>;
  readonly ids: Float64Array<SharedArrayBuffer>;
}

/** Returns how often somebody else was inside. */
function count(task: CountTask): number {
  const { i32, actor, lockWord, counterWord, insideWord, rounds } = task;
  let intruders = 0;
  for (let round = 0; round < rounds; round++) {
    lock(i32, lockWord, RANK_CLASS, actor);
    i32[insideWord] = actor;
    const seen = i32[counterWord];
    for (let step = 0; step < 5; step++) if (i32[insideWord] !== actor) intruders++;
    i32[counterWord] = seen + 1;
    unlock(i32, lockWord);
  }
  return intruders;
}

function takeIds({ i32, ids }: CasTask): number {
  for (let index = 0; index < ids.length; index++) {
    const low = nextCasLow(i32);
    ids[index] = (casHigh(i32, low) >>> 0) * 2 ** 32 + (low >>> 0);
  }
  return 0;
}

const task: CountTask | CasTask = workerData;
parentPort?.postMessage(task.kind === 'count' ? count(task) : takeIds(task));
