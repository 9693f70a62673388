/**
 * What of the settings can change while serving: kept in shared memory, so that all threads follow
 * a change at once. Here they get their first values.
 */
import { HEAD_AUTOMOVE, HEAD_DETAIL_ENABLED, HEAD_LRU_CRAWLER } from '../memory/layout.ts';
import type { Memory } from '../memory/memory.ts';
import type { CacheConfig } from './config.ts';
import { enableSizes } from './sizes.ts';

/** Sets the switches as configured; main thread, before other threads start. */
export function setSwitches(memory: Memory, config: CacheConfig): void {
  memory.i32[HEAD_AUTOMOVE] = config.slabAutomove;
  memory.i32[HEAD_LRU_CRAWLER] = config.lruCrawler ? 1 : 0;
  memory.i32[HEAD_DETAIL_ENABLED] = config.detailEnabled ? 1 : 0;
  if (config.trackSizes) enableSizes(memory);
}
