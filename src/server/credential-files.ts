/**
 * Reads the credentials: memcached's file for text authentication (-Y) and its file for SASL
 * (MEMCACHED_SASL_PWDB, or `-o sasl_pwdb`). A file is taken over as a whole or not at all.
 */
import { readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import {
  type Credential,
  type CredentialTable,
  type CredentialTables,
  credentialTable,
} from '../protocol/credentials.ts';
import { reasonOf, StartError } from './errors.ts';
import { logLine } from './log.ts';
import type { Settings } from './setting.ts';

/** Room for some 40,000 users; each worker keeps a digest of every one. */
const FILE_BYTES_MAX = 1024 * 1024;

const NUL = 0x00;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const COLON = 0x3a;

/** The files that the settings name, by absolute path: a daemon changes its working directory. */
export class CredentialFiles {
  readonly #text: string | null;
  readonly #sasl: string | null;

  /** Throws StartError when -S has no file. */
  constructor(settings: Settings) {
    this.#text = settings.authFile === '' ? null : resolve(settings.authFile);
    this.#sasl = settings.sasl ? resolve(saslFile(settings)) : null;
    if (settings.sasl && process.env.SASL_CONF_PATH !== undefined) {
      logLine(
        'warning: SASL_CONF_PATH is not read: -S offers PLAIN with the users of its own file',
      );
    }
  }

  /** Reads them. Throws StartError with a sentence that names the file and the line. */
  load(): CredentialTables {
    return {
      text: this.#text === null ? null : loadTable(this.#text, '-Y', parseAuthFile),
      sasl: this.#sasl === null ? null : loadTable(this.#sasl, '-S', parsePasswords),
    };
  }
}

function saslFile(settings: Settings): string {
  const file = settings.saslPasswords || process.env.MEMCACHED_SASL_PWDB;
  if (file === undefined || file === '') {
    throw new StartError(
      '-S needs a file of users: name it with -o sasl_pwdb=<file> or in MEMCACHED_SASL_PWDB',
    );
  }
  return file;
}

/** Reads the lines of a file; throws Error with the fault of a line. */
type Parse = (lines: readonly Buffer[]) => Credential[];

function loadTable(path: string, flag: string, parse: Parse): CredentialTable {
  try {
    if (statSync(path).size > FILE_BYTES_MAX) throw new Error('it is larger than 1 MB');
    const list = parse(linesOf(readFileSync(path)));
    if (list.length === 0) throw new Error('it has no user');
    return credentialTable(list);
  } catch (error) {
    throw new StartError(`cannot take the users of ${flag} from ${path}: ${reasonOf(error)}`);
  }
}

/** The lines without their ends; the last one may lack its end. */
function linesOf(bytes: Buffer): Buffer[] {
  const nul = bytes.indexOf(NUL);
  const lines: Buffer[] = [];
  let start = 0;
  while (start < bytes.length) {
    const lineFeed = bytes.indexOf(LINE_FEED, start);
    const next = lineFeed === -1 ? bytes.length : lineFeed + 1;
    if (nul !== -1 && nul < next) throw new Error(`line ${lines.length + 1} has a NUL byte`);
    let end = lineFeed === -1 ? next : lineFeed;
    if (end > start && bytes[end - 1] === CARRIAGE_RETURN) end--;
    lines.push(bytes.subarray(start, end));
    start = next;
  }
  return lines;
}

/** -Y: every line is `user:password`; the password may have colons. */
function parseAuthFile(lines: readonly Buffer[]): Credential[] {
  return lines.map((line, index) => credential(line, index, line.length));
}

/**
 * -S: `user:password`, with more fields allowed behind another colon. Lines without a colon are
 * passed over, and the first line of a user counts, as in memcached.
 */
function parsePasswords(lines: readonly Buffer[]): Credential[] {
  const seen = new Set<string>();
  const list: Credential[] = [];
  lines.forEach((line, index) => {
    const colon = line.indexOf(COLON);
    if (colon === -1) return;
    const name = line.toString('latin1', 0, colon);
    if (seen.has(name)) return;
    seen.add(name);
    const more = line.indexOf(COLON, colon + 1);
    list.push(credential(line, index, more === -1 ? line.length : more));
  });
  return list;
}

/**
 * The user and password in line[0, end). Empty ones are taken for a mistake: they would let anybody
 * in who leaves the password out.
 */
function credential(line: Buffer, index: number, end: number): Credential {
  const colon = line.indexOf(COLON);
  if (colon <= 0 || colon + 1 >= end) {
    throw new Error(`line ${index + 1} is not 'user:password'`);
  }
  return { user: line.subarray(0, colon), password: line.subarray(colon + 1, end) };
}
