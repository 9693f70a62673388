// Certificates are read again while the server serves: by command and by SIGHUP.
import assert from 'node:assert/strict';
import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { makeAuthority, type Pair, skipWithoutOpenssl } from '../support/certificates.ts';
import { SecureClient, tls } from '../support/tls.ts';
import { Client, type Launched, launch, scratch, waitFor } from './launch.ts';

const skip = skipWithoutOpenssl();

interface Renewable {
  readonly server: Launched;
  readonly folder: string;
  readonly used: Pair;
  /** Puts other files in the place of those that the server was started with. */
  replace(by: Pair): void;
  /** The common name on the certificate that a new connection is shown. */
  shownName(): Promise<string>;
}

async function start(t: TestContext, ...options: string[]): Promise<Renewable> {
  const folder = scratch(t);
  const first = makeAuthority(folder, 'first');
  const used = { cert: join(folder, 'used.pem'), key: join(folder, 'used.key') };
  const replace = (by: Pair): void => {
    copyFileSync(by.cert, used.cert);
    copyFileSync(by.key, used.key);
  };
  replace(first);
  const server = await launch(t, tls(used, ...options));
  const shownName = async (): Promise<string> => {
    const client = new SecureClient(t, server.port);
    await client.version();
    const { subject } = client.socket.getPeerCertificate();
    client.socket.destroy();
    return String(subject.CN);
  };
  return { server, folder, used, replace, shownName };
}

test('refresh_certs: new connections see the new one, old ones go on', { skip }, async (t) => {
  const { server, folder, replace, shownName } = await start(t);
  const old = new SecureClient(t, server.port);
  await old.version();
  assert.equal(await shownName(), 'first');
  replace(makeAuthority(folder, 'second'));
  assert.equal(await shownName(), 'first');
  assert.equal(await old.ask('refresh_certs\r\n', '\r\n'), 'OK\r\n');
  // From the reply on, in every worker.
  for (let count = 0; count < 6; count++) assert.equal(await shownName(), 'second');
  assert.equal(old.socket.getPeerCertificate().subject.CN, 'first');
  assert.equal(await old.version(), 'VERSION 1.6.45\r\n');
  assert.equal(await old.ask('refresh_certs noreply\r\nversion\r\n', '\r\n'), 'VERSION 1.6.45\r\n');
  assert.equal(await old.stat('time_since_server_cert_refresh'), '0');
});

test('files that cannot be used change nothing', { skip }, async (t) => {
  const { server, folder, used, replace, shownName } = await start(t);
  const client = new SecureClient(t, server.port);
  const refresh = () => client.ask('refresh_certs\r\n', '\r\n');
  writeFileSync(used.cert, 'junk\n');
  assert.match(await refresh(), /^Error loading the certificate chain: \S+used.pem : .*\r\n$/);
  replace({ ...makeAuthority(folder, 'second'), key: join(folder, 'first.key') });
  assert.match(await refresh(), /^Error validating the certificate: .*key values mismatch\r\n$/);
  assert.equal(await shownName(), 'first');
  assert.match(server.stderr(), /the certificates stay as they are: Error loading/);
  replace({ cert: join(folder, 'second.pem'), key: join(folder, 'second.key') });
  assert.equal(await refresh(), 'OK\r\n');
  assert.equal(await shownName(), 'second');
});

test('SIGHUP does the same', { skip }, async (t) => {
  const { server, folder, replace, shownName } = await start(t);
  assert.equal(await shownName(), 'first');
  replace(makeAuthority(folder, 'second'));
  server.child.kill('SIGHUP');
  const renewed = async (): Promise<boolean> => (await shownName()) === 'second';
  assert.equal(await waitFor(renewed, server.ended), true);
});

test('no session is resumed from before', { skip }, async (t) => {
  const { server, folder, replace } = await start(t, 'ssl_session_cache');
  const old = new SecureClient(t, server.port, { maxVersion: 'TLSv1.2' });
  await old.version();
  const session = old.socket.getSession();
  const resumes = async (): Promise<boolean> => {
    const client = new SecureClient(t, server.port, { maxVersion: 'TLSv1.2', session });
    assert.equal(await client.version(), 'VERSION 1.6.45\r\n');
    return client.socket.isSessionReused();
  };
  assert.equal(await resumes(), true);
  replace(makeAuthority(folder, 'second'));
  assert.equal(await old.ask('refresh_certs\r\n', '\r\n'), 'OK\r\n');
  assert.equal(await resumes(), false);
});

test('the worker that replaces a dead one has the latest', { skip }, async (t) => {
  const { server, folder, replace, shownName } = await start(t, 'ssl_session_cache');
  const client = new SecureClient(t, server.port);
  replace(makeAuthority(folder, 'second'));
  assert.equal(await client.ask('refresh_certs\r\n', '\r\n'), 'OK\r\n');
  client.socket.destroy();
  for (const worker of [0, 1]) {
    server.child.send({ kill: worker });
    const replaced = () => new RegExp(`worker ${worker} died .* is replaced`).test(server.stderr());
    assert.equal(await waitFor(replaced, server.ended), true);
  }
  for (let count = 0; count < 4; count++) assert.equal(await shownName(), 'second');
});

test('without TLS the command says so, noreply or not', async (t) => {
  const server = await launch(t, []);
  const client = new Client(t, server.port);
  const error = 'Error TLS not enabled\r\n';
  assert.equal(
    await client.ask('refresh_certs\r\nrefresh_certs noreply\r\nversion\r\n', '45\r\n'),
    `${error}${error}VERSION 1.6.45\r\n`,
  );
});
