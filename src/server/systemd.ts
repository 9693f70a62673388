/**
 * Listening sockets that systemd (or another supervisor) hands over: descriptors from 3 on, as many
 * as LISTEN_FDS says, if LISTEN_PID names this process.
 */
const FIRST_DESCRIPTOR = 3;
const VARIABLES = ['LISTEN_PID', 'LISTEN_FDS', 'LISTEN_FDNAMES'];

/**
 * The descriptors handed over to the process `pid`. Removes the variables, so that no child takes
 * them for its own.
 */
export function inheritedSockets(env: NodeJS.ProcessEnv, pid: number): number[] {
  const count = env.LISTEN_PID === String(pid) ? Number(env.LISTEN_FDS) : 0;
  for (const name of VARIABLES) delete env[name];
  if (!Number.isInteger(count) || count <= 0) return [];
  return Array.from({ length: count }, (_, index) => FIRST_DESCRIPTOR + index);
}
