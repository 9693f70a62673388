/**
 * A reply that is made while it is sent: of any length, with no more than one output buffer in use.
 * The session stays in IN_STREAM until it is over.
 */
import type { Session } from './session.ts';

export interface ReplyStream {
  /** True when only the connection's end ends it: a graceful stop does not wait for that. */
  readonly endless?: boolean;
  /**
   * Writes to the engine's output what there is room for. Returns a STEP_*: STEP_FULL wants the
   * output sent, STEP_YIELD another turn, STEP_STARVED waits for what is to come (input is not read
   * meanwhile), STEP_NEXT is the end: the stream has set the session to IN_COMMAND.
   */
  proceed(session: Session): number;
  /** The connection is gone. */
  stop(session: Session): void;
  /**
   * Asked once a second while the output is stuck, and when a stop begins: whether to hang up on
   * the reader.
   */
  isStalled?(stopping: boolean): boolean;
}
