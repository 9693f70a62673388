// `npm run bench:micro`: what the single steps of a request cost: the key's hash, the parse, and
// each store operation from its request in bytes to its reply in bytes; and what the addon would do
// faster. --time: ms for each.

import { parseArgs } from 'node:util';
import { Bench } from 'tinybench';
import { hashKey } from '../src/cache/hash.ts';
import { jenkins } from '../src/cache/jenkins.ts';
import { xxh3 } from '../src/cache/xxh3.ts';
import { Bytes } from '../src/memory/bytes.ts';
import { loadAddon } from '../src/net/addon.ts';
import { Tokens } from '../src/protocol/tokens.ts';
import { Items, KEY_LENGTH } from './items.ts';
import { nativeTasks, plainTasks } from './micro-native.ts';
import { OPS_PER_CALL, type Task } from './micro-task.ts';
import { Random } from './random.ts';
import { claimSlot, createCache, Rig } from './rig.ts';

const KEYS = 10_000;
const MEGABYTES = 256;
const MAX_DEPTH = 1000;
const KEY_LENGTHS = [KEY_LENGTH, 250];

const items = new Items(KEYS, [100], new Random(1));
const memory = createCache(MEGABYTES, 1);
const rig = new Rig(memory, 0, claimSlot(memory, 0), items, MAX_DEPTH);
const random = new Random(2);

function key(item: number): string {
  return `bench-${String(item).padStart(9, '0')}`;
}

/** What requests are fed from: a transport reads all of them into one buffer, too. */
const input = Buffer.alloc(64 * 1024);

/** Feeds a request; its reply must begin with `expected`. */
function feed(request: Buffer, expected: number): void {
  const { engine, session } = rig;
  request.copy(input);
  engine.feed(session, input, 0, request.length);
  if (engine.output.length === 0 || engine.output.bytes[0] !== expected) {
    const reply = engine.output.view().toString('latin1').slice(0, 200);
    throw new Error(`${request.toString('latin1', 0, 100)} was answered by ${reply}`);
  }
  engine.output.reset();
}

/** Requests over random stored keys, each of which is `ops` operations. */
function feedTask(name: string, reply: string, make: (item: number) => string, ops = 1): Task {
  const count = Math.floor(OPS_PER_CALL / ops);
  const prepared = Array.from({ length: count }, () => Buffer.from(make(random.below(KEYS))));
  const expected = reply.charCodeAt(0);
  const run = (): void => {
    for (const request of prepared) feed(request, expected);
  };
  return { name, ops: ops * count, run };
}

function manyKeys(count: number, first: number): string[] {
  return Array.from({ length: count }, (_, i) => key((first + i * 7) % KEYS));
}

/** Where results go that must not be optimised away. */
const sink = new Int32Array(1);

function hashTask(name: string, hash: typeof hashKey, length: number): Task {
  const bytes = new Bytes(Buffer.from('x'.repeat(length)));
  const run = (): void => {
    for (let i = 0; i < OPS_PER_CALL; i++) {
      bytes.u8[0] = i;
      sink[0] ^= hash(bytes, 0, length, 0);
    }
  };
  return { name: `${name} of a ${length}-byte key`, ops: OPS_PER_CALL, run };
}

function cutTask(line: string): Task {
  const tokens = new Tokens();
  const bytes = Buffer.from(line);
  const run = (): void => {
    for (let i = 0; i < OPS_PER_CALL; i++) {
      tokens.cut(bytes, 0, bytes.length);
      sink[0] ^= tokens.count;
    }
  };
  return { name: `cut "${line}" into tokens`, ops: OPS_PER_CALL, run };
}

const value = 'v'.repeat(100);
for (let item = 0; item < KEYS; item++) {
  feed(Buffer.from(`set ${key(item)} 0 0 100\r\n${value}\r\n`), 'S'.charCodeAt(0));
}
feed(Buffer.from('set counter 0 0 1\r\n0\r\n'), 'S'.charCodeAt(0));

const addon = loadAddon();
const tasks: Task[] = [
  ...KEY_LENGTHS.flatMap((length) => [
    hashTask('hash', hashKey, length),
    hashTask('jenkins', jenkins, length),
    hashTask('xxh3', xxh3, length),
  ]),
  ...plainTasks(),
  ...(addon === undefined ? [] : nativeTasks(addon, KEY_LENGTHS)),
  cutTask(`get ${key(1)}`),
  cutTask(`set ${key(1)} 0 0 100`),
  feedTask('version (parse and reply alone)', 'V', () => 'version\r\n'),
  feedTask('get, hit of 100 bytes', 'V', (item) => `get ${key(item)}\r\n`),
  feedTask('get, miss', 'E', (item) => `get no-${key(item)}\r\n`),
  feedTask('gets, hit', 'V', (item) => `gets ${key(item)}\r\n`),
  feedTask('get of 16 keys, per key', 'V', (item) => `get ${manyKeys(16, item).join(' ')}\r\n`, 16),
  feedTask(
    '16 pipelined gets, per get',
    'V',
    (item) =>
      manyKeys(16, item)
        .map((name) => `get ${name}\r\n`)
        .join(''),
    16,
  ),
  feedTask('set of 100 bytes', 'S', (item) => `set ${key(item)} 0 0 100\r\n${value}\r\n`),
  feedTask('touch', 'T', (item) => `touch ${key(item)} 0\r\n`),
  feedTask('incr', '1', () => 'incr counter 0\r\n'),
  feedTask('delete, miss', 'N', (item) => `delete no-${key(item)}\r\n`),
];
feed(Buffer.from('incr counter 1\r\n'), '1'.charCodeAt(0));

const { values: flags } = parseArgs({ options: { time: { type: 'string', default: '300' } } });
const time = Number(flags.time);
const bench = new Bench({ time, warmupTime: time / 2 });
for (const task of tasks) bench.add(task.name, task.run);
await bench.run();
console.log(
  `Node ${process.version}, ${addon === undefined ? 'without' : 'with'} the native addon`,
);
for (const [i, { name, ops }] of tasks.entries()) {
  const { result } = bench.tasks[i];
  if (result.state !== 'completed') {
    throw result.state === 'errored' ? result.error : new Error(`${name}: ${result.state}`);
  }
  const nsPerOp = (result.latency.p50 * 1e6) / ops;
  const spread = ((result.latency.p99 - result.latency.p50) * 1e6) / ops;
  console.log(
    `${name.padEnd(48)} ${nsPerOp.toFixed(1).padStart(8)} ns, p99 +${spread.toFixed(1)} ns`,
  );
}
