/**
 * The settings table: flags of memcached that cannot do here what they do there, or not all of it.
 * They are accepted, and say at the start what happens instead; parts that would be missed without
 * a word (external storage, the proxy) are refused.
 */
import { decimal, integer } from './checks.ts';
import { SettingsError } from './errors.ts';
import { fixed, type Setting } from './setting.ts';

const PAGE_BYTES = 1024 * 1024;
const INT32_MAX = 2 ** 31 - 1;

/** An option without a value that only warns. */
function inert(extended: string, help: string, warning: string): Setting {
  return { extended, help: [help], set: () => undefined, warning };
}

/** An option with a numeric value that only warns. */
function inertNumber(extended: string, help: string, warning: string): Setting {
  return {
    extended,
    argument: '<num>',
    help: [help],
    set: (_s, value, given) => {
      integer(given, value, 0, INT32_MAX);
    },
    warning,
  };
}

/** An option of a part of memcached that is not here: whoever asks for it must not go without. */
function refused(extended: string, part: string): Setting {
  return {
    extended,
    help: [`refused: ${part}`],
    argument: '<value>',
    argumentOptional: true,
    set: (_s, _value, given) => {
      throw new SettingsError(`${given}: ${part}`);
    },
  };
}

const EXTERNAL_STORAGE = [
  'ext_path',
  'ext_page_size',
  'ext_wbuf_size',
  'ext_threads',
  'ext_io_depth',
  'ext_item_size',
  'ext_item_age',
  'ext_low_ttl',
  'ext_recache_rate',
  'ext_compact_under',
  'ext_drop_under',
  'ext_max_sleep',
  'ext_max_frag',
  'ext_drop_unread',
];

export const INERT_SETTINGS: readonly Setting[] = [
  {
    short: 'r',
    long: 'enable-coredumps',
    help: ['accepted: the core file limit stays that of the shell (ulimit -c)'],
    set: () => undefined,
    warning: 'the core file limit stays as it is: set it before the start (ulimit -c)',
  },
  {
    short: 'N',
    long: 'napi-ids',
    argument: '<num>',
    help: ['accepted: connections go to the thread that has fewest'],
    set: (_s, value, given) => {
      integer(given, value, 1, INT32_MAX);
    },
    warning: 'connections go to the thread that has fewest, whatever their NAPI id',
  },
  {
    extended: 'no_chunked_items',
    help: ['the same as slab_chunk_max=1048576: no item below 1m is chained'],
    set: (s) => {
      s.slabChunkMax = PAGE_BYTES;
      s.slabChunkMaxGiven = true;
    },
  },
  {
    extended: 'slab_sizes',
    argument: '<sizes>',
    help: ['accepted: the slab classes follow from -f and -n'],
    set: (_s, value, given) => {
      if (/^\d+(-\d+)*$/.test(value)) return;
      throw new SettingsError(`${given} must be sizes joined by '-', not '${value}'`);
    },
    warning: 'the slab classes follow from -f and -n',
  },
  inert(
    'inline_ascii_resp',
    'accepted: does nothing, nor does it in memcached since 1.5.15',
    'it has no effect, nor has it in memcached since 1.5.15',
  ),
  inert(
    'no_inline_ascii_resp',
    'accepted: does nothing, nor does it in memcached since 1.5.15',
    'it has no effect, nor has it in memcached since 1.5.15',
  ),
  inert(
    'drop_privileges',
    'accepted: no system calls are given up',
    'no system calls are given up: leave that to a container or to systemd (SystemCallFilter=)',
  ),
  { extended: 'no_drop_privileges', help: ['system calls are not given up'], set: () => undefined },
  fixed('drop_privileges', 'no'),
  inertNumber(
    'sock_cookie_id',
    'accepted: sockets are not marked',
    'sockets are not marked: filter by address and port',
  ),
  inertNumber(
    'read_buf_mem_limit',
    'accepted: a thread reads into one buffer of 64 KB',
    'each thread reads into one buffer, and a connection has one more of 64 KB at most: ' +
      'limit connections (-c)',
  ),
  inertNumber(
    'resp_obj_mem_limit',
    'accepted: there are no response objects',
    'replies take no memory but the buffer that they are sent from: limit connections (-c)',
  ),
  {
    extended: 'slab_automove_freeratio',
    argument: '<num>',
    help: ['accepted: there is no external storage to hold memory free for'],
    set: (_s, value, given) => {
      decimal(given, value, 0, 1);
    },
    warning: 'there is no external storage that memory is to be held free for',
  },
  ...EXTERNAL_STORAGE.map((name) =>
    refused(name, 'there is no external storage here: all items are in memory'),
  ),
  ...['proxy_config', 'proxy_arg', 'proxy_uring'].map((name) =>
    refused(name, 'there is no proxy here'),
  ),
];
