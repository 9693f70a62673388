/**
 * How a connection came in, as far as the protocols care: what its listener was configured to take.
 */

/** Which protocols a listener takes (-B, and `proto[...]` of -l). */
export type ListenerProtocol = 'auto' | 'ascii' | 'binary';

export interface Origin {
  readonly protocol: ListenerProtocol;
  /** Over udp a session lives for one datagram: nothing can follow later. */
  readonly transport: 'tcp' | 'unix' | 'udp';
}

/** A listener without any configuration of its own. */
export const PLAIN_ORIGIN: Origin = { protocol: 'auto', transport: 'tcp' };
