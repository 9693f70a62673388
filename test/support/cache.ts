/**
 * A cache in this thread, without sockets: what the unit tests of memory, cache and protocol use.
 */
import type { CacheConfig } from '../../src/cache/config.ts';
import { Store } from '../../src/cache/store.ts';
import { startClock } from '../../src/memory/clock.ts';
import type { MemoryConfig } from '../../src/memory/config.ts';
import { claimConnection } from '../../src/memory/connections.ts';
import { createMemory, type Memory } from '../../src/memory/memory.ts';
import { Engine, FEED_CLOSE, FEED_MORE } from '../../src/protocol/engine.ts';
import type { Session } from '../../src/protocol/session.ts';

const MEGABYTE = 1024 * 1024;

/** memcached's defaults, with two workers. */
export const MEMORY_DEFAULTS: MemoryConfig = {
  memoryLimit: 64 * MEGABYTE,
  memoryMax: 64 * MEGABYTE,
  itemSizeMax: MEGABYTE,
  slabChunkMax: MEGABYTE / 2,
  growthFactor: 1.25,
  chunkSizeMin: 48,
  preallocate: false,
  workers: 2,
  maxConns: 64,
  hashPowerInit: 16,
};

/** memcached's defaults. */
export const CACHE_DEFAULTS: CacheConfig = {
  evictToFree: true,
  lruSegmented: true,
  lruMaintainer: true,
  lruCrawler: true,
  lruCrawlerSleepUs: 100,
  lruCrawlerToCrawl: 0,
  hotLruPct: 20,
  warmLruPct: 40,
  hotMaxFactor: 0.2,
  warmMaxFactor: 2,
  tempLru: false,
  temporaryTtl: 61,
  slabReassign: true,
  slabAutomove: 1,
  slabAutomoveRatio: 0.8,
  slabAutomoveWindow: 30,
  flushEnabled: true,
  tailRepairTime: 0,
  hashExpand: true,
  prefixDelimiter: ':',
  detailEnabled: false,
  trackSizes: false,
};

/** A fresh memory with its clock started. */
export function makeMemory(config: Partial<MemoryConfig> = {}): Memory {
  const merged = { ...MEMORY_DEFAULTS, ...config };
  const memory = createMemory({
    ...merged,
    memoryMax: Math.max(merged.memoryMax, merged.memoryLimit),
  });
  startClock(memory, Date.now());
  return memory;
}

/** The store of an actor: 0 main, 1 maintainer, 2 and on workers. */
export function makeStore(memory: Memory, config: Partial<CacheConfig> = {}, actor = 2): Store {
  return new Store(memory, { ...CACHE_DEFAULTS, ...config }, actor);
}

/** An engine for a store, with a host that says nothing. */
export function makeEngine(store: Store): Engine {
  const host = {
    versionText: '1.6.45',
    generalStats: () => [],
    refreshCertificates: () => 'Error TLS not enabled',
    settingsStats: () => [],
    setVerbosity: () => {},
    log: () => {},
  };
  return new Engine(store, host, { requestsPerEvent: 20, verbose: 0 });
}

/** A connection to an engine whose replies are collected as text. */
export class Talk {
  readonly engine: Engine;
  readonly session: Session;
  closed = false;

  constructor(engine: Engine) {
    this.engine = engine;
    const { memory, actor } = engine.store;
    this.session = engine.open(claimConnection(memory, actor - 2, 'test', 'test'));
  }

  /** Sends bytes and returns all that comes back. */
  send(input: Buffer | string): string {
    const bytes = typeof input === 'string' ? Buffer.from(input, 'latin1') : input;
    let replies = '';
    let result = this.engine.feed(this.session, bytes, bytes.length);
    for (;;) {
      replies += this.engine.output.view().toString('latin1');
      this.engine.output.reset();
      if (result === FEED_CLOSE) this.closed = true;
      if (result === FEED_CLOSE || result === FEED_MORE) return replies;
      result = this.engine.resume(this.session);
    }
  }
}
