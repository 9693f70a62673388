// -k and -L without the addon: each says in one line what it does not do, and the server serves.
import assert from 'node:assert/strict';
import { cpSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { startServer } from '../support/server.ts';
import { Client, scratch } from './launch.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

test('without the addon -k and -L warn, and the server serves', async (t) => {
  const folder = scratch(t);
  for (const part of ['src', 'package.json']) {
    cpSync(join(ROOT, part), join(folder, part), { recursive: true });
  }
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  const args = [join(folder, 'src', 'cli.ts'), '-m', '64', '-t', '2', '-k', '-L'];
  const server = await startServer({ name: 'slabcached', command: process.execPath, args });
  t.after(() => server.stop());
  assert.deepEqual(server.stderr().match(/-[kL]:.*$/gm), [
    '-k: memory is not locked, this needs the native addon',
    '-L: memory is touched at start, but large pages need the native addon',
  ]);
  assert.match(await new Client(t, server.port).ask('version\r\n', '\r\n'), /^VERSION /);
  assert.equal((await server.stop()).code, 0);
});
