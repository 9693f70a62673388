/**
 * The settings table, second part: the options of `-o`.
 */
import { HASH_ALGORITHMS } from '../cache/hash.ts';
import { decimal, integer } from './checks.ts';
import { SettingsError } from './errors.ts';
import { fixed, type Setting, yesNo } from './setting.ts';

const MEGABYTE = 1024 * 1024;

export const EXTENDED_SETTINGS: readonly Setting[] = [
  {
    extended: 'maxconns_fast',
    initial: { maxconnsFast: true },
    help: ['immediately close new connections after limit (default: enabled)'],
    set: (s) => {
      s.maxconnsFast = true;
    },
    stats: 'maxconns_fast',
    show: (s) => yesNo(s.maxconnsFast),
  },
  {
    extended: 'no_maxconns_fast',
    help: ['let new connections after the limit wait until one closes'],
    set: (s) => {
      s.maxconnsFast = false;
    },
  },
  {
    extended: 'hashpower',
    argument: '<num>',
    initial: { hashpowerInit: 0 },
    help: ['start size of the hash table, as a power of 2 (12 to 32, default: 16)'],
    set: (s, value, given) => {
      s.hashpowerInit = integer(given, value, 12, 32);
    },
    stats: 'hashpower_init',
    show: (s) => String(s.hashpowerInit),
  },
  {
    extended: 'no_hashexpand',
    initial: { hashExpand: true },
    help: ['disables hash table expansion (dangerous)'],
    set: (s) => {
      s.hashExpand = false;
    },
  },
  {
    extended: 'slab_reassign',
    initial: { slabReassign: true },
    help: ['let memory pages move between slab classes (default: enabled)'],
    set: (s) => {
      s.slabReassign = true;
    },
    stats: 'slab_reassign',
    show: (s) => yesNo(s.slabReassign),
  },
  {
    extended: 'no_slab_reassign',
    help: ['memory pages stay with their slab class'],
    set: (s) => {
      s.slabReassign = false;
    },
  },
  {
    extended: 'slab_automove',
    argument: '<0|1|2>',
    argumentOptional: true,
    initial: { slabAutomove: 1 },
    help: ['move pages by themselves: 0 never, 1 slowly, 2 eagerly (default: 1)'],
    set: (s, value, given) => {
      const mode = value === '' ? 1 : integer(given, value, 0, 2);
      s.slabAutomove = mode === 0 ? 0 : mode === 1 ? 1 : 2;
    },
    stats: 'slab_automove',
    show: (s) => String(s.slabAutomove),
  },
  {
    extended: 'no_slab_automove',
    help: ['the same as slab_automove=0'],
    set: (s) => {
      s.slabAutomove = 0;
    },
  },
  {
    extended: 'slab_automove_ratio',
    argument: '<num>',
    initial: { slabAutomoveRatio: 0.8 },
    help: ['ratio of ages of two classes below which a page moves (default: 0.80)'],
    set: (s, value, given) => {
      s.slabAutomoveRatio = decimal(given, value, 0, 1);
    },
    stats: 'slab_automove_ratio',
    show: (s) => s.slabAutomoveRatio.toFixed(2),
  },
  {
    extended: 'slab_automove_window',
    argument: '<num>',
    initial: { slabAutomoveWindow: 30 },
    help: ['rounds that a class must stand out before a page moves (default: 30)'],
    set: (s, value, given) => {
      s.slabAutomoveWindow = integer(given, value, 3, 2 ** 31 - 1);
    },
    stats: 'slab_automove_window',
    show: (s) => String(s.slabAutomoveWindow),
  },
  {
    extended: 'slab_chunk_max',
    argument: '<num>',
    initial: { slabChunkMax: MEGABYTE / 2, slabChunkMaxGiven: false },
    help: [
      'largest chunk; larger items are chained (default: 512); up to 1024',
      'it is in kilobytes, above in bytes',
    ],
    set: (s, value, given) => {
      // memcached took bytes once and takes kilobytes now; no number makes sense as both.
      const size = integer(given, value, 1, MEGABYTE);
      s.slabChunkMax = size <= 1024 ? size * 1024 : size;
      s.slabChunkMaxGiven = true;
    },
    stats: 'slab_chunk_max',
    show: (s) => String(s.slabChunkMax),
  },
  {
    extended: 'lru_crawler',
    initial: { lruCrawler: true },
    help: ['look for expired items in the background (default: enabled)'],
    set: (s) => {
      s.lruCrawler = true;
    },
    stats: 'lru_crawler',
    show: (s) => yesNo(s.lruCrawler),
  },
  {
    extended: 'no_lru_crawler',
    help: ['expired items stay until they are asked for or evicted'],
    set: (s) => {
      s.lruCrawler = false;
    },
  },
  {
    extended: 'lru_crawler_sleep',
    argument: '<num>',
    initial: { lruCrawlerSleep: 100 },
    help: ['microseconds to sleep between items (default: 100)'],
    set: (s, value, given) => {
      s.lruCrawlerSleep = integer(given, value, 0, 1_000_000);
    },
    stats: 'lru_crawler_sleep',
    show: (s) => String(s.lruCrawlerSleep),
  },
  {
    extended: 'lru_crawler_tocrawl',
    argument: '<num>',
    initial: { lruCrawlerToCrawl: 0 },
    help: ['max items to crawl per slab per run (default: 0, unlimited)'],
    set: (s, value, given) => {
      s.lruCrawlerToCrawl = integer(given, value, 0, 2 ** 32 - 1);
    },
    stats: 'lru_crawler_tocrawl',
    show: (s) => String(s.lruCrawlerToCrawl),
  },
  {
    extended: 'tail_repair_time',
    argument: '<num>',
    initial: { tailRepairTime: 0 },
    help: ['seconds after which a locked item at the LRU tail is dropped', '(default: 0, never)'],
    set: (s, value, given) => {
      s.tailRepairTime = integer(given, value, 10, 2 ** 31 - 1);
    },
    stats: 'tail_repair_time',
    show: (s) => String(s.tailRepairTime),
  },
  {
    extended: 'hash_algorithm',
    argument: '<name>',
    initial: { hashAlgorithm: HASH_ALGORITHMS.indexOf('murmur3') },
    help: ['the hash table algorithm: jenkins, murmur3 or xxh3 (default: murmur3)'],
    set: (s, value, given) => {
      const index = HASH_ALGORITHMS.indexOf(value);
      if (index === -1) {
        throw new SettingsError(`${given} must be jenkins, murmur3 or xxh3, not '${value}'`);
      }
      s.hashAlgorithm = index;
    },
    stats: 'hash_algorithm',
    show: (s) => HASH_ALGORITHMS[s.hashAlgorithm],
  },
  {
    extended: 'lru_maintainer',
    initial: { lruMaintainer: true },
    help: ['keep the LRU lists in the background (default: enabled)'],
    set: (s) => {
      s.lruMaintainer = true;
      s.lruSegmented = true;
    },
    stats: 'lru_maintainer_thread',
    show: (s) => yesNo(s.lruMaintainer),
  },
  {
    extended: 'no_lru_maintainer',
    initial: { lruSegmented: true },
    help: ['one plain LRU list per slab class, no background work on it'],
    set: (s) => {
      s.lruMaintainer = false;
      s.lruSegmented = false;
    },
    stats: 'lru_segmented',
    show: (s) => yesNo(s.lruSegmented),
  },
  {
    extended: 'hot_lru_pct',
    argument: '<num>',
    initial: { hotLruPct: 20 },
    help: ['pct of slab memory to reserve for hot lru (default: 20)'],
    set: (s, value, given) => {
      s.hotLruPct = integer(given, value, 1, 79);
    },
    stats: 'hot_lru_pct',
    show: (s) => String(s.hotLruPct),
  },
  {
    extended: 'warm_lru_pct',
    argument: '<num>',
    initial: { warmLruPct: 40 },
    help: ['pct of slab memory to reserve for warm lru (default: 40)'],
    set: (s, value, given) => {
      s.warmLruPct = integer(given, value, 1, 79);
    },
    stats: 'warm_lru_pct',
    show: (s) => String(s.warmLruPct),
  },
  {
    extended: 'hot_max_factor',
    argument: '<num>',
    initial: { hotMaxFactor: 0.2 },
    help: ['items idle > cold lru age * this drop from hot lru (default: 0.20)'],
    set: (s, value, given) => {
      s.hotMaxFactor = decimal(given, value, 0);
    },
    stats: 'hot_max_factor',
    show: (s) => s.hotMaxFactor.toFixed(2),
  },
  {
    extended: 'warm_max_factor',
    argument: '<num>',
    initial: { warmMaxFactor: 2 },
    help: ['items idle > cold lru age * this drop from warm (default: 2.00)'],
    set: (s, value, given) => {
      s.warmMaxFactor = decimal(given, value, 0);
    },
    stats: 'warm_max_factor',
    show: (s) => s.warmMaxFactor.toFixed(2),
  },
  { initial: { tempLru: false }, stats: 'temp_lru', show: (s) => yesNo(s.tempLru) },
  {
    extended: 'temporary_ttl',
    argument: '<num>',
    initial: { temporaryTtl: 61 },
    help: [
      'items that live at most this many seconds get a list of their own',
      'and are not evicted (requires lru_maintainer, default: off)',
    ],
    set: (s, value, given) => {
      s.temporaryTtl = integer(given, value, 0, 2 ** 31 - 1);
      s.tempLru = true;
    },
    stats: 'temporary_ttl',
    show: (s) => String(s.temporaryTtl),
  },
  {
    extended: 'idle_timeout',
    argument: '<num>',
    initial: { idleTimeout: 0 },
    help: ['seconds after which an idle connection is closed (default: 0, never)'],
    set: (s, value, given) => {
      s.idleTimeout = integer(given, value, 0, 2 ** 31 - 1);
    },
    stats: 'idle_timeout',
    show: (s) => String(s.idleTimeout),
  },
  fixed('read_buf_mem_limit', '0'),
  {
    extended: 'track_sizes',
    initial: { trackSizes: false },
    help: ["enable dynamic reports for 'stats sizes' command"],
    set: (s) => {
      s.trackSizes = true;
    },
    stats: 'track_sizes',
    show: (s) => yesNo(s.trackSizes),
  },
];
