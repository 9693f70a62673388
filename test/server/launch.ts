/**
 * Starts the real server as a child process on a free port, talks to it, and makes sure that it is
 * gone when the test ends.
 */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { CLI, type Exit, startProcess, TRANSPORT_FLAGS } from '../support/process.ts';

/** A server under test. */
export interface Launched {
  readonly child: ChildProcess;
  readonly port: number;
  /** What it wrote to stderr so far. */
  stderr(): string;
  /** Resolves to the exit code, or the signal that ended it. */
  readonly ended: Promise<number | string>;
}

/** Runs the command to its end. */
export async function run(
  args: readonly string[],
): Promise<{ code: number | string; stdout: string; stderr: string }> {
  const stdio = ['ignore', 'pipe', 'pipe'] as const;
  const { stdout, stderr, exited } = startProcess(process.execPath, [CLI, ...args], [...stdio]);
  const code = codeOf(await exited);
  return { code, stdout: stdout(), stderr: stderr() };
}

function codeOf({ code, signal }: Exit): number | string {
  return code ?? signal ?? '';
}

/** Starts a server; with `-s` among the flags, which has no port, give `socket`. */
export async function launch(
  t: TestContext,
  flags: readonly string[],
  socket?: string,
): Promise<Launched> {
  const where = socket === undefined ? ['-p', '-1', '-l', '127.0.0.1'] : ['-s', socket];
  const args = [CLI, ...where, '-m', '16', '-t', '2', ...TRANSPORT_FLAGS, ...flags];
  const environment = { ...process.env, SLABCACHED_TEST: '1' };
  const stdio = ['ignore', 'ignore', 'pipe', 'ipc'] as const;
  const started = startProcess(process.execPath, args, [...stdio], environment);
  const { child, stderr } = started;
  const ended = started.exited.then(codeOf);
  t.after(async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
    await ended;
  });
  const isUp = () => (socket === undefined ? /port (\d+)/.test(stderr()) : false);
  const up = socket === undefined ? waitFor(isUp, ended) : waitForSocket(socket, ended);
  if (!(await up)) throw new Error(`the server ended: ${stderr()}`);
  return { child, port: Number(/port (\d+)/.exec(stderr())?.[1] ?? 0), stderr, ended };
}

/** Polls until the condition holds; false if `ended` resolved before. */
export async function waitFor(
  condition: () => boolean | Promise<boolean>,
  ended: Promise<unknown>,
): Promise<boolean> {
  let over = false;
  void ended.then(() => {
    over = true;
  });
  while (!(await condition())) {
    if (over) return false;
    await pause(10);
  }
  return true;
}

function waitForSocket(path: string, ended: Promise<unknown>): Promise<boolean> {
  return waitFor(async () => {
    const client = connect(path);
    try {
      await once(client, 'connect');
      return true;
    } catch {
      return false;
    } finally {
      client.destroy();
    }
  }, ended);
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}

/** An empty folder that is removed after the test. */
export function scratch(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'slabcached-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A client that collects what it receives. */
export class Client {
  readonly socket: Socket;
  readonly closed: Promise<unknown>;
  #received = '';
  #isClosed = false;

  constructor(t: TestContext, where: number | string) {
    this.socket =
      typeof where === 'number' ? connect(where, '127.0.0.1') : connect({ path: where });
    this.socket.on('data', (data) => {
      this.#received += data.toString('latin1');
    });
    this.socket.on('error', () => undefined);
    this.closed = new Promise((resolve) => {
      this.socket.on('close', () => {
        this.#isClosed = true;
        resolve(undefined);
      });
    });
    t.after(() => this.socket.destroy());
  }

  get received(): string {
    return this.#received;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Sends a request and waits for a reply that ends with `end`; rejects if the server hangs up. */
  async ask(request: string, end: string): Promise<string> {
    this.#received = '';
    this.socket.write(request);
    const complete = () => this.#received.endsWith(end);
    if (await waitFor(complete, this.closed)) return this.#received;
    throw new Error(`the server hung up after ${JSON.stringify(this.#received)}`);
  }

  /** One key of a stats reply. */
  async stat(name: string, which = ''): Promise<string | undefined> {
    const reply = await this.ask(which === '' ? 'stats\r\n' : `stats ${which}\r\n`, 'END\r\n');
    return new RegExp(`^STAT ${name} (.*)\r$`, 'm').exec(reply)?.[1];
  }
}
