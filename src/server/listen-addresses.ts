/**
 * Addresses to listen on: the syntax of `-l`.
 */
import { isIPv6 } from 'node:net';
import type { ListenAddress } from '../net/listener.ts';
import type { ListenerTls } from '../net/tls.ts';
import type { ListenerProtocol } from '../protocol/origin.ts';
import { SettingsError } from './errors.ts';
import type { Settings } from './setting.ts';

/** What an entry of `-l` is read against. */
interface ListenDefaults {
  /** -p or -U; 0 leaves out entries without a port of their own, -1 is any free port. */
  readonly port: number;
  /** -B. */
  readonly protocol: ListenerProtocol;
  /** -Z. */
  readonly tls: boolean;
}

/** One entry of `-l`, or the listener that there is without any. */
export interface ListenEntry extends ListenAddress {
  readonly protocol: ListenerProtocol;
  readonly tls: ListenerTls;
  /** `tag[...]`, empty for none. */
  readonly tag: string;
}

const TLS_PREFIXES = new Map<string, ListenerTls>([
  ['notls', 'off'],
  ['btls', 'no client certificate'],
  ['mtls', 'client certificate'],
]);
/** `negotiating` is how memcached calls it here, `auto` how -B does. */
const PROTOCOLS = new Map<string, ListenerProtocol>([
  ['ascii', 'ascii'],
  ['binary', 'binary'],
  ['negotiating', 'auto'],
  ['auto', 'auto'],
]);
const TAG_LENGTH_MAX = 8;

/** The listeners that the settings ask for, on `port` where an entry has none of its own. */
export function listenEntries(settings: Settings, port: number): ListenEntry[] {
  const { listen, protocol, sslEnabled } = settings;
  return parseListen(listen, { port, protocol, tls: sslEnabled });
}

/**
 * Reads the joined value of `-l`. An entry that says the same as a former one is left out. Throws
 * SettingsError.
 */
function parseListen(listen: string, defaults: ListenDefaults): ListenEntry[] {
  const { port, protocol } = defaults;
  const plain = { protocol, tls: defaults.tls ? 'default' : 'off', tag: '' } as const;
  if (listen === '') {
    return port === 0 ? [] : [{ host: undefined, port: Math.max(port, 0), ...plain }];
  }
  const found = new Map<string, ListenEntry>();
  for (const text of listen.split(/[,;]/)) {
    if (text === '') continue;
    const entry = parseEntry(text, defaults);
    if (entry !== undefined) found.set(Object.values(entry).join(' '), entry);
  }
  return [...found.values()];
}

/** undefined when the entry has no port of its own and the default turns it off. */
function parseEntry(entry: string, defaults: ListenDefaults): ListenEntry | undefined {
  let rest = entry;
  let tls: ListenerTls = defaults.tls ? 'default' : 'off';
  let protocol = defaults.protocol;
  let tag = '';
  for (;;) {
    const prefix = /^(?:(notls|btls|mtls)|proto\[([^\]]*)\]|tag\[([^\]]*)\]):/.exec(rest);
    if (prefix === null) break;
    rest = rest.slice(prefix[0].length);
    if (prefix[1] !== undefined) tls = tlsOf(prefix[1], entry, defaults.tls);
    else if (prefix[2] !== undefined) protocol = protocolOf(prefix[2], entry);
    else tag = checkTag(prefix[3], entry);
  }
  const address = parseAddress(rest, entry, defaults.port);
  return address === undefined ? undefined : { ...address, protocol, tls, tag };
}

function tlsOf(prefix: string, entry: string, enabled: boolean): ListenerTls {
  const tls = TLS_PREFIXES.get(prefix);
  if (tls === undefined || !enabled) {
    throw new SettingsError(`-l '${entry}': '${prefix}' is valid only when TLS is enabled (-Z)`);
  }
  return tls;
}

function protocolOf(name: string, entry: string): ListenerProtocol {
  const protocol = PROTOCOLS.get(name);
  if (protocol !== undefined) return protocol;
  throw new SettingsError(
    `-l '${entry}': the protocol must be ascii, binary or negotiating, not '${name}'`,
  );
}

function checkTag(tag: string, entry: string): string {
  if (tag.length >= 1 && tag.length <= TAG_LENGTH_MAX) return tag;
  throw new SettingsError(`-l '${entry}': a tag must have 1 to ${TAG_LENGTH_MAX} characters`);
}

function parseAddress(text: string, entry: string, port: number): ListenAddress | undefined {
  const match = isIPv6(text)
    ? [text, text, undefined]
    : (/^\[([^\]]+)\](?::(\d+))?$/.exec(text) ?? /^([^:[\]]+)(?::(\d+))?$/.exec(text));
  const host = match?.[1];
  if (match === null || host === undefined) {
    throw new SettingsError(
      `-l '${entry}' is not an address: it must be host, host:port, [ipv6] or [ipv6]:port`,
    );
  }
  const own = match[2] === undefined ? port : Number(match[2]);
  if (match[2] !== undefined && (own < 1 || own > 65535)) {
    throw new SettingsError(`-l '${entry}': the port must be from 1 to 65535`);
  }
  if (own === 0) return undefined;
  return { host: host === '*' ? undefined : host, port: Math.max(own, 0) };
}
