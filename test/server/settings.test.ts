// What the settings table makes of a command line.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  cacheConfig,
  helpText,
  memoryConfig,
  readSettings,
  SETTINGS,
  settingsStats,
} from '../../src/server/settings.ts';

function namesOf(pattern: RegExp): string[] {
  return SETTINGS.flatMap(({ extended }) =>
    extended !== undefined && pattern.test(extended) ? [extended] : [],
  );
}

const REFUSED: [string[], RegExp][] = [
  [['-o', 'transport=kqueue'], /^-o transport must be io_uring, epoll or node, not 'kqueue'$/],
  [['-p', 'abc'], /^-p must be a whole number from -1 to 65535, not 'abc'$/],
  [['-p', '65536'], /^-p must be/],
  [['-p', '-2'], /^-p must be/],
  [['-p', ''], /^-p must be/],
  [['--port=1x'], /^--port must be/],
  [['-m', '0'], /^-m must be a whole number of at least 1|^-m must be/],
  [['-m', '1.5'], /^-m must be/],
  [['-m', '1'], /^-I .* half of -m/],
  [['-m', '1', '-I', '512k', '-o', 'slab_chunk_max=1048576'], /slab_chunk_max .* larger than -I/],
  [['-c', '0'], /^-c must be/],
  [['-c', '522224'], /^-c must be a whole number from 1 to 522223, not '522224'$/],
  [['-t', '0'], /^-t must be/],
  [['-t', '-1'], /^-t must be/],
  [['-R', '0'], /^-R must be/],
  [['-b', '0'], /^-b must be/],
  [['-n', '0'], /^-n must be/],
  [['-f', '1.0'], /^-f must be a number above 1, not '1.0'$/],
  [['-f', 'NaN'], /^-f must be/],
  [['-I', '1023'], /^-I must be from 1k to 1024m/],
  [['-I', '1025m', '-m', '4096'], /^-I must be from 1k to 1024m/],
  [['-I', '1g'], /^-I must be a size/],
  [['-I', '256k'], /slab_chunk_max \(524288\) cannot be larger than -I \(262144\)/],
  [['-I', '700k'], /must be a multiple of -o slab_chunk_max/],
  [['-a', '778'], /^-a must be an octal mode/],
  [['-a', '1777'], /^-a must be an octal mode/],
  [['-U', '65536'], /^-U must be/],
  [['-B', 'http'], /^-B must be auto, binary or ascii, not 'http'$/],
  [['-l', ''], /^-l needs a value/],
  [['-l', '[::1'], /^-l '\[::1' is not an address/],
  [['-l', 'localhost:'], /is not an address/],
  [['-l', 'localhost:99999'], /port must be from 1 to 65535/],
  [['-l', 'notls:127.0.0.1'], /^-l 'notls:127.0.0.1': 'notls' is valid only when TLS is enabled/],
  [['-l', 'proto[http]:127.0.0.1'], /the protocol must be ascii, binary or negotiating/],
  [['-l', 'tag[]:127.0.0.1'], /a tag must have 1 to 8 characters/],
  [['-l', 'tag[ninechars]:127.0.0.1'], /a tag must have 1 to 8 characters/],
  [['-l', 'proto[ascii'], /is not an address/],
  [['-Z'], /^-Z needs a certificate: -o ssl_chain_cert=<file>$/],
  [['-Z', '-o', 'ssl_chain_cert='], /^-o ssl_chain_cert needs a value/],
  [['-Z', '-o', 'ssl_chain_cert=c,ssl_verify_mode=2'], /needs -o ssl_ca_cert/],
  [['-Z', '-o', 'ssl_chain_cert=c', '-l', 'mtls:127.0.0.1'], /'mtls:' needs -o ssl_ca_cert/],
  [['-o', 'ssl_chain_cert'], /^-o ssl_chain_cert needs a value/],
  [['-o', 'ssl_key='], /^-o ssl_key needs a value/],
  [['-o', 'ssl_ca_cert='], /^-o ssl_ca_cert needs a value/],
  [['-o', 'ssl_ciphers='], /^-o ssl_ciphers needs a value/],
  [['-o', 'ssl_verify_mode=4'], /^-o ssl_verify_mode must be/],
  [['-o', 'ssl_keyformat=3'], /^-o ssl_keyformat must be/],
  [['-o', 'ssl_min_version=4'], /^-o ssl_min_version must be/],
  [['-o', 'ssl_wbuf_size=x'], /^-o ssl_wbuf_size must be/],
  [['-s', ''], /^-s needs a value/],
  [['-s', 'x'.repeat(108)], /^-s: the path is longer/],
  [['-D', ''], /^-D must be one character, not ''$/],
  [['-D', '::'], /^-D must be one character/],
  [['-N', '0'], /^-N must be a whole number from 1/],
  [['-o', 'dump_timeout=0'], /^-o dump_timeout must be/],
  [['-o', 'slab_sizes=x'], /^-o slab_sizes must be sizes joined by '-', not 'x'$/],
  [['-o', 'sock_cookie_id=x'], /^-o sock_cookie_id must be/],
  [['-o', 'read_buf_mem_limit=-1'], /^-o read_buf_mem_limit must be/],
  [['-o', 'resp_obj_mem_limit=x'], /^-o resp_obj_mem_limit must be/],
  [['-o', 'slab_automove_freeratio=2'], /^-o slab_automove_freeratio must be/],
  [['-o', 'ext_drop_unread'], /^-o ext_drop_unread: there is no external storage here/],
  [['-o', 'proxy_config=/tmp/x'], /^-o proxy_config: there is no proxy here$/],
  ...namesOf(/^ext_/).map((name): [string[], RegExp] => [
    ['-o', `${name}=1`],
    new RegExp(`^-o ${name}: there is no external storage here`),
  ]),
  ...namesOf(/^proxy_/).map((name): [string[], RegExp] => [
    ['-o', `${name}=1`],
    new RegExp(`^-o ${name}: there is no proxy here$`),
  ]),
  [['-C', '-o', 'track_sizes'], /^-o track_sizes needs cas ids, which -C disables$/],
  [['-u', ''], /^-u needs a value/],
  [['-P', ''], /^-P needs a value/],
  [['-e', ''], /^-e needs a value/],
  [['-o', 'watcher_logbuf_size=1'], /^-o watcher_logbuf_size must be/],
  [['-o', 'worker_logbuf_size=0'], /^-o worker_logbuf_size must be/],
  [['-Y', ''], /^-Y needs a value/],
  [['-S', '-o', 'sasl_pwdb='], /^-o sasl_pwdb needs a value/],
  [['-o', 'sasl_pwdb=users'], /^-o sasl_pwdb needs -S$/],
  [['-S', '-o', 'sasl_any'], /^-o sasl_any cannot be used with -S or -Y/],
  [['-Y', 'users', '-o', 'sasl_any'], /^-o sasl_any cannot be used/],
  [['-S', '-U', '11211'], /^-U cannot be used with -S or -Y/],
  [['-Y', 'users', '-U', '-1'], /^-U cannot be used with -S or -Y/],
  [['-S', '-B', 'ascii'], /^-B ascii cannot be used with -S/],
  [['-S', '-B', 'auto'], /^-B auto cannot be used with -S/],
  [['-Y', 'users', '-B', 'binary'], /^-B binary cannot be used with -Y/],
  [['-Y', 'users', '-B', 'auto'], /^-B auto cannot be used with -Y/],
  [['-S', '-Y', 'users', '-B', 'binary'], /^-B binary cannot be used with -Y/],
  [['-S', '-l', 'proto[ascii]:localhost'], /^-l 'proto\[ascii\]:' with -S needs -Y/],
  [['-Y', 'users', '-l', 'proto[binary]:localhost'], /^-l 'proto\[binary\]:' with -Y needs -S/],
  [['-S', '-o', 'auth_timeout=-1'], /^-o auth_timeout must be/],
  [['-o', 'auth_timeout=3'], /^-o auth_timeout needs -S or -Y$/],
  [['-o', 'nothing'], /^unknown option '-o nothing'$/],
  [['-o', 'hashpower'], /^-o hashpower needs a value$/],
  [['-o', 'hashpower=11'], /^-o hashpower must be/],
  [['-o', 'hashpower=33'], /^-o hashpower must be/],
  [['-o', 'no_hashexpand=1'], /^-o no_hashexpand takes no value$/],
  [['-o', 'hash_algorithm=md5'], /^-o hash_algorithm must be jenkins, murmur3 or xxh3, not 'md5'$/],
  [['-o', 'lru_crawler_sleep=1000001'], /^-o lru_crawler_sleep must be/],
  [['-o', 'lru_crawler_tocrawl=4294967296'], /^-o lru_crawler_tocrawl must be/],
  [['-o', 'hot_lru_pct=80'], /^-o hot_lru_pct must be/],
  [['-o', 'warm_lru_pct=0'], /^-o warm_lru_pct must be/],
  [['-o', 'hot_lru_pct=50,warm_lru_pct=31'], /more than 80 together/],
  [['-o', 'hot_max_factor=0'], /^-o hot_max_factor must be/],
  [['-o', 'warm_max_factor=x'], /^-o warm_max_factor must be/],
  [['-o', 'temporary_ttl=60,no_lru_maintainer'], /temporary_ttl needs lru_maintainer/],
  [['-o', 'temporary_ttl'], /^-o temporary_ttl needs a value$/],
  [['-o', 'slab_automove=3'], /^-o slab_automove must be/],
  [['-o', 'slab_automove_ratio=1.1'], /^-o slab_automove_ratio must be/],
  [['-o', 'slab_automove_window=2'], /^-o slab_automove_window must be/],
  [['-o', 'slab_chunk_max=300000'], /must be a multiple of -o slab_chunk_max/],
  [['-o', 'tail_repair_time=9'], /^-o tail_repair_time must be/],
  [['-o', 'idle_timeout=x'], /^-o idle_timeout must be/],
  [['-o', 'memory_max=32'], /memory_max cannot be smaller than -m/],
];

test('a bad value is refused in one sentence that names its flag', () => {
  for (const [args, message] of REFUSED) {
    assert.throws(
      () => readSettings(args),
      (error: Error) => {
        assert.equal(error.name, 'SettingsError', `${args.join(' ')}: ${error.stack}`);
        assert.match(error.message, message);
        assert.equal(error.message.includes('\n'), false);
        return true;
      },
      args.join(' '),
    );
  }
});

test('every flag with a value refuses something', () => {
  const tried = new Set(REFUSED.map(([args]) => args[0]));
  const options = REFUSED.flatMap(([args]) => (args[0] === '-o' ? args[1].split(/[,=]/) : []));
  for (const { short, extended, argument } of SETTINGS) {
    if (argument === undefined) continue;
    if (short !== undefined) assert.ok(tried.has(`-${short}`), `-${short} is not tried`);
    if (extended !== undefined) assert.ok(options.includes(extended), `${extended} is not tried`);
  }
});

test('the defaults are memcached’s', () => {
  const settings = readSettings([]);
  assert.equal(settings.port, 11211);
  assert.equal(settings.threads, 4);
  assert.equal(memoryConfig(settings).memoryLimit, 64 * 1024 * 1024);
  assert.equal(memoryConfig(settings).hashPowerInit, 16);
  assert.equal(cacheConfig(settings).evictToFree, true);
  assert.equal(cacheConfig(settings).slabAutomove, 1);
});

test('flags reach the configuration of memory and cache', () => {
  const args =
    '-M -m 100 -t 3 -c 77 -f 1.5 -n 96 -I 2m -L -o hashpower=20,no_hashexpand,hash_algorithm=xxh3';
  const more = 'slab_automove,no_lru_crawler,temporary_ttl=30,track_sizes,memory_max=200';
  const settings = readSettings([...args.split(' '), '-o', more]);
  assert.deepEqual(memoryConfig(settings), {
    memoryLimit: 100 * 1024 * 1024,
    memoryMax: 200 * 1024 * 1024,
    itemSizeMax: 2 * 1024 * 1024,
    slabChunkMax: 512 * 1024,
    growthFactor: 1.5,
    chunkSizeMin: 96,
    preallocate: true,
    workers: 3,
    maxConns: 77,
    hashPowerInit: 20,
    workerLogBytes: 64 * 1024,
    watcherLogBytes: 256 * 1024,
    hashAlgorithm: 2,
  });
  const cache = cacheConfig(settings);
  assert.equal(cache.evictToFree, false);
  assert.equal(cache.hashExpand, false);
  assert.equal(cache.lruCrawler, false);
  assert.equal(cache.tempLru, true);
  assert.equal(cache.temporaryTtl, 30);
  assert.equal(cache.trackSizes, true);
});

test('switches for administrators reach the configuration and stats settings', () => {
  const settings = readSettings(['-A', '-C', '-F', '-X', '-W', '-D', '/']);
  const cache = cacheConfig(settings);
  assert.equal(cache.casEnabled, false);
  assert.equal(cache.flushEnabled, false);
  assert.equal(cache.prefixDelimiter, '/');
  assert.equal(cache.detailEnabled, true);
  assert.equal(settings.watchEnabled, false);
  const stats = new Map(settingsStats(settings));
  const shown = ['shutdown_command', 'cas_enabled', 'flush_enabled', 'dump_enabled'];
  assert.deepEqual(
    shown.map((key) => stats.get(key)),
    ['yes', 'no', 'no', 'no'],
  );
  assert.equal(stats.get('stat_key_prefix'), '/');
  assert.equal(stats.get('detail_enabled'), 'yes');
});

test('a flag that does something else than in memcached says so, once and by its name', () => {
  const given = [
    '-r',
    '-N4',
    '-k',
    '-L',
    '-o',
    'drop_privileges,slab_sizes=100-200,sock_cookie_id=1',
  ];
  const { warnings, warningsWithoutAddon } = readSettings(given);
  assert.deepEqual(
    warnings.map((warning) => warning.slice(0, warning.indexOf(':'))),
    ['-r', '-N', '-o drop_privileges', '-o slab_sizes', '-o sock_cookie_id'],
  );
  assert.deepEqual(
    warningsWithoutAddon.map((warning) => warning.slice(0, warning.indexOf(':'))),
    ['-k', '-L'],
  );
  assert.deepEqual(readSettings([]).warnings, []);
  assert.deepEqual(readSettings(['-o', 'no_drop_privileges,no_chunked_items']).warnings, []);
});

test('no_modern sets what memcached 1.4 had, and leaves a chunk size that was given', () => {
  const settings = readSettings(['-o', 'no_modern']);
  assert.equal(settings.slabChunkMax, 1024 * 1024);
  assert.equal(settings.maxconnsFast, false);
  assert.equal(settings.lruMaintainer, false);
  assert.equal(new Map(settingsStats(settings)).get('hash_algorithm'), 'jenkins');
  assert.equal(readSettings(['-o', 'slab_chunk_max=16384,no_modern']).slabChunkMax, 16384);
});

test('slab_chunk_max is in kilobytes, or in bytes as it once was', () => {
  const size = (text: string) => readSettings(['-o', `slab_chunk_max=${text}`]).slabChunkMax;
  assert.equal(size('512'), 524288);
  assert.equal(size('1024'), 1048576);
  assert.equal(size('16384'), 16384);
});

test('the help names every flag and option once', () => {
  const help = helpText('1.2.3');
  assert.match(help, /^slabcached 1\.2\.3\n/);
  for (const { short, long, extended } of SETTINGS) {
    if (short !== undefined) assert.equal(help.split(`\n-${short}, --${long}`).length, 2, short);
    if (extended !== undefined) {
      assert.equal(help.match(new RegExp(`^ {3}${extended}\\b`, 'gm'))?.length, 1, extended);
    }
  }
  for (const line of help.split('\n')) assert.ok(line.length <= 110, line);
});

test('stats settings shows what was set', () => {
  const args = '-v -v -c 5 -M -s /tmp/x.sock -a 770 -f 1.5 -o idle_timeout=9,no_maxconns_fast';
  const stats = new Map(settingsStats(readSettings(args.split(' '))));
  assert.equal(stats.get('verbosity'), '2');
  assert.equal(stats.get('maxconns'), '5');
  assert.equal(stats.get('evictions'), 'off');
  assert.equal(stats.get('domain_socket'), '/tmp/x.sock');
  assert.equal(stats.get('umask'), '770');
  assert.equal(stats.get('growth_factor'), '1.50');
  assert.equal(stats.get('idle_timeout'), '9');
  assert.equal(stats.get('maxconns_fast'), 'no');
  assert.equal(stats.get('inter'), 'NULL');
});
