/**
 * Recovery of a dead thread, tried again while another one that died with it, and whose turn comes
 * later, holds a lock that it needs.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { CacheConfig } from '../cache/config.ts';
import { recoverActor } from '../cache/recover.ts';
import { LockTimeout } from '../memory/lock.ts';
import type { Memory } from '../memory/memory.ts';

const TRIES = 25;
const RETRY_MS = 20;

/** False when the thread cannot be recovered, and with it the server. */
export async function recoverThread(
  memory: Memory,
  cache: CacheConfig,
  actor: number,
): Promise<boolean> {
  for (let tries = 0; tries < TRIES; tries++) {
    try {
      recoverActor(memory, cache, actor);
      return true;
    } catch (error) {
      if (!(error instanceof LockTimeout)) throw error;
    }
    await sleep(RETRY_MS);
  }
  return false;
}
