/**
 * Listening sockets that systemd (or another supervisor) hands over: descriptors from 3 on, as many
 * as LISTEN_FDS says, if LISTEN_PID names this process.
 */
import { StartError } from './errors.ts';

const FIRST_DESCRIPTOR = 3;
/** More than anybody hands over; each of them is opened. */
const DESCRIPTORS_MAX = 1024;
const VARIABLES = ['LISTEN_PID', 'LISTEN_FDS', 'LISTEN_FDNAMES'];

/** Whether there are any for the process `pid`, or a number of them that is none. */
export function hasInheritedSockets(env: NodeJS.ProcessEnv, pid: number): boolean {
  const { LISTEN_PID, LISTEN_FDS = '0' } = env;
  return LISTEN_PID === String(pid) && LISTEN_FDS !== '0';
}

/**
 * The descriptors handed over to the process `pid`. Removes the variables, so that no child takes
 * them for its own. Throws StartError if their number cannot be.
 */
export function inheritedSockets(env: NodeJS.ProcessEnv, pid: number): number[] {
  const given = hasInheritedSockets(env, pid) ? (env.LISTEN_FDS ?? '') : '0';
  for (const name of VARIABLES) delete env[name];
  const count = /^\d+$/.test(given) ? Number(given) : Number.POSITIVE_INFINITY;
  if (count > DESCRIPTORS_MAX) {
    throw new StartError(`LISTEN_FDS must be from 0 to ${DESCRIPTORS_MAX}, not '${given}'`);
  }
  return Array.from({ length: count }, (_, index) => FIRST_DESCRIPTOR + index);
}
