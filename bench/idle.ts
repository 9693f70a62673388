// `npm run bench:idle`: what an idle connection costs the server in resident memory, and what
// becomes of many clients that connect at once. --connections, --storm and --servers choose how
// many and whom. What the kernel keeps for a socket is not in a process's resident memory.

import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { descriptorLimit, residentBytesOf } from './proc.ts';
import {
  findProgram,
  isOwn,
  type Program,
  type Server,
  serverName,
  startServer,
} from './servers.ts';

const GOAL_BYTES = 4096;
/** Connections opened and closed before anything is measured: they bring in code and pools. */
const WARMING = 500;
/** How many connect at a time while the idle ones are opened. */
const BATCH = 200;
const SETTLE_MS = 1500;
const STORM_LIMIT_MS = 20_000;
/** Descriptors of a process that are no connections. */
const OWN_DESCRIPTORS = 100;
const REQUEST = 'get bench-nobody\r\n';
const REPLY = 'END\r\n';

interface Outcome {
  readonly name: string;
  /** Whether it is slabcached, of which something is expected. */
  readonly own: boolean;
  readonly before: number;
  readonly after: number;
  readonly perConnection: number;
  readonly served: number;
  readonly dropped: number;
  readonly stormMs: number;
}

/** A connection that has been answered once; rejects when it fails before. */
function answered(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    let reply = '';
    socket.write(REQUEST);
    socket.on('error', reject);
    socket.on('close', () => reject(new Error('closed before it was answered')));
    socket.on('data', (data) => {
      reply += data.toString('latin1');
      if (reply === REPLY) resolve(socket);
    });
  });
}

/** Opens `count` connections, a few at a time, each of which is served once and then idle. */
async function open(port: number, count: number): Promise<Socket[]> {
  const sockets: Socket[] = [];
  while (sockets.length < count) {
    const batch = Math.min(BATCH, count - sockets.length);
    const opened = Array.from({ length: batch }, () => answered(port));
    sockets.push(...(await Promise.all(opened)));
  }
  return sockets;
}

async function closeAll(sockets: readonly Socket[]): Promise<void> {
  for (const socket of sockets) socket.destroy();
  await sleep(SETTLE_MS);
}

function residentOf(server: Server): number {
  const bytes = residentBytesOf(server.pid);
  if (bytes === undefined) throw new Error('there is no /proc to read resident memory from');
  return bytes;
}

interface Storm {
  readonly served: number;
  readonly dropped: number;
  readonly ms: number;
}

/** All connect in one go; each must be answered. */
async function storm(port: number, count: number): Promise<Storm> {
  const began = performance.now();
  const limit = sleep(STORM_LIMIT_MS, undefined, { ref: false }).then(() => {
    throw new Error('no answer in time');
  });
  limit.catch(() => {});
  let last = 0;
  const attempts = Array.from({ length: count }, async () => {
    const socket = await Promise.race([answered(port), limit]);
    last = performance.now() - began;
    return socket;
  });
  const outcomes = await Promise.allSettled(attempts);
  const sockets = outcomes.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  for (const socket of sockets) socket.destroy();
  return { served: sockets.length, dropped: count - sockets.length, ms: last };
}

async function measure(program: Program, idle: number, crowd: number): Promise<Outcome> {
  const limit = Math.max(idle, crowd, WARMING) + OWN_DESCRIPTORS;
  const server = await startServer(program, ['-t', '1', '-c', String(limit)], []);
  try {
    await closeAll(await open(server.port, Math.min(WARMING, idle)));
    const before = residentOf(server);
    const sockets = await open(server.port, idle);
    await sleep(SETTLE_MS);
    const after = residentOf(server);
    await closeAll(sockets);
    const { served, dropped, ms } = await storm(server.port, crowd);
    const perConnection = (after - before) / idle;
    const { name } = program;
    const own = isOwn(program);
    return { name, own, before, after, perConnection, served, dropped, stormMs: ms };
  } finally {
    await server.stop();
  }
}

function tableRow({ name, own, before, after, perConnection, ...rest }: Outcome): string {
  const megabytes = (bytes: number): string => (bytes / 1024 / 1024).toFixed(1);
  const missed = own && perConnection >= GOAL_BYTES;
  const cells = [
    name,
    megabytes(before),
    megabytes(after),
    `${Math.round(perConnection)}${own ? ` (< ${GOAL_BYTES}${missed ? ', **no**' : ''})` : ''}`,
    rest.served,
    rest.dropped,
    rest.stormMs.toFixed(0),
  ];
  return `| ${cells.join(' | ')} |`;
}

const { values } = parseArgs({
  options: {
    connections: { type: 'string', default: '10000' },
    storm: { type: 'string', default: '5000' },
    servers: { type: 'string', default: 'io_uring,epoll,node,memcached' },
  },
});
const most = descriptorLimit() - OWN_DESCRIPTORS;
const idle = Math.min(Number(values.connections), most);
const crowd = Math.min(Number(values.storm), most);
if (!(idle > 0 && crowd > 0)) throw new RangeError('--connections and --storm are numbers from 1');
console.log(`${idle} idle connections, each served once, and ${crowd} that connect at once\n`);
console.log('| server | RSS MB | RSS MB, idle | bytes each (goal) | served | dropped | ms |');
console.log('|---|---:|---:|---:|---:|---:|---:|');
for (const name of values.servers.split(',')) {
  const program = findProgram(serverName(name), []);
  if (typeof program === 'string') console.log(`${name} is left out: ${program}`);
  else console.log(tableRow(await measure(program, idle, crowd)));
}
