/** What the pump transport knows of a connection between two turns. */
import { CLOSE_ERROR } from '../memory/connections.ts';

export class PumpConnection<Session> {
  readonly slot: number;
  readonly session: Session;
  /** The kernel has not taken all that was sent: nothing is served until it has. */
  blocked = false;
  /** Goes on in the next turn, if it is not blocked then. */
  listed = false;
  /** Whose turn is after this one's, while it is listed. */
  next: PumpConnection<Session> | null = null;
  /** What was sent refers to a value, of whose end the session is to be told. */
  referring = false;
  /** The pump was asked not to read it. */
  paused = false;
  /** Nothing more comes in: it is closed when what came is answered. */
  ended = false;
  /** The kernel failed it. */
  broken = false;
  /** The pump was told to close it. */
  closing = false;
  /** Why it closes, once that is known. */
  closeReason = CLOSE_ERROR;
  /** Second of the transport's own clock in which the last bytes came. */
  lastRead: number;

  constructor(slot: number, session: Session, now: number) {
    this.slot = slot;
    this.session = session;
    this.lastRead = now;
  }

  /** True while replies are under way or something is left to be served. */
  get isBusy(): boolean {
    return this.blocked || this.listed || this.closing;
  }
}
