// Starts a server (ours or the real memcached) on ports of its own choice, and reads them from the
// file that MEMCACHED_PORT_FILENAME names, which both write when they listen.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Launch } from './server.ts';

export interface WithPorts {
  readonly pid: number;
  /** The lines of the port file. */
  readonly lines: readonly string[];
  readonly tcp: readonly number[];
  readonly udp: readonly number[];
  stderr(): string;
}

/** Starts the launch with its flags as they are; ends it after the test. */
export async function startWithPorts(
  t: TestContext,
  launch: Launch,
  extra: { readonly env?: NodeJS.ProcessEnv } = {},
): Promise<WithPorts> {
  const folder = mkdtempSync(join(tmpdir(), 'slabcached-ports-'));
  const file = join(folder, 'ports');
  const child = spawn(launch.command, launch.args, {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, ...extra.env, MEMCACHED_PORT_FILENAME: file },
  });
  let stderr = '';
  child.stderr.on('data', (data: Buffer) => {
    stderr += data;
  });
  const ended = once(child, 'close');
  t.after(async () => {
    child.kill('SIGTERM');
    await ended;
    rmSync(folder, { recursive: true, force: true });
  });
  while (!existsSync(file)) {
    if (child.exitCode !== null || child.signalCode !== null) {
      throw new Error(`${launch.name} ended: ${stderr}`);
    }
    await sleep(10);
  }
  const lines = readFileSync(file, 'latin1').trimEnd().split('\n');
  const portsOf = (kind: string): number[] =>
    lines.filter((line) => line.startsWith(kind)).map((line) => Number(line.split(': ')[1]));
  const { pid = 0 } = child;
  return { pid, lines, tcp: portsOf('TCP'), udp: portsOf('UDP'), stderr: () => stderr };
}
