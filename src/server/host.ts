/**
 * What the protocol asks of the server: the server's part of `stats`, `stats settings`, logging.
 */
import {
  AUTH_CMDS,
  AUTH_ERRORS,
  AUTH_TIMEOUTS,
  CONN_YIELDS,
  IDLE_KICKS,
  LISTEN_DISABLED,
  LOG_WATCHER_SENT,
  LOG_WATCHER_SKIPPED,
  LOG_WORKER_DROPPED,
  LOG_WORKER_WRITTEN,
  REJECTED_CONNS,
  sumCounter,
  TOTAL_CONNS,
} from '../cache/counters.ts';
import { tenantWord } from '../cache/expiry.ts';
import { PAGE_BYTES } from '../memory/classes.ts';
import { clockStarted } from '../memory/clock.ts';
import {
  HEAD_AUTOMOVE,
  HEAD_AUTOMOVE_RATIO_F64,
  HEAD_AUTOMOVE_WINDOW,
  HEAD_CLOCK,
  HEAD_CRAWLER_SLEEP,
  HEAD_CRAWLER_TOCRAWL,
  HEAD_DETAIL_ENABLED,
  HEAD_HOT_FACTOR_F64,
  HEAD_HOT_PCT,
  HEAD_LISTENING,
  HEAD_LRU_CRAWLER,
  HEAD_LRU_SEGMENTED,
  HEAD_PAGE_LIMIT,
  HEAD_SIZES_ENABLED,
  HEAD_START_CLOCK,
  HEAD_TEMP_TTL,
  HEAD_VERBOSITY,
  HEAD_WARM_FACTOR_F64,
  HEAD_WARM_PCT,
  HEAD_WATCHER_COUNT,
  TENANT_OLDEST_LIVE_I32,
} from '../memory/layout.ts';
import type { Memory } from '../memory/memory.ts';
import type { ServerState } from '../net/state.ts';
import type { Host } from '../protocol/host.ts';
import { writeRaw } from './log.ts';
import type { Settings } from './setting.ts';
import { settingsStats } from './settings.ts';
import { needsAuth } from './settings-auth.ts';
import { PROTOCOL_VERSION, packageVersion } from './version.ts';

/** What memcached's uptime is when the server starts. */
const UPTIME_AT_START = 2;
const READ_BUFFER_BYTES = 65536;
/** Tenant 0 is memcached's keyspace. */
const PLAIN_TENANT = 0;

type Stat = readonly [string, string];

/** One per worker. */
export class ServerHost implements Host {
  readonly versionText = PROTOCOL_VERSION;
  readonly #memory: Memory;
  readonly #state: ServerState;
  readonly #settings: Settings;
  readonly #refresh: () => string;
  readonly #version = packageVersion();

  constructor(memory: Memory, state: ServerState, settings: Settings, refresh: () => string) {
    this.#memory = memory;
    this.#state = state;
    this.#settings = settings;
    this.#refresh = refresh;
  }

  generalStats(): Iterable<Stat> {
    return [
      ...this.#processStats(),
      ...this.#connectionStats(),
      ...this.#threadStats(),
      ...this.#tlsStats(),
    ];
  }

  settingsStats(): Iterable<Stat> {
    return settingsStats({ ...this.#settings, ...this.#liveSettings() });
  }

  refreshCertificates(): string {
    return this.#settings.sslEnabled ? this.#refresh() : 'Error TLS not enabled';
  }

  setVerbosity(level: number): void {
    this.#memory.i32[HEAD_VERBOSITY] = level;
  }

  /** By the signal that does the same: the main thread answers it. */
  shutdown(graceful: boolean): void {
    if (!this.#state.askStop()) return;
    process.kill(process.pid, graceful ? 'SIGUSR1' : 'SIGINT');
  }

  log(level: number, line: string): void {
    if (this.#memory.i32[HEAD_VERBOSITY] >= level) writeRaw(`${line}\n`);
  }

  /** Settings that commands change while the server runs; the shared memory has their values. */
  #liveSettings(): Partial<Settings> {
    const { i32, f64 } = this.#memory;
    const automove = i32[HEAD_AUTOMOVE];
    const temporaryTtl = i32[HEAD_TEMP_TTL];
    return {
      verbose: i32[HEAD_VERBOSITY],
      maxbytes: i32[HEAD_PAGE_LIMIT] * PAGE_BYTES,
      oldestLive: i32[tenantWord(this.#memory, PLAIN_TENANT) + TENANT_OLDEST_LIVE_I32],
      detailEnabled: i32[HEAD_DETAIL_ENABLED] !== 0,
      slabAutomove: automove === 0 ? 0 : automove === 1 ? 1 : 2,
      slabAutomoveWindow: i32[HEAD_AUTOMOVE_WINDOW],
      slabAutomoveRatio: f64[HEAD_AUTOMOVE_RATIO_F64],
      lruCrawler: i32[HEAD_LRU_CRAWLER] !== 0,
      lruCrawlerSleep: i32[HEAD_CRAWLER_SLEEP],
      lruCrawlerToCrawl: i32[HEAD_CRAWLER_TOCRAWL] >>> 0,
      lruSegmented: i32[HEAD_LRU_SEGMENTED] !== 0,
      hotLruPct: i32[HEAD_HOT_PCT],
      warmLruPct: i32[HEAD_WARM_PCT],
      hotMaxFactor: f64[HEAD_HOT_FACTOR_F64],
      warmMaxFactor: f64[HEAD_WARM_FACTOR_F64],
      tempLru: temporaryTtl >= 0,
      temporaryTtl: temporaryTtl >= 0 ? temporaryTtl : this.#settings.temporaryTtl,
      trackSizes: i32[HEAD_SIZES_ENABLED] !== 0,
    };
  }

  #processStats(): Stat[] {
    const clock = this.#memory.i32[HEAD_CLOCK];
    const usage = process.resourceUsage();
    return [
      ['pid', String(process.pid)],
      ['uptime', String(clock - this.#memory.i32[HEAD_START_CLOCK] + UPTIME_AT_START)],
      ['time', String(clock + clockStarted(this.#memory))],
      ['version', PROTOCOL_VERSION],
      ['libevent', `libuv-${process.versions.uv}`],
      ['pointer_size', '64'],
      ['rusage_user', microseconds(usage.userCPUTime)],
      ['rusage_system', microseconds(usage.systemCPUTime)],
    ];
  }

  #connectionStats(): Stat[] {
    const memory = this.#memory;
    const { maxconns, maxconnsFast, threads } = this.#settings;
    const readBytes = String(threads * READ_BUFFER_BYTES);
    const stats: Stat[] = [
      ['max_connections', String(maxconns)],
      ['curr_connections', String(this.#state.totalConnections())],
      ['total_connections', String(sumCounter(memory, TOTAL_CONNS))],
    ];
    if (maxconnsFast) {
      stats.push(['rejected_connections', String(sumCounter(memory, REJECTED_CONNS))]);
    }
    stats.push(
      ['connection_structures', String(memory.layout.connectionCount)],
      ['response_obj_oom', '0'],
      ['response_obj_count', '0'],
      ['response_obj_bytes', '0'],
      ['read_buf_count', String(threads)],
      ['read_buf_bytes', readBytes],
      ['read_buf_bytes_free', readBytes],
      ['read_buf_oom', '0'],
      ['reserved_fds', '0'],
      ['auth_cmds', String(sumCounter(memory, AUTH_CMDS))],
      ['auth_errors', String(sumCounter(memory, AUTH_ERRORS))],
    );
    if (this.#settings.idleTimeout > 0) {
      stats.push(['idle_kicks', String(sumCounter(memory, IDLE_KICKS))]);
    }
    if (needsAuth(this.#settings)) {
      stats.push(['auth_timeouts', String(sumCounter(memory, AUTH_TIMEOUTS))]);
    }
    return stats;
  }

  #tlsStats(): Stat[] {
    const state = this.#state;
    const { sslEnabled, sslSessionCache } = this.#settings;
    if (!sslEnabled) return [];
    const age = this.#memory.i32[HEAD_CLOCK] - state.certificatesAt();
    const stats: Stat[] = [
      ['ssl_proto_errors', String(state.tlsProtocolErrors())],
      ['ssl_handshake_errors', String(state.tlsHandshakeErrors())],
      ['time_since_server_cert_refresh', String(age)],
    ];
    if (sslSessionCache) stats.push(['ssl_new_sessions', String(state.tlsSessions())]);
    return stats;
  }

  #threadStats(): Stat[] {
    const memory = this.#memory;
    return [
      ['accepting_conns', String(memory.i32[HEAD_LISTENING])],
      ['listen_disabled_num', String(sumCounter(memory, LISTEN_DISABLED))],
      ['time_in_listen_disabled_us', String(this.#state.disabledMs() * 1000)],
      ['threads', String(this.#settings.threads)],
      ['conn_yields', String(sumCounter(memory, CONN_YIELDS))],
      ['log_worker_dropped', String(sumCounter(memory, LOG_WORKER_DROPPED))],
      ['log_worker_written', String(sumCounter(memory, LOG_WORKER_WRITTEN))],
      ['log_watcher_skipped', String(sumCounter(memory, LOG_WATCHER_SKIPPED))],
      ['log_watcher_sent', String(sumCounter(memory, LOG_WATCHER_SENT))],
      ['log_watchers', String(memory.i32[HEAD_WATCHER_COUNT])],
      ['unexpected_napi_ids', '0'],
      ['round_robin_fallback', '0'],
      ['held_connections', String(this.#state.held())],
      ['worker_restarts', String(this.#state.restarts())],
      ['slabcached', this.#version],
    ];
  }
}

/** Seconds with six decimals, as memcached prints a timeval. */
function microseconds(value: number): string {
  const fraction = String(value % 1_000_000).padStart(6, '0');
  return `${Math.floor(value / 1_000_000)}.${fraction}`;
}
