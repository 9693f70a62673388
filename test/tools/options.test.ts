// What the tools make of their command lines.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseAddress } from '../../src/tools/address.ts';
import { readToolOptions, toolHelp } from '../../src/tools/options.ts';

const PASSWORD = 'SLABCACHED_FROM_PASSWORD';

test('an address names host, port, TLS and user', () => {
  const read = (text: string) => parseAddress('--from', text, PASSWORD);
  assert.deepEqual(read('cache.example'), {
    shown: 'cache.example',
    host: 'cache.example',
    port: 11211,
    path: '',
    isTls: false,
    user: '',
    password: '',
  });
  assert.equal(read('[::1]:5').host, '::1');
  assert.equal(read('[::1]:5').port, 5);
  assert.equal(read('/run/memcached.sock').path, '/run/memcached.sock');
  const full = read('tls://ann:s@cr:et@10.0.0.1:7');
  assert.deepEqual([full.isTls, full.user, full.password], [true, 'ann', 's@cr:et']);
  assert.equal(full.shown, 'tls://10.0.0.1:7');
});

test('a password may come from the environment', (t) => {
  t.after(() => delete process.env[PASSWORD]);
  process.env[PASSWORD] = 'hidden';
  assert.equal(parseAddress('--from', 'ann@host', PASSWORD).password, 'hidden');
  delete process.env[PASSWORD];
  assert.throws(() => parseAddress('--from', 'ann@host', PASSWORD), /^ToolError: --from: a user/);
});

const REFUSED: readonly (readonly [tool: 'dump' | 'load' | 'warm', args: string, RegExp])[] = [
  ['dump', '', /^--from is missing/],
  ['warm', '--from a', /^--to is missing/],
  ['dump', '--from a --to b', /^unknown option '--to'$/],
  ['dump', '--from', /^option '--from <value>' argument missing$/],
  ['dump', '--from= --out x', /^--from needs a value/],
  ['dump', '--from a:0', /^--from 'a:0' is not host:port/],
  ['dump', '--from a:65536', /is not host:port/],
  ['dump', '--from ::1', /is not host:port/],
  ['dump', '--from http://a', /is not host:port/],
  ['dump', '--from a extra', /^unexpected argument 'extra'/],
  ['dump', '--from a --rate many', /^--rate must be a whole number, not 'many'$/],
  ['dump', '--from a --rate 1k', /^--rate must be a whole number/],
  ['dump', '--from a --rate-bytes 1x', /^--rate-bytes must be a size/],
  ['load', '--to a --resume', /^unknown option '--resume'$/],
  ['load', '--to a --in=', /^--in needs a value/],
];

test('a bad command line is one sentence that names the option', () => {
  for (const [tool, args, message] of REFUSED) {
    const given = args.split(' ').filter((word) => word !== '');
    assert.throws(
      () => readToolOptions(tool, given),
      (error: Error) => {
        assert.equal(error.name, 'ToolError', `${tool} ${args}: ${error.stack}`);
        assert.match(error.message, message);
        return true;
      },
      `${tool} ${args}`,
    );
  }
});

test('rates have units and a bounded default', () => {
  const bounded = readToolOptions('dump', ['--from', 'a']);
  assert.ok(bounded.itemsPerSecond > 0 && bounded.bytesPerSecond > 0);
  const args = ['--from', 'a', '--rate', '0', '--rate-bytes', '3k'];
  const given = readToolOptions('dump', args);
  assert.equal(given.itemsPerSecond, 0);
  assert.equal(given.bytesPerSecond, 3072);
});

test('the help of a tool shows its own options and no others', () => {
  assert.match(toolHelp('dump'), /--from.*--out.*--resume.*--rate/s);
  assert.doesNotMatch(toolHelp('dump'), /--to |--in |--overwrite/);
  assert.match(toolHelp('load'), /--to.*--in.*--overwrite/s);
  assert.doesNotMatch(toolHelp('warm'), /--in |--out |--resume/);
  assert.equal(readToolOptions('warm', ['-h']).help, true);
});
