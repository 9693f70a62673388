/**
 * `-d`. Node cannot fork, so the parent starts itself again, detached, and leaves when the child
 * says that it listens: whoever started the daemon then finds it ready, or gets its reason on
 * stderr.
 */
import { spawn } from 'node:child_process';
import { logLine } from './log.ts';

const DAEMON_VARIABLE = 'SLABCACHED_DAEMON';

/** What the child tells its parent. */
type DaemonReport = { readonly ready: true } | { readonly failed: string };

/** True in the process that is the daemon. */
export function isDaemon(): boolean {
  return process.env[DAEMON_VARIABLE] === '1';
}

/** Starts the daemon with the same flags. Resolves to this process's exit code. */
export function spawnDaemon(args: readonly string[], verbose: number): Promise<number> {
  const file = process.argv[1];
  // As in memcached, stderr stays open only if something is going to be printed there.
  const stderr = verbose > 0 ? 'inherit' : 'ignore';
  const child = spawn(process.execPath, [...process.execArgv, file, ...args], {
    detached: true,
    stdio: ['ignore', 'ignore', stderr, 'ipc'],
    env: { ...process.env, [DAEMON_VARIABLE]: '1' },
  });
  return new Promise((resolve) => {
    child.on('message', (report: DaemonReport) => {
      if ('failed' in report) {
        logLine(report.failed);
        resolve(1);
        return;
      }
      child.disconnect();
      child.unref();
      resolve(0);
    });
    child.on('error', (error) => {
      logLine(`cannot start the daemon: ${error.message}`);
      resolve(1);
    });
    child.on('exit', (code, signal) => {
      logLine(`the daemon ended before it listened (${signal ?? code})`);
      resolve(1);
    });
  });
}

/** In the daemon: tells the parent, which then leaves. */
export function reportReady(): void {
  if (!isDaemon() || process.send === undefined) return;
  // Like daemon(3): no file system is kept busy by the working directory.
  process.chdir('/');
  process.send({ ready: true } satisfies DaemonReport, () => process.disconnect?.());
}

/** In the daemon: has the parent print why it could not start. False if there is no parent. */
export function reportFailure(reason: string, done: () => void): boolean {
  if (!isDaemon() || process.send === undefined) return false;
  process.send({ failed: reason } satisfies DaemonReport, done);
  return true;
}
