// Finds the real memcached that comparison tests hold our server against. Without one those tests
// are skipped with one clear line: they never pass silently.
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

const FOLDERS = ['/usr/bin', '/usr/local/bin', '/usr/sbin', '/opt/homebrew/bin'];

function executable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** The path of a program in PATH or the usual folders, or undefined. */
export function findProgram(name: string): string | undefined {
  const folders = [...(process.env.PATH ?? '').split(delimiter), ...FOLDERS];
  return folders.map((folder) => join(folder, name)).find(executable);
}

/**
 * memcached's path: `MEMCACHED=` when set (a wrong path there is an error, not a reason to skip),
 * else the first one found.
 */
export function findMemcached(): string | undefined {
  const named = process.env.MEMCACHED;
  if (named === undefined || named === '') return findProgram('memcached');
  if (!executable(named)) throw new Error(`MEMCACHED=${named} is not an executable file`);
  return named;
}

/** For node:test's `skip` option: false when memcached is there, else the reason to print. */
export function skipWithoutMemcached(): string | false {
  if (findMemcached() !== undefined) return false;
  const reason = 'SKIPPED: no memcached on this machine (install it, or set MEMCACHED=/path)';
  process.stderr.write(`${reason}\n`);
  return reason;
}

/** For node:test's `skip` option: false when the program is there, else the reason to print. */
export function skipWithoutProgram(name: string, from: string): string | false {
  if (findProgram(name) !== undefined) return false;
  const reason = `SKIPPED: no ${name} on this machine (it comes with ${from})`;
  process.stderr.write(`${reason}\n`);
  return reason;
}
