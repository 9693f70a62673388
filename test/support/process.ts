/**
 * A child process of a test: what it writes, how it ends, and that it does not outlive the test.
 */
import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** Our own command. */
export const CLI = fileURLToPath(new URL('../../src/cli.ts', import.meta.url));

/** For servers under test: TEST_TRANSPORT=io_uring, epoll or node forces that on all of them. */
export const TRANSPORT_FLAGS: readonly string[] = transportFlags(process.env.TEST_TRANSPORT);

function transportFlags(kind: string | undefined): string[] {
  return kind === undefined || kind === '' ? [] : ['-o', `transport=${kind}`];
}

const KEPT = 64 * 1024;

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface Started {
  readonly child: ChildProcess;
  /** The last 64 KiB that it wrote to stderr (latin1), and why it could not be started. */
  stderr(): string;
  /** The same of stdout, if that is a pipe. */
  stdout(): string;
  /** Resolves when the process has ended and all it wrote was read. */
  readonly exited: Promise<Exit>;
}

const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** Starts a program; `stdio` says what stdin, stdout, stderr and further channels are. */
export function startProcess(
  command: string,
  args: readonly string[],
  stdio: StdioOptions,
  env: NodeJS.ProcessEnv = process.env,
): Started {
  const child = spawn(command, args, { stdio, env });
  running.add(child);
  let stderr = '';
  let stdout = '';
  child.stderr?.setEncoding('latin1');
  child.stderr?.on('data', (text: string) => {
    stderr = (stderr + text).slice(-KEPT);
  });
  child.stdout?.setEncoding('latin1');
  child.stdout?.on('data', (text: string) => {
    stdout = (stdout + text).slice(-KEPT);
  });
  child.once('error', (error) => {
    stderr += String(error);
  });
  const exited = new Promise<Exit>((resolve) => {
    child.once('close', (code, signal) => {
      running.delete(child);
      resolve({ code, signal });
    });
  });
  return { child, stderr: () => stderr, stdout: () => stdout, exited };
}
