// The load process as the bench uses it: over the process channel, with each transport.

import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { LoadReply, LoadRequest, TransportChoice, Workload } from '../../bench/messages.ts';
import { skipWithoutAddon } from '../support/addon.ts';
import { HONEST, startServer } from './fake-server.ts';

const WORKLOAD: Workload = {
  connections: 8,
  depth: 4,
  keysPerGet: 3,
  protocol: 'text',
  rate: 0,
  keys: 300,
  valueLengths: [10, 100, 40_000],
  setShare: 0.1,
  distribution: { kind: 'zipf', exponent: 1 },
  seed: 1,
};

function startLoad(t: TestContext): ChildProcess {
  const entry = fileURLToPath(new URL('../../bench/load.ts', import.meta.url));
  const child = spawn(process.execPath, [entry], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  t.after(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  });
  return child;
}

async function ask(child: ChildProcess, request: LoadRequest): Promise<LoadReply> {
  child.send(request);
  const [reply] = (await once(child, 'message')) as [LoadReply];
  return reply;
}

async function prepare(
  t: TestContext,
  child: ChildProcess,
  transport: TransportChoice,
  workload: Workload,
  keep: (value: string) => string,
): Promise<LoadReply> {
  const port = await startServer(t, { ...HONEST, keep });
  const targets = [{ port, pid: process.pid }];
  return await ask(child, { type: 'prepare', workload, targets, transport });
}

for (const transport of ['net', 'io_uring', 'epoll'] as const) {
  const skip = transport !== 'net' && skipWithoutAddon();

  for (const rate of [0, 500]) {
    const loop = rate === 0 ? 'a closed' : 'an open';
    test(`${loop} loop over ${transport} gets every value back`, { skip }, async (t) => {
      const child = startLoad(t);
      const workload = { ...WORKLOAD, rate };
      const ready = await prepare(t, child, transport, workload, (value) => value);
      assert.equal(ready.type, 'ready');
      for (let round = 0; round < 2; round++) {
        const request = { type: 'round', target: 0, warmupMs: 10, measureMs: 150 } as const;
        const reply = await ask(child, request);
        assert.ok(reply.type === 'result', JSON.stringify(reply));
        const { counts, generatorCpuSeconds } = reply.result;
        assert.equal(counts.misses, 0);
        assert.ok(counts.hits > 0);
        assert.ok(generatorCpuSeconds > 0);
      }
    });
  }

  test(`a wrong value fails the round over ${transport}`, { skip }, async (t) => {
    const child = startLoad(t);
    const flip = (value: string): string => `${value.slice(0, -1)}~`;
    const ready = await prepare(t, child, transport, WORKLOAD, flip);
    assert.equal(ready.type, 'ready');
    const request = { type: 'round', target: 0, warmupMs: 0, measureMs: 1000 } as const;
    const reply = await ask(child, request);
    assert.ok(reply.type === 'failed', JSON.stringify(reply));
    assert.match(reply.message, /not stored under this key/);
  });
}
