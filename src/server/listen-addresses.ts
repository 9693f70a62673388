/**
 * Addresses to listen on: the syntax of `-l`.
 */
import { isIPv6 } from 'node:net';
import type { ListenAddress } from '../net/listener.ts';
import { SettingsError } from './errors.ts';

/**
 * Reads the joined value of `-l`; `port` is that of `-p`. An address may bring its own port and is
 * listed once. Throws SettingsError.
 */
export function parseListen(listen: string, port: number): ListenAddress[] {
  if (listen === '') return port === 0 ? [] : [{ host: undefined, port: Math.max(port, 0) }];
  const found = new Map<string, ListenAddress>();
  for (const entry of listen.split(/[,;]/)) {
    if (entry === '') continue;
    const address = parseEntry(entry, port);
    if (address !== undefined) found.set(`${address.host} ${address.port}`, address);
  }
  return [...found.values()];
}

/** undefined when the entry has no port of its own and `-p 0` turns TCP off. */
function parseEntry(entry: string, defaultPort: number): ListenAddress | undefined {
  const match = isIPv6(entry)
    ? [entry, entry, undefined]
    : (/^\[([^\]]+)\](?::(\d+))?$/.exec(entry) ?? /^([^:[\]]+)(?::(\d+))?$/.exec(entry));
  const host = match?.[1];
  if (match === null || host === undefined) {
    throw new SettingsError(
      `-l '${entry}' is not an address: it must be host, host:port, [ipv6] or [ipv6]:port`,
    );
  }
  const port = match[2] === undefined ? defaultPort : Number(match[2]);
  if (match[2] !== undefined && (port < 1 || port > 65535)) {
    throw new SettingsError(`-l '${entry}': the port must be from 1 to 65535`);
  }
  if (port === 0) return undefined;
  return { host: host === '*' ? undefined : host, port: Math.max(port, 0) };
}
