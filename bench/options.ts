// The bench's command line: parsed, checked, and turned into rows.

import { parseArgs } from 'node:util';
import { MAX_ITEMS } from './items.ts';
import type { TransportChoice, Workload } from './messages.ts';
import type { Distribution } from './random.ts';
import { CUSTOM_ROW, DEFAULT_ROWS, hasBareGets, ROWS, type Row } from './rows.ts';
import { SERVER_NAMES, type ServerName } from './servers.ts';

/** What is compared when nobody says otherwise. */
const DEFAULT_SERVERS: readonly ServerName[] = ['io_uring', 'epoll', 'node', 'memcached', 'null'];

export const USAGE = `npm run bench -- [options]

Loads slabcached, with each of its transports, memcached and a server that stores nothing in turn
and prints what each did. Without options: the default rows, about a quarter of an hour.

which loads
  --profile NAME      a named row, may be repeated:
${rowNames()}
  --goals             all rows that have a goal
  --connections N     connections (50)          --depth N       requests under way on each (1)
  --ratio G/S         gets and sets, as 90/10   --value N,N..   value lengths in bytes (100)
  --keys N            number of items (100000)  --dist D        uniform or zipf[:exponent] (uniform)
  --multiget N        keys in each get (1); with it ops/s count keys
  --protocol P        text, meta (mg and ms) or binary (text)
  --rate N            open loop: N requests/s over all connections; latency counts from the time
                      at which a request was due
  --seed N            seed of the key sequence (1)
how long
  --rounds N          measured rounds for each server (5)
  --seconds N         length of a round (1.5)   --warmup N      seconds before each round (0.3)
which servers
  --servers LIST      of ${SERVER_NAMES.join(', ')}
                      (${DEFAULT_SERVERS.join(',')}; what is not to be had is left out)
  --threads N         -t of the servers (1)     --memory N      -m of the servers (1024)
  --server-args='A'   more flags for all        --ours-args='A' more flags for slabcached
other
  --transport T       how the generator moves bytes: auto, io_uring, epoll or net (auto)
  --json FILE         where the results go, and their chart as .svg (bench/results/<date>.json)
  --help

MEMCACHED=/path/to/memcached chooses the opponent.
`;

/** The names in lines that fit the help text. */
function rowNames(): string {
  const lines = [''];
  for (const { name } of ROWS) {
    const line = `${lines.at(-1)} ${name}`;
    if (line.length < 75) lines[lines.length - 1] = line;
    else lines.push(` ${name}`);
  }
  return lines.map((line) => ' '.repeat(21) + line).join('\n');
}

/** A mistake on the command line; its message is meant for the user. */
export class UsageError extends Error {
  override name = 'UsageError';
}

export interface BenchOptions {
  readonly rows: readonly Row[];
  readonly rounds: number;
  readonly roundMs: number;
  readonly warmupMs: number;
  readonly servers: readonly ServerName[];
  /** Whether the servers were named one by one, so that none may be left out silently. */
  readonly serversChosen: boolean;
  readonly serverArgs: readonly string[];
  readonly oursArgs: readonly string[];
  readonly transport: TransportChoice;
  readonly json: string | undefined;
  readonly help: boolean;
}

const FLAGS = {
  connections: { type: 'string' },
  depth: { type: 'string' },
  ratio: { type: 'string' },
  value: { type: 'string' },
  keys: { type: 'string' },
  dist: { type: 'string' },
  multiget: { type: 'string' },
  protocol: { type: 'string' },
  goals: { type: 'boolean' },
  rate: { type: 'string' },
  seed: { type: 'string' },
  profile: { type: 'string', multiple: true },
  rounds: { type: 'string' },
  seconds: { type: 'string' },
  warmup: { type: 'string' },
  servers: { type: 'string' },
  threads: { type: 'string' },
  memory: { type: 'string' },
  'server-args': { type: 'string' },
  'ours-args': { type: 'string' },
  transport: { type: 'string' },
  json: { type: 'string' },
  help: { type: 'boolean' },
} as const;

type Values = ReturnType<typeof parseArgs<{ options: typeof FLAGS }>>['values'];

/** Reads the command line; throws UsageError. */
export function parseOptions(args: readonly string[]): BenchOptions {
  let values: Values;
  try {
    values = parseArgs({ args: [...args], options: FLAGS }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
  return {
    rows: rowsOf(values),
    rounds: integer('rounds', values.rounds, 5, 1, 1000),
    roundMs: 1000 * decimal('seconds', values.seconds, 1.5, 0.1, 600),
    warmupMs: 1000 * decimal('warmup', values.warmup, 0.3, 0, 600),
    servers: serverNames(values.servers),
    serversChosen: values.servers !== undefined,
    serverArgs: words(values['server-args']),
    oursArgs: words(values['ours-args']),
    transport: oneOf('transport', values.transport, ['auto', 'io_uring', 'epoll', 'net']),
    json: values.json,
    help: values.help === true,
  };
}

function rowsOf(values: Values): Row[] {
  const changes = workloadChanges(values);
  const rest = {
    ...(values.threads !== undefined && {
      threads: integer('threads', values.threads, 1, 1, 1024),
    }),
    ...(values.memory !== undefined && {
      megabytes: integer('memory', values.memory, 1024, 1, 1 << 20),
    }),
  };
  const changed = Object.keys({ ...changes, ...rest }).length > 0;
  return namesOf(values, changed).map((name) => {
    const row = name === 'custom' ? CUSTOM_ROW : ROWS.find((known) => known.name === name);
    if (row === undefined) throw new UsageError(`--profile ${name}: there is no such row`);
    const workload = { ...row.workload, ...changes };
    if (workload.protocol !== 'text' && workload.keysPerGet > 1) {
      throw new UsageError(`--protocol ${workload.protocol} and --multiget cannot be had together`);
    }
    const goal = changed ? undefined : row.goal;
    return { ...row, ...rest, workload, bareGets: hasBareGets(workload), goal };
  });
}

function namesOf(values: Values, changed: boolean): readonly string[] {
  const withGoals = ROWS.filter((row) => row.goal !== undefined).map((row) => row.name);
  if (values.goals === true) return [...withGoals, ...(values.profile ?? [])];
  return values.profile ?? (changed ? ['custom'] : DEFAULT_ROWS);
}

function serverNames(text: string | undefined): readonly ServerName[] {
  if (text === undefined) return DEFAULT_SERVERS;
  return text.split(',').map((name) => oneOf('servers', name, SERVER_NAMES));
}

function workloadChanges(values: Values): Partial<Workload> {
  const changes: { -readonly [K in keyof Workload]?: Workload[K] } = {};
  const { connections, depth, multiget, protocol, rate, keys, seed, value, ratio, dist } = values;
  if (connections !== undefined) {
    changes.connections = integer('connections', connections, 0, 1, 10_000);
  }
  if (depth !== undefined) changes.depth = integer('depth', depth, 0, 1, 4096);
  if (multiget !== undefined) changes.keysPerGet = integer('multiget', multiget, 0, 1, 10_000);
  if (protocol !== undefined) {
    changes.protocol = oneOf('protocol', protocol, ['text', 'meta', 'binary']);
  }
  if (rate !== undefined) changes.rate = integer('rate', rate, 0, 1, 100_000_000);
  if (keys !== undefined) changes.keys = integer('keys', keys, 0, 1, MAX_ITEMS);
  if (seed !== undefined) changes.seed = integer('seed', seed, 0, 0, 2 ** 31);
  if (value !== undefined) {
    changes.valueLengths = value.split(',').map((n) => integer('value', n, 0, 1, 2 ** 30));
  }
  if (ratio !== undefined) changes.setShare = setShare(ratio);
  if (dist !== undefined) changes.distribution = distribution(dist);
  return changes;
}

function setShare(text: string): number {
  const match = /^(\d+)\/(\d+)$/.exec(text);
  const gets = Number(match?.[1]);
  const sets = Number(match?.[2]);
  if (match === null || gets + sets === 0) {
    throw new UsageError(`--ratio ${text}: expected gets/sets, such as 90/10`);
  }
  return sets / (gets + sets);
}

function distribution(text: string): Distribution {
  if (text === 'uniform') return { kind: 'uniform', exponent: 0 };
  const match = /^zipf(?::(\d+(?:\.\d+)?))?$/.exec(text);
  if (match === null) throw new UsageError(`--dist ${text}: expected uniform or zipf[:exponent]`);
  return { kind: 'zipf', exponent: Number(match[1] ?? 1) };
}

function words(text: string | undefined): string[] {
  return text === undefined ? [] : text.split(/\s+/).filter((word) => word !== '');
}

function integer(flag: string, text: string | undefined, or: number, min: number, max: number) {
  const value = decimal(flag, text, or, min, max);
  if (!Number.isInteger(value)) throw new UsageError(`--${flag} ${text}: expected an integer`);
  return value;
}

function decimal(flag: string, text: string | undefined, or: number, min: number, max: number) {
  if (text === undefined) return or;
  const value = Number(text);
  if (text.trim() === '' || !(value >= min && value <= max)) {
    throw new UsageError(`--${flag} ${text}: expected a number from ${min} to ${max}`);
  }
  return value;
}

/** The first choice stands for an absent flag. */
function oneOf<T extends string>(flag: string, text: string | undefined, choices: readonly T[]): T {
  const found = text === undefined ? choices[0] : choices.find((choice) => choice === text);
  if (found === undefined) {
    throw new UsageError(`--${flag} ${text}: expected ${choices.join(', ')}`);
  }
  return found;
}
