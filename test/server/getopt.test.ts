// The command line is split as GNU getopt_long splits memcached's.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SettingsError } from '../../src/server/errors.ts';
import { getopt, suboptions } from '../../src/server/getopt.ts';

const FLAGS = [
  { short: 'p', long: 'port', takesValue: true },
  { short: 'P', long: 'pidfile', takesValue: true },
  { short: 'v', long: 'verbose', takesValue: false },
  { short: 'd', long: 'daemon', takesValue: false },
];

function read(...args: string[]): string[] {
  return getopt(args, FLAGS).map(({ flag, value }) => `${flag.short}${value}`);
}

test('values may be attached or follow, and start with a dash', () => {
  assert.deepEqual(read('-p11211'), ['p11211']);
  assert.deepEqual(read('-p', '11211'), ['p11211']);
  assert.deepEqual(read('-p', '-1'), ['p-1']);
  assert.deepEqual(read('--port=5', '--port', '6'), ['p5', 'p6']);
  assert.deepEqual(read('--port='), ['p']);
});

test('short flags combine, and the last of them may take a value', () => {
  assert.deepEqual(read('-vvd'), ['v', 'v', 'd']);
  assert.deepEqual(read('-dp', '7'), ['d', 'p7']);
  assert.deepEqual(read('-vp7'), ['v', 'p7']);
});

test('long flags may be cut short as long as they are unique', () => {
  assert.deepEqual(read('--verb', '--po=1'), ['v', 'p1']);
  assert.throws(() => read('--p', '1'), {
    name: 'SettingsError',
    message: "'--p' is ambiguous: it could be --port, --pidfile",
  });
});

test('what is not understood is named', () => {
  const cases: [string[], string][] = [
    [['-x'], "unknown flag '-x'"],
    [['-vx'], "unknown flag '-x'"],
    [['--nothing'], "unknown flag '--nothing'"],
    [['-p'], '-p needs a value'],
    [['--port'], '--port needs a value'],
    [['--daemon=1'], '--daemon takes no value'],
    [['here'], "unexpected argument 'here'"],
    [['--', 'here'], "unexpected argument 'here'"],
    [['-'], "unexpected argument '-'"],
  ];
  for (const [args, message] of cases) {
    assert.throws(() => read(...args), new SettingsError(message));
  }
  assert.deepEqual(read('-v', '--'), ['v']);
});

test('-o is a comma separated list of names and values', () => {
  assert.deepEqual(suboptions('a,b=1,,c='), [
    { name: 'a', value: undefined },
    { name: 'b', value: '1' },
    { name: 'c', value: '' },
  ]);
});
