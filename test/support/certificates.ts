// Certificates for tests, made by the openssl command in a folder that goes away afterwards.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { skipWithoutProgram } from './oracle.ts';

/** For node:test's `skip` option. */
export const skipWithoutOpenssl = (): string | false => skipWithoutProgram('openssl', 'openssl');

/** Names of PEM files. */
export interface Pair {
  readonly cert: string;
  readonly key: string;
}

function openssl(folder: string, ...args: string[]): void {
  execFileSync('openssl', args, { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] });
}

/** A certificate that signs itself; it can sign others. */
export function makeAuthority(folder: string, name: string): Pair {
  const [cert, key] = [join(folder, `${name}.pem`), join(folder, `${name}.key`)];
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  openssl(folder, 'req', '-x509', ...curve, '-keyout', key, '-out', cert, '-subj', `/CN=${name}`);
  return { cert, key };
}

/** A certificate that the authority has signed. */
export function makeSigned(folder: string, name: string, authority: Pair): Pair {
  const [cert, key] = [join(folder, `${name}.pem`), join(folder, `${name}.key`)];
  const request = join(folder, `${name}.csr`);
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  openssl(folder, 'req', ...curve, '-keyout', key, '-out', request, '-subj', `/CN=${name}`);
  const signer = ['-CA', authority.cert, '-CAkey', authority.key, '-CAcreateserial'];
  openssl(folder, 'x509', '-req', '-in', request, '-out', cert, ...signer);
  return { cert, key };
}

/** The key in DER form. */
export function toDer(folder: string, key: string): string {
  const der = `${key}.der`;
  openssl(folder, 'pkey', '-in', key, '-outform', 'DER', '-out', der);
  return der;
}
