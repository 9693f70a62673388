/**
 * The settings table: who may come in (-S, -Y and what belongs to them), and what cannot go
 * together with it.
 */
import { integer, text } from './checks.ts';
import { SettingsError } from './errors.ts';
import { listenEntries } from './listen-addresses.ts';
import { type Setting, type Settings, yesNo } from './setting.ts';

const TIMEOUT_DEFAULT = 5;

export const AUTH_SETTINGS: readonly Setting[] = [
  {
    short: 'S',
    long: 'enable-sasl',
    initial: { sasl: false },
    help: [
      'turn on SASL authentication (PLAIN): binary protocol only; the users',
      'are in the file of -o sasl_pwdb, or of MEMCACHED_SASL_PWDB',
    ],
    set: (s) => {
      s.sasl = true;
    },
    stats: 'auth_enabled_sasl',
    show: (s) => yesNo(s.sasl),
  },
  {
    short: 'Y',
    long: 'auth-file',
    argument: '<file>',
    initial: { authFile: '' },
    help: [
      'turn on authentication for the text protocol, with users from a file',
      'of lines user:password; the binary protocol is then refused',
    ],
    set: (s, value, given) => {
      s.authFile = text(given, value);
    },
    stats: 'auth_enabled_ascii',
    show: (s) => (s.authFile === '' ? 'no' : s.authFile),
  },
  {
    extended: 'sasl_pwdb',
    argument: '<file>',
    initial: { saslPasswords: '' },
    help: ['file of lines user:password for -S'],
    set: (s, value, given) => {
      s.saslPasswords = text(given, value);
    },
  },
  {
    extended: 'sasl_any',
    initial: { saslAny: false },
    help: [
      'for development: nobody has to authenticate, and SASL accepts any',
      'user and password, so that clients need not be set up otherwise',
    ],
    set: (s) => {
      s.saslAny = true;
    },
    stats: 'sasl_any',
    show: (s) => yesNo(s.saslAny),
  },
  {
    extended: 'auth_timeout',
    argument: '<num>',
    initial: { authTimeout: TIMEOUT_DEFAULT, authTimeoutGiven: false },
    help: [
      'seconds that a client has to authenticate before its connection is',
      `closed, 0 for no limit (default: ${TIMEOUT_DEFAULT})`,
    ],
    set: (s, value, given) => {
      s.authTimeout = integer(given, value, 0, 2 ** 31 - 1);
      s.authTimeoutGiven = true;
    },
    stats: 'auth_timeout',
    show: (s) => String(s.authTimeout),
  },
];

/** Whether clients have to authenticate. */
export function needsAuth(settings: Settings): boolean {
  return settings.sasl || settings.authFile !== '';
}

/** The limits that authentication and other settings put on each other. */
export function checkAuth(s: Settings): void {
  if (s.saslPasswords !== '' && !s.sasl) throw new SettingsError('-o sasl_pwdb needs -S');
  if (s.saslAny && needsAuth(s)) {
    throw new SettingsError('-o sasl_any cannot be used with -S or -Y: it lets everybody in');
  }
  if (s.authTimeoutGiven && !needsAuth(s)) {
    throw new SettingsError('-o auth_timeout needs -S or -Y');
  }
  if (needsAuth(s)) checkTransports(s);
}

/** A listener must not take a protocol in which nobody could authenticate. */
function checkTransports(s: Settings): void {
  const hasText = s.authFile !== '';
  if (s.udpPort !== 0) {
    throw new SettingsError('-U cannot be used with -S or -Y: datagrams do not authenticate');
  }
  if (s.sasl && s.protocolGiven && s.protocol !== 'binary') {
    throw new SettingsError(`-B ${s.protocol} cannot be used with -S: SASL is binary only`);
  }
  if (hasText && s.protocolGiven && s.protocol !== 'ascii') {
    throw new SettingsError(`-B ${s.protocol} cannot be used with -Y: it is for text only`);
  }
  // As in memcached, text comes first where both are on.
  s.protocol = hasText ? 'ascii' : 'binary';
  for (const { protocol } of listenEntries(s, s.port)) {
    if (protocol === 'ascii' && !hasText) {
      throw new SettingsError("-l 'proto[ascii]:' with -S needs -Y: nobody could authenticate");
    }
    if (protocol === 'binary' && !s.sasl) {
      throw new SettingsError("-l 'proto[binary]:' with -Y needs -S: nobody could authenticate");
    }
  }
}
