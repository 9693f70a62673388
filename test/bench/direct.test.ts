// The benches without sockets, run short: they must fit the engine and say what they measured.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

function run(script: string, ...args: readonly string[]): string {
  const entry = fileURLToPath(new URL(`../../bench/${script}`, import.meta.url));
  const result = spawnSync(process.execPath, [entry, ...args], { encoding: 'utf8' });
  assert.equal(result.status, 0, result.stderr);
  return result.stdout;
}

test('bench:direct reports both distributions and the allocations of its ops', () => {
  const args = ['--keys', '1000', '--rounds', '1', '--seconds', '0.1', '--ops', '20000'];
  const out = run('direct.ts', ...args);
  for (const name of ['uniform', 'zipf 1.0']) {
    assert.match(out, new RegExp(`^${name} +1 worker [0-9.]+ M ops/s, 2 workers [0-9.]+ M`, 'm'));
  }
  assert.match(out, /^1 per read event: 20,000 ops allocated [0-9,]+ bytes/m);
  assert.match(out, /^16 per read event: 20,000 ops allocated [0-9,]+ bytes/m);
});

test('bench:micro times every step', () => {
  const out = run('micro.ts', '--time', '2');
  const [heading, ...lines] = out.trimEnd().split('\n');
  assert.match(heading, /^Node v/);
  const timed = lines.map((line) => / {2}[0-9.]+ ns, p99 \+[0-9.]+ ns$/.exec(line)?.index);
  const names = lines.map((line, i) => line.slice(0, timed[i]).trimEnd());
  assert.ok(!timed.includes(undefined), out);
  for (const step of ['hash of a 15-byte key', 'get, hit of 100 bytes', 'delete, miss']) {
    assert.ok(names.includes(step), out);
  }
});
