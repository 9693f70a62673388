// What stats and its subcommands answer with the flags that people use: the same keys in the same
// order as memcached, and after the same requests the same counts (differences.ts has the rest).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findMemcached, skipWithoutMemcached } from '../support/oracle.ts';
import { memcached, slabcached } from '../support/server.ts';
import { Side } from './session.ts';
import { compareClasses, compareConns, compareStats, parseStats } from './statistics.ts';

const skip = skipWithoutMemcached();
const oracle = findMemcached() ?? '';

const FLAGS: readonly string[] = [
  '',
  '-m 100 -t 3 -c 200',
  '-M -m 64',
  '-I 2m -f 1.5 -n 64',
  '-o no_lru_maintainer,no_lru_crawler',
  '-b 77 -R 5 -v',
];

/** Some of everything that is counted. */
const REQUESTS = [
  'set a 0 0 1\r\n1\r\nset b 3 100 5\r\nhello\r\nadd a 0 0 1\r\nx\r\nget a b c\r\n' +
    'gets a missing\r\n',
  'incr a 1\r\nincr none 1\r\ndecr a 1\r\ndecr none 1\r\ndelete none\r\ntouch a 0\r\n' +
    'touch none 0\r\n',
  'gat 0 a\r\ngat 0 none\r\ncas a 0 0 1 0\r\nx\r\ncas none 0 0 1 5\r\nx\r\n' +
    'set d 0 -1 1\r\nx\r\nget d\r\n',
  'set e 0 0 1\r\nx\r\ndelete e\r\nreplace f 0 0 1\r\nx\r\nappend a 0 0 1\r\n0\r\n' +
    'set g 0 0 3\r\nno\r\n',
  `set h 0 0 2500\r\n${'h'.repeat(2500)}\r\nset i 0 0 3000000\r\n${'i'.repeat(3_000_000)}\r\n`,
  'verbosity 1\r\nflush_all 0\r\nget a\r\nset j 0 0 1\r\nj\r\nversion\r\nnonsense\r\n',
].join('');

const DUMPS = ['', 'settings', 'items', 'slabs', 'conns', 'sizes'] as const;

async function dumps(side: Side): Promise<string[]> {
  await side.exchange(Buffer.from(REQUESTS), []);
  const texts: string[] = [];
  for (const name of DUMPS) {
    const { bytes } = await side.exchange(Buffer.from(`stats ${name}`.trim().concat('\r\n')), []);
    texts.push(bytes.toString('latin1'));
  }
  return texts;
}

function compare(name: (typeof DUMPS)[number], ours: string, theirs: string): string | undefined {
  if (name === 'sizes') return ours === theirs ? undefined : `${ours} instead of ${theirs}`;
  const [mine, other] = [parseStats(ours), parseStats(theirs)];
  if (name === 'conns') return compareConns(mine, other);
  if (name === 'items' || name === 'slabs') return compareClasses(name, mine, other);
  return compareStats(name, mine, other);
}

test('stats and its subcommands answer as memcached', { skip }, async (suite) => {
  for (const flags of FLAGS) {
    const words = flags.split(' ').filter((word) => word !== '');
    await suite.test(flags === '' ? 'without flags' : flags, async (t) => {
      const self = process.env.COMPARE_SELF === '1';
      const [ours, theirs] = await Promise.all([
        Side.start(self ? memcached(oracle, words) : slabcached(words)),
        Side.start(memcached(oracle, words)),
      ]);
      try {
        const [mine, other] = await Promise.all([dumps(ours), dumps(theirs)]);
        for (const [at, name] of DUMPS.entries()) {
          await t.test(name === '' ? 'general' : name, () => {
            assert.equal(compare(name, mine[at] ?? '', other[at] ?? ''), undefined);
          });
        }
      } finally {
        await Promise.all([ours.stop(), theirs.stop()]);
      }
    });
  }
});

const CACHEDUMP = /^(ITEM [^ ]+ \[\d+ b; \d+ s\]\r\n)*END\r\n$/;

test('stats cachedump lists items', { skip }, async (suite) => {
  // Only the coldest of the LRU lists is dumped; without a maintainer it is the only one.
  const flags = ['-o', 'no_lru_maintainer'];
  const launches = { ours: slabcached(flags), theirs: memcached(oracle, flags) };
  for (const [name, launch] of Object.entries(launches)) {
    await suite.test(name, async () => {
      const side = await Side.start(launch);
      try {
        await side.exchange(Buffer.from('set a 0 0 3\r\nabc\r\nset b 0 100000 1\r\nb\r\n'), []);
        const requests = Array.from({ length: 63 }, (_, id) => `stats cachedump ${id + 1} 0\r\n`);
        let all = '';
        for (const request of requests) {
          const text = (await side.exchange(Buffer.from(request), [])).bytes.toString('latin1');
          assert.match(text, CACHEDUMP);
          all += text.replace('END\r\n', '');
        }
        assert.match(all, /ITEM a \[3 b; 0 s\]\r\n/);
        const expires = Number(/ITEM b \[1 b; (\d+) s\]/.exec(all)?.[1]);
        assert.ok(Math.abs(expires - (Date.now() / 1000 + 100_000)) < 60, `expires ${expires}`);
      } finally {
        await side.stop();
      }
    });
  }
});
