/**
 * The one gate in front of all protocols: which connections have to authenticate, whether they
 * have, and by when. How a client does it is up to its protocol (text-auth.ts, sasl.ts), and both
 * ask here.
 */
import { AUTH_CMDS, AUTH_ERRORS } from '../cache/counters.ts';
import type { Store } from '../cache/store.ts';
import { HEAD_CLOCK } from '../memory/layout.ts';
import { type Credential, Credentials, type CredentialTables } from './credentials.ts';
import type { Origin } from './origin.ts';
import type { Session } from './session.ts';

/** How a server asks its clients who they are. */
export interface AuthOptions {
  readonly tables: CredentialTables;
  /** Seconds that a connection may take to authenticate; 0 is no limit. */
  readonly timeout: number;
}

export class Auth {
  private readonly store: Store;
  /** Nobody needs to authenticate, and whoever does is welcome, whatever the password. */
  private readonly anybody: boolean;
  private readonly timeout: number;
  private readonly required: boolean;
  private sasl: Credentials | null = null;
  private text: Credentials | null = null;

  constructor(store: Store, options: AuthOptions | undefined, anybody: boolean) {
    this.store = store;
    this.anybody = anybody;
    this.timeout = options?.timeout ?? 0;
    this.required = options !== undefined;
    if (options !== undefined) this.load(options.tables);
  }

  /** Takes new credentials; who is in already stays in. */
  load(tables: CredentialTables): void {
    this.sasl = tables.sasl === null ? null : new Credentials(tables.sasl);
    this.text = tables.text === null ? null : new Credentials(tables.text);
  }

  /**
   * What a listener takes that would take any protocol: with text authentication no binary, and
   * with SASL no text.
   */
  narrow(origin: Origin): Origin {
    if (origin.protocol !== 'auto' || !this.required) return origin;
    return { ...origin, protocol: this.text === null ? 'binary' : 'ascii' };
  }

  /** The connection is new. */
  begin(session: Session): void {
    session.authenticated = !this.required;
    session.unauthenticatedSince = this.store.memory.i32[HEAD_CLOCK];
  }

  /**
   * The connection tries to authenticate again and is nobody until it has. One that was nobody
   * before gets no more time by it.
   */
  expel(session: Session): void {
    if (session.authenticated) this.begin(session);
  }

  /** Whether the connection has taken too long, and must be closed. */
  isOverdue(session: Session): boolean {
    if (session.authenticated || this.timeout === 0) return false;
    // The clock has whole seconds: none is closed before its time, some up to one second later.
    return this.store.memory.i32[HEAD_CLOCK] - session.unauthenticatedSince > this.timeout;
  }

  /** Whether binary clients can authenticate. */
  get hasSasl(): boolean {
    return this.anybody || this.sasl !== null;
  }

  /** Lets a binary client in, or not; null is a claim that could not be read. */
  trySasl(session: Session, claim: Credential | null): boolean {
    if (claim === null) return this.settle(session, false);
    const known = this.anybody || this.sasl?.match(claim.user, claim.password) === true;
    return this.settle(session, known);
  }

  /** Lets a text client in if one of the claims is true; all are looked at, whatever the others. */
  tryText(session: Session, claims: readonly Credential[]): boolean {
    let known = false;
    for (const claim of claims) {
      if (this.text?.match(claim.user, claim.password)) known = true;
    }
    return this.settle(session, known);
  }

  private settle(session: Session, known: boolean): boolean {
    this.store.count(AUTH_CMDS, 1);
    if (known) session.authenticated = true;
    else {
      this.store.count(AUTH_ERRORS, 1);
      this.expel(session);
    }
    return known;
  }
}
