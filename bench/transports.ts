// Chooses the load generator's transport.

import type { TransportChoice } from './messages.ts';
import type { Transport } from './transport.ts';
import { NetTransport } from './transport-net.ts';

/** Opens the transport asked for; `auto` is io_uring where it can be had, else node:net. */
export async function openTransport(
  choice: TransportChoice,
  connections: number,
): Promise<Transport> {
  if (choice === 'net') return new NetTransport();
  try {
    const { UringTransport } = await import('./transport-uring.ts');
    return new UringTransport(connections);
  } catch (error) {
    if (choice === 'uring') throw error;
    return new NetTransport();
  }
}
