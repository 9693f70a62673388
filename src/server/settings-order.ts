/**
 * The order in which memcached prints `stats settings`: tools look keys up by name, people by
 * place. Settings that memcached does not have follow in the order of the table.
 */
export const SETTINGS_ORDER: readonly string[] = (
  'maxbytes maxconns tcpport udpport inter verbosity oldest evictions domain_socket umask ' +
  'shutdown_command growth_factor chunk_size num_threads num_threads_per_udp ' +
  'stat_key_prefix detail_enabled reqs_per_event cas_enabled tcp_backlog binding_protocol ' +
  'auth_enabled_sasl auth_enabled_ascii item_size_max maxconns_fast hashpower_init ' +
  'slab_reassign slab_automove slab_automove_ratio slab_automove_window slab_chunk_max ' +
  'lru_crawler lru_crawler_sleep lru_crawler_tocrawl tail_repair_time flush_enabled ' +
  'dump_enabled hash_algorithm lru_maintainer_thread lru_segmented hot_lru_pct ' +
  'warm_lru_pct hot_max_factor warm_max_factor temp_lru temporary_ttl idle_timeout ' +
  'watcher_logbuf_size worker_logbuf_size read_buf_mem_limit track_sizes ' +
  'inline_ascii_response ext_item_size ext_item_age ext_low_ttl ext_recache_rate ' +
  'ext_wbuf_size ext_compact_under ext_drop_under ext_max_sleep ext_max_frag ' +
  'slab_automove_freeratio ext_drop_unread ssl_enabled ssl_chain_cert ssl_key ' +
  'ssl_verify_mode ssl_keyformat ssl_ciphers ssl_ca_cert ssl_wbuf_size ssl_session_cache ' +
  'ssl_kernel_tls ssl_min_version num_napi_ids memory_file'
).split(' ');
