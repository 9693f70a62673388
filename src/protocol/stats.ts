/** The `stats` command: its subcommands, and the order in which memcached prints things. */

import { disableSizes, enableSizes, sizesHistogram } from '../cache/sizes.ts';
import {
  cacheDump,
  cacheStats,
  connectionStats,
  itemStats,
  resetStats,
  type Stat,
  slabStats,
} from '../cache/stats.ts';
import { CLASS_COUNT_MAX } from '../memory/classes.ts';
import { HEAD_DETAIL_ENABLED } from '../memory/layout.ts';
import type { Engine } from './engine.ts';
import {
  BAD_COMMAND_LINE,
  BAD_DETAIL,
  BAD_FORMAT,
  BAD_SLAB_ID,
  ERROR_LINE,
  OK_LINE,
  RESET_LINE,
} from './replies.ts';
import type { Session } from './session.ts';

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
  'slab_reassign_busy_items slab_reassign_busy_deletes slab_reassign_running slabs_moved ' +
  'lru_crawler_running lru_crawler_starts lru_maintainer_juggles malloc_fails ' +
  'log_worker_dropped log_worker_written log_watcher_skipped log_watcher_sent log_watchers ' +
  'ssl_new_sessions ssl_handshake_errors ssl_proto_errors time_since_server_cert_refresh ' +
  'unexpected_napi_ids round_robin_fallback bytes curr_items total_items ' +
  'slab_global_page_pool expired_unfetched evicted_unfetched evicted_active evictions ' +
  'reclaimed crawler_reclaimed crawler_items_checked lrutail_reflocked moves_to_cold ' +
  'moves_to_warm moves_within_lru direct_reclaims lru_bumps_dropped'
).split(' ');

export class StatsCommand {
  private readonly engine: Engine;

  constructor(engine: Engine) {
    this.engine = engine;
  }

  /** Executes `stats ...`, whose tokens are cut. */
  execute(session: Session): void {
    const { engine } = this;
    const { tokens, store } = engine;
    if (tokens.count === 1) return this.replyStats(session, this.general(session.tenant));
    switch (tokens.text(1)) {
      case 'reset':
        resetStats(store, session.tenant);
        engine.prefixes.clear();
        return engine.reply(session, RESET_LINE);
      case 'detail':
        return this.detail(session);
      case 'settings':
        return this.replyStats(session, engine.host.settingsStats());
      case 'cachedump':
        return this.cachedump(session);
      case 'conns':
        return this.replyStats(session, connectionStats(store));
      case 'items':
        return this.replyStats(session, itemStats(store, session.tenant));
      case 'slabs':
        return this.replyStats(session, slabStats(store));
      case 'sizes':
        return this.replyStats(session, this.sizes());
      case 'sizes_enable':
        enableSizes(store.memory);
        return this.replyLines(session, 'STAT sizes_status enabled\r\n');
      case 'sizes_disable':
        disableSizes(store.memory);
        return this.replyLines(session, 'STAT sizes_status disabled\r\n');
      default:
        return engine.reply(session, ERROR_LINE);
    }
  }

  /** Plain `stats`: the server's numbers and the cache's, in memcached's order. */
  private general(tenant: number): Stat[] {
    const { host, store } = this.engine;
    const values = new Map<string, string>(cacheStats(store, tenant));
    for (const [name, value] of host.generalStats()) values.set(name, value);
    const { config } = store;
    const hidden = (name: string): boolean =>
      (!config.slabReassign && /^slab_reassign_|^slabs_moved$/.test(name)) ||
      (!config.lruCrawler && /^lru_crawler_/.test(name)) ||
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

  private detail(session: Session): void {
    const { engine } = this;
    const { tokens, store } = engine;
    const mode = tokens.count > 2 ? tokens.text(2) : '';
    if (mode === 'dump') return this.replyLines(session, engine.prefixes.dump());
    if (mode !== 'on' && mode !== 'off') return engine.reply(session, BAD_DETAIL);
    store.memory.i32[HEAD_DETAIL_ENABLED] = mode === 'on' ? 1 : 0;
    return engine.reply(session, OK_LINE);
  }

  private cachedump(session: Session): void {
    const { engine } = this;
    const { tokens, store } = engine;
    if (tokens.count < 4) return engine.reply(session, BAD_COMMAND_LINE);
    if (!tokens.parseUint32(2)) return engine.reply(session, BAD_FORMAT);
    const id = tokens.number >>> 0;
    if (!tokens.parseUint32(3)) return engine.reply(session, BAD_FORMAT);
    if (id >= CLASS_COUNT_MAX) return engine.reply(session, BAD_SLAB_ID);
    const limit = tokens.number >>> 0;
    return this.replyLines(session, cacheDump(store, session.tenant, id, limit));
  }

  private replyStats(session: Session, stats: Iterable<Stat>): void {
    let lines = '';
    for (const [name, value] of stats) lines += `STAT ${name} ${value}\r\n`;
    this.replyLines(session, `${lines}END\r\n`);
  }

  private replyLines(session: Session, lines: string): void {
    this.engine.replyLong(session, Buffer.from(lines, 'latin1'));
  }
}
