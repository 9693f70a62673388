// The native addon for tests that need it. They are skipped with one clear line where it was not
// built; where it was, it has to load.
import { existsSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Addon, loadAddon } from '../../src/net/addon.ts';

const NATIVE = fileURLToPath(new URL('../../native/', import.meta.url));

/** The files in native/ that were built for this platform and processor. */
function built(): string[] {
  const prefix = `slabcached.${process.platform}-${process.arch}-`;
  if (!existsSync(NATIVE)) return [];
  return readdirSync(NATIVE).filter((name) => name.startsWith(prefix) && name.endsWith('.node'));
}

/** For node:test's `skip` option: false when the addon is there, else the reason to print. */
export function skipWithoutAddon(): string | false {
  if (loadAddon() !== undefined) return false;
  const files = built();
  if (files.length > 0) {
    throw new Error(`native/${files.join(', ')} does not load, or is older than its sources`);
  }
  const reason = 'SKIPPED: the native addon is not built (npm run build:native, needs Rust)';
  process.stderr.write(`${reason}\n`);
  return reason;
}

/** The addon, in tests that are not run without it. */
export function theAddon(): Addon {
  const addon = loadAddon();
  if (addon === undefined) throw new Error('there is no addon');
  return addon;
}
