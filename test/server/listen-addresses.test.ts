// What the syntax of -l means: addresses, and what may stand in front of them.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { listenEntries } from '../../src/server/listen-addresses.ts';
import type { Settings } from '../../src/server/setting.ts';
import { readSettings } from '../../src/server/settings.ts';

const PLAIN = { protocol: 'auto', tls: 'off', tag: '' };

function entries(listen: string, port: number, other: Partial<Settings> = {}) {
  return listenEntries({ ...readSettings([]), listen, ...other }, port);
}

test('several addresses, each with or without its port', () => {
  const settings = readSettings(['-l', '127.0.0.1,localhost:5', '-l[::1]:6']);
  assert.deepEqual(listenEntries(settings, 7), [
    { host: '127.0.0.1', port: 7, ...PLAIN },
    { host: 'localhost', port: 5, ...PLAIN },
    { host: '::1', port: 6, ...PLAIN },
  ]);
  assert.deepEqual(entries('::1,[::1],*', 7), [
    { host: '::1', port: 7, ...PLAIN },
    { host: undefined, port: 7, ...PLAIN },
  ]);
  assert.deepEqual(entries('', -1), [{ host: undefined, port: 0, ...PLAIN }]);
  assert.deepEqual(entries('', 0), []);
  assert.deepEqual(entries('127.0.0.1,127.0.0.2:9', 0), [{ host: '127.0.0.2', port: 9, ...PLAIN }]);
});

test('a protocol, TLS and a tag of their own', () => {
  const text = 'mtls:proto[ascii]:tag[web]:[::1]:2,proto[binary]:127.0.0.1,notls:localhost,btls:*';
  assert.deepEqual(entries(text, 1, { sslEnabled: true }), [
    { host: '::1', port: 2, protocol: 'ascii', tls: 'client certificate', tag: 'web' },
    { host: '127.0.0.1', port: 1, protocol: 'binary', tls: 'default', tag: '' },
    { host: 'localhost', port: 1, protocol: 'auto', tls: 'off', tag: '' },
    { host: undefined, port: 1, protocol: 'auto', tls: 'no client certificate', tag: '' },
  ]);
});

test('-B is the protocol of those that name none', () => {
  const listed = entries('proto[negotiating]:127.0.0.1,[::1]', 1, { protocol: 'ascii' });
  assert.deepEqual(
    listed.map(({ protocol }) => protocol),
    ['auto', 'ascii'],
  );
});

test('a UDP port given alone is that of TCP too, as in memcached', () => {
  assert.equal(readSettings(['-U', '5']).port, 5);
  assert.equal(readSettings(['-U', '5', '-p', '6']).port, 6);
  assert.equal(readSettings(['-U', '0']).port, 11211);
});
