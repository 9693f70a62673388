/** -P: a pid file that a former process left, whole or empty. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { launch, scratch, waitFor } from './launch.ts';

for (const { left, warned } of [
  { left: '', warned: false },
  { left: 'x', warned: false },
  { left: '-1', warned: false },
  { left: String(process.pid), warned: true },
]) {
  test(`a pid file holds '${left.replace(/\d{2,}/, 'a running pid')}'`, async (t) => {
    const path = join(scratch(t), 'pid');
    writeFileSync(path, left);
    const server = await launch(t, ['-t', '1', '-P', path]);
    const ours = `${server.child.pid}\n`;
    assert.ok(await waitFor(() => readFileSync(path, 'utf8') === ours, server.ended));
    // What it says on stderr has arrived when it has ended.
    server.child.kill('SIGTERM');
    await server.ended;
    assert.equal(server.stderr().includes('held the pid of a running process'), warned);
  });
}
