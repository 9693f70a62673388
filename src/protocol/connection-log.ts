/**
 * What is said of a connection's beginning and end: on stderr with -vv, and to those who watch. A
 * datagram is no connection, and nothing is said of it.
 */
import { WATCH_CONNEVENTS } from '../cache/log.ts';
import { CLOSE_ERROR } from '../memory/connections.ts';
import { HEAD_VERBOSITY } from '../memory/layout.ts';
import type { Engine } from './engine.ts';
import type { Origin } from './origin.ts';
import type { Session } from './session.ts';

export function logOpened(engine: Engine, slot: number, origin: Origin): void {
  const { memory, log } = engine.store;
  if (origin.transport === 'udp') return;
  if (memory.i32[HEAD_VERBOSITY] > 1) {
    const kind = origin.protocol === 'auto' ? 'auto-negotiating' : origin.protocol;
    engine.host.log(2, `<${slot} new ${kind} client connection`);
  }
  if (log.wants(WATCH_CONNEVENTS)) log.opened(slot);
}

/** `reason` is a CLOSE_ of connections.ts; when it is an error, the session may know better. */
export function logClosed(engine: Engine, session: Session, reason: number): void {
  const { memory, log } = engine.store;
  const { slot } = session;
  if (session.origin.transport === 'udp') return;
  if (memory.i32[HEAD_VERBOSITY] > 1) engine.host.log(2, `<${slot} connection closed.`);
  if (!log.wants(WATCH_CONNEVENTS)) return;
  log.closed(slot, reason === CLOSE_ERROR ? session.closeReason : reason);
}
