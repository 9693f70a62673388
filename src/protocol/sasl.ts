/**
 * SASL in the binary protocol: SASL_LIST_MECHS, SASL_AUTH and SASL_STEP. There is one mechanism,
 * PLAIN (RFC 4616), since the passwords of the others could not be kept as digests.
 *
 * On a server without SASL the commands are unknown, which clients that were given credentials take
 * for "none needed".
 */
import type { Auth } from './auth.ts';
import {
  type BinaryRequest,
  OP_SASL_AUTH,
  OP_SASL_STEP,
  STATUS_AUTH_CONTINUE,
  STATUS_AUTH_ERROR,
  STATUS_INVALID,
  STATUS_UNKNOWN_COMMAND,
} from './binary-header.ts';
import type { BinaryReplies } from './binary-replies.ts';
import type { Credential } from './credentials.ts';
import type { Engine } from './engine.ts';
import type { Session } from './session.ts';

const MECHANISM = 'PLAIN';
const MECHANISM_TEXT = Buffer.from(MECHANISM);
const AUTHENTICATED_TEXT = Buffer.from('Authenticated');

/** The longest name of a mechanism that is looked at. */
const MECHANISM_BYTES_MAX = 32;
/** The longest message of a mechanism; more is thrown away and refused. */
const MESSAGE_BYTES_MAX = 16384;

const NUL = 0;

export class Sasl {
  private readonly engine: Engine;
  private readonly auth: Auth;
  private readonly request: BinaryRequest;
  private readonly replies: BinaryReplies;

  constructor(engine: Engine, request: BinaryRequest, replies: BinaryReplies) {
    this.engine = engine;
    this.auth = engine.auth;
    this.request = request;
    this.replies = replies;
  }

  /** How many bytes of the value must have come before the request can be executed. */
  valueNeeded(): number {
    const { command, keyBytes, extrasBytes, valueBytes } = this.request;
    if (command !== OP_SASL_AUTH && command !== OP_SASL_STEP) return 0;
    const sound = keyBytes > 0 && keyBytes <= MECHANISM_BYTES_MAX && extrasBytes === 0;
    if (!this.auth.hasSasl || !sound || valueBytes > MESSAGE_BYTES_MAX) return 0;
    return Math.max(valueBytes, 0);
  }

  /** SASL_LIST_MECHS. */
  listMechanisms(session: Session): void {
    if (this.auth.hasSasl) this.replies.text(session, MECHANISM_TEXT);
    else this.replies.error(session, STATUS_UNKNOWN_COMMAND);
  }

  /** SASL_AUTH, where the key is the mechanism, and SASL_STEP, which goes on with it. */
  exchange(session: Session): void {
    const { engine, auth, request, replies } = this;
    const { keyAt, keyBytes, valueBytes } = request;
    if (!auth.hasSasl) {
      replies.errorAfter(session, valueBytes, STATUS_UNKNOWN_COMMAND);
      return;
    }
    if (keyBytes > MECHANISM_BYTES_MAX) {
      replies.errorAfter(session, valueBytes, STATUS_INVALID);
      return;
    }
    if (valueBytes > MESSAGE_BYTES_MAX) {
      auth.trySasl(session, null);
      replies.errorAfter(session, valueBytes, STATUS_AUTH_ERROR);
      return;
    }
    const name = engine.input.toString('latin1', keyAt, keyAt + keyBytes).toUpperCase();
    const message = engine.input.subarray(engine.at, engine.at + valueBytes);
    engine.at += valueBytes;
    if (request.command === OP_SASL_STEP) {
      this.finish(session, session.saslInvited ? claimOf(message) : null);
      return;
    }
    session.saslInvited = name === MECHANISM && message.length === 0;
    if (session.saslInvited) this.invite(session);
    else this.finish(session, name === MECHANISM ? claimOf(message) : null);
  }

  /** The mechanism was named without its message, which may follow in a step. */
  private invite(session: Session): void {
    this.auth.expel(session);
    this.replies.putHeader(session, STATUS_AUTH_CONTINUE, 0, 0, 0, 0, 0);
  }

  private finish(session: Session, claim: Credential | null): void {
    if (this.auth.trySasl(session, claim)) {
      session.saslInvited = false;
      this.replies.text(session, AUTHENTICATED_TEXT);
    } else {
      this.replies.error(session, STATUS_AUTH_ERROR);
    }
  }
}

/**
 * Reads `authzid NUL user NUL password`; null if it is anything else, or one user asks to act as
 * another. An authzid is optional: some clients send the user twice.
 */
function claimOf(message: Buffer): Credential | null {
  const first = message.indexOf(NUL);
  const second = first === -1 ? -1 : message.indexOf(NUL, first + 1);
  if (second === -1 || message.indexOf(NUL, second + 1) !== -1) return null;
  const authzid = message.subarray(0, first);
  const user = message.subarray(first + 1, second);
  const password = message.subarray(second + 1);
  if (user.length === 0 || password.length === 0) return null;
  if (authzid.length > 0 && !authzid.equals(user)) return null;
  return { user, password };
}
