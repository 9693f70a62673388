// What -vv writes to stderr of connections, requests and replies.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GET, QUIT } from '../support/opcodes.ts';
import { requestBytes } from '../support/packets.ts';
import { Client, launch, waitFor } from './launch.ts';

test('-vvv tells of connections, requests, look-ups and replies', async (t) => {
  const server = await launch(t, ['-vvv']);
  const client = new Client(t, server.port);
  await client.ask('set a 0 0 1\r\nx\r\n', 'STORED\r\n');
  await client.ask('set a 0 0 1 noreply\r\ny\r\nget a b\r\n', 'END\r\n');
  client.socket.end();
  await waitFor(() => server.stderr().includes('connection closed.'), server.ended);
  const lines = server
    .stderr()
    .replaceAll(/([<>])\d+ /g, '$1N ')
    .replaceAll(/^\d+: /gm, 'N: ')
    .split('\n');
  const said = lines.slice(lines.indexOf('<N new auto-negotiating client connection'));
  assert.deepEqual(said.slice(0, 13), [
    '<N new auto-negotiating client connection',
    'N: Client using the ascii protocol',
    '<N set a 0 0 1',
    '>N STORED',
    '<N set a 0 0 1 noreply',
    '>N NOREPLY STORED',
    '<N get a b',
    '> FOUND KEY a',
    '>N sending key a',
    '> NOT FOUND b',
    '>N END',
    '<N connection closed.',
    '',
  ]);
});

test('-vv tells of packets, and escapes what is in them', async (t) => {
  const server = await launch(t, ['-vv']);
  const client = new Client(t, server.port);
  const key = `a\x1b[31m\n${'\xff'.repeat(240)}`;
  client.socket.write(
    Buffer.concat([
      requestBytes({ opcode: GET, key, opaque: 0x01020304 }),
      requestBytes({ opcode: QUIT, value: 'no quit has a value' }),
    ]),
  );
  await waitFor(() => server.stderr().includes('connection closed.'), server.ended);
  const lines = server
    .stderr()
    .replaceAll(/([<>])\d+/g, '$1N')
    .split('\n');
  const said = lines.slice(lines.findIndex((line) => line.includes('binary protocol')));
  assert.match(said[0] ?? '', /^\d+: Client using the binary protocol$/);
  assert.deepEqual(said.slice(1, 9), [
    '<N Read binary protocol data:',
    '<N    0x80 0x00 0x00 0xf7',
    '<N    0x00 0x00 0x00 0x00',
    '<N    0x00 0x00 0x00 0xf7',
    '<N    0x01 0x02 0x03 0x04',
    '<N    0x00 0x00 0x00 0x00',
    '<N    0x00 0x00 0x00 0x00',
    `<N opcode 0x00 key a\\x1b[31m\\x0a${'\\xff'.repeat(240)}`,
  ]);
  assert.ok(said.includes('>N Writing an error: Not found'));
  assert.ok(said.includes('>N Writing bin response:'));
  assert.ok(said.some((line) => line.startsWith('Protocol error (opcode 07), close connection')));
});

test('the command verbosity turns it on and off', async (t) => {
  const server = await launch(t, []);
  const client = new Client(t, server.port);
  await client.ask('verbosity 2\r\nget quiet-no-more\r\nverbosity 0\r\nget silent\r\n', 'END\r\n');
  await client.ask('version\r\n', '1.6.45\r\n');
  await waitFor(() => server.stderr().includes('<'), server.ended);
  assert.match(server.stderr(), /get quiet-no-more/);
  assert.doesNotMatch(server.stderr(), /silent/);
});
