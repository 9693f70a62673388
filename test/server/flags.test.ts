// The command refuses what it does not understand before it binds or writes anything.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { run, scratch } from './launch.ts';

test('a bad flag is one sentence, exit 1, and nothing is bound', async (t) => {
  const folder = scratch(t);
  const socket = join(folder, 'socket');
  const pidFile = join(folder, 'pid');
  for (const bad of [['-z'], ['-t', 'many'], ['-o', 'nothing'], ['--port'], ['operand']]) {
    const { code, stdout, stderr } = await run(['-s', socket, '-P', pidFile, ...bad]);
    assert.equal(code, 1, bad.join(' '));
    assert.equal(stdout, '');
    assert.match(stderr, /^slabcached: [^\n]+\n$/);
    assert.equal(existsSync(socket), false);
    assert.equal(existsSync(pidFile), false);
  }
});

test('a port in use is one sentence and exit 1', async (t) => {
  const other = createServer();
  await new Promise<void>((resolve) => {
    other.listen(0, '127.0.0.1', resolve);
  });
  t.after(() => other.close());
  const { port } = other.address() as { port: number };
  const { code, stderr } = await run(['-l', '127.0.0.1', '-p', String(port), '-u', 'nobody']);
  assert.equal(code, 1);
  assert.match(
    stderr,
    new RegExp(`cannot listen on 127.0.0.1 port ${port}: the address is in use`),
  );
});

test('an address that this machine does not have is named', async () => {
  const { code, stderr } = await run(['-l', '192.0.2.1', '-p', '-1']);
  assert.equal(code, 1);
  assert.match(
    stderr,
    /cannot listen on 192.0.2.1 port 0: this machine does not have that address/,
  );
});

test('an address space that cannot be had is named', async () => {
  const { code, stderr } = await run(['-m', '100000000', '-p', '-1']);
  assert.equal(code, 1);
  assert.match(stderr.trimEnd().split('\n').at(-1) ?? '', /^slabcached: cannot reserve/);
});

test('-V and -h answer and leave', async () => {
  const version = await run(['-V']);
  assert.match(version.stdout, /^slabcached \d+\.\d+\.\d+\n$/);
  assert.equal(version.code, 0);
  const help = await run(['-h']);
  assert.match(help.stdout, /-m, --memory-limit=<num>/);
  assert.equal(help.code, 0);
});
