// The cache is in large pages where the addon can ask for them, unless no_large_pages is given.
// With -L it is touched at the start, and where large pages are switched off, the start ends.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { skipWithoutAddon } from '../support/addon.ts';
import { largestMapping } from '../support/mappings.ts';
import { CLI } from '../support/process.ts';
import { launch, scratch } from './launch.ts';

const MEGABYTE = 1024 * 1024;
const SWITCH = '/sys/kernel/mm/transparent_hugepage/enabled';

/** Runs a command in a file system of its own where the switch for large pages has that content. */
function withSwitch(t: TestContext, content: string, command: readonly string[]) {
  const file = join(scratch(t), 'enabled');
  writeFileSync(file, content);
  const script = `mount --bind '${file}' ${SWITCH} || exit 99; exec "$@"`;
  const args = ['--mount', 'sh', '-c', script, 'sh', ...command];
  return spawnSync('unshare', args, { encoding: 'utf8' });
}

const skip = skipWithoutAddon();

/** The reason why the switch cannot be covered here, or false. */
function skipWithoutMounts(t: TestContext): string | false {
  const { status } = withSwitch(t, 'always', ['true']);
  return status === 0 ? false : 'SKIPPED: needs root, and unshare to mount a file over /sys';
}

test('with -L large pages are asked for and all item memory is touched', { skip }, async (t) => {
  for (const transport of [[], ['-o', 'transport=node']]) {
    const { child, stderr } = await launch(t, ['-m', '64', '-L', ...transport]);
    const { flags, resident } = largestMapping(child.pid);
    assert.ok(flags.includes('hg'), flags.join(' '));
    assert.ok(resident >= 64 * MEGABYTE, String(resident));
    assert.doesNotMatch(stderr(), /-L/);
  }
});

test('without -L they are asked for, and nothing is touched', { skip }, async (t) => {
  const { child } = await launch(t, ['-m', '64']);
  const { flags, resident } = largestMapping(child.pid);
  assert.ok(flags.includes('hg'), flags.join(' '));
  assert.ok(resident < 32 * MEGABYTE, String(resident));
});

test('with no_large_pages they are not asked for', { skip }, async (t) => {
  const { child } = await launch(t, ['-m', '64', '-o', 'no_large_pages']);
  const { flags } = largestMapping(child.pid);
  assert.ok(!flags.includes('hg'), flags.join(' '));
});

test('where large pages are switched off, the start says so and ends', { skip }, (t) => {
  const reason = skipWithoutMounts(t);
  if (reason !== false) return t.skip(reason);
  const command = [process.execPath, CLI, '-p', '-1', '-l', '127.0.0.1', '-u', 'root', '-L'];
  const { status, stderr } = withSwitch(t, 'always madvise [never]\n', command);
  assert.equal(status, 1, stderr);
  assert.equal(stderr, `slabcached: -L: large pages are not available (${SWITCH})\n`);
});
