/**
 * Reads the command line against the settings table, prints `--help` and answers `stats settings`.
 */
import { totalmem } from 'node:os';
import type { CacheConfig } from '../cache/config.ts';
import type { MemoryConfig } from '../memory/config.ts';
import { SettingsError } from './errors.ts';
import { getopt, suboptions } from './getopt.ts';
import { listenEntries } from './listen-addresses.ts';
import type { Setting, Settings } from './setting.ts';
import { ABSENT_SETTINGS, PRESET_SETTINGS } from './settings-absent.ts';
import { ADMIN_SETTINGS } from './settings-admin.ts';
import { AUTH_SETTINGS, checkAuth } from './settings-auth.ts';
import { EXTENDED_SETTINGS } from './settings-extended.ts';
import { FLAG_SETTINGS, OWN_SETTINGS, PROCESS_SETTINGS } from './settings-flags.ts';
import { INERT_SETTINGS } from './settings-inert.ts';
import { LOG_SETTINGS } from './settings-log.ts';
import { checkListeners, checkTls, NET_SETTINGS, TLS_SETTINGS } from './settings-net.ts';
import { SETTINGS_ORDER } from './settings-order.ts';

/** The table: every row once. */
export const SETTINGS: readonly Setting[] = [
  ...FLAG_SETTINGS,
  ...AUTH_SETTINGS,
  ...ADMIN_SETTINGS,
  ...NET_SETTINGS,
  ...EXTENDED_SETTINGS,
  ...TLS_SETTINGS,
  ...LOG_SETTINGS,
  ...PRESET_SETTINGS,
  ...INERT_SETTINGS,
  ...ABSENT_SETTINGS,
  ...PROCESS_SETTINGS,
  ...OWN_SETTINGS,
];

const MEGABYTE = 1024 * 1024;
const HASHPOWER_DEFAULT = 16;
/** On larger machines the default stays within what 32-bit references can address. */
const MEMORY_MAX_DEFAULT_TOP = 28 * 1024 * MEGABYTE;

/** `-o` is not a setting itself: it carries those of the table that have an `extended` name. */
const EXTENDED_FLAG = { short: 'o', long: 'extended', takesValue: true };

/** The settings for a command line. Throws SettingsError with one sentence for the operator. */
export function readSettings(args: readonly string[]): Settings {
  const settings = initialSettings();
  const rows = SETTINGS.filter((row) => row.short !== undefined);
  const shapes = rows.map((row) => {
    return {
      short: row.short as string,
      long: row.long as string,
      takesValue: row.argument !== undefined,
      row,
    };
  });
  const flags = [...shapes, { ...EXTENDED_FLAG, row: undefined }];
  for (const { flag, given, value } of getopt(args, flags)) {
    if (flag.row === undefined) setExtended(settings, value);
    else apply(settings, flag.row, value, given);
    if (settings.action !== 'serve') return settings;
  }
  // As in memcached, a UDP port given alone is that of TCP too.
  if (settings.udpPort !== 0 && !settings.portGiven) settings.port = settings.udpPort;
  checkTogether(settings);
  if (settings.memoryMax === 0) {
    settings.memoryMax = Math.max(settings.maxbytes, Math.min(totalmem(), MEMORY_MAX_DEFAULT_TOP));
  }
  return settings;
}

function initialSettings(): Settings {
  return Object.assign(
    { warnings: [], warningsWithoutAddon: [] },
    ...SETTINGS.map((row) => row.initial),
  ) as Settings;
}

function setExtended(settings: Settings, argument: string): void {
  for (const { name, value } of suboptions(argument)) {
    const row = SETTINGS.find(({ extended }) => extended === name);
    if (row?.set === undefined) throw new SettingsError(`unknown option '-o ${name}'`);
    const given = `-o ${name}`;
    if (row.argument === undefined && value !== undefined) {
      throw new SettingsError(`${given} takes no value`);
    }
    if (row.argument !== undefined && row.argumentOptional !== true && value === undefined) {
      throw new SettingsError(`${given} needs a value`);
    }
    apply(settings, row, value ?? '', given);
  }
}

/** Takes a value over, and notes what is to be said of it. */
function apply(settings: Settings, row: Setting, value: string, given: string): void {
  row.set?.(settings, value, given);
  const { warning, warningWithoutAddon } = row;
  if (warning !== undefined) settings.warnings = [...settings.warnings, `${given}: ${warning}`];
  if (warningWithoutAddon === undefined) return;
  settings.warningsWithoutAddon = [
    ...settings.warningsWithoutAddon,
    `${given}: ${warningWithoutAddon}`,
  ];
}

/** The limits that settings put on each other, as memcached has them. */
function checkTogether(s: Settings): void {
  if (s.itemSizeMax > s.maxbytes / 2) {
    throw new SettingsError('-I (max item size) cannot be larger than half of -m (memory limit)');
  }
  if (s.itemSizeMax > MEGABYTE && !s.slabChunkMaxGiven) s.slabChunkMax = MEGABYTE / 2;
  if (s.slabChunkMax > s.itemSizeMax) {
    throw new SettingsError(
      `-o slab_chunk_max (${s.slabChunkMax}) cannot be larger than -I (${s.itemSizeMax})`,
    );
  }
  if (s.itemSizeMax % s.slabChunkMax !== 0) {
    throw new SettingsError(
      `-I (${s.itemSizeMax}) must be a multiple of -o slab_chunk_max (${s.slabChunkMax})`,
    );
  }
  if (MEGABYTE % s.slabChunkMax !== 0) {
    throw new SettingsError(`-o slab_chunk_max (${s.slabChunkMax}) must divide ${MEGABYTE}`);
  }
  if (s.hotLruPct + s.warmLruPct > 80) {
    throw new SettingsError('-o hot_lru_pct and warm_lru_pct cannot be more than 80 together');
  }
  if (s.tempLru && !s.lruMaintainer) {
    throw new SettingsError('-o temporary_ttl needs lru_maintainer');
  }
  if (s.memoryMax !== 0 && s.memoryMax < s.maxbytes) {
    throw new SettingsError('-o memory_max cannot be smaller than -m (memory limit)');
  }
  checkAuth(s);
  if (s.trackSizes && !s.casEnabled) {
    throw new SettingsError('-o track_sizes needs cas ids, which -C disables');
  }
  checkTls(s);
  checkListeners(s, [...listenEntries(s, s.port), ...listenEntries(s, s.udpPort)]);
}

/** What `--help` prints. */
export function helpText(version: string): string {
  const lines = [`slabcached ${version}`];
  for (const row of SETTINGS) {
    if (row.short === undefined || row.help === undefined) continue;
    const value = row.argument === undefined ? '' : `=${row.argument}`;
    lines.push(...helpLines(`-${row.short}, --${row.long}${value}`, row.help));
  }
  lines.push(...helpLines('-o, --extended', ['comma separated list of extended options']));
  for (const row of SETTINGS) {
    if (row.extended === undefined || row.help === undefined) continue;
    const value = row.argument === undefined ? '' : `=${row.argument}`;
    const shown = row.argumentOptional ? `[${value}]` : value;
    lines.push(...helpLines(`   ${row.extended}${shown}`, row.help));
  }
  lines.push('', 'slabcached dump | load | warm --help tells how to copy a running cache.');
  return `${lines.join('\n')}\n`;
}

const HELP_COLUMN = 34;

function helpLines(name: string, help: readonly string[]): string[] {
  return help.map((line, index) => `${(index === 0 ? name : '').padEnd(HELP_COLUMN)}${line}`);
}

/** The lines of `stats settings`. */
export function settingsStats(settings: Settings): (readonly [string, string])[] {
  const place = (key: string): number => {
    const index = SETTINGS_ORDER.indexOf(key);
    return index === -1 ? SETTINGS_ORDER.length : index;
  };
  const lines: (readonly [string, string])[] = [];
  for (const { stats, show } of SETTINGS) {
    if (stats !== undefined && show !== undefined) lines.push([stats, show(settings)]);
  }
  return lines.sort(([a], [b]) => place(a) - place(b));
}

/** The part of the settings that shapes the shared memory. */
export function memoryConfig(settings: Settings): MemoryConfig {
  return {
    memoryLimit: settings.maxbytes,
    memoryMax: settings.memoryMax,
    itemSizeMax: settings.itemSizeMax,
    slabChunkMax: settings.slabChunkMax,
    growthFactor: settings.growthFactor,
    chunkSizeMin: settings.chunkSize,
    preallocate: settings.preallocate,
    workers: settings.threads,
    maxConns: settings.maxconns,
    hashPowerInit: settings.hashpowerInit === 0 ? HASHPOWER_DEFAULT : settings.hashpowerInit,
    workerLogBytes: settings.workerLogBytes,
    watcherLogBytes: settings.watcherLogBytes,
    hashAlgorithm: settings.hashAlgorithm,
  };
}

/** The part of the settings that concerns the cache. */
export function cacheConfig(settings: Settings): CacheConfig {
  return {
    evictToFree: settings.evictToFree,
    lruSegmented: settings.lruSegmented,
    lruMaintainer: settings.lruMaintainer,
    lruCrawler: settings.lruCrawler,
    lruCrawlerSleepUs: settings.lruCrawlerSleep,
    lruCrawlerToCrawl: settings.lruCrawlerToCrawl,
    hotLruPct: settings.hotLruPct,
    warmLruPct: settings.warmLruPct,
    hotMaxFactor: settings.hotMaxFactor,
    warmMaxFactor: settings.warmMaxFactor,
    tempLru: settings.tempLru,
    temporaryTtl: settings.temporaryTtl,
    slabReassign: settings.slabReassign,
    slabAutomove: settings.slabAutomove,
    slabAutomoveRatio: settings.slabAutomoveRatio,
    slabAutomoveWindow: settings.slabAutomoveWindow,
    flushEnabled: settings.flushEnabled,
    casEnabled: settings.casEnabled,
    tailRepairTime: settings.tailRepairTime,
    hashExpand: settings.hashExpand,
    detailEnabled: settings.detailEnabled,
    prefixDelimiter: settings.prefixDelimiter,
    trackSizes: settings.trackSizes,
  };
}
