/**
 * What of the settings can change while serving: kept in shared memory, so that all threads follow
 * a change at once. Here they get their first values.
 */
import {
  HEAD_AUTOMOVE,
  HEAD_AUTOMOVE_RATIO_F64,
  HEAD_AUTOMOVE_WINDOW,
  HEAD_CRAWLER_SLEEP,
  HEAD_CRAWLER_TOCRAWL,
  HEAD_DETAIL_ENABLED,
  HEAD_HOT_FACTOR_F64,
  HEAD_HOT_PCT,
  HEAD_LRU_CRAWLER,
  HEAD_LRU_SEGMENTED,
  HEAD_TEMP_TTL,
  HEAD_WARM_FACTOR_F64,
  HEAD_WARM_PCT,
} from '../memory/layout.ts';
import type { Memory } from '../memory/memory.ts';
import type { CacheConfig } from './config.ts';
import { enableSizes } from './sizes.ts';

/** Sets everything as configured; main thread, before other threads start. */
export function setSwitches(memory: Memory, config: CacheConfig): void {
  memory.i32[HEAD_AUTOMOVE] = config.slabAutomove;
  memory.i32[HEAD_LRU_CRAWLER] = config.lruCrawler ? 1 : 0;
  memory.i32[HEAD_DETAIL_ENABLED] = config.detailEnabled ? 1 : 0;
  if (config.trackSizes) enableSizes(memory);
  setTunables(memory, config);
}

/** Sets the numbers that the policies read all the time: no cache works without them. */
export function setTunables(memory: Memory, config: CacheConfig): void {
  const { i32, f64 } = memory;
  i32[HEAD_LRU_SEGMENTED] = config.lruSegmented ? 1 : 0;
  i32[HEAD_HOT_PCT] = config.hotLruPct;
  i32[HEAD_WARM_PCT] = config.warmLruPct;
  f64[HEAD_HOT_FACTOR_F64] = config.hotMaxFactor;
  f64[HEAD_WARM_FACTOR_F64] = config.warmMaxFactor;
  i32[HEAD_TEMP_TTL] = config.tempLru ? config.temporaryTtl : -1;
  i32[HEAD_CRAWLER_SLEEP] = config.lruCrawlerSleepUs;
  i32[HEAD_CRAWLER_TOCRAWL] = config.lruCrawlerToCrawl;
  i32[HEAD_AUTOMOVE_WINDOW] = config.slabAutomoveWindow;
  f64[HEAD_AUTOMOVE_RATIO_F64] = config.slabAutomoveRatio;
}
