/**
 * What moves the bytes of connections: the native pump, or node:net. Found out once, before any
 * thread starts, and the same for all of them.
 */
import type { Addon } from '../net/addon.ts';

/** The addon is there exactly if a pump of that kind serves the connections. */
export type Transport =
  | { readonly kind: 'node'; readonly addon: null }
  | { readonly kind: string; readonly addon: Addon };

/** What the settings and this machine allow. */
export function resolveTransport(): Transport {
  return { kind: 'node', addon: null };
}
