// The administrators' commands: the same lines to our server and to the real memcached, both with
// their background threads, and the same replies. Where we differ on purpose, `ours` says how.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findMemcached, skipWithoutMemcached } from '../support/oracle.ts';
import { memcached, slabcached, startServer } from '../support/server.ts';
import { lineEnd, WireClient } from '../support/wire.ts';

const FLAGS = ['-m', '64', '-t', '2'];
const OK = 'OK';
const ERROR = 'ERROR';
const FORMAT = 'CLIENT_ERROR bad command line format';
const LARGE_PCTS = 'ERROR hot and warm pcts must not exceed 80';
const BAD_FACTORS = 'ERROR hot/warm age factors must be greater than 0';
const BAD_MOVE = 'BADCLASS invalid src or dst class id';

interface Exchange {
  readonly say: string;
  readonly reply: string;
  /** Ours, where it differs on purpose, and why. */
  readonly ours?: readonly [reply: string, reason: string];
}

const to = (say: string, reply: string, ours?: Exchange['ours']): Exchange => ({
  say,
  reply,
  ...(ours === undefined ? {} : { ours }),
});

const LRU: readonly Exchange[] = [
  ...['lru', 'lru mode', 'lru temp_ttl', 'lru x', 'lru tune 1 2 3', 'lru mode x'].map((say) =>
    to(say, ERROR),
  ),
  to('lru tune 20 40 0.2 2.0', OK),
  to('lru tune 20 40 0.2 2.0 more', OK),
  to('lru tune 41 40 0.2 2.0', LARGE_PCTS),
  to('lru tune 0 80 .5 1e1', OK),
  to('lru tune 20 40 0 2.0', BAD_FACTORS),
  to('lru tune 20 40 0.2 -1', BAD_FACTORS),
  to('lru tune x 40 0.2 2.0', ERROR),
  to('lru tune 20 -1 0.2 2.0', ERROR),
  to('lru tune 20 40 x 2.0', ERROR),
  to('lru tune 20 40 0.2 2.0x', ERROR),
  to('lru mode flat', OK),
  to('lru mode segmented x', OK),
  to('lru temp_ttl 30', OK),
  to('lru temp_ttl x', ERROR),
  to('lru temp_ttl -1', OK),
];

const CRAWLER: readonly Exchange[] = [
  ...['lru_crawler', 'lru_crawler x', 'lru_crawler enable x', 'lru_crawler crawl'].map((say) =>
    to(say, ERROR),
  ),
  to('lru_crawler crawl 1 2', ERROR),
  to('lru_crawler metadump', ERROR),
  to('lru_crawler sleep x', FORMAT),
  to('lru_crawler sleep 1000001', 'CLIENT_ERROR sleep must be one second or less'),
  to('lru_crawler sleep -1', FORMAT),
  to('lru_crawler sleep 0', OK),
  to('lru_crawler tocrawl x', FORMAT),
  to('lru_crawler tocrawl 4294967295', OK),
  to('lru_crawler tocrawl 0', OK),
  to('lru_crawler crawl 0', 'BADCLASS invalid class id'),
  to('lru_crawler crawl 64', 'BADCLASS invalid class id'),
  to('lru_crawler crawl 1,x', 'BADCLASS invalid class id'),
  to('lru_crawler crawl x', 'BADCLASS invalid class id'),
  to('lru_crawler metadump 64', 'BADCLASS invalid class id'),
  to('lru_crawler metadump 1,,x', 'BADCLASS invalid class id'),
  to('lru_crawler crawl ,', 'NOTSTARTED no items to crawl'),
  to('lru_crawler crawl hash', 'ERROR an unknown error happened'),
  to('lru_crawler enable', 'ERROR failed to start lru crawler thread'),
];

const CRAWLER_OFF: readonly Exchange[] = [
  to('lru_crawler crawl all', 'CLIENT_ERROR lru crawler disabled'),
  to('lru_crawler metadump all', 'CLIENT_ERROR lru crawler disabled'),
  to('lru_crawler enable', OK),
];

const SLABS: readonly Exchange[] = [
  ...['slabs', 'slabs x', 'slabs reassign', 'slabs reassign 1', 'slabs automove'].map((say) =>
    to(say, ERROR),
  ),
  to('slabs reassign 1 2 3', ERROR),
  to('slabs reassign x 1', FORMAT),
  to('slabs reassign 1 x', FORMAT),
  to('slabs reassign 5 5', 'SAME src and dst class are identical'),
  to('slabs reassign -1 99', BAD_MOVE),
  to('slabs reassign 99 1', BAD_MOVE),
  to('slabs reassign 1 -2', BAD_MOVE),
  to('slabs reassign -1 -1', 'SAME src and dst class are identical'),
  to('slabs reassign -1 5', BAD_MOVE),
  to('slabs reassign 1 5', 'NOSPARE source class has no spare pages'),
  to('slabs reassign 0 5', 'NOSPARE source class has no spare pages'),
  to('slabs automove 0', OK),
  to('slabs automove 1', OK),
  to('slabs automove 2', OK),
  to('slabs automove 3', ERROR),
  to('slabs automove x', FORMAT),
  to('slabs automove ratio', ERROR),
  to('slabs automove ratio 0.5', OK),
  to('slabs automove ratio x', ERROR),
  to('slabs automove window 10', FORMAT, [OK, 'newer than 1.6.18']),
  to('slabs automove window', FORMAT),
  to('slabs automove freeratio 0.1', FORMAT),
];

const MEMLIMIT: readonly Exchange[] = [
  to('cache_memlimit', ERROR),
  to('cache_memlimit x', ERROR),
  to('cache_memlimit 8 x y', ERROR),
  to('cache_memlimit 7', 'MEMLIMIT_TOO_SMALL cannot set maxbytes to less than 8m'),
  to('cache_memlimit 1000000001', 'MEMLIMIT_ADJUST_FAILED input value is megabytes not bytes'),
  to('cache_memlimit 100', OK),
  to('cache_memlimit 64 x', OK),
];

const OTHERS: readonly Exchange[] = [
  to('shutdown', 'ERROR: shutdown not enabled'),
  to('shutdown graceful', 'ERROR: shutdown not enabled'),
  to('shutdown x y z', 'ERROR: shutdown not enabled'),
  to('debugtime 5', ERROR),
  to('lrux', ERROR),
  to('slab', ERROR),
  to('shutdow', ERROR),
];

const THEMES: ReadonlyArray<readonly [string, readonly Exchange[]]> = [
  ['lru', LRU],
  ['lru_crawler', CRAWLER],
  ['slabs', SLABS],
  ['cache_memlimit', MEMLIMIT],
  ['others', OTHERS],
];

async function ask(client: WireClient, line: string): Promise<string> {
  await client.send(Buffer.from(`${line}\r\n`));
  return (await client.reply(lineEnd)).toString('latin1').trimEnd();
}

async function play(client: WireClient, ours: boolean, talk: readonly Exchange[]): Promise<void> {
  for (const { say, reply, ours: different } of talk) {
    const wanted = ours && different !== undefined ? different[0] : reply;
    assert.equal(await ask(client, say), wanted, say);
  }
}

/** Asks until the switch has reached memcached's own thread. */
async function untilCrawlerIsOff(client: WireClient): Promise<void> {
  for (let tries = 0; tries < 500; tries++) {
    await client.send(Buffer.from('stats settings\r\n'));
    await client.waitFor((received) => received.includes('END\r\n'));
    if (client.take().includes('STAT lru_crawler no\r\n')) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  assert.fail('the crawler stays on');
}

function check(name: string, ours: boolean, skip: string | false): void {
  test(name, { skip }, async (suite) => {
    const launch = ours ? slabcached(FLAGS) : memcached(findMemcached() ?? '', FLAGS);
    const server = await startServer(launch);
    const client = await WireClient.connect(server.port);
    try {
      for (const [theme, talk] of THEMES) {
        await suite.test(theme, () => play(client, ours, talk));
      }
      await suite.test('lru_crawler switched off and on', async () => {
        assert.equal(await ask(client, 'lru_crawler disable'), OK);
        await untilCrawlerIsOff(client);
        assert.equal(await ask(client, 'lru_crawler disable'), OK);
        await play(client, ours, CRAWLER_OFF);
      });
      await suite.test('noreply', async () => {
        const silent = ['lru mode flat', 'lru x', 'cache_memlimit 64', 'slabs automove 1'];
        for (const line of silent) await client.send(Buffer.from(`${line} noreply\r\n`));
        assert.match(await ask(client, 'version'), /^VERSION /);
      });
      await suite.test('metadump', () => dump(client, ours));
      await suite.test('settings show what was tuned', () => settings(client));
    } finally {
      client.destroy();
      await server.stop();
    }
  });
}

/** Lines agree but for what an item takes in memory; ours begin with OK, and have flags. */
async function dump(client: WireClient, ours: boolean): Promise<void> {
  for (const line of ['set a%b 0 0 1', 'set plain~ 7 100 1']) {
    assert.equal(await ask(client, `${line}\r\nx`), 'STORED');
  }
  await client.send(Buffer.from('get plain~\r\n'));
  await client.waitFor((received) => received.includes('END\r\n'));
  client.take();
  const over = /(END|request)\r\n$/;
  let text = 'BUSY';
  // memcached's own crawl may be under way.
  for (let tries = 0; tries < 100 && text.startsWith('BUSY'); tries++) {
    await client.send(Buffer.from('lru_crawler metadump all\r\n'));
    await client.waitFor((received) => over.test(received.toString('latin1')));
    text = client.take().toString('latin1');
  }
  const lines = text.split(/(?<=\n)/);
  assert.equal(lines.pop(), 'END\r\n');
  if (ours) assert.equal(lines.shift(), 'OK\r\n');
  const rest = ours ? ' flags=(0|7)' : '';
  const times = 'exp=(-1|\\d{10}) la=\\d{10} cas=\\d+ fetch=(yes|no)';
  const shape = new RegExp(`^key=(a%25b|plain~) ${times} cls=1 size=\\d+${rest}\n$`);
  assert.equal(lines.length, 2);
  for (const line of lines) assert.match(line, shape);
  assert.ok(
    lines.some((line) => line.startsWith('key=plain~ exp=1') && line.includes('fetch=yes')),
  );
  assert.ok(lines.some((line) => line.startsWith('key=a%25b exp=-1') && line.includes('fetch=no')));
}

async function settings(client: WireClient): Promise<void> {
  for (const line of [
    'lru tune 11 33 0.5 3',
    'lru temp_ttl 77',
    'slabs automove ratio 0.3',
    'lru_crawler sleep 250',
    'lru_crawler tocrawl 9',
    'cache_memlimit 99',
  ]) {
    assert.equal(await ask(client, line), OK, line);
  }
  await client.send(Buffer.from('stats settings\r\nstats\r\n'));
  await client.waitFor((received) => received.toString('latin1').split('END\r\n').length === 3);
  const text = client.take().toString('latin1');
  for (const shown of [
    'hot_lru_pct 11',
    'warm_lru_pct 33',
    'hot_max_factor 0.50',
    'warm_max_factor 3.00',
    'temp_lru yes',
    'temporary_ttl 77',
    'slab_automove_ratio 0.30',
    'lru_crawler_sleep 250',
    'lru_crawler_tocrawl 9',
    'lru_segmented no',
    `maxbytes ${99 * 2 ** 20}`,
    `limit_maxbytes ${99 * 2 ** 20}`,
  ]) {
    assert.ok(text.includes(`STAT ${shown}\r\n`), shown);
  }
}

check('memcached answers administrators so', false, skipWithoutMemcached());
check('we answer administrators so', true, false);
