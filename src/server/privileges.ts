/**
 * `-u`: the server binds its port as root and then goes on as another user.
 */
import { execFileSync } from 'node:child_process';
import { StartError } from './errors.ts';
import { logLine } from './log.ts';

/** A user's numeric ids. */
export interface Identity {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

/**
 * The user to become, or undefined to stay. Throws StartError when there is no such user. Running
 * as root without -u is what memcached refuses; in a container it is common, so here it is a
 * warning.
 */
export function identityFor(user: string): Identity | undefined {
  const isRoot = process.geteuid?.() === 0;
  if (user === '') {
    if (isRoot) logLine('warning: running as root; use -u <user> to give the privileges up');
    return undefined;
  }
  if (!isRoot) {
    logLine(`warning: -u ${user} has no effect: only root can change its identity`);
    return undefined;
  }
  return { name: user, uid: idOf('-u', user), gid: idOf('-g', user) };
}

/** Gives up root for good, supplementary groups included. */
export function become(identity: Identity): void {
  try {
    process.setgroups?.([]);
    process.setgid?.(identity.gid);
    process.setuid?.(identity.uid);
  } catch (error) {
    throw new StartError(`cannot become user ${identity.name}: ${(error as Error).message}`);
  }
}

/** Node has no getpwnam; id(1) asks every source of users that the system is set up with. */
function idOf(which: string, user: string): number {
  try {
    return Number(execFileSync('id', [which, '--', user], { stdio: ['ignore', 'pipe', 'ignore'] }));
  } catch {
    throw new StartError(`can't find the user ${user} to switch to`);
  }
}
