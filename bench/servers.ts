// Starts and stops the servers under test: a free port, the same flags, a core of its own, and the
// wait until it answers.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { loadAddon } from '../src/net/addon.ts';
import { nullProgram } from './null-server.ts';

const START_LIMIT_MS = 10_000;
const STOP_LIMIT_MS = 5_000;
/** The release of memcached that began to send the replies of pipelined gets together. */
const BATCHING_SINCE = [1, 6, 35];

/** What can be compared: slabcached with each transport or with its own choice, and others. */
export const SERVER_NAMES = [
  'io_uring',
  'epoll',
  'node',
  'slabcached',
  'memcached',
  'null',
] as const;
export type ServerName = (typeof SERVER_NAMES)[number];

/** The server of that name; throws RangeError when there is none. */
export function serverName(text: string): ServerName {
  const found = SERVER_NAMES.find((name) => name === text);
  if (found !== undefined) return found;
  throw new RangeError(`--servers ${text}: expected ${SERVER_NAMES.join(', ')}`);
}

/** A program that can be put under load. */
export interface Program {
  readonly server: ServerName;
  /** What it is called in tables. */
  readonly name: string;
  readonly version: string;
  readonly command: readonly string[];
}

/** A running server. */
export interface Server {
  readonly program: Program;
  readonly port: number;
  readonly pid: number;
  /** From spawn to the first answer, in milliseconds. */
  readonly startMs: number;
  stop(): Promise<void>;
}

/** Whether a program is slabcached, in whatever way it moves its bytes. */
export function isOwn({ server }: Program): boolean {
  return server !== 'memcached' && server !== 'null';
}

/**
 * slabcached as it stands in this checkout, or a sentence that says why it cannot be had. `server`
 * is a transport's name, or 'slabcached' for the one it chooses itself.
 */
export function ownProgram(server: ServerName, extraArgs: readonly string[]): Program | string {
  const entry = fileURLToPath(new URL('../src/cli.ts', import.meta.url));
  const shown = spawnSync(process.execPath, [entry, '-V'], { encoding: 'utf8' });
  if (shown.status !== 0) return 'slabcached does not start here: try `node src/cli.ts -V`';
  const version = shown.stdout
    .trim()
    .split('\n')[0]
    .replace(/^slabcached\s*/, '');
  const chosen = server === 'slabcached';
  if ((server === 'io_uring' || server === 'epoll') && !pumpKinds().includes(server)) {
    return `the addon is not built, or ${server} is not to be had here: see npm run build:native`;
  }
  const transport = chosen ? [] : ['-o', `transport=${server}`];
  const command = [process.execPath, entry, ...transport, ...extraArgs];
  return { server, name: chosen ? server : `slabcached ${server}`, version, command };
}

function pumpKinds(): readonly string[] {
  return loadAddon()?.pumpKinds() ?? [];
}

/** memcached from MEMCACHED= or the PATH, or a sentence that says why it cannot be had. */
export function memcachedProgram(): Program | string {
  const path = process.env.MEMCACHED ?? 'memcached';
  const shown = spawnSync(path, ['-V'], { encoding: 'utf8' });
  if (shown.status !== 0) {
    return 'memcached is not installed; MEMCACHED=/path/to/memcached may name it';
  }
  const version = shown.stdout.trim().replace(/^memcached\s*/, '');
  return { server: 'memcached', name: 'memcached', version, command: [path] };
}

/** The program of that name, or a sentence that says why it cannot be had. */
export function findProgram(server: ServerName, oursArgs: readonly string[]): Program | string {
  if (server === 'memcached') return memcachedProgram();
  return server === 'null' ? nullProgram() : ownProgram(server, oursArgs);
}

/** Whether this memcached sends each reply of pipelined bare gets with a system call of its own. */
export function sendsRepliesSingly(version: string): boolean {
  const parts = version.split('.').map((part) => Number.parseInt(part, 10));
  for (let i = 0; i < BATCHING_SINCE.length; i++) {
    if (parts[i] !== BATCHING_SINCE[i]) return parts[i] < BATCHING_SINCE[i];
  }
  return false;
}

/** Puts `taskset` before a command, so that it runs on these cores only; no cores: anywhere. */
export function pinned(command: readonly string[], cores: readonly number[]): readonly string[] {
  return cores.length === 0 ? command : ['taskset', '-c', cores.join(','), ...command];
}

/** Whether processes can be pinned to cores here. */
export function canPin(): boolean {
  return process.platform === 'linux' && spawnSync('taskset', ['-V']).status === 0;
}

/** Starts a program with memcached's flags on a free port and waits until it answers. */
export async function startServer(
  program: Program,
  flags: readonly string[],
  cores: readonly number[],
): Promise<Server> {
  const port = await freePort();
  const own = listenFlags(program, port);
  const [command, ...args] = pinned([...program.command, ...own, ...flags], cores);
  const began = performance.now();
  const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  const stopAtExit = (): void => {
    child.kill('SIGKILL');
  };
  process.on('exit', stopAtExit);
  try {
    await untilAnswering(child, port, program.name);
  } catch (error) {
    child.kill('SIGKILL');
    process.off('exit', stopAtExit);
    throw error;
  }
  return {
    program,
    port,
    pid: child.pid!,
    startMs: performance.now() - began,
    async stop() {
      process.off('exit', stopAtExit);
      await stopProcess(child);
    },
  };
}

function listenFlags({ server }: Program, port: number): string[] {
  if (server === 'null') return [`--port=${port}`];
  const flags = ['-l', '127.0.0.1', '-p', String(port), '-U', '0'];
  // memcached refuses to run as root unless it is told as whom to run.
  return process.getuid?.() === 0 ? [...flags, '-u', 'root'] : flags;
}

/** A number that a server tells in `stats`, or undefined when it tells none of that name. */
export async function statOf(port: number, name: string): Promise<number | undefined> {
  const socket = connect(port, '127.0.0.1');
  socket.write('stats\r\n');
  let text = '';
  for await (const chunk of socket) {
    text += (chunk as Buffer).toString('latin1');
    if (text.endsWith('END\r\n')) break;
  }
  const [, value] = new RegExp(`^STAT ${name} (\\d+)`, 'm').exec(text) ?? [];
  return value === undefined ? undefined : Number(value);
}

async function stopProcess(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_LIMIT_MS);
  await exited;
  clearTimeout(timer);
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port to be had');
  return address.port;
}

async function untilAnswering(child: ChildProcess, port: number, name: string): Promise<void> {
  const limit = performance.now() + START_LIMIT_MS;
  let failure: Error | undefined;
  child.once('error', (error) => {
    failure = error;
  });
  while (performance.now() < limit) {
    if (failure !== undefined) throw failure;
    if (child.exitCode !== null || child.signalCode !== null) {
      throw new Error(`${name} ended at once (exit code ${child.exitCode})`);
    }
    if (await answers(port)) return;
    await sleep(5);
  }
  throw new Error(`${name} did not answer within ${START_LIMIT_MS / 1000} s`);
}

/** Whether a server on the port replies to `version`. */
function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write('version\r\n'));
    socket.setTimeout(1000, () => socket.destroy());
    socket.on('data', (data) => {
      resolve(data.toString('latin1').startsWith('VERSION '));
      socket.destroy();
    });
    socket.on('error', () => {});
    socket.on('close', () => resolve(false));
  });
}
