// The bench of idle connections, with few of them: it must count what was served and say what a
// connection costs.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const ENTRY = fileURLToPath(new URL('../../bench/idle.ts', import.meta.url));

test('idle connections are weighed, and all of a storm are served', () => {
  const flags = ['--connections', '300', '--storm', '100', '--servers', 'node'];
  const { status, stdout, stderr } = spawnSync(process.execPath, [ENTRY, ...flags], {
    encoding: 'utf8',
  });
  assert.equal(status, 0, stderr);
  assert.match(stdout, /^300 idle connections, each served once, and 100 that connect at once\n/);
  const row = stdout.trimEnd().split('\n').at(-1) ?? '';
  assert.match(
    row,
    /^\| slabcached node \| [\d.]+ \| [\d.]+ \| -?\d+ \(< 4096.*\) \| 100 \| 0 \| \d+ \|$/,
  );
});

test('a number that is none ends it', () => {
  const { status, stderr } = spawnSync(process.execPath, [ENTRY, '--storm', 'many'], {
    encoding: 'utf8',
  });
  assert.equal(status, 1);
  assert.match(stderr, /--connections and --storm are numbers from 1/);
});
