// The one table of what may differ between our replies and memcached 1.6.18's, each with its
// reason. Whatever is not named here must be equal byte for byte; cas ids must be equal as a
// relation (the same two values named by the same pair of ids), which cas-book.ts checks.

/** A pair of reply lines that may differ. */
export interface LineDifference {
  readonly reason: string;
  readonly theirs: RegExp;
  readonly ours: RegExp;
}

export const LINE_DIFFERENCES: readonly LineDifference[] = [
  {
    reason: 'We report the upstream version whose behaviour we follow, not the oracle’s.',
    theirs: /^VERSION \d+\.\d+\.\d+$/,
    ours: /^VERSION \d+\.\d+\.\d+$/,
  },
  {
    reason: '1.6.18 does not say what is wrong with the flags of md; current upstream does.',
    theirs: /^CLIENT_ERROR invalid or duplicate flag$/,
    ours: new RegExp(
      '^CLIENT_ERROR (bad (token in )?command line format|(duplicate|invalid) flag' +
        '|error decoding key|incorrect length for M token|invalid numeric (initial|delta) value)$',
    ),
  },
];

/** Requests that we answer otherwise on purpose; cases.ts has both answers (`ours`). */
export const REPLY_DIFFERENCES = {
  'a packet that announces a body of more than 1 GiB':
    'current upstream refuses it (0x04) and closes when the header is there; 1.6.18 waits',
  'an unknown opcode with key or extras':
    'memcached throws away as many bytes of the next packets again; we throw away the body',
  'the opcode VERBOSITY': 'it is in the protocol, but memcached does not know it; we carry it out',
  'STAT conns': 'memcached has it in the text protocol only',
  'a value behind TOUCH, GAT, GATK or STAT':
    'memcached takes it for the next packet, and hangs up at its magic byte; we refuse it (0x04)',
  'a length of more than 32 bits on a storage line':
    '1.6.18 cuts it to 32 bits, so that 4294967297 means 1; we refuse it, as current upstream does',
  'mg, ms, md and ma without a key': 'ERROR in 1.6.18, a bad format in current upstream',
  'meta commands with 20 words, and what is said of too many':
    '1.6.18 takes 19 words and has two texts; current upstream takes 20 and has one',
  'E, x, s of ms, and N with append and prepend': 'flags that 1.6.18 does not know yet',
  'what is wrong with the flags of md': '1.6.18 does not say; current upstream does',
  'ms with a key too long or too many flags':
    'the value behind it is read as commands by 1.6.18, and swallowed by current upstream',
  'the sign of exp in me': '1.6.18 counts backwards',
  'q of an ma that creates its item': 'has no effect in 1.6.18; current upstream is quiet',
  'T of an ma that makes the number longer': '1.6.18 touches the item that was replaced',
  'ma with an opaque that is too long': '1.6.18 changes the number before it sees that',
  'binary keys of items created by mg or joined by ms':
    '1.6.18 forgets that the key is binary and would put any bytes of it on the reply line',
  'binary protocol keys that no text command could name, asked for by mg and me':
    'memcached puts their bytes on the reply line, which they may end; we encode them in base64',
} as const;

/**
 * How a statistic is compared. `equal`: the same text. `free`: any number or text. `near`: numbers
 * whose distance is at most `slack`. `kind`: both numbers or both text, nothing more.
 */
export interface StatRule {
  readonly keys: RegExp;
  readonly compare: 'free' | 'kind' | 'near';
  /** For `near`. */
  readonly slack?: number;
  readonly reason: string;
}

const TIMED = 'depends on the moment of asking or on the process';
const LAYOUT = 'our item header and large-item layout take less memory than theirs';
const BACKGROUND = 'counts the work of background threads, which depends on timing';
const SERVER = 'counts buffers, sockets or threads of an implementation, not of the cache';

/** `stats`. Keys that are not matched by a rule must have equal values. */
export const GENERAL_STATS: readonly StatRule[] = [
  { keys: /^(pid|version|libevent|rusage_user|rusage_system)$/, compare: 'free', reason: TIMED },
  { keys: /^(uptime|time)$/, compare: 'kind', reason: `${TIMED}; both servers start apart` },
  { keys: /^(curr_connections|total_connections)$/, compare: 'near', slack: 8, reason: TIMED },
  { keys: /^(connection_structures|reserved_fds)$/, compare: 'kind', reason: SERVER },
  { keys: /^(response_obj_|read_buf_)/, compare: 'kind', reason: SERVER },
  { keys: /^(bytes_read|bytes_written)$/, compare: 'kind', reason: 'cas ids differ in digits' },
  {
    keys: /^total_items$/,
    compare: 'near',
    slack: 2,
    reason: 'memcached stores a number anew if its maintainer happens to hold the item just then',
  },
  { keys: /^(bytes|slab_global_page_pool)$/, compare: 'kind', reason: LAYOUT },
  { keys: /^hash_(power_level|bytes|is_expanding)$/, compare: 'kind', reason: LAYOUT },
  { keys: /^(conn_yields|threads|malloc_fails)$/, compare: 'kind', reason: SERVER },
  { keys: /^(slab_reassign_|slabs_moved)/, compare: 'kind', reason: BACKGROUND },
  { keys: /^(lru_crawler_|lru_maintainer_|log_|crawler_)/, compare: 'kind', reason: BACKGROUND },
  { keys: /^(moves_|direct_reclaims|lru_bumps|lrutail_)/, compare: 'kind', reason: BACKGROUND },
  { keys: /^(expired_unfetched|reclaimed)$/, compare: 'kind', reason: BACKGROUND },
  {
    keys: /^(get_expired|get_flushed|curr_items)$/,
    compare: 'near',
    slack: 60,
    reason: 'a dead item counts until someone meets it: a reader or the background threads',
  },
  {
    keys: /^(unexpected_napi_ids|round_robin_fallback|time_in_listen_disabled_us)$/,
    compare: 'kind',
    reason: SERVER,
  },
];

/** `stats settings`. */
export const SETTINGS_STATS: readonly StatRule[] = [
  { keys: /^(tcpport|oldest)$/, compare: 'kind', reason: TIMED },
  {
    keys: /^(ext_|slab_automove_freeratio$)/,
    compare: 'free',
    reason: 'settings of extstore, which we do not have: they read as off',
  },
  { keys: /^num_napi_ids$/, compare: 'free', reason: 'an uninitialised text in 1.6.18' },
];

/** Statistics keys that only one of the two reports, per subcommand (`` is plain stats). */
export interface KeyDifference {
  readonly subcommand: string;
  readonly key: RegExp;
  readonly only: 'ours' | 'theirs';
  readonly reason: string;
}

export const STAT_KEY_DIFFERENCES: readonly KeyDifference[] = [
  {
    subcommand: '',
    key: /^(held_connections|worker_restarts)$/,
    only: 'ours',
    reason: 'connections waiting for a worker, and workers replaced after a failure: ours alone',
  },
  {
    subcommand: '',
    key: /^auth_timeouts$/,
    only: 'ours',
    reason: 'who did not authenticate in time; memcached waits forever',
  },
  { subcommand: '', key: /^slabcached$/, only: 'ours', reason: 'the version of this server' },
  {
    subcommand: '',
    key: /^slab_reassign_(busy_nomem|last_busy_status)$/,
    only: 'ours',
    reason: 'newer than 1.6.18',
  },
  {
    subcommand: 'settings',
    key: /^(memory_max|transport|dump_timeout)$/,
    only: 'ours',
    reason: 'the address space reserved for pages and how sockets are served: settings of ours',
  },
  {
    subcommand: 'settings',
    key: /^(sasl_any|auth_timeout)$/,
    only: 'ours',
    reason: 'who need not authenticate, and how long others may take: settings of ours',
  },
  {
    subcommand: 'settings',
    key: /^drop_privileges$/,
    only: 'ours',
    reason: 'memcached shows it where it is built with seccomp',
  },
];

/**
 * `stats items` and `stats slabs`: the class of an item follows from its total size, so values of
 * classes are compared by field name, summed over all classes; these fields not even so.
 */
export const CLASS_FIELDS: readonly StatRule[] = [
  { keys: /^(mem_requested|total_malloced|active_slabs)$/, compare: 'kind', reason: LAYOUT },
  {
    keys: /^(total_pages|total_chunks|used_chunks|free_chunks|free_chunks_end)$/,
    compare: 'kind',
    reason: LAYOUT,
  },
  { keys: /^(chunk_size|chunks_per_page)$/, compare: 'kind', reason: 'compared per class id' },
  { keys: /^(age|age_hot|age_warm|evicted_time)$/, compare: 'kind', reason: TIMED },
  { keys: /^number_(hot|warm|cold|temp)$/, compare: 'kind', reason: BACKGROUND },
  { keys: /^hits_to_/, compare: 'kind', reason: 'which list an item is in is up to timing' },
  { keys: /^(moves_|direct_reclaims|lrutail_|crawler_)/, compare: 'kind', reason: BACKGROUND },
  { keys: /^(reclaimed|expired_unfetched|tailrepairs)$/, compare: 'kind', reason: BACKGROUND },
  { keys: /^number$/, compare: 'near', slack: 60, reason: 'dead items count until met' },
];

/** Orders that carry no meaning, and are compared as sets of lines. */
export const UNORDERED = {
  'stats detail dump': 'the order of prefixes is that of an internal hash table',
  'stats cachedump': 'which items a class holds, and their order, follow from the layout',
} as const;

/** Answers to a store that found no memory; in evicting runs each may stand for the other. */
export const OUT_OF_MEMORY_REPLIES = {
  'SERVER_ERROR out of memory storing object': 'there was no room for the item',
  'SERVER_ERROR Out of memory during read':
    'the chunks of a large item are taken while its data arrive; an item may be large in one only',
} as const;

/**
 * Evicting runs: a miss on one side only is allowed when that side's counters of lost items have
 * grown since the two last agreed on the key. The key is then deleted on both sides. A server out
 * of memory may also say so where the other still had room.
 */
export const LOSS_COUNTERS: readonly string[] = [
  'evictions',
  'reclaimed',
  'store_no_memory',
  'slab_reassign_evictions_nomem',
  'outofmemory',
];

/** Commands that memcached may fail for want of memory without any of its counters saying so. */
export const UNCOUNTED_LOSSES: { readonly commands: readonly string[]; readonly reason: string } = {
  commands: ['append', 'prepend'],
  reason: 'memcached does not count the chunks that it could not get for the joined value',
};

/** The rule for a statistic, if there is one. */
export function statRule(rules: readonly StatRule[], key: string): StatRule | undefined {
  return rules.find((rule) => rule.keys.test(key));
}

/** Requests that the random runs do not send, because the oracle's answer to them is no answer. */
export const AVOIDED = {
  'binary exptimes of more than 2^31 seconds, where text commands show exptimes':
    'we keep them as the last second of a signed clock, 68 years after the start',
  'a packet with a wrong magic byte behind others':
    'memcached then forgets the answers that it owes; alone it closes on both sides',
  'STAT detail without a mode':
    'memcached 1.6.18 reads the mode from what lies behind the key; we answer that there is none',
  'binary incr and decr right behind a fetch':
    'memcached still holds what it has fetched, and stores the number anew instead of padding ' +
    'it; a NOOP between them makes it let go',
  'a binary flush with an exptime that has passed':
    'it undoes an earlier flush for the items that no background thread has met meanwhile',
  'append or prepend with client flags, of an upload over slab_chunk_max whose result fits':
    'memcached 1.6.18 copies the upload from the wrong place and serves bytes of its own memory',
  'numbers of 2^62 and more in incr and decr, and values with a minus sign':
    'for numbers over 2^63 memcached 1.6.18 searches what lies behind the value for a minus sign',
  'incr and decr of a value of nothing but white space':
    'memcached 1.6.18 reads on behind the value and counts with what it finds there',
  'a get with a key over 250 bytes behind other requests in one stream':
    'memcached 1.6.18 then throws away whatever it has not sent of the earlier requests’ answers',
  'a request to close (quit, an HTTP request line) with more bytes behind it':
    'bytes that the server has not read turn its close into a reset, which can overtake answers; ' +
    'an HTTP line also makes memcached forget answers it owes, so it comes first in its stream',
  'incr and decr in a memcached with its LRU maintainer':
    'while the maintainer holds an item, a shorter number replaces it instead of being padded ' +
    'with spaces; so where numbers are compared theirs runs with no_lru_maintainer',
  'exptimes and flush_all delays of 1 to 99 seconds':
    'the two clocks do not tick together; time.test.ts waits for these instead',
  'gat lines and malformed lines over 2048 bytes':
    'they are cut off or not depending on how much has arrived when the server looks',
  'arithmetic behind an mg in one stream':
    'while the answer to an mg is not sent memcached holds its item, and then a shorter number ' +
    'replaces it instead of being padded with spaces',
  'flags E and x, s of ms, N of joining modes, 19 words and more on meta lines':
    'there 1.6.18 differs on purpose (REPLY_DIFFERENCES); fixed examples have them',
  'T and N with q on ma lines, and opaques that are too long on mg and ma lines':
    'their effects differ from ours on purpose (REPLY_DIFFERENCES)',
  'flush_all under -C':
    'without cas ids it goes by the second, and the two clocks do not tick together; so -F too',
  'stats detail under -X':
    '1.6.18 forbids the other dumps only; current upstream this one too, and we in packets as well',
  'a SASL attempt that fails on a server with -S, with more packets behind it':
    'the next packet ends the connection, and what is unread then turns the close into a reset, ' +
    'which can overtake answers; such an attempt comes last in its stream',
  'SASL_LIST_MECHS behind a login':
    'memcached forgets who is there when it is asked for the list; sasl-cases.ts has both answers',
  'data blocks of more than 60 bytes on malformed lines': 'read as a command line, they are such',
} as const;
