/**
 * What a row of the settings table is, and the values that the rows fill in.
 */

import type { SecureVersion } from 'node:tls';
import type { ListenerProtocol } from '../protocol/origin.ts';

/** The pumps, best first, and Node's own sockets. */
export const TRANSPORTS = ['io_uring', 'epoll', 'node'] as const;
export type TransportKind = (typeof TRANSPORTS)[number];

/* Values of ssl_keyformat, as OpenSSL numbers them. */
export const KEY_FORMAT_PEM = 1;
export const KEY_FORMAT_DER = 2;

/** The values of all settings. Sizes are in bytes, times in the unit that the row's help names. */
export interface Settings {
  action: 'serve' | 'help' | 'version' | 'license';
  /** What the operator should know of the flags given: printed at the start. */
  warnings: readonly string[];
  /** The same, where the native addon is missing. */
  warningsWithoutAddon: readonly string[];
  maxbytes: number;
  memoryMax: number;
  /** What serves connections; at the start `auto` becomes the best that works here. */
  transport: 'auto' | TransportKind;
  maxconns: number;
  port: number;
  /** Whether -p was given. */
  portGiven: boolean;
  /** 0 is off, -1 any free port. */
  udpPort: number;
  /** The addresses of -l as given, joined by commas; empty for all interfaces. */
  listen: string;
  verbose: number;
  evictToFree: boolean;
  socketPath: string;
  socketMask: number;
  growthFactor: number;
  chunkSize: number;
  threads: number;
  requestsPerEvent: number;
  backlog: number;
  itemSizeMax: number;
  maxconnsFast: boolean;
  /** 0 is the built-in start size. */
  hashpowerInit: number;
  hashExpand: boolean;
  /** An index into HASH_ALGORITHMS. */
  hashAlgorithm: number;
  slabReassign: boolean;
  slabAutomove: 0 | 1 | 2;
  slabAutomoveRatio: number;
  slabAutomoveWindow: number;
  slabChunkMax: number;
  slabChunkMaxGiven: boolean;
  lruCrawler: boolean;
  lruCrawlerSleep: number;
  lruCrawlerToCrawl: number;
  tailRepairTime: number;
  lruMaintainer: boolean;
  lruSegmented: boolean;
  hotLruPct: number;
  warmLruPct: number;
  hotMaxFactor: number;
  warmMaxFactor: number;
  tempLru: boolean;
  temporaryTtl: number;
  idleTimeout: number;
  trackSizes: boolean;
  watchEnabled: boolean;
  workerLogBytes: number;
  watcherLogBytes: number;
  detailEnabled: boolean;
  /** Items last stored at this second of the clock or before are flushed; 0 is none. */
  oldestLive: number;
  sasl: boolean;
  saslAny: boolean;
  /** The file of -o sasl_pwdb; empty for the one that the environment names. */
  saslPasswords: string;
  /** The file of -Y; empty for none. */
  authFile: string;
  authTimeout: number;
  authTimeoutGiven: boolean;
  flushEnabled: boolean;
  dumpEnabled: boolean;
  dumpTimeout: number;
  shutdownEnabled: boolean;
  casEnabled: boolean;
  /** The character between prefix and rest of a key in `stats detail`. */
  prefixDelimiter: string;
  testCommands: boolean;
  lockMemory: boolean;
  /** -L: large pages or nothing, and all item memory touched at start. */
  preallocate: boolean;
  /** The kernel is advised to use large pages where it can. */
  largePages: boolean;
  daemonize: boolean;
  pidFile: string;
  /** The file of a warm restart; empty for none. */
  memoryFile: string;
  user: string;
  /** -B, and whether it was given. */
  protocol: ListenerProtocol;
  protocolGiven: boolean;
  sslEnabled: boolean;
  /** Names of files as given; empty for none. */
  sslChainCert: string;
  sslKey: string;
  sslCaCert: string;
  sslKeyFormat: number;
  /** 0 to 3, as given. */
  sslVerifyMode: number;
  /** OpenSSL's cipher list; empty for the built-in one. */
  sslCiphers: string;
  sslWbufSize: number;
  sslSessionCache: boolean;
  sslMinVersion: SecureVersion;
}

/** One row: a flag or `-o` option, a line of `stats settings`, or both. */
export interface Setting {
  readonly short?: string;
  readonly long?: string;
  /** The name under `-o`. */
  readonly extended?: string;
  /** How the help shows the value, such as `<num>`; absent for a flag without one. */
  readonly argument?: string;
  /** True when an `-o` option may stand without its value. */
  readonly argumentOptional?: boolean;
  /** Values before any flag is read. */
  readonly initial?: Partial<Settings>;
  /** Lines for --help. */
  readonly help?: readonly string[];
  /** Said at the start if the flag was given: what happens instead of what it promises. */
  readonly warning?: string;
  /** The same, but said only where the native addon is missing. */
  readonly warningWithoutAddon?: string;
  /** Takes a value over, or throws SettingsError with a sentence that names the flag as `given`. */
  readonly set?: (settings: Settings, value: string, given: string) => void;
  /** The key in `stats settings`. */
  readonly stats?: string;
  readonly show?: (settings: Settings) => string;
}

/** How `stats settings` prints a switch. */
export function yesNo(value: boolean): string {
  return value ? 'yes' : 'no';
}

/** A line of `stats settings` that no flag changes: what this server always or never does. */
export function fixed(stats: string, value: string): Setting {
  return { stats, show: () => value };
}

/** How many workers serve an address over UDP: one if there are several addresses, else all. */
export function threadsPerUdp(settings: Settings): number {
  return settings.listen.includes(',') ? 1 : settings.threads;
}
