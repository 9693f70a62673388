/**
 * The statistics, by the names of the groups that a client can ask for, in memcached's order. The
 * protocols differ only in how they frame names and values.
 */

import { disableSizes, enableSizes, sizesHistogram } from '../cache/sizes.ts';
import {
  cacheStats,
  connectionStats,
  itemStats,
  resetStats,
  type Stat,
  slabStats,
} from '../cache/stats.ts';
import { HEAD_DETAIL_ENABLED, HEAD_LRU_CRAWLER } from '../memory/layout.ts';
import type { Engine } from './engine.ts';

/** The order of plain `stats`; what the server adds of its own follows. */
const GENERAL_ORDER = (
  'pid uptime time version libevent pointer_size rusage_user rusage_system max_connections ' +
  'curr_connections total_connections rejected_connections connection_structures ' +
  'response_obj_oom response_obj_count response_obj_bytes read_buf_count read_buf_bytes ' +
  'read_buf_bytes_free read_buf_oom reserved_fds cmd_get cmd_set cmd_flush cmd_touch cmd_meta ' +
  'get_hits get_misses get_expired get_flushed delete_misses delete_hits incr_misses incr_hits ' +
  'decr_misses decr_hits cas_misses cas_hits cas_badval touch_hits touch_misses ' +
  'store_too_large store_no_memory auth_cmds auth_errors idle_kicks bytes_read bytes_written ' +
  'limit_maxbytes accepting_conns listen_disabled_num time_in_listen_disabled_us threads ' +
  'conn_yields hash_power_level hash_bytes hash_is_expanding slab_reassign_rescues ' +
  'slab_reassign_chunk_rescues slab_reassign_evictions_nomem slab_reassign_inline_reclaim ' +
  'slab_reassign_busy_items slab_reassign_busy_deletes slab_reassign_busy_nomem ' +
  'slab_reassign_last_busy_status slab_reassign_running slabs_moved ' +
  'lru_crawler_running lru_crawler_starts lru_maintainer_juggles malloc_fails ' +
  'log_worker_dropped log_worker_written log_watcher_skipped log_watcher_sent log_watchers ' +
  'ssl_new_sessions ssl_handshake_errors ssl_proto_errors time_since_server_cert_refresh ' +
  'unexpected_napi_ids round_robin_fallback bytes curr_items total_items ' +
  'slab_global_page_pool expired_unfetched evicted_unfetched evicted_active evictions ' +
  'reclaimed crawler_reclaimed crawler_items_checked lrutail_reflocked moves_to_cold ' +
  'moves_to_warm moves_within_lru direct_reclaims lru_bumps_dropped'
).split(' ');

export class Statistics {
  private readonly engine: Engine;

  constructor(engine: Engine) {
    this.engine = engine;
  }

  /** A group of statistics: '' is plain `stats`. Null when there is none of this name. */
  group(name: string, tenant: number): Iterable<Stat> | null {
    const { host, store } = this.engine;
    switch (name) {
      case '':
        return this.general(tenant);
      case 'settings':
        return host.settingsStats();
      case 'conns':
        return connectionStats(store);
      case 'items':
        return itemStats(store, tenant);
      case 'slabs':
        return slabStats(store);
      case 'sizes':
        return this.sizes();
      case 'extstore':
        // There is no external storage, and memcached without any answers so.
        return [];
      default:
        return null;
    }
  }

  /** `stats reset`. */
  reset(tenant: number): void {
    resetStats(this.engine.store, tenant);
    this.engine.prefixes.clear();
  }

  /** `stats sizes_enable` and `stats sizes_disable`. */
  trackSizes(on: boolean): Stat[] {
    const { memory, config } = this.engine.store;
    // Items are told by their cas ids from those that were there before.
    if (on && !config.casEnabled) {
      return [
        ['sizes_status', 'error'],
        ['sizes_error', 'cas_support_disabled'],
      ];
    }
    if (on) enableSizes(memory);
    else disableSizes(memory);
    return [['sizes_status', on ? 'enabled' : 'disabled']];
  }

  /** Whether `stats detail` is allowed; not with -X. */
  get detailAllowed(): boolean {
    return this.engine.options.dumpEnabled;
  }

  /** `stats detail on` and `stats detail off`. */
  setDetail(on: boolean): void {
    this.engine.store.memory.i32[HEAD_DETAIL_ENABLED] = on ? 1 : 0;
  }

  /** `stats detail dump`: lines of its own form. */
  detailDump(): string {
    return this.engine.prefixes.dump();
  }

  /** Plain `stats`: the server's numbers and the cache's, in memcached's order. */
  private general(tenant: number): Stat[] {
    const { host, store } = this.engine;
    const values = new Map<string, string>(cacheStats(store, tenant));
    for (const [name, value] of host.generalStats()) values.set(name, value);
    const { config } = store;
    const hidden = (name: string): boolean =>
      (!config.slabReassign && /^slab_reassign_|^slabs_moved$/.test(name)) ||
      (store.memory.i32[HEAD_LRU_CRAWLER] === 0 && /^lru_crawler_/.test(name)) ||
      (!config.lruMaintainer && /^lru_(maintainer_juggles|bumps_dropped)$/.test(name));
    const stats: Stat[] = [];
    for (const name of GENERAL_ORDER) {
      const value = values.get(name);
      values.delete(name);
      if (value !== undefined && !hidden(name)) stats.push([name, value]);
    }
    return [...stats, ...values];
  }

  private sizes(): Stat[] {
    const histogram = sizesHistogram(this.engine.store.memory);
    if (histogram === null) return [['sizes_status', 'disabled']];
    return histogram.map(([size, items]) => [String(size), String(items)]);
  }
}
