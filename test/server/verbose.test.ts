// What -vv writes to stderr of connections, requests and replies.
import assert from 'node:assert/strict';
import { test } from 'node:test';
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
    .split('\n');
  const said = lines.slice(lines.indexOf('<N new auto-negotiating client connection'));
  assert.deepEqual(said.slice(0, 12), [
    '<N new auto-negotiating client connection',
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

test('the command verbosity turns it on and off', async (t) => {
  const server = await launch(t, []);
  const client = new Client(t, server.port);
  await client.ask('verbosity 2\r\nget quiet-no-more\r\nverbosity 0\r\nget silent\r\n', 'END\r\n');
  await client.ask('version\r\n', '1.6.45\r\n');
  await waitFor(() => server.stderr().includes('<'), server.ended);
  assert.match(server.stderr(), /get quiet-no-more/);
  assert.doesNotMatch(server.stderr(), /silent/);
});
