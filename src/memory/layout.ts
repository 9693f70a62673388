/**
 * The map of the shared memory: every region, offset and field of the one SharedArrayBuffer.
 * Nothing else computes an offset, but for what lies in log rings and watchers (log-layout.ts), and
 * in the prefixes (stats-layout.ts).
 *
 *   +-----------------+ 0
 *   | head            |  magic, clock, memory config, cas ids, page pool, runtime switches
 *   +-----------------+
 *   | stripes         |  one per 16 bytes: lock over a part of the hash table, and its mask
 *   | classes         |  one per 64 bytes: lock, free list, carving state of a slab class
 *   | actors          |  one per thread: journal for crash repair, counters
 *   | tenants         |  one per keyspace: flush marks, limit
 *   | lists           |  one per (tenant, class): LRU lists and their counters
 *   | connections     |  one per connection slot
 *   | page table      |  one per slab page: owner class, chunks carved, moving flag
 *   | sizes           |  `stats sizes`: items per 32 bytes of size, while tracking is on
 *   | prefixes        |  `stats detail`: hash table of key prefixes, while it is on
 *   | log rings       |  one per actor: events that somebody watches, until they are read
 *   | watchers        |  one per `watch` connection: lines that wait to be sent
 *   +-----------------+ 4 KB aligned
 *   | hash table      |  2^hashPowerMax buckets of 4 bytes (untouched ones cost no memory)
 *   +-----------------+ 1 MB aligned
 *   | slab pages      |  memoryMax / 1 MB pages
 *   +-----------------+
 *
 * References ("ref") name a chunk by its byte offset in 8-byte units, as an int32 that may be
 * negative when seen as signed: 32 GiB are addressable and a ref always is a V8 small integer. 0 is
 * no chunk. `at(ref)` turns one into an index of the Int32Array over the whole buffer.
 *
 * Fields named ..._I32 are offsets in 4-byte words from the start of their record, ..._F64 in
 * 8-byte words. Counters that may pass 2^31 are Float64: exact up to 2^53, one store, no carry.
 */
import { CLASS_COUNT_MAX, PAGE_BYTES } from './classes.ts';
import type { MemoryConfig } from './config.ts';
import { LOG_RING_HEAD_BYTES, WATCHER_COUNT, WATCHER_HEAD_BYTES } from './log-layout.ts';
import { PREFIX_BYTES, PREFIX_COUNT, SIZES_STEP } from './stats-layout.ts';

export const LAYOUT_MAGIC = 0x51ab_cac4 | 0;
export const LAYOUT_VERSION = 1;

/* Head: int32 words from the start of the buffer. */
export const HEAD_MAGIC = 0;
export const HEAD_VERSION = 1;
/** Seconds since `process_started`, the time unit of every item. */
export const HEAD_CLOCK = 2;
/** The word that the maintainer sleeps on; counts the calls for it. */
export const HEAD_MAINTAINER_WAKE = 3;
/** 1 makes the maintainer return. */
export const HEAD_MAINTAINER_STOP = 4;
/** The last cas id given out: a sequence of three words (see sequence.ts). */
export const HEAD_CAS_LOW = 5;
export const HEAD_HASH_EXPANDING = 8;
export const HEAD_HASH_POWER = 9;
/** Lock over the pool of pages, and the pool itself. */
export const HEAD_PAGE_LOCK = 16;
export const HEAD_PAGE_FRESH = 17; // first page never given out
export const HEAD_PAGE_POOL = 18; // head of the list of returned pages, page number + 1
export const HEAD_PAGE_POOL_COUNT = 19;
export const HEAD_PAGE_COUNT = 20; // pages handed to classes
export const HEAD_PAGE_LIMIT = 21; // -m in pages, may change while serving
/** Pages given up when the limit was lowered: head of their list, page number + 1. */
export const HEAD_PAGE_RETIRED = 22;
/** 1 while classes have more pages than a limit that was lowered, and give them up. */
export const HEAD_PAGE_SHRINKING = 23;
/** The page mover's order book: source class, destination class (0 for none, see mover.ts). */
export const HEAD_MOVE_SOURCE = 24;
export const HEAD_MOVE_DESTINATION = 25;
export const HEAD_MOVE_RUNNING = 26;
/** Why a chunk could not be moved last: one of MOVE_BUSY_NAMES (mover.ts). */
export const HEAD_MOVE_BUSY = 27;
/** What commands switch while serving (switches.ts sets the first values). */
export const HEAD_DETAIL_ENABLED = 32;
export const HEAD_SIZES_ENABLED = 33;
export const HEAD_SIZES_CAS_LOW = 34;
export const HEAD_SIZES_CAS_HIGH = 35;
export const HEAD_VERBOSITY = 36;
export const HEAD_AUTOMOVE = 37;
export const HEAD_LRU_CRAWLER = 38;
export const HEAD_LISTENING = 39;
export const HEAD_CRAWLER_RUNNING = 40;
/** Connection slot to try first for the next connection; main thread only. */
export const HEAD_CONN_NEXT = 41;
/** What the watchers want to see of the log, all together: WATCH_ flags; 0 when there are none. */
export const HEAD_WATCHED = 47;
/** Lock over the prefix statistics. */
export const HEAD_PREFIX_LOCK = 48;
export const HEAD_PREFIX_USED = 49;
/**
 * Who walks all items at a client's wish, so that only one does at a time: 0 nobody, actor + 1 a
 * thread that dumps them or is writing an order to crawl, -1 the maintainer, as it was ordered to.
 */
export const HEAD_CRAWL_OWNER = 128;
/** Classes that the ordered crawl is for: bit id % 32 of word id / 32. */
export const HEAD_CRAWL_CLASSES = 129; // two words
/** What `lru`, `lru_crawler` and `slabs automove` tune (tunables.ts sets the first values). */
export const HEAD_LRU_SEGMENTED = 131;
export const HEAD_HOT_PCT = 132;
export const HEAD_WARM_PCT = 133;
export const HEAD_TEMP_TTL = 134; // seconds; -1 for no TEMP lists
export const HEAD_CRAWLER_SLEEP = 135; // microseconds
export const HEAD_CRAWLER_TOCRAWL = 136; // uint32, 0 for all
export const HEAD_AUTOMOVE_WINDOW = 137; // seconds
/** What tests do to the clock (clock.ts). */
export const HEAD_CLOCK_PAUSED = 138;
export const HEAD_CLOCK_OFFSET = 139;
/* Head: float64 words from the start of the buffer. */
export const HEAD_STARTED_F64 = 32; // wall clock of rel_time 0, in seconds since 1970
export const HEAD_CONFIG_F64 = 40; // the MemoryConfig, in the order of CONFIG_FIELDS
export const HEAD_HOT_FACTOR_F64 = 80;
export const HEAD_WARM_FACTOR_F64 = 81;
export const HEAD_AUTOMOVE_RATIO_F64 = 82;
/** Lock over the watchers, and over reading the log rings; its holder feeds them all. */
export const HEAD_LOG_LOCK = 512;
/** Number of the last log record, as a sequence of three words (see sequence.ts). */
export const HEAD_LOG_GID = 513;
export const HEAD_WATCHER_COUNT = 516;
/** The clock when this process started; later than at first in a cache that was restored. */
export const HEAD_START_CLOCK = 517;
export const HEAD_BYTES = 4096;

export const CONFIG_FIELDS = [
  'memoryLimit',
  'memoryMax',
  'itemSizeMax',
  'slabChunkMax',
  'growthFactor',
  'chunkSizeMin',
  'preallocate',
  'workers',
  'maxConns',
  'hashPowerInit',
  'workerLogBytes',
  'watcherLogBytes',
  'hashAlgorithm',
] as const;

/* Stripe: 16 bytes. */
export const STRIPE_BYTES = 16;
export const STRIPE_LOCK_I32 = 0;
/** Mask for bucket numbers of this stripe; stripes grow one by one while the table expands. */
export const STRIPE_MASK_I32 = 1;

/* Slab class: 64 bytes, a cache line of its own because of the lock. */
export const CLASS_BYTES = 64;
export const CLASS_LOCK_I32 = 0;
export const CLASS_CHUNK_BYTES_I32 = 1;
export const CLASS_PER_PAGE_I32 = 2;
export const CLASS_FREE_HEAD_I32 = 3;
export const CLASS_FREE_COUNT_I32 = 4;
export const CLASS_PAGES_I32 = 5;
/** Page being carved, + 1; 0 when all pages are fully carved. */
export const CLASS_CARVE_PAGE_I32 = 6;
/** Chunks in use: items, parts of large items, uploads in flight. */
export const CLASS_USED_I32 = 7;

/* Actor (a thread that works on the cache): journal, then counters. */
export const ACTOR_JOURNAL_BYTES = 64;
/** Chunk last taken from a free list: frees it if its owner died before anything referred to it. */
export const JOURNAL_ALLOC_I32 = 0;
/** Items being linked (or filled by an append), unlinked or replaced under a stripe lock. */
export const JOURNAL_LINK_I32 = 1;
export const JOURNAL_UNLINK_I32 = 2;
/** Item evicted or expired whose chunks are being freed. */
export const JOURNAL_VICTIM_I32 = 3;
/** Chunk cut off a chain, about to be freed. */
export const JOURNAL_CHUNK_I32 = 4;
/** Chunk being copied elsewhere by the page mover, and its copy. */
export const JOURNAL_MOVE_FROM_I32 = 5;
export const JOURNAL_MOVE_TO_I32 = 6;
/** Item whose value is being changed in place: it may be torn, and is dropped. */
export const JOURNAL_IN_PLACE_I32 = 7;

/** Global counters of an actor, Float64 words (names in counters.ts). */
export const COUNTER_GLOBAL_COUNT = 64;
/** Counters of an actor per slab class, Float64 words. */
export const COUNTER_CLASS_COUNT = 16;
export const ACTOR_BYTES =
  ACTOR_JOURNAL_BYTES + 8 * (COUNTER_GLOBAL_COUNT + COUNTER_CLASS_COUNT * CLASS_COUNT_MAX);

/* Tenant: 64 bytes. */
export const TENANT_BYTES = 64;
/** flush_all: items last used at or before this second are dead once it has come (0: none). */
export const TENANT_OLDEST_LIVE_I32 = 0;
/** flush_all: items with a smaller cas id are dead once oldest_live has come. */
export const TENANT_OLDEST_CAS_LOW_I32 = 1;
export const TENANT_OLDEST_CAS_HIGH_I32 = 2;
export const TENANT_FLUSH_MARK_I32 = 3; // flush_all of items with STATE_OWN_CAS: by their time
/** Tenants that the memory has room for; 0 is the plain memcached keyspace. */
export const TENANT_COUNT = 1;

/* LRU lists of a (tenant, class): 4 lists, then their bytes, then counters. */
export const LRU_HOT = 0;
export const LRU_WARM = 1;
export const LRU_COLD = 2;
export const LRU_TEMP = 3;
export const LRU_COUNT = 4;
export const LISTS_BYTES = 256;
export const LIST_WORDS = 4; // words per list
export const LIST_HEAD_I32 = 0;
export const LIST_TAIL_I32 = 1;
export const LIST_ITEMS_I32 = 2;
export const LISTS_SIZES_F64 = 8; // bytes of the items in each list
export const LISTS_STATS_F64 = 12; // item statistics, names in counters.ts
export const LISTS_STATS_COUNT = 20;

/* Connection slot: 192 bytes. */
export const CONN_BYTES = 192;
export const CONN_STATE_I32 = 0; // states in connections.ts; 0 is a free slot
export const CONN_WORKER_I32 = 1;
/** Item that an upload is filling; owned by this connection until it is linked. */
export const CONN_UPLOAD_I32 = 2;
/** Linked item kept alive while its value is being sent; counted in the item's refcount. */
export const CONN_PINNED_I32 = 3;
export const CONN_LAST_COMMAND_I32 = 4; // seconds of HEAD_CLOCK
export const CONN_TEXT_BYTES = 80;
export const CONN_PEER_AT = 32; // byte offset: length byte, then text
export const CONN_LISTEN_AT = 112;

/* Page table entry: 16 bytes. */
export const PAGE_ENTRY_BYTES = 16;
/**
 * Class id; 0 pooled or fresh; PAGE_RETIRED given up; -(actor + 2) taken from the pool by that
 * actor, not yet in a class.
 */
export const PAGE_CLASS_I32 = 0;
export const PAGE_RETIRED = -1;
/** Chunks carved so far; memory beyond was never used by this class. */
export const PAGE_CARVED_I32 = 1;
/** 1 while the page mover empties the page: freed chunks do not go to the free list. */
export const PAGE_MOVING_I32 = 2;
/** Next page in the pool, or of those given up, + 1. */
export const PAGE_NEXT_I32 = 3;

/* Chunk: the first words of every chunk that was ever carved. */
export const CHUNK_STATE_I32 = 0; // flags in the low 13 bits, refcount in the high 19
export const CHUNK_CLASS_I32 = 1; // class 6 bits | lru 2 bits | key length 8 bits | tenant 16 bits
export const CHUNK_NEXT_I32 = 3; // free list, LRU list
export const CHUNK_PREV_I32 = 4;

/**
 * Item: a chunk with 40 bytes of header.
 *
 *    0 state | 1 class,lru,nkey,tenant | 2 hash chain | 3 next | 4 prev | 5 time | 6 exptime |
 *    7 value bytes | 8 cas low | 9 cas high |
 *    [client flags, if not 0] [first data chunk, if large] key... value... (a large item's value
 *    is in its data chunks)
 */
/** While an item is unlinked, and always in a data chunk, this names the owner: actor + 1. */
export const ITEM_HASH_NEXT_I32 = 2;
export const ITEM_TIME_I32 = 5;
export const ITEM_EXPTIME_I32 = 6;
export const ITEM_VALUE_BYTES_I32 = 7;
export const ITEM_CAS_LOW_I32 = 8;
export const ITEM_CAS_HIGH_I32 = 9;
export const ITEM_HEADER_BYTES = 40;

/**
 * Data chunk of a large item: 0 state | 1 class | 2 owner | 3 head item | 4 next data chunk |
 * data...
 */
export const DATA_HEAD_I32 = 3;
export const DATA_NEXT_I32 = 4;
export const DATA_HEADER_BYTES = 20;

/** Flags of CHUNK_STATE. A chunk is FREE, MOVED, or USED with any of the others. */
export const STATE_USED = 1;
export const STATE_LINKED = 2;
export const STATE_FETCHED = 4;
export const STATE_ACTIVE = 8;
export const STATE_LARGE = 16; // head of a large item
export const STATE_DATA = 32; // data chunk of a large item
export const STATE_CFLAGS = 64;
export const STATE_FREE = 128;
export const STATE_MOVED = 256; // empty, in a page that is being moved
export const STATE_STALE = 512; // a client wants it renewed (md I)
export const STATE_TOKEN_SENT = 1024; // a client was told to renew it, and others that one was
export const STATE_KEY_BINARY = 2048; // the key came in base64, and goes out so
export const STATE_OWN_CAS = 4096; // the cas id was chosen by a client: it says nothing of time
export const STATE_FLAGS = 0x1fff;
export const STATE_REF_SHIFT = 13; // the count of references is above the flags
/** One reference in the count of CHUNK_STATE. */
export const STATE_REF_ONE = 0x2000;
/** Slots beyond -c, for listeners and for connections that are about to be told that it is full. */
const LISTENERS_MAX = 16;
const WORKERS_MAX = 1024;
/** The most that -c may be: all connections may send the same item, and each has a reference. */
export const CONNECTIONS_MAX = 2 ** (32 - STATE_REF_SHIFT) - 1 - LISTENERS_MAX - 2 * WORKERS_MAX;

/** Index of a chunk's first word in the Int32Array over the buffer. */
export function at(ref: number): number {
  return (ref >>> 0) * 2;
}

/** First word of the record that starts at this byte. */
export function wordOf(byteOffset: number): number {
  return byteOffset / 4;
}

/** Where everything is, in bytes, for a given config; the same in every thread. */
export interface Layout {
  readonly stripes: number;
  readonly stripeCount: number;
  readonly classes: number;
  readonly actors: number;
  readonly actorCount: number;
  readonly tenants: number;
  readonly lists: number;
  readonly connections: number;
  readonly connectionCount: number;
  readonly pageTable: number;
  readonly pageCountMax: number;
  readonly sizes: number;
  readonly sizesCount: number;
  readonly prefixes: number;
  readonly logRings: number;
  /** Bytes of a ring with its head, and of a watcher with its head. */
  readonly logRingBytes: number;
  readonly watchers: number;
  readonly watcherBytes: number;
  readonly hashTable: number;
  readonly hashPowerMax: number;
  readonly pages: number;
  readonly totalBytes: number;
}

const REFERENCE_REACH_BYTES = 2 ** 32 * 8;
/** Items are rarely smaller than this: sizes the address space reserved for buckets. */
const SMALL_ITEM_BYTES = 96;

/**
 * A bucket mask of more bits would be negative as int32; no memory holds items for as many buckets.
 */
const HASH_POWER_LIMIT = 31;

/** Computes the map. Throws RangeError when the memory cannot be addressed with 32-bit refs. */
export function computeLayout(config: MemoryConfig): Layout {
  let end = HEAD_BYTES;
  const region = (bytes: number, align: number): number => {
    const start = Math.ceil(end / align) * align;
    end = start + bytes;
    return start;
  };
  // A class gets its first page even beyond -m, as in memcached: room for that is reserved too.
  const pageCountMax = Math.ceil(config.memoryMax / PAGE_BYTES) + CLASS_COUNT_MAX;
  const stripeCount = Math.min(2 ** config.hashPowerInit, config.workers > 4 ? 8192 : 4096);
  const actorCount = config.workers + 2;
  // Beside connections: listeners, and for each worker a socket for datagrams of either family.
  const connectionCount = config.maxConns + LISTENERS_MAX + 2 * config.workers;
  const itemsMax = (pageCountMax * PAGE_BYTES) / SMALL_ITEM_BYTES;
  const hashPowerMax = Math.min(
    HASH_POWER_LIMIT,
    Math.max(config.hashPowerInit, Math.ceil(Math.log2(itemsMax / 1.5))),
  );
  const stripes = region(stripeCount * STRIPE_BYTES, 64);
  const classes = region(CLASS_COUNT_MAX * CLASS_BYTES, 64);
  const actors = region(actorCount * ACTOR_BYTES, 64);
  const tenants = region(TENANT_COUNT * TENANT_BYTES, 64);
  const lists = region(TENANT_COUNT * CLASS_COUNT_MAX * LISTS_BYTES, 64);
  const connections = region(connectionCount * CONN_BYTES, 64);
  const pageTable = region(pageCountMax * PAGE_ENTRY_BYTES, 64);
  const sizesCount = Math.floor(config.itemSizeMax / SIZES_STEP) + 2;
  const sizes = region(sizesCount * 4, 64);
  const prefixes = region(PREFIX_COUNT * PREFIX_BYTES, 4096);
  const logRingBytes = LOG_RING_HEAD_BYTES + Math.ceil(config.workerLogBytes / 64) * 64;
  const logRings = region(actorCount * logRingBytes, 64);
  const watcherBytes = WATCHER_HEAD_BYTES + Math.ceil(config.watcherLogBytes / 64) * 64;
  const watchers = region(WATCHER_COUNT * watcherBytes, 64);
  const hashTable = region(2 ** hashPowerMax * 4, 4096);
  const pages = region(pageCountMax * PAGE_BYTES, PAGE_BYTES);
  if (end > REFERENCE_REACH_BYTES) {
    const limit = Math.floor((REFERENCE_REACH_BYTES - pages) / PAGE_BYTES) - CLASS_COUNT_MAX;
    throw new RangeError(`at most ${limit} MB of pages can be addressed`);
  }
  return {
    stripes,
    stripeCount,
    classes,
    actors,
    actorCount,
    tenants,
    lists,
    connections,
    connectionCount,
    pageTable,
    pageCountMax,
    sizes,
    sizesCount,
    prefixes,
    logRings,
    logRingBytes,
    watchers,
    watcherBytes,
    hashTable,
    hashPowerMax,
    pages,
    totalBytes: end,
  };
}
