/**
 * The files that a running server leaves for others: its pid (-P) and the port that it got.
 */
import { readFileSync, renameSync, unlinkSync, writeFileSync } from 'node:fs';
import type { Listener } from '../net/listener.ts';
import { reasonOf } from './errors.ts';
import type { DatagramPlace } from './listeners.ts';
import { logLine } from './log.ts';

/** Writes the pid file; warns if it names a process that runs, or cannot be written. */
export function writePidFile(path: string): void {
  const former = runningPid(path);
  if (former !== undefined)
    logLine(`warning: ${path} held the pid of a running process: ${former}`);
  writeFile(path, `${process.pid}\n`);
}

/** Removes it, if it is still ours. */
export function removePidFile(path: string): void {
  try {
    if (readFileSync(path, 'utf8').trim() === String(process.pid)) unlinkSync(path);
  } catch (error) {
    logLine(`warning: cannot remove ${path}: ${reasonOf(error)}`);
  }
}

/** The file that MEMCACHED_PORT_FILENAME names: one line per listener, as memcached writes it. */
export function writePortFile(
  path: string,
  listeners: readonly Listener[],
  datagrams: readonly DatagramPlace[],
): void {
  const lines = listeners.flatMap(({ address: { address, family, port } }) => {
    if (family !== 'IPv6') return [`TCP INET: ${port}`];
    // One socket on all interfaces serves both families.
    return address === '::' ? [`TCP INET: ${port}`, `TCP INET6: ${port}`] : [`TCP INET6: ${port}`];
  });
  for (const { port, ipv6 } of datagrams) lines.push(`UDP INET${ipv6 ? '6' : ''}: ${port}`);
  writeFile(path, `${lines.join('\n')}\n`);
}

/** Under another name first, so that no reader finds it empty. */
function writeFile(path: string, text: string): void {
  try {
    writeFileSync(`${path}.lck`, text);
    renameSync(`${path}.lck`, path);
  } catch (error) {
    logLine(`warning: cannot write ${path}: ${reasonOf(error)}`);
  }
}

function runningPid(path: string): number | undefined {
  try {
    const pid = Number(readFileSync(path, 'utf8'));
    // 0, as an empty file reads, and less would be groups of processes.
    if (!(pid > 0)) return undefined;
    process.kill(pid, 0);
    return pid;
  } catch {
    return undefined;
  }
}
