// Starts and stops the servers under test: a free port, the same flags, a core of its own, and the
// wait until it answers.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const START_LIMIT_MS = 10_000;
const STOP_LIMIT_MS = 5_000;
/** The release of memcached that began to send the replies of pipelined gets together. */
const BATCHING_SINCE = [1, 6, 35];

/** A program that can be put under load. */
export interface Program {
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

/** slabcached as it stands in this checkout; undefined when its entry point is not there. */
export function ownProgram(extraArgs: readonly string[]): Program | undefined {
  const entry = fileURLToPath(new URL('../src/cli.ts', import.meta.url));
  const shown = spawnSync(process.execPath, [entry, '-V'], { encoding: 'utf8' });
  if (shown.status !== 0) return undefined;
  const version = shown.stdout
    .trim()
    .split('\n')[0]
    .replace(/^slabcached\s*/, '');
  return { name: 'slabcached', version, command: [process.execPath, entry, ...extraArgs] };
}

/** memcached from MEMCACHED= or the PATH; undefined when it is not installed. */
export function memcachedProgram(): Program | undefined {
  const path = process.env.MEMCACHED ?? 'memcached';
  const shown = spawnSync(path, ['-V'], { encoding: 'utf8' });
  if (shown.status !== 0) return undefined;
  const version = shown.stdout.trim().replace(/^memcached\s*/, '');
  return { name: 'memcached', version, command: [path] };
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
  const own = ['-l', '127.0.0.1', '-p', String(port), '-U', '0'];
  // memcached refuses to run as root unless it is told as whom to run.
  if (process.getuid?.() === 0) own.push('-u', 'root');
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
