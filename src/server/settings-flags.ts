/**
 * The settings table, first part: memcached's flags.
 *
 * A row is all there is to know about a setting: flag, default, check, help and `stats settings`.
 */
import { totalmem } from 'node:os';
import { CONNECTIONS_MAX } from '../memory/layout.ts';
import { bytes, decimal, integer, octal, text } from './checks.ts';
import { SettingsError } from './errors.ts';
import { type Setting, TRANSPORTS, threadsPerUdp } from './setting.ts';

const MEGABYTE = 1024 * 1024;
const NO_LIMIT = Number.MAX_SAFE_INTEGER;

export const FLAG_SETTINGS: readonly Setting[] = [
  {
    short: 'm',
    long: 'memory-limit',
    argument: '<num>',
    initial: { maxbytes: 64 * MEGABYTE },
    help: ['item memory in megabytes (default: 64)'],
    set: (s, value, given) => {
      s.maxbytes = integer(given, value, 1, NO_LIMIT / MEGABYTE) * MEGABYTE;
    },
    stats: 'maxbytes',
    show: (s) => String(s.maxbytes),
  },
  {
    short: 'c',
    long: 'conn-limit',
    argument: '<num>',
    initial: { maxconns: 1024 },
    help: ['max simultaneous connections (default: 1024)'],
    set: (s, value, given) => {
      s.maxconns = integer(given, value, 1, CONNECTIONS_MAX);
    },
    stats: 'maxconns',
    show: (s) => String(s.maxconns),
  },
  {
    short: 'p',
    long: 'port',
    argument: '<num>',
    initial: { port: 11211, portGiven: false },
    help: ['TCP port to listen on (default: 11211, off: 0, any free one: -1)'],
    set: (s, value, given) => {
      s.port = integer(given, value, -1, 65535);
      s.portGiven = true;
    },
    stats: 'tcpport',
    show: (s) => String(s.port),
  },
  {
    short: 'U',
    long: 'udp-port',
    argument: '<num>',
    initial: { udpPort: 0 },
    help: ['UDP port to listen on (default: 0, off; any free one: -1)'],
    set: (s, value, given) => {
      s.udpPort = integer(given, value, -1, 65535);
    },
    stats: 'udpport',
    show: (s) => String(s.udpPort),
  },
  {
    short: 'l',
    long: 'listen',
    argument: '<addr>',
    initial: { listen: '' },
    help: [
      'interface to listen on (default: all); may be repeated or be a',
      'comma separated list of host, host:port, [ipv6], [ipv6]:port;',
      'in front of each may stand proto[ascii], proto[binary] or',
      'proto[negotiating] (as -B, for it alone), and with -Z notls: (no TLS),',
      'btls: (no client certificate) or mtls: (client certificate demanded),',
      'as in mtls:proto[ascii]:127.0.0.1:11212',
    ],
    set: (s, value, given) => {
      const address = text(given, value);
      s.listen = s.listen === '' ? address : `${s.listen},${address}`;
    },
    stats: 'inter',
    show: (s) => (s.listen === '' ? 'NULL' : s.listen),
  },
  {
    short: 'v',
    long: 'verbose',
    initial: { verbose: 0 },
    help: [
      'print errors and warnings; -vv also commands and replies, -vvv',
      'also internal changes',
    ],
    set: (s) => {
      s.verbose++;
    },
    stats: 'verbosity',
    show: (s) => String(s.verbose),
  },
  { initial: { oldestLive: 0 }, stats: 'oldest', show: (s) => String(s.oldestLive) },
  {
    short: 'M',
    long: 'disable-evictions',
    initial: { evictToFree: true },
    help: ['return error on memory exhausted instead of evicting'],
    set: (s) => {
      s.evictToFree = false;
    },
    stats: 'evictions',
    show: (s) => (s.evictToFree ? 'on' : 'off'),
  },
  {
    short: 's',
    long: 'unix-socket',
    argument: '<file>',
    initial: { socketPath: '' },
    help: ['UNIX socket to listen on (disables network support)'],
    set: (s, value, given) => {
      // The kernel's sockaddr_un has room for 107 bytes and the closing 0.
      if (Buffer.byteLength(value) > 107) {
        throw new SettingsError(
          `${given}: the path is longer than the 107 bytes a socket can have`,
        );
      }
      s.socketPath = text(given, value);
    },
    stats: 'domain_socket',
    show: (s) => (s.socketPath === '' ? 'NULL' : s.socketPath),
  },
  {
    short: 'a',
    long: 'unix-mask',
    argument: '<mask>',
    initial: { socketMask: 0o700 },
    help: ['access mask for UNIX socket, in octal (default: 700)'],
    set: (s, value, given) => {
      s.socketMask = octal(given, value);
    },
    stats: 'umask',
    show: (s) => s.socketMask.toString(8),
  },
  {
    short: 'f',
    long: 'slab-growth-factor',
    argument: '<num>',
    initial: { growthFactor: 1.25 },
    help: ['chunk size growth factor (default: 1.25)'],
    set: (s, value, given) => {
      s.growthFactor = decimal(given, value, 1);
    },
    stats: 'growth_factor',
    show: (s) => s.growthFactor.toFixed(2),
  },
  {
    short: 'n',
    long: 'slab-min-size',
    argument: '<bytes>',
    initial: { chunkSize: 48 },
    help: ['min space used for key+value+flags (default: 48)'],
    set: (s, value, given) => {
      s.chunkSize = integer(given, value, 1, 1024 * MEGABYTE);
    },
    stats: 'chunk_size',
    show: (s) => String(s.chunkSize),
  },
  {
    short: 't',
    long: 'threads',
    argument: '<num>',
    initial: { threads: 4 },
    help: ['number of worker threads to use (default: 4)'],
    set: (s, value, given) => {
      s.threads = integer(given, value, 1, 1024);
    },
    stats: 'num_threads',
    show: (s) => String(s.threads),
  },
  {
    stats: 'num_threads_per_udp',
    show: (s) => String(threadsPerUdp(s)),
  },
  {
    short: 'R',
    long: 'max-reqs-per-event',
    argument: '<num>',
    initial: { requestsPerEvent: 20 },
    help: [
      'maximum number of requests per event: how many requests of one',
      'connection are served before the others get a turn (default: 20)',
    ],
    set: (s, value, given) => {
      s.requestsPerEvent = integer(given, value, 1, 2 ** 31 - 1);
    },
    stats: 'reqs_per_event',
    show: (s) => String(s.requestsPerEvent),
  },
  {
    short: 'b',
    long: 'listen-backlog',
    argument: '<num>',
    initial: { backlog: 1024 },
    help: ['set the backlog queue limit (default: 1024)'],
    set: (s, value, given) => {
      s.backlog = integer(given, value, 1, 2 ** 31 - 1);
    },
    stats: 'tcp_backlog',
    show: (s) => String(s.backlog),
  },
  {
    short: 'I',
    long: 'max-item-size',
    argument: '<num>',
    initial: { itemSizeMax: MEGABYTE },
    help: ['adjusts max item size (default: 1m, min: 1k, max: 1024m)'],
    set: (s, value, given) => {
      s.itemSizeMax = bytes(given, value);
      if (s.itemSizeMax < 1024 || s.itemSizeMax > 1024 * MEGABYTE) {
        throw new SettingsError(`${given} must be from 1k to 1024m, not '${value}'`);
      }
    },
    stats: 'item_size_max',
    show: (s) => String(s.itemSizeMax),
  },
];

/** Flags that concern the process. */
export const PROCESS_SETTINGS: readonly Setting[] = [
  {
    short: 'd',
    long: 'daemon',
    initial: { daemonize: false },
    help: ['run as a daemon'],
    set: (s) => {
      s.daemonize = true;
    },
  },
  {
    short: 'u',
    long: 'user',
    argument: '<user>',
    initial: { user: '' },
    help: ['assume identity of <user> (only when run as root)'],
    set: (s, value, given) => {
      s.user = text(given, value);
    },
  },
  {
    short: 'P',
    long: 'pidfile',
    argument: '<file>',
    initial: { pidFile: '' },
    help: ['save PID in <file>'],
    set: (s, value, given) => {
      s.pidFile = text(given, value);
    },
  },
  {
    short: 'e',
    long: 'memory-file',
    argument: '<file>',
    initial: { memoryFile: '' },
    help: [
      'keep the items in <file> while the server is down: written at the end',
      'of a graceful stop, read and removed at the next start',
    ],
    set: (s, value, given) => {
      s.memoryFile = text(given, value);
    },
    stats: 'memory_file',
    show: (s) => (s.memoryFile === '' ? '(null)' : s.memoryFile),
  },
  {
    short: 'k',
    long: 'lock-memory',
    initial: { lockMemory: false },
    help: ['keep the shared memory from being swapped out (needs the addon)'],
    warningWithoutAddon: 'memory is not locked, this needs the native addon',
    set: (s) => {
      s.lockMemory = true;
    },
  },
  {
    short: 'L',
    long: 'enable-largepages',
    initial: { preallocate: false },
    help: ['insist on large pages (needs the addon) and touch all item memory', 'at the start'],
    warningWithoutAddon: 'memory is touched at start, but large pages need the native addon',
    set: (s) => {
      s.preallocate = true;
      s.largePages = true;
    },
  },
  {
    short: 'V',
    long: 'version',
    initial: { action: 'serve' },
    help: ['print version and exit'],
    set: (s) => {
      s.action = 'version';
    },
  },
  {
    short: 'i',
    long: 'license',
    help: ['print the license and exit'],
    set: (s) => {
      s.action = 'license';
    },
  },
  {
    short: 'h',
    long: 'help',
    help: ['print this help and exit'],
    set: (s) => {
      s.action = 'help';
    },
  },
];

/** Settings of our own. */
export const OWN_SETTINGS: readonly Setting[] = [
  {
    extended: 'memory_max',
    argument: '<num>',
    initial: { memoryMax: 0 },
    help: [
      'address space to reserve for items, in megabytes: how far the',
      'memory limit can be raised later (default: the larger of -m and',
      `the machine's memory, here ${Math.floor(totalmem() / MEGABYTE)})`,
    ],
    set: (s, value, given) => {
      s.memoryMax = integer(given, value, 1, NO_LIMIT / MEGABYTE) * MEGABYTE;
    },
    stats: 'memory_max',
    show: (s) => String(s.memoryMax),
  },
  {
    extended: 'no_large_pages',
    initial: { largePages: true },
    help: ['small pages for the cache, also where the native addon could have', 'large ones'],
    set: (s) => {
      s.largePages = false;
    },
  },
  {
    extended: 'transport',
    argument: '<name>',
    initial: { transport: 'auto' },
    help: [
      'what serves connections: io_uring, epoll or node (default: the',
      'first of these that works; all but node need the native addon)',
    ],
    set: (s, value, given) => {
      const kind = TRANSPORTS.find((name) => name === value);
      if (kind === undefined) {
        throw new SettingsError(`${given} must be io_uring, epoll or node, not '${value}'`);
      }
      s.transport = kind;
    },
    stats: 'transport',
    show: (s) => s.transport,
  },
];
