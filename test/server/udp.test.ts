// -U: what is dropped, what is bounded, and what goes on when a worker dies.
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { test } from 'node:test';
import { datagram, exchange } from '../support/datagrams.ts';
import { startWithPorts } from '../support/ports.ts';
import { slabcached } from '../support/server.ts';
import { WireClient } from '../support/wire.ts';
import { launch, run, waitFor } from './launch.ts';

const FLAGS = ['-l', '127.0.0.1', '-p', '-1', '-U', '-1', '-t', '2', '-m', '64'];
/** The header of a reply to request 7 that fits into one datagram. */
const HEADER = '\x00\x07\x00\x00\x00\x01\x00\x00';
const VERSION = `${HEADER}VERSION 1.6.45\r\n`;

test('a value that does not come with its request is not waited for', async (t) => {
  const server = await startWithPorts(t, slabcached(FLAGS));
  const [port] = server.udp;
  assert.deepEqual(await exchange(port, [datagram('set u 0 0 10\r\nabc')]), []);
  assert.deepEqual(await exchange(port, [datagram('set u 0 0 2000000\r\n')]), []);
  const several = Array.from({ length: 8 }, () => datagram('version\r\n'));
  const replies = await exchange(port, several, several.length);
  assert.equal(replies.length, several.length);
  for (const reply of replies) assert.equal(reply, VERSION);
});

test('one request has no more than 2 MB sent, and only whole replies', async (t) => {
  const server = await startWithPorts(t, slabcached([...FLAGS, '-I', '4m']));
  const client = await WireClient.connect(server.tcp[0]);
  t.after(() => client.destroy());
  const store = async (key: string, bytes: number): Promise<void> => {
    const reply = await client.ask(`set ${key} 0 0 ${bytes}\r\n${'v'.repeat(bytes)}\r\n`);
    assert.equal(reply, 'STORED\r\n');
  };
  await store('small', 100);
  await store('large', 3_000_000);
  assert.deepEqual(await exchange(server.udp[0], [datagram('get large\r\n')]), []);
  const [first, ...rest] = await exchange(server.udp[0], [datagram('get small large small\r\n')]);
  assert.equal(first, `${HEADER}VALUE small 0 100\r\n${'v'.repeat(100)}\r\n`);
  assert.deepEqual(rest, []);
});

test('what has no end that is known beforehand is refused: dumps and watch', async (t) => {
  const server = await startWithPorts(t, slabcached(FLAGS));
  for (const line of ['lru_crawler metadump all', 'lru_crawler mgdump all', 'watch fetchers']) {
    const replies = await exchange(server.udp[0], [datagram(`${line}\r\n`)], 1);
    assert.deepEqual(replies, [`${HEADER}ERROR\r\n`], line);
  }
});

test('its sockets are listed, its ports written down, and quit or text hang nothing', async (t) => {
  const server = await startWithPorts(t, slabcached(FLAGS));
  const [port] = server.udp;
  assert.deepEqual(server.lines, [`TCP INET: ${server.tcp[0]}`, `UDP INET: ${port}`]);
  const client = await WireClient.connect(server.tcp[0]);
  t.after(() => client.destroy());
  const conns = await client.ask('stats conns\r\n');
  const listed = `UDP UDP\r\nSTAT \\d+:addr udp:127.0.0.1:${port}\r\nSTAT \\d+:state conn_read\r\n`;
  assert.equal(conns.split(new RegExp(listed)).length, 3, conns);
  const settings = await client.ask('stats settings\r\n');
  assert.match(settings, /STAT udpport -1\r\n/);
  assert.match(settings, /STAT num_threads_per_udp 2\r\n/);
});

test('a port that is taken is named before anything is bound', async () => {
  const taken = createSocket('udp4');
  taken.bind(0, '127.0.0.1');
  await once(taken, 'listening');
  const { port } = taken.address();
  const { code, stderr } = await run(['-l', '127.0.0.1', '-p', '-1', '-U', String(port)]);
  taken.close();
  assert.equal(code, 1);
  assert.match(stderr, new RegExp(`cannot listen on 127.0.0.1 UDP port ${port}: .* in use\n$`));
});

test('beyond loopback it warns, on loopback it does not', async (t) => {
  const wide = await startWithPorts(t, slabcached(['-p', '-1', '-U', '-1', '-t', '1', '-m', '64']));
  assert.match(wide.stderr(), /warning: -U beyond loopback/);
  const narrow = await startWithPorts(t, slabcached(FLAGS));
  assert.doesNotMatch(narrow.stderr(), /beyond loopback/);
});

test('the worker that replaces a dead one serves it again', async (t) => {
  const probe = createSocket('udp4');
  probe.bind(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address();
  await new Promise((resolve) => probe.close(() => resolve(undefined)));
  const server = await launch(t, ['-U', String(port), '-t', '1']);
  const answered = async (): Promise<boolean> =>
    (await exchange(port, [datagram('version\r\n')]))[0] === VERSION;
  assert.equal(await waitFor(answered, server.ended), true);
  server.child.send({ kill: 0 });
  const replaced = () => server.stderr().includes('is replaced');
  assert.equal(await waitFor(replaced, server.ended), true);
  assert.equal(await waitFor(answered, server.ended), true);
});
