/** What the protocol asks of the server around it, and its limits. */
import type { AuthOptions } from './auth.ts';

/** The highest level that a client can set with `verbosity`. */
export const VERBOSITY_MAX = 2;

/** The server's answers; cold paths only. */
export interface Host {
  /** The reply to `version`, e.g. 1.6.45. */
  readonly versionText: string;
  /** The server's part of `stats`, by name: pid, uptime, connections and so on. */
  generalStats(): Iterable<readonly [string, string]>;
  /** `stats settings`. */
  settingsStats(): Iterable<readonly [string, string]>;
  /** `refresh_certs`: returns why it failed, or an empty text. */
  refreshCertificates(): string;
  setVerbosity(level: number): void;
  /** Ends the process; gracefully, it keeps what is to be kept for the next start. */
  shutdown(graceful: boolean): void;
  /** A line for stderr, if the verbosity is at least `level`. */
  log(level: number, line: string): void;
}

/** Limits of the protocol engine. */
export interface EngineOptions {
  /** -R: requests served per event before other connections get their turn. */
  readonly requestsPerEvent: number;
  readonly verbose: number;
  /** Absent: nobody has to authenticate. */
  readonly auth?: AuthOptions | undefined;
  /** Nobody has to, but any user and password is accepted. */
  readonly saslAny?: boolean;
  /** Whether items may be listed; not with -X. */
  readonly dumpEnabled: boolean;
  /** Seconds after which a dump's reader that takes nothing is hung up on. */
  readonly dumpTimeout: number;
  /** -A */
  readonly shutdownEnabled: boolean;
  /** Whether there are commands that exist for tests only. */
  readonly testCommands: boolean;
  /** False with -W: the watch command is refused. */
  readonly watchEnabled: boolean;
}
