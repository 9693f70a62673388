// -s: the unix socket is served; TCP is off.
import assert from 'node:assert/strict';
import { existsSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Client, launch, run, scratch, waitFor } from './launch.ts';

test('it serves, has the mode of -a, and is removed at the end', async (t) => {
  const path = join(scratch(t), 'socket');
  const server = await launch(t, ['-a', '770'], path);
  assert.equal(statSync(path).mode & 0o777, 0o770);
  const client = new Client(t, path);
  await client.ask('set a 0 0 1\r\nx\r\n', 'STORED\r\n');
  assert.equal(await client.ask('get a\r\n', 'END\r\n'), 'VALUE a 0 1\r\nx\r\nEND\r\n');
  assert.equal(await client.stat('domain_socket', 'settings'), path);
  assert.match(await client.ask('stats conns\r\n', 'END\r\n'), new RegExp(`unix:${path}`));
  server.child.kill('SIGTERM');
  assert.equal(await server.ended, 0);
  assert.equal(existsSync(path), false);
});

test('a socket that a killed server left behind is taken over', async (t) => {
  const path = join(scratch(t), 'socket');
  const first = await launch(t, [], path);
  first.child.kill('SIGKILL');
  await first.ended;
  assert.equal(existsSync(path), true);
  await launch(t, [], path);
  assert.match(await new Client(t, path).ask('version\r\n', '\r\n'), /^VERSION/);
});

test('another kind of file in its place is left alone', async (t) => {
  const path = join(scratch(t), 'file');
  writeFileSync(path, 'precious');
  const { code, stderr } = await run(['-s', path]);
  assert.equal(code, 1);
  assert.match(stderr, /cannot listen on .*: the address is in use\n$/);
  assert.equal(statSync(path).size, 8);
});

test('-c counts its connections', async (t) => {
  const path = join(scratch(t), 'socket');
  const server = await launch(t, ['-c', '2'], path);
  const first = new Client(t, path);
  // The one that saw the socket come up may still be counted.
  const alone = async () => (await first.stat('curr_connections')) === '1';
  assert.equal(await waitFor(alone, server.ended), true);
  await new Client(t, path).ask('version\r\n', '\r\n');
  const third = new Client(t, path);
  await third.closed;
  assert.equal(third.received, 'ERROR Too many open connections\r\n');
  assert.equal(await first.stat('rejected_connections'), '1');
});

test('it is served again when its worker was replaced', async (t) => {
  const path = join(scratch(t), 'socket');
  const server = await launch(t, ['-t', '1'], path);
  const lost = new Client(t, path);
  await lost.ask('set a 0 0 1\r\nx\r\n', 'STORED\r\n');
  server.child.send({ kill: 0 });
  await lost.closed;
  let reply = '';
  const back = async () => {
    try {
      reply = await new Client(t, path).ask('get a\r\n', 'END\r\n');
      return true;
    } catch {
      return false;
    }
  };
  assert.equal(await waitFor(back, server.ended), true);
  assert.equal(reply, 'VALUE a 0 1\r\nx\r\nEND\r\n');
  assert.equal(statSync(path).mode & 0o777, 0o700);
});
