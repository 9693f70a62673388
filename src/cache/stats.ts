/**
 * The cache's part of every `stats` subcommand, as (name, value) pairs with memcached's names and
 * meanings. Numbers are sums over all threads, read without stopping any.
 */

import { PAGE_BYTES } from '../memory/classes.ts';
import { clockStarted } from '../memory/clock.ts';
import { listConnections } from '../memory/connections.ts';
import {
  at,
  CHUNK_NEXT_I32,
  CLASS_CHUNK_BYTES_I32,
  CLASS_PAGES_I32,
  CLASS_PER_PAGE_I32,
  CLASS_USED_I32,
  HEAD_CRAWL_OWNER,
  HEAD_CRAWLER_RUNNING,
  HEAD_HASH_EXPANDING,
  HEAD_HASH_POWER,
  HEAD_MOVE_BUSY,
  HEAD_MOVE_RUNNING,
  HEAD_PAGE_COUNT,
  HEAD_PAGE_LIMIT,
  HEAD_PAGE_POOL_COUNT,
  HEAD_TEMP_TTL,
  ITEM_EXPTIME_I32,
  LRU_COLD,
  LRU_COUNT,
  LRU_HOT,
  LRU_TEMP,
  LRU_WARM,
} from '../memory/layout.ts';
import * as counters from './counters.ts';
import { idleSecondsOf, isKeyUnfit, keyAt, keyBytesOf, valueBytesOf } from './item.ts';
import { MOVE_BUSY_NAMES } from './mover.ts';
import type { Store } from './store.ts';

export type Stat = readonly [string, string];

/** Counters of threads by the name that `stats` gives them. */
const THREAD_COUNTERS: readonly [string, number][] = [
  ['cmd_get', counters.GET_CMDS],
  ['cmd_flush', counters.FLUSH_CMDS],
  ['cmd_touch', counters.TOUCH_CMDS],
  ['cmd_meta', counters.META_CMDS],
  ['get_misses', counters.GET_MISSES],
  ['get_expired', counters.GET_EXPIRED],
  ['get_flushed', counters.GET_FLUSHED],
  ['delete_misses', counters.DELETE_MISSES],
  ['incr_misses', counters.INCR_MISSES],
  ['decr_misses', counters.DECR_MISSES],
  ['cas_misses', counters.CAS_MISSES],
  ['touch_misses', counters.TOUCH_MISSES],
  ['store_too_large', counters.STORE_TOO_LARGE],
  ['store_no_memory', counters.STORE_NO_MEMORY],
  ['bytes_read', counters.BYTES_READ],
  ['bytes_written', counters.BYTES_WRITTEN],
  ['conn_yields', counters.CONN_YIELDS],
  ['total_items', counters.TOTAL_ITEMS],
  ['slab_reassign_rescues', counters.SLAB_RESCUES],
  ['slab_reassign_chunk_rescues', counters.SLAB_CHUNK_RESCUES],
  ['slab_reassign_evictions_nomem', counters.SLAB_EVICTIONS],
  ['slab_reassign_busy_items', counters.SLAB_BUSY],
  // Where memcached tries again, an item that finds no place is evicted.
  ['slab_reassign_busy_nomem', counters.SLAB_EVICTIONS],
  ['slabs_moved', counters.SLAB_MOVES],
  ['lru_crawler_starts', counters.CRAWLER_STARTS],
  ['lru_maintainer_juggles', counters.LRU_JUGGLES],
];

/** Counters per class, in the order of `stats slabs`; `stats` shows their sums. */
const CLASS_COUNTERS: readonly [string, number][] = [
  ['cmd_set', counters.CLASS_SET_CMDS],
  ['delete_hits', counters.CLASS_DELETE_HITS],
  ['incr_hits', counters.CLASS_INCR_HITS],
  ['decr_hits', counters.CLASS_DECR_HITS],
  ['cas_hits', counters.CLASS_CAS_HITS],
  ['cas_badval', counters.CLASS_CAS_BADVAL],
  ['touch_hits', counters.CLASS_TOUCH_HITS],
];

/** Item statistics, in the order of `stats items`. The flag: shown with a maintainer only. */
const ITEM_STATISTICS: readonly [string, number, boolean][] = [
  ['evicted', counters.ITEM_EVICTED, false],
  ['evicted_nonzero', counters.ITEM_EVICTED_NONZERO, false],
  ['evicted_time', counters.ITEM_EVICTED_TIME, false],
  ['outofmemory', counters.ITEM_OUTOFMEMORY, false],
  ['tailrepairs', counters.ITEM_TAILREPAIRS, false],
  ['reclaimed', counters.ITEM_RECLAIMED, false],
  ['expired_unfetched', counters.ITEM_EXPIRED_UNFETCHED, false],
  ['evicted_unfetched', counters.ITEM_EVICTED_UNFETCHED, false],
  ['evicted_active', counters.ITEM_EVICTED_ACTIVE, true],
  ['crawler_reclaimed', counters.ITEM_CRAWLER_RECLAIMED, false],
  ['crawler_items_checked', counters.ITEM_CRAWLER_CHECKED, false],
  ['lrutail_reflocked', counters.ITEM_LRUTAIL_REFLOCKED, false],
  ['moves_to_cold', counters.ITEM_MOVES_TO_COLD, true],
  ['moves_to_warm', counters.ITEM_MOVES_TO_WARM, true],
  ['moves_within_lru', counters.ITEM_MOVES_WITHIN, true],
  ['direct_reclaims', counters.ITEM_DIRECT_RECLAIMS, true],
];

/** Names that `stats` gives to item statistics where `stats items` has another. */
const TOTAL_NAMES: Readonly<Record<string, string>> = { evicted: 'evictions' };
const NOT_TOTALLED = new Set(['evicted_nonzero', 'evicted_time', 'outofmemory', 'tailrepairs']);

function getHits(store: Store, id: number): number {
  let sum = 0;
  for (let lru = 0; lru < LRU_COUNT; lru++) {
    sum += counters.sumClassCounter(store.memory, id, counters.CLASS_GET_HITS_HOT + lru);
  }
  return sum;
}

/**
 * Items and bytes of a tenant. Class by class under its lock: an item that is just being moved from
 * list to list must not be counted twice, or not at all.
 */
function exactTotals(store: Store, tenant: number): { items: number; bytes: number } {
  const { lists, slab } = store;
  const totals = { items: 0, bytes: 0 };
  for (let id = 1; id <= store.memory.classLargest; id++) {
    slab.lockClass(id);
    for (let lru = 0; lru < LRU_COUNT; lru++) {
      totals.items += lists.items(tenant, id, lru);
      totals.bytes += lists.bytes(tenant, id, lru);
    }
    slab.unlockClass(id);
  }
  return totals;
}

/** The cache's part of plain `stats`, in no particular order. */
export function cacheStats(store: Store, tenant: number): Stat[] {
  const { memory, lists, config } = store;
  const { i32 } = memory;
  const stats: [string, number][] = THREAD_COUNTERS.map(([name, counter]) => [
    name,
    counters.sumCounter(memory, counter),
  ]);
  const classes = Array.from({ length: memory.classLargest }, (_, index) => index + 1);
  const overClasses = (of: (id: number) => number): number =>
    classes.reduce((sum, id) => sum + of(id), 0);
  stats.push(['get_hits', overClasses((id) => getHits(store, id))]);
  for (const [name, counter] of CLASS_COUNTERS) {
    stats.push([name, overClasses((id) => counters.sumClassCounter(memory, id, counter))]);
  }
  for (const [name, statistic, maintainer] of ITEM_STATISTICS) {
    if (NOT_TOTALLED.has(name) || (maintainer && !config.lruMaintainer)) continue;
    const total = overClasses((id) => lists.statistic(tenant, id, statistic));
    stats.push([TOTAL_NAMES[name] ?? name, total]);
  }
  const totals = exactTotals(store, tenant);
  stats.push(
    ['limit_maxbytes', i32[HEAD_PAGE_LIMIT] * PAGE_BYTES],
    ['hash_power_level', i32[HEAD_HASH_POWER]],
    ['hash_bytes', 2 ** i32[HEAD_HASH_POWER] * 4],
    ['hash_is_expanding', i32[HEAD_HASH_EXPANDING]],
    ['slab_reassign_inline_reclaim', 0],
    ['slab_reassign_busy_deletes', 0],
    ['slab_reassign_running', i32[HEAD_MOVE_RUNNING]],
    ['lru_bumps_dropped', 0],
    ['lru_crawler_running', isCrawling(i32) ? 1 : 0],
    ['malloc_fails', 0],
    ['bytes', totals.bytes],
    ['curr_items', totals.items],
    ['slab_global_page_pool', i32[HEAD_PAGE_POOL_COUNT]],
  );
  const busy = MOVE_BUSY_NAMES[i32[HEAD_MOVE_BUSY]];
  const texts: Stat[] = stats.map(([name, value]) => [name, String(value)]);
  return [...texts, ['slab_reassign_last_busy_status', busy]];
}

/** Whether the crawler is at work, or a dump. */
function isCrawling(i32: Int32Array): boolean {
  return i32[HEAD_CRAWLER_RUNNING] !== 0 || i32[HEAD_CRAWL_OWNER] !== 0;
}

/** `stats slabs`. */
export function slabStats(store: Store): Stat[] {
  const { memory, slab } = store;
  const { i32 } = memory;
  const stats: Stat[] = [];
  let active = 0;
  for (let id = 1; id <= memory.classLargest; id++) {
    const word = slab.classWord(id);
    const pages = i32[word + CLASS_PAGES_I32];
    if (pages === 0) continue;
    active++;
    const total = pages * i32[word + CLASS_PER_PAGE_I32];
    const used = i32[word + CLASS_USED_I32];
    const rows: [string, number][] = [
      ['chunk_size', i32[word + CLASS_CHUNK_BYTES_I32]],
      ['chunks_per_page', i32[word + CLASS_PER_PAGE_I32]],
      ['total_pages', pages],
      ['total_chunks', total],
      ['used_chunks', used],
      ['free_chunks', total - used],
      ['free_chunks_end', 0],
      ['get_hits', getHits(store, id)],
    ];
    for (const [name, counter] of CLASS_COUNTERS) {
      rows.push([name, counters.sumClassCounter(memory, id, counter)]);
    }
    for (const [name, value] of rows) stats.push([`${id}:${name}`, String(value)]);
  }
  stats.push(['active_slabs', String(active)]);
  const pages = i32[HEAD_PAGE_COUNT] + i32[HEAD_PAGE_POOL_COUNT];
  stats.push(['total_malloced', String(pages * PAGE_BYTES)]);
  return stats;
}

/** `stats items`: classes that hold items. */
export function itemStats(store: Store, tenant: number): Stat[] {
  const { memory, lists, slab, config } = store;
  const { i32 } = memory;
  const stats: Stat[] = [];
  for (let id = 1; id <= memory.classLargest; id++) {
    slab.lockClass(id);
    const items = [0, 1, 2, 3].map((lru) => lists.items(tenant, id, lru));
    const bytes = [0, 1, 2, 3].reduce((sum, lru) => sum + lists.bytes(tenant, id, lru), 0);
    slab.unlockClass(id);
    const total = items.reduce((sum, number) => sum + number, 0);
    if (total === 0) continue;
    const rows: [string, number][] = [['number', total]];
    if (config.lruMaintainer) {
      rows.push(['number_hot', items[LRU_HOT]], ['number_warm', items[LRU_WARM]]);
      rows.push(['number_cold', items[LRU_COLD]]);
      if (i32[HEAD_TEMP_TTL] >= 0) rows.push(['number_temp', items[LRU_TEMP]]);
      rows.push(['age_hot', tailAge(store, tenant, id, LRU_HOT)]);
      rows.push(['age_warm', tailAge(store, tenant, id, LRU_WARM)]);
    }
    rows.push(['age', tailAge(store, tenant, id, LRU_COLD)]);
    rows.push(['mem_requested', bytes]);
    for (const [name, statistic, maintainer] of ITEM_STATISTICS) {
      if (maintainer && !config.lruMaintainer) continue;
      rows.push([name, lists.statistic(tenant, id, statistic)]);
    }
    if (config.lruMaintainer) {
      for (const [index, name] of ['hot', 'warm', 'cold', 'temp'].entries()) {
        const counter = counters.CLASS_GET_HITS_HOT + index;
        rows.push([`hits_to_${name}`, counters.sumClassCounter(memory, id, counter)]);
      }
    }
    for (const [name, value] of rows) stats.push([`items:${id}:${name}`, String(value)]);
  }
  return stats;
}

/** Seconds since the item at the tail of a list was last used; 0 if the list is empty. */
function tailAge(store: Store, tenant: number, id: number, lru: number): number {
  const tail = store.lists.tail(tenant, id, lru);
  if (tail === 0) return 0;
  const { i32 } = store.memory;
  return idleSecondsOf(i32, tail);
}

/** The connections' part of `stats conns`. */
export function connectionStats(store: Store): Stat[] {
  const stats: Stat[] = [];
  for (const connection of listConnections(store.memory)) {
    const { slot, listening, datagram } = connection;
    if (datagram) stats.push([`${slot}:UDP`, 'UDP']);
    stats.push([`${slot}:addr`, connection.peer]);
    if (!listening && !datagram) stats.push([`${slot}:listen_addr`, connection.listener]);
    stats.push([`${slot}:state`, listening ? 'conn_listening' : 'conn_read']);
    stats.push([`${slot}:secs_since_last_cmd`, String(connection.secondsSinceLastCommand)]);
  }
  return stats;
}

const CACHEDUMP_BYTES_MAX = 2 * 1024 * 1024;

/** `stats cachedump`: lines for items of a class's COLD list, at most `limit` (0: no limit). */
export function cacheDump(store: Store, tenant: number, id: number, limit: number): string {
  const { memory, lists, slab } = store;
  const { i32, u8 } = memory;
  const lines: string[] = [];
  let bytes = 0;
  if (id >= 1 && id <= memory.classLargest) {
    slab.lockClass(id);
    let ref = lists.head(tenant, id, LRU_COLD);
    while (ref !== 0 && (limit === 0 || lines.length < limit)) {
      const item = ref;
      ref = i32[at(item) + CHUNK_NEXT_I32];
      // A key that may hold line ends is left out, as memcached does with those from base64.
      if (isKeyUnfit(i32, u8, item)) continue;
      const start = keyAt(i32, item);
      const key = u8.toString('latin1', start, start + keyBytesOf(i32, item));
      const exptime = i32[at(item) + ITEM_EXPTIME_I32];
      const moment = exptime === 0 ? 0 : exptime + clockStarted(memory);
      const line = `ITEM ${key} [${valueBytesOf(i32, item)} b; ${moment} s]\r\n`;
      bytes += line.length;
      if (bytes > CACHEDUMP_BYTES_MAX) break;
      lines.push(line);
    }
    slab.unlockClass(id);
  }
  return `${lines.join('')}END\r\n`;
}

/** `stats reset`: counters start again; what describes the present state stays. */
export function resetStats(store: Store, tenant: number): void {
  counters.resetCounters(store.memory);
  for (let id = 1; id <= store.memory.classLargest; id++) {
    store.slab.lockClass(id);
    store.lists.doResetStatistics(tenant, id);
    store.slab.unlockClass(id);
  }
}
