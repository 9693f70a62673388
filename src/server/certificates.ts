/**
 * The certificates of TLS: read and checked in the main thread, at start and on every reload, so
 * that workers only ever get what works. The errors are memcached's, which name the file.
 */
import { createPrivateKey, randomBytes, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { createSecureContext } from 'node:tls';
import { contextOptions, type TlsMaterial, type TlsOptions } from '../net/tls.ts';
import { reasonOf } from './errors.ts';
import { KEY_FORMAT_DER, type Settings } from './setting.ts';

/** Long enough for any client that means it. */
const HANDSHAKE_LIMIT_MS = 10_000;
const TICKET_KEYS_BYTES = 48;
const CERTIFICATE_BLOCK = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g;

/** A certificate, key or list of authorities that cannot be used. */
export class CertificateError extends Error {
  override readonly name = 'CertificateError';
}

/** What `-o ssl_*` says about TLS that no reload changes. */
export function tlsOptions(settings: Settings): TlsOptions {
  const { sslVerifyMode } = settings;
  return {
    ciphers: settings.sslCiphers === '' ? null : settings.sslCiphers,
    minVersion: settings.sslMinVersion,
    clientCertificate: sslVerifyMode === 0 ? 'none' : sslVerifyMode === 1 ? 'request' : 'require',
    resume: settings.sslSessionCache,
    handshakeLimit: HANDSHAKE_LIMIT_MS,
  };
}

/** The files, by the names they had when the server started: a daemon changes its folder. */
export class Certificates {
  readonly #settings: Settings;
  readonly #chain: string;
  readonly #key: string;
  readonly #authorities: string;

  constructor(settings: Settings) {
    this.#settings = settings;
    this.#chain = resolve(settings.sslChainCert);
    // A key may lie in the same file as its certificate.
    this.#key = resolve(settings.sslKey === '' ? settings.sslChainCert : settings.sslKey);
    this.#authorities = settings.sslCaCert === '' ? '' : resolve(settings.sslCaCert);
  }

  /** Reads and checks everything. Throws CertificateError; nothing is kept then. */
  load(): TlsMaterial {
    const { sslChainCert, sslKey, sslKeyFormat, sslCaCert } = this.#settings;
    const chain = attempt(`Error loading the certificate chain: ${sslChainCert} : `, () => {
      const cert = readFileSync(this.#chain);
      createSecureContext({ cert });
      return cert;
    });
    const key = attempt(`Error loading the key: ${sslKey === '' ? sslChainCert : sslKey} : `, () =>
      readKey(this.#key, sslKeyFormat),
    );
    const authorities =
      this.#authorities === ''
        ? null
        : attempt(`Error loading the CA certificate: ${sslCaCert} : `, () => {
            const ca = readFileSync(this.#authorities);
            checkAuthorities(ca);
            return ca;
          });
    const ticketKeys = randomBytes(TICKET_KEYS_BYTES);
    const material = { chain, key, authorities, ticketKeys };
    attempt('Error validating the certificate: ', () => {
      createSecureContext({ cert: chain, key });
    });
    attempt(`Error setting the provided cipher(s): ${this.#settings.sslCiphers} : `, () => {
      createSecureContext(contextOptions(tlsOptions(this.#settings), material));
    });
    return material;
  }
}

/** TLS itself takes any file for authorities, and then knows none. */
function checkAuthorities(pem: Buffer): void {
  const blocks = pem.toString('latin1').match(CERTIFICATE_BLOCK) ?? [];
  if (blocks.length === 0) throw new Error('there is no certificate in it');
  for (const block of blocks) new X509Certificate(block);
}

/** Always as PEM. */
function readKey(path: string, format: number): Buffer {
  const bytes = readFileSync(path);
  if (format !== KEY_FORMAT_DER) {
    createSecureContext({ key: bytes });
    return bytes;
  }
  const key = keyFromDer(bytes);
  return Buffer.from(key.export({ type: 'pkcs8', format: 'pem' }));
}

/** DER does not say which of its forms it is. */
function keyFromDer(key: Buffer) {
  for (const type of ['pkcs8', 'pkcs1'] as const) {
    try {
      return createPrivateKey({ key, format: 'der', type });
    } catch {
      // The last one tells why.
    }
  }
  return createPrivateKey({ key, format: 'der', type: 'sec1' });
}

function attempt<Result>(text: string, read: () => Result): Result {
  try {
    return read();
  } catch (error) {
    throw new CertificateError(`${text}${reasonOf(error)}`);
  }
}
