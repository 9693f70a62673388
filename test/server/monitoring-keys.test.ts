/**
 * What monitoring reads of us is there and can be parsed: the keys that the Prometheus exporter,
 * Datadog's mcache check and New Relic's integration take from `stats` and its subcommands.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Client, launch } from './launch.ts';

const words = (text: string): string[] => text.trim().split(/\s+/);

/** Numbers in `stats`, by who reads them. */
const GENERAL: Readonly<Record<string, readonly string[]>> = {
  exporter: words(`
    uptime time bytes_read bytes_written curr_connections total_connections rejected_connections
    conn_yields listen_disabled_num bytes limit_maxbytes curr_items total_items evictions reclaimed
    direct_reclaims lru_crawler_starts crawler_reclaimed crawler_items_checked moves_to_cold
    moves_to_warm moves_within_lru accepting_conns cmd_get cmd_set cmd_touch
    cmd_flush get_hits get_misses delete_hits delete_misses incr_hits incr_misses decr_hits
    decr_misses cas_hits cas_misses cas_badval touch_hits touch_misses store_too_large
    store_no_memory round_robin_fallback unexpected_napi_ids`),
  datadog: words(`
    total_items curr_items limit_maxbytes uptime bytes curr_connections max_connections
    connection_structures threads pointer_size rusage_user rusage_system cmd_get cmd_set cmd_flush
    get_hits get_misses delete_misses delete_hits evictions bytes_read bytes_written cas_misses
    cas_hits cas_badval total_connections listen_disabled_num`),
  newRelic: words(`
    pid uptime time pointer_size rusage_user rusage_system curr_connections total_connections
    connection_structures conn_yields cmd_get cmd_set cmd_flush get_hits get_misses delete_hits
    delete_misses cas_misses cas_hits cas_badval bytes bytes_read bytes_written limit_maxbytes
    threads curr_items total_items evictions`),
};

/** Numbers of every class in `stats slabs`, and of the whole. */
const SLABS = words(`
  chunk_size chunks_per_page total_pages total_chunks used_chunks free_chunks free_chunks_end
  get_hits cmd_set delete_hits incr_hits decr_hits cas_hits cas_badval touch_hits`);
const SLABS_TOTAL = ['active_slabs', 'total_malloced'];

/** Numbers of every class in `stats items`. */
const ITEMS = words(`
  number number_hot number_warm number_cold age age_hot age_warm mem_requested evicted
  evicted_nonzero evicted_time outofmemory tailrepairs reclaimed expired_unfetched
  evicted_unfetched crawler_reclaimed crawler_items_checked lrutail_reflocked moves_to_cold
  moves_to_warm moves_within_lru direct_reclaims hits_to_hot hits_to_warm hits_to_cold
  hits_to_temp`);

/** Numbers and switches in `stats settings`. */
const SETTINGS = words(`
  maxconns lru_crawler_sleep lru_crawler_tocrawl hot_lru_pct warm_lru_pct hot_max_factor
  warm_max_factor`);
const SWITCHES = ['lru_crawler', 'lru_maintainer_thread'];

type Stats = ReadonlyMap<string, string>;

async function statsOf(client: Client, which: string): Promise<Stats> {
  const reply = await client.ask(`stats${which}\r\n`, 'END\r\n');
  return new Map([...reply.matchAll(/^STAT (\S+) (.*)\r$/gm)].map(([, key, text]) => [key, text]));
}

function expectNumbers(stats: Stats, keys: readonly string[], reader: string): void {
  for (const key of keys) {
    const text = stats.get(key);
    assert.ok(text !== undefined, `${reader} reads ${key}, which is not there`);
    assert.match(text, /^\d+(\.\d+)?$/, `${reader} parses ${key}`);
  }
}

test('every key that monitoring reads is there and has a value it can parse', async (t) => {
  const server = await launch(t, []);
  const client = new Client(t, server.port);
  await client.ask('set small 0 0 1\r\n1\r\nset large 0 100 999\r\n', '');
  await client.ask(
    `${'x'.repeat(999)}\r\nget small\r\nget none\r\ntouch small 5\r\n`,
    'TOUCHED\r\n',
  );
  const general = await statsOf(client, '');
  for (const [reader, keys] of Object.entries(GENERAL)) expectNumbers(general, keys, reader);
  for (const key of ['rusage_user', 'rusage_system']) {
    assert.match(general.get(key) ?? '', /^\d+\.\d{6}$/, key);
  }
  assert.match(general.get('version') ?? '', /^\d+\.\d+\.\d+$/);

  const slabs = await statsOf(client, ' slabs');
  expectNumbers(slabs, SLABS_TOTAL, 'everybody');
  const items = await statsOf(client, ' items');
  const classes = [...items.keys()].filter((key) => key.endsWith(':number'));
  assert.equal(classes.length, 2);
  for (const id of classes.map((key) => key.split(':')[1])) {
    expectNumbers(
      slabs,
      SLABS.map((key) => `${id}:${key}`),
      'everybody',
    );
    expectNumbers(
      items,
      ITEMS.map((key) => `items:${id}:${key}`),
      'everybody',
    );
  }

  const settings = await statsOf(client, ' settings');
  expectNumbers(settings, SETTINGS, 'exporter');
  for (const key of SWITCHES) assert.match(settings.get(key) ?? '', /^(yes|no)$/, key);
});

test('hits and misses of a set never come out negative', async (t) => {
  const server = await launch(t, []);
  const client = new Client(t, server.port);
  const sets = 'set k 0 0 1\r\n1\r\ncas k 0 0 1 0\r\n2\r\ncas none 0 0 1 1\r\n2\r\n';
  await client.ask(sets, 'NOT_FOUND\r\n');
  const gets = await client.ask('gets k\r\n', 'END\r\n');
  const cas = /^VALUE k 0 1 (\d+)/.exec(gets)?.[1];
  await client.ask(`cas k 0 0 1 ${cas}\r\n3\r\n`, 'STORED\r\n');
  const stats = await statsOf(client, '');
  const number = (key: string): number => Number(stats.get(key));
  const seen = ['cas_hits', 'cas_misses', 'cas_badval'].map(number);
  assert.deepEqual(seen, [1, 1, 1]);
  // The exporter takes the three away from cmd_set, which counts every storage command.
  assert.equal(number('cmd_set') - 3, 1);
});
