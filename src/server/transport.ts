/**
 * What moves the bytes of connections: the native pump, or node:net. Found out once, before any
 * thread starts, and the same for all of them.
 */
import { type Addon, loadAddon } from '../net/addon.ts';
import { StartError } from './errors.ts';
import { type Settings, TRANSPORTS, type TransportKind } from './setting.ts';

/** The addon is there exactly if a pump of that kind serves the connections. */
export type Transport =
  | { readonly kind: 'node'; readonly addon: null }
  | { readonly kind: 'io_uring' | 'epoll'; readonly addon: Addon };

/**
 * The transport that was asked for, or the best one that works here. Throws StartError where the
 * one that was asked for does not. `load` finds the addon.
 */
export function resolveTransport({ transport }: Settings, load = loadAddon): Transport {
  const addon = transport === 'node' ? undefined : load();
  const kinds = addon?.pumpKinds() ?? [];
  const kind = transport === 'auto' ? bestOf(kinds) : transport;
  if (kind === 'node') return { kind, addon: null };
  const option = `-o transport=${kind}`;
  if (addon === undefined) {
    throw new StartError(`${option} needs the native addon, which is not installed`);
  }
  if (!kinds.includes(kind)) {
    throw new StartError(`${option}: the system does not let this process use ${kind}`);
  }
  return { kind, addon };
}

function bestOf(kinds: readonly string[]): TransportKind {
  return TRANSPORTS.find((kind) => kinds.includes(kind)) ?? 'node';
}
