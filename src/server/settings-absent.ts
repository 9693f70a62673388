/**
 * The settings table, third part: what memcached shows in `stats settings` of parts that this server
 * does not have (external storage, TLS, NAPI), so that tools find every key; and options that only
 * change others.
 */
import { absent, type Setting } from './setting.ts';

const PAGE_BYTES = 1024 * 1024;

export const ABSENT_SETTINGS: readonly Setting[] = [
  absent('inline_ascii_response', 'no'),
  absent('ext_item_size', '0'),
  absent('ext_item_age', '0'),
  absent('ext_low_ttl', '0'),
  absent('ext_recache_rate', '0'),
  absent('ext_wbuf_size', '0'),
  absent('ext_compact_under', '0'),
  absent('ext_drop_under', '0'),
  absent('ext_max_sleep', '0'),
  absent('ext_max_frag', '0.00'),
  absent('slab_automove_freeratio', '0.000'),
  absent('ext_drop_unread', 'no'),
  absent('ssl_enabled', 'no'),
  absent('ssl_chain_cert', '(null)'),
  absent('ssl_key', '(null)'),
  absent('ssl_verify_mode', '0'),
  absent('ssl_keyformat', '0'),
  absent('ssl_ciphers', 'NULL'),
  absent('ssl_ca_cert', 'NULL'),
  absent('ssl_wbuf_size', '0'),
  absent('ssl_session_cache', 'no'),
  absent('ssl_kernel_tls', 'no'),
  absent('ssl_min_version', 'NULL'),
  absent('num_napi_ids', '(null)'),
  absent('memory_file', '(null)'),
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
    help: ['the defaults of memcached 1.4 (but the hash stays murmur3)'],
    set: (s) => {
      if (!s.slabChunkMaxGiven) s.slabChunkMax = PAGE_BYTES;
      s.slabReassign = false;
      s.slabAutomove = 0;
      s.maxconnsFast = false;
      s.lruSegmented = false;
      s.lruCrawler = false;
      s.lruMaintainer = false;
    },
  },
];
