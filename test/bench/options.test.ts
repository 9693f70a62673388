// The bench's command line: a flag that is misread would measure something else than was asked for.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseOptions, UsageError } from '../../bench/options.ts';
import { DEFAULT_ROWS, ROWS } from '../../bench/rows.ts';

test('without flags the default rows run', () => {
  const { rows } = parseOptions([]);
  assert.deepEqual(
    rows.map((row) => row.name),
    DEFAULT_ROWS,
  );
});

test('load flags alone make one row', () => {
  const args = '--connections 7 --depth 3 --ratio 50/50 --value 10,2000 --keys 99 --dist zipf:0.9';
  const { rows } = parseOptions(`${args} --multiget 4 --rate 1000 --threads 3 --seed 5`.split(' '));
  assert.equal(rows.length, 1);
  assert.equal(rows[0].threads, 3);
  assert.deepEqual(rows[0].workload, {
    connections: 7,
    depth: 3,
    setShare: 0.5,
    valueLengths: [10, 2000],
    keys: 99,
    distribution: { kind: 'zipf', exponent: 0.9 },
    keysPerGet: 4,
    protocol: 'text',
    rate: 1000,
    seed: 5,
  });
});

test('pipelined meta gets are no bare gets, and have one key each', () => {
  const [row] = parseOptions(['--protocol', 'meta', '--depth', '16']).rows;
  assert.deepEqual([row.workload.protocol, row.bareGets], ['meta', false]);
  assert.throws(() => parseOptions(['--protocol', 'meta', '--multiget', '2']), UsageError);
  assert.throws(() => parseOptions(['--protocol', 'binary', '--multiget', '2']), UsageError);
});

test('--goals takes the rows that have one, and a load that was changed has none', () => {
  const rows = parseOptions(['--goals']).rows;
  assert.deepEqual(
    rows.map((row) => row.name),
    ROWS.filter((row) => row.goal !== undefined).map((row) => row.name),
  );
  assert.ok(rows.every((row) => row.goal !== undefined));
  const [changed] = parseOptions(['--profile', 'unpipelined', '--keys', '1000']).rows;
  assert.equal(changed.goal, undefined);
});

test('a row has the memory that it needs, or what was asked for', () => {
  const memory = (...args: string[]): number[] =>
    parseOptions(args).rows.map((row) => row.megabytes);
  assert.deepEqual(memory('--profile', 'evicting', '--profile', 'meta'), [64, 1024]);
  assert.deepEqual(memory('--profile', 'evicting', '--memory', '100'), [100]);
});

test('servers are taken by name, and only when they were named none may be missing', () => {
  assert.equal(parseOptions([]).serversChosen, false);
  const { servers, serversChosen } = parseOptions(['--servers', 'epoll,null']);
  assert.deepEqual([servers, serversChosen], [['epoll', 'null'], true]);
});

test('load flags change the rows that are named', () => {
  const args = ['--profile', 'many', '--profile', 'zipf', '--depth', '4'];
  const { rows } = parseOptions(args);
  assert.deepEqual(
    rows.map(({ name, workload }) => [name, workload.connections, workload.depth]),
    [
      ['many', 200, 4],
      ['zipf', 50, 4],
    ],
  );
  assert.ok(rows.every((row) => row.bareGets));
});

test('extra arguments are split at spaces', () => {
  const options = parseOptions(['--server-args=-R 20  -f 1.5 ', '--ours-args=-v']);
  assert.deepEqual(options.serverArgs, ['-R', '20', '-f', '1.5']);
  assert.deepEqual(options.oursArgs, ['-v']);
});

for (const args of [
  ['--profile', 'nonesuch'],
  ['--depth', '0'],
  ['--depth', '1.5'],
  ['--depth', 'many'],
  ['--keys', '16777217'],
  ['--value', '10,,20'],
  ['--ratio', '90'],
  ['--ratio', '0/0'],
  ['--dist', 'zipf:'],
  ['--dist', 'normal'],
  ['--servers', 'theirs'],
  ['--servers', 'epoll,'],
  ['--protocol', 'http'],
  ['--transport', 'uring'],
  ['--rounds', ''],
  ['--unknown', '1'],
  ['stray'],
]) {
  test(`refuses ${args.join(' ')}`, () => {
    assert.throws(() => parseOptions(args), UsageError);
  });
}
