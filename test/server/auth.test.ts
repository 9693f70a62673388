// A server with authentication as a whole: what gets through, how its users change while it runs,
// and how long it waits for a client.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { requestBytes } from '../support/packets.ts';
import { Client, type Launched, launch, run, scratch, waitFor } from './launch.ts';

const LOGIN = 'set any 0 0 10\r\nbob s3cret\r\n';
const FAILURE = 'CLIENT_ERROR authentication failure\r\n';

function usersFile(t: TestContext, content = 'bob:s3cret\n'): string {
  const path = join(scratch(t), 'users');
  writeFileSync(path, content);
  return path;
}

/** Sends bytes and waits until the server has closed the connection; what it said. */
async function lastWords(port: number, bytes: Uint8Array): Promise<Buffer> {
  const socket = connect(port, '127.0.0.1');
  const said: Buffer[] = [];
  socket.on('data', (data: Buffer) => said.push(data));
  socket.on('error', () => undefined);
  socket.write(bytes);
  await once(socket, 'close');
  return Buffer.concat(said);
}

/** Rereads the credentials, and waits until the server has said so, or why not. */
async function reload(server: Launched): Promise<string> {
  const before = server.stderr().length;
  server.child.kill('SIGHUP');
  await waitFor(() => server.stderr().slice(before).includes('\n'), server.ended);
  return server.stderr().slice(before);
}

test('-S: of all opcodes only those that lead to authentication are answered', async (t) => {
  const server = await launch(t, ['-S', '-o', `sasl_pwdb=${usersFile(t)}`]);
  const key = { key: 'k' };
  for (let opcode = 0; opcode < 256; opcode++) {
    if (opcode === 0x0b || (opcode >= 0x20 && opcode <= 0x22)) continue;
    for (const request of [
      { opcode },
      { opcode, ...key },
      { opcode, ...key, extras: Buffer.alloc(8) },
    ]) {
      const said = await lastWords(server.port, requestBytes(request));
      assert.equal(said.readUInt16BE(6), 0x20, `opcode ${opcode}`);
      assert.equal(said.toString('latin1', 24), 'Auth failure.', `opcode ${opcode}`);
    }
  }
});

test('-S: text is not listened to', async (t) => {
  const server = await launch(t, ['-S', '-o', `sasl_pwdb=${usersFile(t)},auth_timeout=0`]);
  for (const text of ['get k                        \r\n', LOGIN, 'stats\r\n'.repeat(10)]) {
    assert.equal(String(await lastWords(server.port, Buffer.from(text))), '');
  }
});

test('-Y: binary packets are answered by nothing but a text refusal', async (t) => {
  const server = await launch(t, ['-Y', usersFile(t), '-o', 'auth_timeout=0']);
  for (let opcode = 0; opcode < 256; opcode++) {
    const client = new Client(t, server.port);
    client.socket.write(requestBytes({ opcode, key: 'k', extras: Buffer.alloc(8) }));
    const said = await client.ask('\n', 'unauthenticated\r\n');
    assert.match(said, /^(CLIENT_ERROR unauthenticated\r\n)+$/, `opcode ${opcode}`);
    client.socket.destroy();
  }
});

test('-S and -Y: each protocol has a listener, and users, of its own', async (t) => {
  const users = usersFile(t);
  const flags = ['-S', '-o', `sasl_pwdb=${users}`, '-Y', usersFile(t, 'ann:text\n')];
  const server = await launch(t, [...flags, '-l', 'proto[binary]:127.0.0.2']);
  const ports = /port (\d+), (\d+)/.exec(server.stderr());
  const [text, binary] = [Number(ports?.[1]), Number(ports?.[2])];
  const client = new Client(t, text);
  assert.equal(await client.ask(LOGIN, '\r\n'), FAILURE);
  assert.equal(await client.ask('set any 0 0 8\r\nann text\r\n', '\r\n'), 'STORED\r\n');
  assert.equal(await client.stat('binding_protocol', 'settings'), 'ascii');
  const socket = connect(binary, '127.0.0.2');
  t.after(() => socket.destroy());
  socket.write(requestBytes({ opcode: 0x21, key: 'PLAIN', value: '\0bob\0s3cret' }));
  const [reply] = (await once(socket, 'data')) as [Buffer];
  assert.equal(reply.toString('latin1', 24), 'Authenticated');
});

test('SIGHUP has the users read again; who is in stays in', async (t) => {
  const users = usersFile(t);
  const server = await launch(t, ['-Y', users]);
  const inside = new Client(t, server.port);
  assert.equal(await inside.ask(LOGIN, '\r\n'), 'STORED\r\n');
  writeFileSync(users, 'bob:new\n');
  assert.match(await reload(server), /the credentials have been read again/);
  assert.match(await inside.ask('version\r\n', '\r\n'), /^VERSION/);
  // The message to the workers may still be on its way.
  const refused = await waitFor(async () => {
    const client = new Client(t, server.port);
    const said = await client.ask(LOGIN, '\r\n');
    client.socket.destroy();
    return said === FAILURE;
  }, server.ended);
  assert.equal(refused, true);
  const outside = new Client(t, server.port);
  assert.equal(await outside.ask('set any 0 0 7\r\nbob new\r\n', '\r\n'), 'STORED\r\n');
});

test('users that stay are let in while the file is read again and again', async (t) => {
  const users = usersFile(t);
  const server = await launch(t, ['-Y', users]);
  let reloads = 0;
  const logIn = async () => {
    while (reloads < 20) {
      const client = new Client(t, server.port);
      assert.equal(await client.ask(LOGIN, '\r\n'), 'STORED\r\n');
      client.socket.destroy();
    }
  };
  const clients = Array.from({ length: 4 }, logIn);
  for (; reloads < 20; reloads++) {
    writeFileSync(users, `${'other:user\n'.repeat(reloads * 50)}bob:s3cret\n`);
    assert.match(await reload(server), /the credentials have been read again/);
  }
  await Promise.all(clients);
});

test('a worker that takes the place of a dead one has the new users', async (t) => {
  const users = usersFile(t);
  const server = await launch(t, ['-Y', users, '-t', '1']);
  // Only a thread that has begun can be ended.
  const early = new Client(t, server.port);
  assert.equal(await early.ask(LOGIN, '\r\n'), 'STORED\r\n');
  writeFileSync(users, 'bob:new\n');
  await reload(server);
  const before = server.stderr().length;
  server.child.send({ kill: 0 });
  await waitFor(() => /is replaced/.test(server.stderr().slice(before)), server.ended);
  const client = new Client(t, server.port);
  assert.equal(await client.ask(LOGIN, '\r\n'), FAILURE);
  assert.equal(await client.ask('set any 0 0 7\r\nbob new\r\n', '\r\n'), 'STORED\r\n');
});

test('a bad file on SIGHUP changes nothing and is said once', async (t) => {
  const users = usersFile(t);
  const server = await launch(t, ['-Y', users]);
  writeFileSync(users, 'bob\n');
  const said = await reload(server);
  assert.equal(
    said,
    `slabcached: cannot take the users of -Y from ${users}: line 1 is not 'user:password'; ` +
      'the credentials stay as they were\n',
  );
  const client = new Client(t, server.port);
  assert.equal(await client.ask(LOGIN, '\r\n'), 'STORED\r\n');
});

test('SIGHUP without authentication is nothing', async (t) => {
  const server = await launch(t, []);
  const before = server.stderr();
  server.child.kill('SIGHUP');
  const client = new Client(t, server.port);
  assert.match(await client.ask('version\r\n', '\r\n'), /^VERSION/);
  assert.equal(server.stderr(), before);
});

test('who does not authenticate in time is closed; who has may be silent', async (t) => {
  const server = await launch(t, ['-Y', usersFile(t), '-o', 'auth_timeout=1']);
  const inside = new Client(t, server.port);
  assert.equal(await inside.ask(LOGIN, '\r\n'), 'STORED\r\n');
  const silent = new Client(t, server.port);
  const failing = new Client(t, server.port);
  assert.equal(await failing.ask('set any 0 0 6\r\nbob no\r\n', '\r\n'), FAILURE);
  await Promise.all([silent.closed, failing.closed]);
  assert.equal(silent.received, '');
  assert.equal(inside.isClosed, false);
  assert.equal(await inside.stat('auth_timeouts'), '2');
  assert.equal(await inside.stat('auth_cmds'), '2');
  assert.equal(await inside.stat('auth_errors'), '1');
});

test('stats settings shows what is on', async (t) => {
  const users = usersFile(t);
  const server = await launch(t, ['-Y', users]);
  const client = new Client(t, server.port);
  await client.ask(LOGIN, '\r\n');
  assert.equal(await client.stat('auth_enabled_ascii', 'settings'), users);
  assert.equal(await client.stat('auth_enabled_sasl', 'settings'), 'no');
  assert.equal(await client.stat('auth_timeout', 'settings'), '5');
});

test('SASL_CONF_PATH is said to be without effect', async (t) => {
  process.env.SASL_CONF_PATH = '/etc/sasl2';
  t.after(() => delete process.env.SASL_CONF_PATH);
  const guarded = await launch(t, ['-S', '-o', `sasl_pwdb=${usersFile(t)}`]);
  assert.match(guarded.stderr(), /warning: SASL_CONF_PATH is not read/);
  const plain = await launch(t, []);
  assert.doesNotMatch(plain.stderr(), /SASL_CONF_PATH/);
});

test('a server that nobody could log in to does not start', async (t) => {
  const none = join(scratch(t), 'none');
  for (const [flags, sentence] of [
    [
      ['-S'],
      /-S needs a file of users: name it with -o sasl_pwdb=<file> or in MEMCACHED_SASL_PWDB/,
    ],
    [['-S', '-o', `sasl_pwdb=${none}`], /cannot take the users of -S from .*: no such file/],
    [['-Y', none], /cannot take the users of -Y from .*: no such file/],
    [['-Y', usersFile(t, 'bob')], /line 1 is not 'user:password'/],
  ] as const) {
    const { code, stderr } = await run(['-p', '-1', '-u', 'nobody', ...flags]);
    assert.equal(code, 1);
    assert.match(stderr, sentence);
  }
});
