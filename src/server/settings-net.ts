/**
 * The settings table, part: protocols of listeners, TLS.
 */
import type { SecureVersion } from 'node:tls';
import type { ListenerProtocol } from '../protocol/origin.ts';
import { integer, text } from './checks.ts';
import { SettingsError } from './errors.ts';
import type { ListenEntry } from './listen-addresses.ts';
import { KEY_FORMAT_DER, KEY_FORMAT_PEM, type Setting, type Settings, yesNo } from './setting.ts';

const PROTOCOLS: readonly ListenerProtocol[] = ['auto', 'ascii', 'binary'];
const VERSIONS: readonly SecureVersion[] = ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'];
const KILOBYTE = 1024;

export const NET_SETTINGS: readonly Setting[] = [
  {
    short: 'B',
    long: 'protocol',
    argument: '<name>',
    initial: { protocol: 'auto', protocolGiven: false },
    help: ['protocol - one of ascii, binary, or auto (default: auto-negotiate)'],
    set: (s, value, given) => {
      const protocol = PROTOCOLS.find((name) => name === value);
      if (protocol === undefined) {
        throw new SettingsError(`${given} must be auto, binary or ascii, not '${value}'`);
      }
      s.protocol = protocol;
      s.protocolGiven = true;
    },
    stats: 'binding_protocol',
    show: (s) => (s.protocol === 'auto' ? 'auto-negotiate' : s.protocol),
  },
];

export const TLS_SETTINGS: readonly Setting[] = [
  {
    short: 'Z',
    long: 'enable-ssl',
    initial: { sslEnabled: false },
    help: ['enable TLS/SSL; needs -o ssl_chain_cert'],
    set: (s) => {
      s.sslEnabled = true;
    },
    stats: 'ssl_enabled',
    show: (s) => yesNo(s.sslEnabled),
  },
  {
    extended: 'ssl_chain_cert',
    argument: '<file>',
    initial: { sslChainCert: '' },
    help: ['certificate chain file in PEM format'],
    set: (s, value, given) => {
      s.sslChainCert = text(given, value);
    },
    stats: 'ssl_chain_cert',
    show: (s) => (s.sslChainCert === '' ? '(null)' : s.sslChainCert),
  },
  {
    extended: 'ssl_key',
    argument: '<file>',
    initial: { sslKey: '' },
    help: ['private key, if not part of the ssl_chain_cert'],
    set: (s, value, given) => {
      s.sslKey = text(given, value);
    },
    stats: 'ssl_key',
    show: (s) => (s.sslKey === '' ? '(null)' : s.sslKey),
  },
  {
    extended: 'ssl_verify_mode',
    argument: '<num>',
    initial: { sslVerifyMode: 0 },
    help: [
      "what is asked of clients' certificates: 0 nothing, 1 none or a valid",
      'one, 2 and 3 a valid one (default: 0)',
    ],
    set: (s, value, given) => {
      s.sslVerifyMode = integer(given, value, 0, 3);
    },
    stats: 'ssl_verify_mode',
    show: (s) => String(VERIFY_BITS[s.sslVerifyMode]),
  },
  {
    extended: 'ssl_keyformat',
    argument: '<num>',
    initial: { sslKeyFormat: KEY_FORMAT_PEM },
    help: ['private key format: 1 PEM, 2 DER (default: 1)'],
    set: (s, value, given) => {
      s.sslKeyFormat = integer(given, value, KEY_FORMAT_PEM, KEY_FORMAT_DER);
    },
    stats: 'ssl_keyformat',
    show: (s) => String(s.sslKeyFormat),
  },
  {
    extended: 'ssl_ciphers',
    argument: '<list>',
    initial: { sslCiphers: '' },
    help: ['cipher list to be used, in the form of OpenSSL'],
    set: (s, value, given) => {
      s.sslCiphers = text(given, value);
    },
    stats: 'ssl_ciphers',
    show: (s) => (s.sslCiphers === '' ? 'NULL' : s.sslCiphers),
  },
  {
    extended: 'ssl_ca_cert',
    argument: '<file>',
    initial: { sslCaCert: '' },
    help: ["PEM format file of acceptable client CA's"],
    set: (s, value, given) => {
      s.sslCaCert = text(given, value);
    },
    stats: 'ssl_ca_cert',
    show: (s) => (s.sslCaCert === '' ? 'NULL' : s.sslCaCert),
  },
  {
    extended: 'ssl_wbuf_size',
    argument: '<num>',
    initial: { sslWbufSize: 16 * KILOBYTE },
    help: ["size of memcached's TLS output buffer in kilobytes: warns, no effect", '(default: 16)'],
    set: (s, value, given) => {
      s.sslWbufSize = integer(given, value, 0, 2 ** 22 - 1) * KILOBYTE;
    },
    warning: 'replies are encrypted from the buffer that they are in, the size has no effect',
    stats: 'ssl_wbuf_size',
    show: (s) => String(s.sslWbufSize),
  },
  {
    extended: 'ssl_session_cache',
    initial: { sslSessionCache: false },
    help: ['let clients resume their TLS sessions'],
    set: (s) => {
      s.sslSessionCache = true;
    },
    stats: 'ssl_session_cache',
    show: (s) => yesNo(s.sslSessionCache),
  },
  {
    extended: 'ssl_kernel_tls',
    help: ['leave TLS to the kernel: warns, Node cannot'],
    set: () => undefined,
    warning: 'Node does TLS by itself, not in the kernel',
    stats: 'ssl_kernel_tls',
    show: () => 'no',
  },
  {
    extended: 'ssl_min_version',
    argument: '<num>',
    initial: { sslMinVersion: 'TLSv1.2' },
    help: [
      'minimum protocol version to accept: 0(tlsv1.0), 1(tlsv1.1),',
      '2(tlsv1.2) or 3(tlsv1.3) (default: 2)',
    ],
    set: (s, value, given) => {
      s.sslMinVersion = VERSIONS[integer(given, value, 0, VERSIONS.length - 1)];
    },
    stats: 'ssl_min_version',
    show: (s) => `tlsv1.${VERSIONS.indexOf(s.sslMinVersion)}`,
  },
];

/** `stats settings` shows the modes as the bits that OpenSSL has for them. */
const VERIFY_BITS = [0, 1, 3, 7];

/** What a listener cannot do with these settings. Throws SettingsError. */
export function checkListeners(s: Settings, entries: readonly ListenEntry[]): void {
  if (s.sslCaCert === '' && entries.some(({ tls }) => tls === 'client certificate')) {
    throw new SettingsError("-l 'mtls:' needs -o ssl_ca_cert: no client could connect");
  }
}

/** What -Z does not do, although somebody may rely on it. */
export function tlsWarnings(s: Settings): string[] {
  const warnings: string[] = [];
  if (!s.sslEnabled) return warnings;
  if (s.socketPath !== '') warnings.push('-Z has no effect with -s: nothing is encrypted there');
  const old = VERSIONS.indexOf(s.sslMinVersion) < VERSIONS.indexOf('TLSv1.2');
  if (old && !s.sslCiphers.includes('@SECLEVEL=0')) {
    warnings.push(
      '-o ssl_min_version: OpenSSL speaks nothing older than TLS 1.2 unless @SECLEVEL=0 is in ' +
        '-o ssl_ciphers',
    );
  }
  return warnings;
}

/** What settings about TLS demand of each other. Throws SettingsError. */
export function checkTls(s: Settings): void {
  if (s.sslEnabled && s.sslChainCert === '') {
    throw new SettingsError('-Z needs a certificate: -o ssl_chain_cert=<file>');
  }
  if (s.sslEnabled && s.sslVerifyMode > 1 && s.sslCaCert === '') {
    throw new SettingsError(
      `-o ssl_verify_mode=${s.sslVerifyMode} needs -o ssl_ca_cert: no client could connect`,
    );
  }
}
