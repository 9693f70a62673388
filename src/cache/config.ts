/** The settings that concern the cache; sent to every thread at its start. */
export interface CacheConfig {
  /** False with -M: a full cache answers with an error instead of evicting. */
  readonly evictToFree: boolean;
  /** HOT/WARM/COLD lists; false is one list per class in plain LRU order. */
  readonly lruSegmented: boolean;
  readonly lruMaintainer: boolean;
  readonly lruCrawler: boolean;
  /** Pause of the crawler between batches, microseconds. */
  readonly lruCrawlerSleepUs: number;
  /** Items the crawler looks at per run and class; 0 is all. */
  readonly lruCrawlerToCrawl: number;
  readonly hotLruPct: number;
  readonly warmLruPct: number;
  /** HOT and WARM items older than this factor of the COLD tail's age move to COLD. */
  readonly hotMaxFactor: number;
  readonly warmMaxFactor: number;
  readonly tempLru: boolean;
  /** Items that live at most this many seconds go to the TEMP list, if tempLru. */
  readonly temporaryTtl: number;
  readonly slabReassign: boolean;
  readonly slabAutomove: 0 | 1 | 2;
  readonly slabAutomoveRatio: number;
  readonly slabAutomoveWindow: number;
  readonly flushEnabled: boolean;
  /** False with -C: items have the cas id 0. */
  readonly casEnabled: boolean;
  readonly tailRepairTime: number;
  readonly hashExpand: boolean;
  /** Delimiter between prefix and rest of a key in `stats detail`. */
  readonly prefixDelimiter: string;
  readonly detailEnabled: boolean;
  /** Histogram of item sizes for `stats sizes` from the start on. */
  readonly trackSizes: boolean;
}
