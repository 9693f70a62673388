/**
 * A cache in this thread, without sockets: what the unit tests of memory, cache and protocol use.
 */
import type { CacheConfig } from '../../src/cache/config.ts';
import { Store } from '../../src/cache/store.ts';
import { setTunables } from '../../src/cache/switches.ts';
import { startClock } from '../../src/memory/clock.ts';
import type { MemoryConfig } from '../../src/memory/config.ts';
import { claimConnection } from '../../src/memory/connections.ts';
import { createMemory, type Memory } from '../../src/memory/memory.ts';
import { Engine, FEED_CLOSE, FEED_MORE } from '../../src/protocol/engine.ts';
import type { EngineOptions, Host } from '../../src/protocol/host.ts';
import { type Origin, PLAIN_ORIGIN } from '../../src/protocol/origin.ts';
import { NO_REFERENCES, OUTPUT_BYTES } from '../../src/protocol/output.ts';
import type { Session } from '../../src/protocol/session.ts';

const MEGABYTE = 1024 * 1024;

/** What talks are answered in. */
const STORAGE = Buffer.alloc(OUTPUT_BYTES);

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
  workerLogBytes: 64 * 1024,
  watcherLogBytes: 256 * 1024,
  hashAlgorithm: 0,
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
  casEnabled: true,
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
  setTunables(memory, CACHE_DEFAULTS);
  return memory;
}

/**
 * The store of an actor: 0 main, 1 maintainer, 2 and on workers. What of the config is shared in
 * the memory becomes that of all its stores.
 */
export function makeStore(memory: Memory, config: Partial<CacheConfig> = {}, actor = 2): Store {
  const merged = { ...CACHE_DEFAULTS, ...config };
  if (Object.keys(config).length > 0) setTunables(memory, merged);
  return new Store(memory, merged, actor);
}

/** As a server without flags has them. */
const ENGINE_DEFAULTS: EngineOptions = {
  requestsPerEvent: 20,
  verbose: 0,
  dumpEnabled: true,
  dumpTimeout: 1800,
  shutdownEnabled: false,
  testCommands: false,
  watchEnabled: true,
};

/** An engine for a store, with a host that says nothing; `over` has what is to be different. */
export function makeEngine(
  store: Store,
  over: { host?: Partial<Host>; options?: Partial<EngineOptions> } = {},
): Engine {
  const host: Host = {
    versionText: '1.6.45',
    generalStats: () => [],
    refreshCertificates: () => 'Error TLS not enabled',
    settingsStats: () => [],
    setVerbosity: () => {},
    shutdown: () => {},
    log: () => {},
    ...over.host,
  };
  return new Engine(store, host, { ...ENGINE_DEFAULTS, ...over.options });
}

/** A connection to an engine whose replies are collected as text. */
export class Talk {
  readonly engine: Engine;
  readonly session: Session;
  closed = false;

  constructor(engine: Engine, origin: Origin = PLAIN_ORIGIN) {
    this.engine = engine;
    const { memory, actor } = engine.store;
    this.session = engine.open(claimConnection(memory, actor - 2, 'test', 'test'), origin);
  }

  /** Sends bytes and returns all that comes back. */
  send(input: Buffer | string): string {
    const bytes = typeof input === 'string' ? Buffer.from(input, 'latin1') : input;
    let replies = '';
    this.engine.output.aim(STORAGE, 0, NO_REFERENCES);
    let result = this.engine.feed(this.session, bytes, 0, bytes.length);
    for (;;) {
      replies += this.engine.output.view().toString('latin1');
      this.engine.output.reset();
      if (result === FEED_CLOSE) this.closed = true;
      if (result === FEED_CLOSE || result === FEED_MORE) return replies;
      result = this.engine.resume(this.session);
    }
  }
}
