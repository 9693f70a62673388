/**
 * The settings table, third part: what memcached shows in `stats settings` of parts that this
 * server does not have (external storage, NAPI), so that tools find every key; and options
 * that only change others.
 */
import { HASH_ALGORITHMS } from '../cache/hash.ts';
import { fixed, type Setting } from './setting.ts';

const PAGE_BYTES = 1024 * 1024;

export const ABSENT_SETTINGS: readonly Setting[] = [
  fixed('inline_ascii_response', 'no'),
  fixed('ext_item_size', '0'),
  fixed('ext_item_age', '0'),
  fixed('ext_low_ttl', '0'),
  fixed('ext_recache_rate', '0'),
  fixed('ext_wbuf_size', '0'),
  fixed('ext_compact_under', '0'),
  fixed('ext_drop_under', '0'),
  fixed('ext_max_sleep', '0'),
  fixed('ext_max_frag', '0.00'),
  fixed('slab_automove_freeratio', '0.000'),
  fixed('ext_drop_unread', 'no'),
  fixed('num_napi_ids', '(null)'),
];

/** Options that stand for several others. */
export const PRESET_SETTINGS: readonly Setting[] = [
  {
    extended: 'modern',
    help: ['the options that will be default in future: currently nothing'],
    set: () => undefined,
  },
  {
    extended: 'no_modern',
    help: ['the defaults of memcached 1.4'],
    set: (s) => {
      if (!s.slabChunkMaxGiven) s.slabChunkMax = PAGE_BYTES;
      s.slabReassign = false;
      s.slabAutomove = 0;
      s.maxconnsFast = false;
      s.lruSegmented = false;
      s.hashAlgorithm = HASH_ALGORITHMS.indexOf('jenkins');
      s.lruCrawler = false;
      s.lruMaintainer = false;
    },
  },
];
