// Several listeners, each with the protocols that it takes; what is written down of them.
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { findMemcached, skipWithoutMemcached } from '../support/oracle.ts';
import { startWithPorts } from '../support/ports.ts';
import { memcached, slabcached } from '../support/server.ts';
import { WireClient } from '../support/wire.ts';
import { launch } from './launch.ts';

const FLAGS = ['-p', '-1', '-t', '2', '-m', '64'];
const NOOP = Buffer.concat([Buffer.from([0x80, 0x0a]), Buffer.alloc(22)]);
const VERSION = Buffer.from('version\r\n');

/** What may not be answered is not waited for any longer. */
const SILENCE_MS = 300;

/** The first byte that a client gets for a request. */
async function answer(
  t: TestContext,
  port: number,
  host: string,
  say: Buffer,
  limitMs = 10_000,
): Promise<string> {
  const client = await WireClient.connect(port, host);
  t.after(() => client.destroy());
  await client.send(say);
  await client.waitFor((received) => received.length > 0, limitMs);
  return client.take().toString('latin1').slice(0, 1);
}

test('each listener takes the protocol that it was given', async (t) => {
  const listen = [
    'proto[ascii]:127.0.0.1',
    'proto[binary]:127.0.0.2',
    'proto[negotiating]:127.0.0.3',
  ];
  const server = await startWithPorts(t, slabcached([...FLAGS, '-l', listen.join(',')]));
  const [ascii, binary, auto] = server.tcp;
  assert.equal(await answer(t, ascii, '127.0.0.1', VERSION), 'V');
  assert.equal(await answer(t, binary, '127.0.0.2', NOOP), '\x81');
  assert.equal(await answer(t, auto, '127.0.0.3', VERSION), 'V');
  assert.equal(await answer(t, auto, '127.0.0.3', NOOP), '\x81');
  assert.notEqual(await answer(t, ascii, '127.0.0.1', NOOP, SILENCE_MS), '\x81');
  assert.notEqual(await answer(t, binary, '127.0.0.2', VERSION, SILENCE_MS), 'V');
});

test('-B is the protocol of all that do not say', async (t) => {
  const flags = ['-B', 'ascii', '-l', '127.0.0.1', '-l', 'proto[binary]:127.0.0.2'];
  const server = await startWithPorts(t, slabcached([...FLAGS, ...flags]));
  const [ascii, binary] = server.tcp;
  assert.equal(await answer(t, ascii, '127.0.0.1', VERSION), 'V');
  assert.notEqual(await answer(t, ascii, '127.0.0.1', NOOP, SILENCE_MS), '\x81');
  assert.equal(await answer(t, binary, '127.0.0.2', NOOP), '\x81');
  const client = await WireClient.connect(ascii);
  t.after(() => client.destroy());
  const settings = await client.ask('stats settings\r\n');
  assert.match(settings, /STAT binding_protocol ascii\r\n/);
  assert.match(settings, /STAT inter 127.0.0.1,proto\[binary\]:127.0.0.2\r\n/);
  assert.match(settings, /STAT num_threads_per_udp 1\r\n/);
});

test('a tag is accepted with a warning', async (t) => {
  const server = await launch(t, ['-l', 'tag[web]:127.0.0.2']);
  assert.match(server.stderr(), /warning: -l tag\[web\]: a tag has no effect/);
});

test('the port file has the lines that memcached writes', {
  skip: skipWithoutMemcached(),
}, async (t) => {
  const path = findMemcached() as string;
  for (const flags of [
    ['-l', '127.0.0.1'],
    ['-l', '127.0.0.1,[::1]'],
    ['-l', '127.0.0.1,127.0.0.2', '-U', '-1'],
    ['-U', '-1', '-l', '::1'],
  ]) {
    const lines: string[][] = [];
    for (const server of [
      memcached(path, [...FLAGS, ...flags]),
      slabcached([...FLAGS, ...flags]),
    ]) {
      const started = await startWithPorts(t, server);
      lines.push(started.lines.map((line) => line.replace(/: \d+$/, ': n')));
    }
    assert.deepEqual(lines[1], lines[0], flags.join(' '));
  }
});
