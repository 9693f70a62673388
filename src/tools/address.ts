/**
 * How a cache is named on the command line: `[tls://][user[:password]@]host[:port]`, or the path of
 * a unix socket.
 */
import { ToolError } from './tool-error.ts';

const PORT_DEFAULT = 11211;

/** Where a cache listens, and how to get in. */
export interface Address {
  /** As the operator gave it, but without a password. */
  readonly shown: string;
  readonly host: string;
  readonly port: number;
  /** Path of a unix socket; empty for TCP. */
  readonly path: string;
  readonly isTls: boolean;
  /** Empty when the cache asks for none. */
  readonly user: string;
  readonly password: string;
}

/**
 * Reads an address; `given` is the option it came with. A user without a password has it in the
 * environment variable `passwordVariable`, where other users of the machine cannot see it.
 */
export function parseAddress(given: string, text: string, passwordVariable: string): Address {
  const unix = { host: '', port: 0, isTls: false, user: '', password: '' };
  if (text.startsWith('/')) return { ...unix, shown: text, path: text };
  const isTls = text.startsWith('tls://');
  const rest = isTls ? text.slice('tls://'.length) : text;
  const at = rest.lastIndexOf('@');
  const where = rest.slice(at + 1);
  const match = /^(?:\[([^\]]+)\]|([^:/[\]]+))(?::(\d{1,5}))?$/.exec(where);
  const port = Number(match?.[3] ?? PORT_DEFAULT);
  if (match === null || port < 1 || port > 65535) {
    throw new ToolError(`${given} '${where}' is not host:port, [ipv6]:port or /path`);
  }
  const shown = `${isTls ? 'tls://' : ''}${where}`;
  const place = { shown, host: match[1] ?? match[2], port, path: '', isTls };
  if (at === -1) return { ...place, user: '', password: '' };
  const name = rest.slice(0, at);
  const colon = name.indexOf(':');
  const user = colon === -1 ? name : name.slice(0, colon);
  const password = colon === -1 ? process.env[passwordVariable] : name.slice(colon + 1);
  if (user === '' || password === undefined || password === '') {
    throw new ToolError(`${given}: a user needs a password, here or in ${passwordVariable}`);
  }
  return { ...place, user, password };
}
