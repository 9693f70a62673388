// The bench from the command line: a short run against memcached, and what it says to a mistake.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { memcachedProgram } from '../../bench/servers.ts';

const ENTRY = fileURLToPath(new URL('../../bench/main.ts', import.meta.url));

function bench(...args: readonly string[]): { status: number | null; out: string; err: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [ENTRY, ...args], {
    encoding: 'utf8',
  });
  return { status, out: stdout, err: stderr };
}

test('a short run prints its table and writes the same figures as JSON', (t) => {
  const opponent = memcachedProgram();
  if (typeof opponent === 'string') {
    t.skip(opponent);
    return;
  }
  const folder = mkdtempSync(join(tmpdir(), 'bench-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'deeper', 'result.json');
  const { status, out, err } = bench(
    ...['--servers', 'memcached', '--profile', 'pipelined', '--connections', '4', '--keys', '500'],
    ...['--rounds', '2', '--seconds', '0.2', '--warmup', '0.05', '--json', file],
  );
  assert.equal(status, 0, err);
  const { rows, cores, versions } = JSON.parse(readFileSync(file, 'utf8'));
  assert.ok(cores >= 1);
  assert.match(versions.memcached, /^\d+\.\d+/);
  assert.equal(rows.length, 1);
  assert.equal(rows[0].row.workload.connections, 4);
  const [side] = rows[0].sides;
  assert.equal(side.opsPerSecondByRound.length, 2);
  assert.equal(side.hitShare, 1);
  assert.ok(side.opsPerSecond > 0 && side.p50 <= side.p99 && side.p99 <= side.p999);
  assert.ok(out.includes(Math.round(side.opsPerSecond).toLocaleString('en-US')), out);
});

test('servers are compared with memcached, in the table, the JSON and the chart', (t) => {
  const opponent = memcachedProgram();
  if (typeof opponent === 'string') {
    t.skip(opponent);
    return;
  }
  const folder = mkdtempSync(join(tmpdir(), 'bench-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'result.json');
  const { status, out, err } = bench(
    ...[
      '--servers',
      'node,memcached',
      '--profile',
      'evicting',
      '--profile',
      'one',
      '--memory',
      '4',
    ],
    ...['--rounds', '1', '--seconds', '0.5', '--warmup', '0', '--json', file],
  );
  assert.equal(status, 0, err);
  const { rows } = JSON.parse(readFileSync(file, 'utf8'));
  for (const { sides } of rows) {
    const [ours, theirs] = sides;
    assert.deepEqual([ours.server, theirs.server], ['node', 'memcached']);
    // The processor time of so short a round may be less than what the system can tell.
    const { throughput, p99 } = ours.ratios;
    assert.ok(throughput > 0 && p99 > 0, out);
    assert.equal(theirs.ratios, undefined);
    assert.ok(out.includes(`| ${ours.name} | `), out);
  }
  for (const { name, evictions } of rows[0].sides) assert.ok(evictions > 0, `${name}: ${out}`);
  const drawing = readFileSync(join(folder, 'result.svg'), 'utf8');
  assert.match(drawing, /^<svg .*>slabcached node<.*>evicting<.*<\/svg>\n$/s);
});

test('a server that was named and is not to be had ends the bench', () => {
  const missing = spawnSync(process.execPath, [ENTRY, '--servers', 'memcached'], {
    encoding: 'utf8',
    env: { ...process.env, MEMCACHED: '/nowhere/memcached' },
  });
  assert.equal(missing.status, 2);
  assert.match(missing.stderr, /^bench: memcached is not installed; MEMCACHED=/);
});

test('a mistake on the command line is one sentence and exit code 2', () => {
  const { status, err } = bench('--depth', 'deep');
  assert.equal(status, 2);
  assert.equal(err, 'bench: --depth deep: expected a number from 1 to 4096\n');
});

test('--help names every row', () => {
  const { status, out } = bench('--help');
  assert.equal(status, 0);
  for (const name of ['unpipelined', 'multiget', 'threads']) assert.ok(out.includes(name));
});
