/**
 * The version of this package, and of the memcached whose protocol it speaks.
 */
import { readFileSync } from 'node:fs';

/**
 * What `version` and `stats` answer. Clients read it to know which commands there are, so it is
 * that of the memcached we follow and not our own.
 */
export const PROTOCOL_VERSION = '1.6.45';

/**
 * The package's own version, from package.json, which lies two folders up from here when compiled
 * too.
 */
export function packageVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  const { version } = JSON.parse(text) as { version: string };
  return version;
}

/** What `-i` prints: the LICENSE of the package. */
export function licenseText(): string {
  return readFileSync(new URL('../../LICENSE', import.meta.url), 'utf8');
}
