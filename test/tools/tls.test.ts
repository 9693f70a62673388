// The tools over TLS: a certificate that nobody vouches for is refused, one that the operator
// trusts is taken. The source is a real memcached behind a TLS end of our own.
import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { createServer } from 'node:tls';
import { DumpReader } from '../../src/tools/dump-reader.ts';
import { scratch } from '../server/launch.ts';
import {
  findMemcached,
  findProgram,
  skipWithoutMemcached,
  skipWithoutProgram,
} from '../support/oracle.ts';
import { CLI } from '../support/process.ts';
import { memcached, startServer } from '../support/server.ts';
import { WireClient } from '../support/wire.ts';

const skip = skipWithoutMemcached() || skipWithoutProgram('openssl', 'openssl');

/** Files of a key and of a certificate for 127.0.0.1, signed by itself. */
function makeCertificate(folder: string): { readonly key: string; readonly cert: string } {
  const key = join(folder, 'key.pem');
  const cert = join(folder, 'cert.pem');
  const request = '-x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2';
  const names = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1'];
  execFileSync(
    findProgram('openssl') ?? '',
    ['req', ...request.split(' '), ...names, '-keyout', key, '-out', cert],
    { stdio: 'ignore' },
  );
  return { key, cert };
}

/** Ends TLS and passes everything on; returns its port. */
async function tlsBefore(
  t: TestContext,
  port: number,
  files: { readonly key: string; readonly cert: string },
): Promise<number> {
  const options = { key: readFileSync(files.key), cert: readFileSync(files.cert) };
  const server = createServer(options, (outer) => {
    const inner = connect(port, '127.0.0.1');
    t.after(() => outer.destroy());
    t.after(() => inner.destroy());
    outer.on('error', () => inner.destroy());
    inner.on('error', () => outer.destroy());
    outer.pipe(inner).pipe(outer);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  t.after(() => server.close());
  return (server.address() as { port: number }).port;
}

function tool(
  args: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<{ readonly code: unknown; readonly stderr: string }> {
  return new Promise((resolve) => {
    const options = { env: { ...process.env, ...env }, encoding: 'utf8' } as const;
    execFile(process.execPath, [CLI, ...args], options, (error, _stdout, stderr) => {
      resolve({ code: error === null ? 0 : error.code, stderr });
    });
  });
}

test('a dump over TLS', { skip }, async (t) => {
  const folder = scratch(t);
  const files = makeCertificate(folder);
  const source = await startServer(memcached(findMemcached() ?? ''));
  t.after(() => source.stop());
  const client = await WireClient.connect(source.port);
  t.after(() => client.destroy());
  await client.send(Buffer.from('set secret 3 0 5\r\nvalue\r\n'));
  await client.waitFor((all) => all.toString().endsWith('STORED\r\n'));
  const port = await tlsBefore(t, source.port, files);
  const file = join(folder, 'dump');
  const args = ['dump', '--from', `tls://127.0.0.1:${port}`, '--out', file];

  const strange = await tool(args, {});
  assert.equal(strange.code, 1);
  assert.match(
    strange.stderr,
    /^slabcached dump: cannot connect to tls:[^\n]*certificate[^\n]*\n$/,
  );

  const trusted = await tool(args, { NODE_EXTRA_CA_CERTS: files.cert });
  assert.equal(trusted.code, 0, trusted.stderr);
  const reader = await DumpReader.open(file);
  const items = [];
  for await (const { key, flags, value } of reader.items()) items.push(`${key} ${flags} ${value}`);
  assert.deepEqual(items, ['secret 3 value']);
});
