/**
 * Connections that go on in the next turns of a pump, first come, first served. They are linked,
 * so that nothing grows and one that closes meanwhile may stay until its turn.
 */
import type { PumpConnection } from './pump-connection.ts';

export class TurnList<Session> {
  count = 0;
  #first: PumpConnection<Session> | null = null;
  #last: PumpConnection<Session> | null = null;

  /** Adds one that is not listed. */
  add(connection: PumpConnection<Session>): void {
    connection.listed = true;
    if (this.#last === null) this.#first = connection;
    else this.#last.next = connection;
    this.#last = connection;
    this.count++;
  }

  /** Takes out the one whose turn it is; null when there is none. */
  take(): PumpConnection<Session> | null {
    const connection = this.#first;
    if (connection === null) return null;
    this.#first = connection.next;
    if (this.#first === null) this.#last = null;
    connection.next = null;
    connection.listed = false;
    this.count--;
    return connection;
  }
}
