// Starts a server under test as a child process (ours or the real memcached) on a free port and
// waits until it accepts connections. Both take memcached's flags, so every test names only flags.
import { createServer, connect as netConnect } from 'node:net';
import { CLI, type Exit, startProcess, TRANSPORT_FLAGS } from './process.ts';

const START_TRIES = 5;
const START_LIMIT_MS = 20_000;

/** What to run: a name for messages, the program and its arguments up to the port. */
export interface Launch {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** Added to our own environment. */
  readonly environment?: Readonly<Record<string, string>> | undefined;
}

export interface Server {
  readonly name: string;
  readonly port: number;
  readonly pid: number;
  /** The last 64 KiB that the server wrote to stderr. */
  stderr(): string;
  /** Resolves when the process has ended, however it ended. */
  readonly exited: Promise<Exit>;
  /** Sends SIGTERM, waits for the end of the process, and reports how it ended. */
  stop(): Promise<Exit>;
}

/** Our own server with memcached's flags. */
export function slabcached(flags: readonly string[] = []): Launch {
  return {
    name: 'slabcached',
    command: process.execPath,
    args: [CLI, ...TRANSPORT_FLAGS, ...flags],
  };
}

/** The real memcached; it refuses to run as root unless told which user to be. */
export function memcached(path: string, flags: readonly string[] = []): Launch {
  const asRoot = process.getuid?.() === 0 ? ['-u', 'root'] : [];
  return { name: 'memcached', command: path, args: [...asRoot, ...flags] };
}

/** A port of 127.0.0.1 that nobody listens on now. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      const port = address !== null && typeof address === 'object' ? address.port : 0;
      probe.close(() => resolve(port));
    });
  });
}

/**
 * Starts the server on a free port of 127.0.0.1 without UDP. Another process may take the port
 * between probing and listening, so an early exit is tried again with another port.
 */
export async function startServer(launch: Launch): Promise<Server> {
  let last = '';
  for (let attempt = 0; attempt < START_TRIES; attempt++) {
    const port = await freePort();
    const server = spawnServer(launch, port);
    if (await listening(server)) return server;
    last = server.stderr();
    if (!/address already in use|EADDRINUSE/i.test(last)) break;
  }
  throw new Error(`${launch.name} ${launch.args.join(' ')} did not start: ${last.trim()}`);
}

/** Runs the launch to its end without waiting for a port; for flags that must be refused. */
export async function runToExit(launch: Launch, limitMs = START_LIMIT_MS): Promise<Ended> {
  const server = spawnServer(launch, await freePort());
  const timer = setTimeout(() => void server.stop(), limitMs);
  const exit = await server.exited;
  clearTimeout(timer);
  return { ...exit, stderr: server.stderr() };
}

export interface Ended extends Exit {
  readonly stderr: string;
}

/** Spawns without waiting; `startServer` is what most tests want. */
export function spawnServer(launch: Launch, port: number): Server {
  const args = [...launch.args, '-l', '127.0.0.1', '-p', String(port), '-U', '0'];
  const stdio = ['ignore', 'ignore', 'pipe'] as const;
  const { child, stderr, exited } = startProcess(launch.command, args, [...stdio], {
    ...process.env,
    ...launch.environment,
  });
  return {
    name: launch.name,
    port,
    pid: child.pid ?? 0,
    stderr,
    exited,
    stop: () => {
      child.kill('SIGTERM');
      return exited;
    },
  };
}

async function listening(server: Server): Promise<boolean> {
  let ended = false;
  void server.exited.then(() => {
    ended = true;
  });
  const limit = performance.now() + START_LIMIT_MS;
  while (!ended && performance.now() < limit) {
    if (await accepts(server.port)) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      return !ended;
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  if (!ended) await server.stop();
  return false;
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = netConnect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
