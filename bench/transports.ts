// Chooses the load generator's transport.

import { loadAddon } from '../src/net/addon.ts';
import type { TransportChoice } from './messages.ts';
import type { Transport } from './transport.ts';
import { NetTransport } from './transport-net.ts';
import { PumpTransport } from './transport-pump.ts';

/** Opens the transport asked for; `auto` is the best pump that works here, else node:net. */
export function openTransport(choice: TransportChoice): Transport {
  if (choice === 'net') return new NetTransport();
  const addon = loadAddon();
  const kind = addon?.pumpKinds().find((each) => choice === 'auto' || each === choice);
  if (addon !== undefined && kind !== undefined) return new PumpTransport(addon, kind);
  if (choice === 'auto') return new NetTransport();
  throw new Error(`the addon is not built, or ${choice} is not to be had here`);
}
