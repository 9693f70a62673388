// -Z from the outside: sessions, resumption, client certificates, and what fails alone.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { connect as connectPlain } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { ConnectionOptions } from 'node:tls';
import {
  makeAuthority,
  makeSigned,
  type Pair,
  skipWithoutOpenssl,
  toDer,
} from '../support/certificates.ts';
import { startWithPorts } from '../support/ports.ts';
import { slabcached } from '../support/server.ts';
import { SecureClient, tls } from '../support/tls.ts';
import { WireClient } from '../support/wire.ts';
import { Client, launch, run, scratch } from './launch.ts';

const skip = skipWithoutOpenssl();

interface Secured {
  readonly folder: string;
  readonly authority: Pair;
  readonly own: Pair;
}

function certificates(t: TestContext): Secured {
  const folder = scratch(t);
  const authority = makeAuthority(folder, 'authority');
  return { folder, authority, own: makeSigned(folder, 'server', authority) };
}

const SERVED = 'VERSION 1.6.45\r\n';

test('a session of openssl s_client', { skip }, async (t) => {
  const { own } = certificates(t);
  const server = await launch(t, tls(own));
  const target = ['-connect', `127.0.0.1:${server.port}`, '-quiet'];
  const client = spawn('openssl', ['s_client', ...target], { stdio: ['pipe', 'pipe', 'ignore'] });
  t.after(() => client.kill());
  let said = '';
  client.stdout.on('data', (data: Buffer) => {
    said += data;
  });
  client.stdin.write('set a 0 0 5\r\nhello\r\nget a\r\nquit\r\n');
  await once(client, 'close');
  assert.equal(said, 'STORED\r\nVALUE a 0 5\r\nhello\r\nEND\r\n');
});

test('large values go both ways, and many requests at once', { skip }, async (t) => {
  const { own } = certificates(t);
  const server = await launch(t, [...tls(own), '-m', '64']);
  const client = new SecureClient(t, server.port);
  const value = 'v'.repeat(300_000);
  assert.equal(
    await client.ask(`set big 0 0 ${value.length}\r\n${value}\r\n`, '\r\n'),
    'STORED\r\n',
  );
  const times = 4;
  const replies = await client.ask(`${'get big\r\n'.repeat(times)}version\r\n`, SERVED);
  const one = `VALUE big 0 ${value.length}\r\n${value}\r\nEND\r\n`;
  assert.equal(replies === one.repeat(times) + SERVED, true);
});

test('sessions are resumed in any worker, if that is allowed', { skip }, async (t) => {
  const { own } = certificates(t);
  for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
    const server = await launch(t, tls(own, 'ssl_session_cache'));
    const first = new SecureClient(t, server.port, { maxVersion });
    const [[session]] = await Promise.all([once(first.socket, 'session'), first.version()]);
    assert.equal(await first.stat('ssl_new_sessions'), '1');
    for (let count = 0; count < 4; count++) {
      const next = new SecureClient(t, server.port, { maxVersion, session });
      assert.equal(await next.version(), SERVED);
      assert.equal(next.socket.isSessionReused(), true);
    }
    assert.equal(await first.stat('ssl_new_sessions'), '1');
  }
  const server = await launch(t, tls(own));
  const first = new SecureClient(t, server.port, { maxVersion: 'TLSv1.2' });
  assert.equal(await first.version(), SERVED);
  const again = { maxVersion: 'TLSv1.2', session: first.socket.getSession() } as const;
  const next = new SecureClient(t, server.port, again);
  assert.equal(await next.version(), SERVED);
  assert.equal(next.socket.isSessionReused(), false);
  assert.equal(await next.stat('ssl_new_sessions'), undefined);
});

test('client certificates are asked for as ssl_verify_mode says', { skip }, async (t) => {
  const { folder, authority, own } = certificates(t);
  const good = makeSigned(folder, 'client', authority);
  const bad = makeAuthority(folder, 'stranger');
  const asOptions = ({ cert, key }: Pair): ConnectionOptions => {
    return { cert: readFileSync(cert), key: readFileSync(key) };
  };
  const expected: [mode: number, none: string, good: string, bad: string][] = [
    [0, SERVED, SERVED, SERVED],
    [1, SERVED, SERVED, ''],
    [2, '', SERVED, ''],
    [3, '', SERVED, ''],
  ];
  for (const [mode, ...served] of expected) {
    const verify = [`ssl_verify_mode=${mode}`, `ssl_ca_cert=${authority.cert}`];
    const server = await launch(t, tls(own, ...verify));
    const clients = [{}, asOptions(good), asOptions(bad)];
    for (const [index, options] of clients.entries()) {
      const client = new SecureClient(t, server.port, options);
      assert.equal(await client.version(), served[index], `mode ${mode}, client ${index}`);
    }
    const last = new SecureClient(t, server.port, asOptions(good));
    const failed = served.filter((reply) => reply === '').length;
    assert.equal(await last.stat('ssl_handshake_errors'), String(failed));
    assert.equal(await last.stat('curr_connections'), String(2 + 2 - failed));
  }
});

test('every listener has its own rule', { skip }, async (t) => {
  const { folder, authority, own } = certificates(t);
  const good = makeSigned(folder, 'client', authority);
  const listen = '127.0.0.1,notls:127.0.0.2,btls:127.0.0.3,mtls:127.0.0.4';
  const verify = ['ssl_verify_mode=2', `ssl_ca_cert=${authority.cert}`];
  const flags = ['-l', listen, '-p', '-1', '-t', '2', '-m', '16', ...tls(own, ...verify)];
  const server = await startWithPorts(t, slabcached(flags));
  const [byDefault, plain, without, demanded] = server.tcp;
  const certificate = { cert: readFileSync(good.cert), key: readFileSync(good.key) };
  const versionAt = (host: string, port: number, options = {}): Promise<string> =>
    new SecureClient(t, port, { host, ...options }).version();
  assert.equal(await versionAt('127.0.0.1', byDefault), '');
  assert.equal(await versionAt('127.0.0.1', byDefault, certificate), SERVED);
  assert.equal(await versionAt('127.0.0.3', without), SERVED);
  assert.equal(await versionAt('127.0.0.4', demanded), '');
  assert.equal(await versionAt('127.0.0.4', demanded, certificate), SERVED);
  const client = await WireClient.connect(plain, '127.0.0.2');
  t.after(() => client.destroy());
  assert.equal(await client.ask('version\r\n'), SERVED);
});

test('a session from a listener that asks nothing is none where a certificate is demanded', {
  skip,
}, async (t) => {
  const { folder, authority, own } = certificates(t);
  const good = makeSigned(folder, 'client', authority);
  const certificate = { cert: readFileSync(good.cert), key: readFileSync(good.key) };
  const listen = 'btls:127.0.0.2,mtls:127.0.0.3';
  const flags = ['-l', listen, '-p', '-1', '-t', '1', '-m', '16'];
  const options = ['ssl_session_cache', `ssl_ca_cert=${authority.cert}`];
  const server = await startWithPorts(t, slabcached([...flags, ...tls(own, ...options)]));
  for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
    const easy = { host: '127.0.0.2', maxVersion };
    const first = new SecureClient(t, server.tcp[0], easy);
    const [[session]] = await Promise.all([once(first.socket, 'session'), first.version()]);
    const resumed = new SecureClient(t, server.tcp[0], { ...easy, session });
    assert.equal(await resumed.version(), SERVED);
    assert.equal(resumed.socket.isSessionReused(), true);
    const strict = { host: '127.0.0.3', maxVersion, session };
    assert.equal(await new SecureClient(t, server.tcp[1], strict).version(), '', maxVersion);
    const known = new SecureClient(t, server.tcp[1], { ...strict, ...certificate });
    assert.equal(await known.version(), SERVED, maxVersion);
    assert.equal(known.socket.isSessionReused(), false);
  }
});

test('a handshake that fails closes its connection and no other', { skip }, async (t) => {
  const { own } = certificates(t);
  const server = await launch(t, tls(own));
  const good = new SecureClient(t, server.port);
  assert.equal(await good.version(), SERVED);
  const plain = new Client(t, server.port);
  plain.socket.write('get a\r\n');
  await plain.closed;
  assert.doesNotMatch(plain.received, /END/);
  const gone = connectPlain(server.port, '127.0.0.1');
  await once(gone, 'connect');
  gone.write(Buffer.from([0x16, 3, 1, 2]));
  gone.resetAndDestroy();
  // It may not have been accepted yet.
  while ((await good.stat('ssl_handshake_errors')) !== '2');
  while ((await good.stat('curr_connections')) !== '1');
  assert.equal(await good.version(), SERVED);
});

test('a client that hangs up ends its connection normally', { skip }, async (t) => {
  const { own } = certificates(t);
  const server = await launch(t, tls(own));
  const watcher = new SecureClient(t, server.port);
  assert.equal(await watcher.ask('watch connevents\r\n', 'OK\r\n'), 'OK\r\n');
  let seen = '';
  watcher.socket.on('data', (data) => {
    seen += data;
  });
  const client = new SecureClient(t, server.port);
  assert.equal(await client.version(), SERVED);
  client.socket.end();
  await client.ended;
  while (!seen.includes('conn_close')) await once(watcher.socket, 'data');
  assert.match(seen, /conn_close .* reason=normal /);
});

test('old versions of TLS and other ciphers are refused', { skip }, async (t) => {
  const { own } = certificates(t);
  const newest = await launch(t, tls(own, 'ssl_min_version=3'));
  const old = new SecureClient(t, newest.port, { maxVersion: 'TLSv1.2' });
  assert.equal(await old.version(), '');
  assert.equal(await new SecureClient(t, newest.port).version(), SERVED);
  const cipher = 'ECDHE-ECDSA-AES256-GCM-SHA384';
  const strict = await launch(t, tls(own, `ssl_ciphers=${cipher}`));
  const other = { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256' } as const;
  assert.equal(await new SecureClient(t, strict.port, other).version(), '');
  const same = new SecureClient(t, strict.port, { maxVersion: 'TLSv1.2' });
  assert.equal(await same.version(), SERVED);
  assert.equal(same.socket.getCipher().name, cipher);
  assert.equal(await new SecureClient(t, strict.port, { minVersion: 'TLSv1.3' }).version(), SERVED);
});

test('TLS 1.0 is spoken if the ciphers allow it, and else there is a warning', {
  skip,
}, async (t) => {
  const { own } = certificates(t);
  const ciphers = 'DEFAULT:@SECLEVEL=0';
  const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1', ciphers } as const;
  const strict = await launch(t, tls(own, 'ssl_min_version=0'));
  assert.match(strict.stderr(), /warning: -o ssl_min_version: .* @SECLEVEL=0/);
  assert.equal(await new SecureClient(t, strict.port, old).version(), '');
  const lax = await launch(t, tls(own, 'ssl_min_version=0', `ssl_ciphers=${ciphers}`));
  assert.doesNotMatch(lax.stderr(), /warning: -o ssl_min_version/);
  assert.equal(await new SecureClient(t, lax.port, old).version(), SERVED);
});

test('a key may be in the file of its certificate, or in DER form', { skip }, async (t) => {
  const { folder, own } = certificates(t);
  const both = join(folder, 'both.pem');
  writeFileSync(both, readFileSync(own.cert, 'latin1') + readFileSync(own.key, 'latin1'));
  const one = await launch(t, ['-Z', '-o', `ssl_chain_cert=${both}`]);
  assert.equal(await new SecureClient(t, one.port).version(), SERVED);
  const der = { cert: own.cert, key: toDer(folder, own.key) };
  const two = await launch(t, tls(der, 'ssl_keyformat=2'));
  assert.equal(await new SecureClient(t, two.port).version(), SERVED);
});

test('files that cannot be used end the start in one sentence', { skip }, async (t) => {
  const { folder, own, authority } = certificates(t);
  const junk = join(folder, 'junk.pem');
  writeFileSync(junk, 'junk\n');
  const none = join(folder, 'none.pem');
  const cases: [flags: string[], message: RegExp][] = [
    [
      tls({ ...own, cert: none }),
      /Error loading the certificate chain: \S+none.pem : no such file/,
    ],
    [tls({ ...own, cert: junk }), /Error loading the certificate chain: \S+junk.pem : /],
    [tls({ ...own, key: none }), /Error loading the key: \S+none.pem : no such file/],
    [tls({ ...own, key: junk }), /Error loading the key: \S+junk.pem : /],
    [tls({ ...own, key: authority.key }), /Error validating the certificate: .*mismatch/],
    [tls(own, `ssl_ca_cert=${junk}`), /Error loading the CA certificate: \S+junk.pem : /],
    [tls(own, 'ssl_ciphers=nonsense'), /Error setting the provided cipher\(s\): nonsense/],
  ];
  for (const [flags, message] of cases) {
    const { code, stderr } = await run(['-p', '-1', ...flags]);
    assert.equal(code, 1, stderr);
    assert.match(stderr.trimEnd().split('\n').at(-1) ?? '', message);
    assert.doesNotMatch(stderr, /listening on port/);
  }
});

test('what cannot mean anything here says so', { skip }, async (t) => {
  const { own } = certificates(t);
  const server = await launch(t, tls(own, 'ssl_wbuf_size=32', 'ssl_kernel_tls'));
  assert.match(server.stderr(), /warning: -o ssl_wbuf_size: /);
  assert.match(server.stderr(), /warning: -o ssl_kernel_tls: /);
  const unused = await launch(t, ['-o', `ssl_chain_cert=${own.cert}`]);
  assert.match(unused.stderr(), /warning: .* no effect without -Z/);
  const path = join(scratch(t), 'socket');
  const plain = await launch(t, tls(own), path);
  assert.match(plain.stderr(), /warning: -Z has no effect with -s/);
});
