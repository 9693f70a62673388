/**
 * Tells the protocol what has arrived on several connections before the first of them is served, so
 * that their items are looked for together.
 */
import { ENTRY_WORDS, EVENT_DATA } from './exchange.ts';
import type { PumpConnection } from './pump-connection.ts';
import type { ReferringProtocol } from './transport.ts';

/** Tells of the `count` events of a cycle; `connections` by slot. */
export function expectAll<Session>(
  protocol: ReferringProtocol<Session>,
  connections: readonly (PumpConnection<Session> | null)[],
  input: Uint8Array,
  events: Int32Array,
  count: number,
): void {
  if (count < 2) return;
  for (let word = 0; word < count * ENTRY_WORDS; word += ENTRY_WORDS) {
    if (events[word + 1] !== EVENT_DATA) continue;
    const connection = connections[events[word]];
    if (connection === null) continue;
    const start = events[word + 2];
    protocol.expect(connection.session, input, start, start + events[word + 3]);
  }
  protocol.fetchExpected();
}
