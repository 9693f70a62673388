// The tools that operators have: memcached-tool and damemtop, which come with memcached, and
// libmemcached's memcdump. What they print of us is looked at as an operator would.
import assert from 'node:assert/strict';
import { execFile, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, type TestContext, test } from 'node:test';
import { promisify } from 'node:util';
import { scratch } from '../server/launch.ts';
import { Bulk } from '../support/bulk.ts';
import { findProgram, skipWithoutProgram } from '../support/oracle.ts';
import { type Server, slabcached, startServer } from '../support/server.ts';

const SCRIPTS = '/usr/share/memcached/scripts';
const ITEMS = 1000;
const LIMIT_MS = 20_000;

let server: Server;
before(async () => {
  server = await startServer(slabcached(['-t', '2', '-o', 'track_sizes']));
  const bulk = await Bulk.open(server.port);
  await bulk.store(0, ITEMS, key, value);
  await bulk.count(0, ITEMS, key, value);
  bulk.close();
});
after(async () => {
  await server.stop();
});

const key = (n: number): string => `key-${n}`;
const value = (n: number): string => 'v'.repeat(n % 2 === 0 ? 100 : 2000);

/** For node:test's `skip` option: a script of memcached's package, and what it needs of Perl. */
function skipWithoutScript(name: string, modules: readonly string[]): string | false {
  const uses = modules.map((module) => `-M${module}`);
  const isThere = existsSync(join(SCRIPTS, name));
  if (isThere && spawnSync('perl', [...uses, '-e', '1']).status === 0) return false;
  const reason = `SKIPPED: no ${name} on this machine, or no perl with ${modules.join(', ')}`;
  process.stderr.write(`${reason}\n`);
  return reason;
}

async function memcachedTool(...args: string[]): Promise<string> {
  const tool = join(SCRIPTS, 'memcached-tool');
  const where = `127.0.0.1:${server.port}`;
  const { stdout } = await promisify(execFile)('perl', [tool, where, ...args], {
    timeout: LIMIT_MS,
    maxBuffer: 64 * 1024 * 1024,
  });
  return stdout.replaceAll('\r', '');
}

const skip = skipWithoutScript('memcached-tool', ['IO::Socket::INET']);

test('memcached-tool', { skip }, async (t) => {
  await t.test('display shows the slab classes', async () => {
    const [head, ...classes] = (await memcachedTool('display')).trimEnd().split('\n');
    assert.match(head, /#\s+Item_Size\s+Max_age\s+Pages\s+Count\s+Full\?\s+Evicted/);
    assert.equal(classes.length, 2);
    for (const line of classes) {
      assert.match(line, /^\s*\d+\s+[\d.]+[BK]\s+\d+s\s+[1-9]\d*\s+500\s+no\s+0\s+0\s+0$/);
    }
  });
  await t.test('stats shows every key', async () => {
    const stats = await memcachedTool('stats');
    assert.match(stats, new RegExp(`curr_items\\s+${ITEMS}\n`));
    assert.match(stats, new RegExp(`get_hits\\s+${ITEMS}\n`));
    assert.match(stats, /version\s+\d+\.\d+\.\d+\n/);
  });
  await t.test('settings shows every setting', async () => {
    const settings = await memcachedTool('settings');
    assert.match(settings, /num_threads\s+2\n/);
    assert.match(settings, /hash_algorithm\s+murmur3\n/);
  });
  await t.test('dump prints all items as commands that store them', async () => {
    const dumped = await memcachedTool('dump');
    const adds = [...dumped.matchAll(/^add (key-\d+) 0 0 (\d+)\n(v+)\n/gm)];
    assert.equal(adds.length, ITEMS);
    for (const [, , length, data] of adds) assert.equal(data.length, Number(length));
    assert.equal(new Set(adds.map(([, name]) => name)).size, ITEMS);
  });
  await t.test('keys prints what is known of each', async () => {
    const lines = (await memcachedTool('keys')).trimEnd().split('\n');
    assert.equal(lines.length, ITEMS);
    for (const line of lines) {
      assert.match(line, /^key=key-\d+ exp=-1 la=\d+ cas=\d+ fetch=yes cls=\d+ size=\d+/);
    }
  });
  await t.test('sizes shows the histogram', async () => {
    const sizes = await memcachedTool('sizes');
    assert.equal((sizes.match(/\s500\n/g) ?? []).length, 2, sizes);
  });
});

test('damemtop', {
  skip:
    skipWithoutScript('damemtop', ['YAML', 'Term::ReadKey', 'AnyEvent']) ||
    skipWithoutProgram('script', 'bsdutils'),
}, async (t) => {
  const screen = await damemtop(t);
  assert.match(screen, /hostname\s+all_version\s+all_curr_items\s+hit_rate/);
  const line = `127\\.0\\.0\\.1:${server.port}\\s+\\d+\\.\\d+\\.\\d+\\s+1,000\\s`;
  assert.match(screen, new RegExp(line));
});

/** What damemtop has drawn on a terminal of its own by the time it shows our server. */
async function damemtop(t: TestContext): Promise<string> {
  const home = scratch(t);
  mkdirSync(join(home, '.damemtop'));
  const columns = ['hostname', 'all_version', 'all_curr_items', 'hit_rate', 'bytes_written'];
  const config = [
    'delay: 0.2',
    'mode: t',
    'top_mode:',
    '    sort_column: "hostname"',
    '    sort_order: "asc"',
    '    columns:',
    ...columns.map((column) => `        - ${column}`),
    'servers:',
    `    - 127.0.0.1:${server.port}`,
  ];
  writeFileSync(join(home, '.damemtop', 'damemtop.yaml'), `${config.join('\n')}\n`);
  const command = `stty cols 120 rows 30; exec perl ${join(SCRIPTS, 'damemtop')}`;
  const child = spawn(findProgram('script') ?? '', ['-qec', command, '/dev/null'], {
    env: { ...process.env, HOME: home, TERM: 'xterm' },
    stdio: ['pipe', 'pipe', 'inherit'],
    timeout: LIMIT_MS,
  });
  const ended = new Promise((resolve) => child.once('close', resolve));
  let screen = '';
  child.stdout.setEncoding('latin1');
  child.stdout.on('data', (text: string) => {
    screen += text;
    if (!child.stdin.writableEnded && /:\d+\s+\d+\.\d+\.\d+/.test(screen)) child.stdin.end('q');
  });
  await ended;
  return screen;
}

test('memcdump lists keys', { skip: skipWithoutProgram('memcdump', 'libmemcached-tools') }, () => {
  const servers = `--servers=127.0.0.1:${server.port}`;
  const dumped = spawnSync(findProgram('memcdump') ?? '', [servers], {
    encoding: 'utf8',
    timeout: LIMIT_MS,
  });
  assert.equal(dumped.status, 0, dumped.stderr);
  const keys = new Set(dumped.stdout.trim().split('\n'));
  assert.ok(keys.size > 100, `${keys.size} keys`);
  for (const name of keys) assert.match(name, /^key-\d+$/);
});
