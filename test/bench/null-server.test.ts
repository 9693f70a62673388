// The null server, and the generator that counts its replies: every request is answered with the
// bytes that were asked for, wherever it is cut.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { type TestContext, test } from 'node:test';
import { DIALECTS } from '../../bench/dialects.ts';
import { Generator, type LoadShape, type Protocol } from '../../bench/generator.ts';
import { Items } from '../../bench/items.ts';
import type { Workload } from '../../bench/messages.ts';
import { nullProgram, replyLengths } from '../../bench/null-server.ts';
import { Random, requestSequence } from '../../bench/random.ts';
import { startServer } from '../../bench/servers.ts';
import { NetTransport } from '../../bench/transport-net.ts';

const UNIFORM = { kind: 'uniform', exponent: 0 } as const;
const VALUE = 100;

const program = nullProgram();
const skip = typeof program === 'string' && `SKIPPED: ${program}`;
if (skip !== false) process.stderr.write(`${skip}\n`);

async function started(t: TestContext, get: number, set: number): Promise<number> {
  const flags = [`--get-reply=${get}`, `--set-reply=${set}`];
  assert.ok(typeof program !== 'string');
  const server = await startServer(program, flags, []);
  t.after(() => server.stop());
  return server.port;
}

/** What comes back until nothing more is expected. */
async function bytesFor(
  port: number,
  pieces: readonly Buffer[],
  expected: number,
): Promise<number> {
  const socket = connect(port, '127.0.0.1');
  socket.setNoDelay(true);
  await once(socket, 'connect');
  let arrived = 0;
  socket.on('data', (data) => {
    arrived += data.length;
  });
  for (const piece of pieces) {
    socket.write(piece);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  while (arrived < expected) await once(socket, 'data');
  // Whatever is too much would come with a last request, whose reply is known.
  socket.write('version\r\n');
  await once(socket, 'data');
  socket.destroy();
  return arrived - 'VERSION null\r\n'.length;
}

test('text requests cut anywhere are answered once each', { skip }, async (t) => {
  const port = await started(t, 1000, 10);
  const text = 'get a b\r\nset a 0 0 3\r\nabc\r\nmg a v\r\nms a 3\r\nget\r\nget a\r\n';
  for (const size of [1, 2, 3, 10, text.length]) {
    const pieces = [];
    for (let at = 0; at < text.length; at += size)
      pieces.push(Buffer.from(text.slice(at, at + size)));
    assert.equal(await bytesFor(port, pieces, 3020), 3020, `pieces of ${size}`);
  }
});

test('binary requests cut anywhere are answered once each', { skip }, async (t) => {
  const port = await started(t, 1000, 24);
  const items = new Items(10, [VALUE], new Random(1));
  const buffer = Buffer.alloc(1000);
  let end = DIALECTS.binary.writeGet(buffer, 0, 1, true);
  end = DIALECTS.binary.writeSet(buffer, end, 2, items);
  end = DIALECTS.binary.writeGet(buffer, end, 3, true);
  for (const size of [7, 24, 40, end]) {
    const socket = connect(port, '127.0.0.1');
    let arrived = 0;
    socket.on('data', (data) => {
      arrived += data.length;
    });
    for (let at = 0; at < end; at += size) {
      socket.write(Buffer.from(buffer.subarray(at, Math.min(end, at + size))));
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    while (arrived < 2024) await once(socket, 'data');
    assert.equal(arrived, 2024, `pieces of ${size}`);
    socket.destroy();
  }
});

for (const protocol of ['text', 'meta', 'binary'] as const satisfies readonly Protocol[]) {
  test(`the generator counts the replies to ${protocol} requests`, { skip }, async (t) => {
    const shape: LoadShape = { connections: 4, depth: 5, keysPerGet: 1, protocol, rate: 0 };
    const workload: Workload = {
      ...shape,
      keys: 100,
      valueLengths: [VALUE],
      setShare: 0.3,
      distribution: UNIFORM,
      seed: 1,
    };
    const lengths = replyLengths(workload);
    assert.ok(lengths !== undefined);
    const port = await started(t, lengths.get, lengths.set);
    const random = new Random(1);
    const items = new Items(100, [VALUE], random);
    const sequence = requestSequence(4096, 100, UNIFORM, 0.3, random);
    const transport = new NetTransport();
    const generator = new Generator(shape, items, sequence, transport, process.pid, lengths);
    t.after(() => generator.close());
    await generator.connect(port);
    const { counts, requests, ops } = await generator.round(10, 150);
    assert.ok(counts.hits > counts.stores && counts.stores > 0);
    assert.equal(ops, counts.hits + counts.stores);
    assert.ok(requests > 0);
  });
}

test('reply lengths are those of a cache', () => {
  const workload: Workload = {
    connections: 1,
    depth: 1,
    keysPerGet: 1,
    protocol: 'text',
    rate: 0,
    keys: 1,
    valueLengths: [5],
    setShare: 0,
    distribution: UNIFORM,
    seed: 1,
  };
  const block = 'VALUE bench-000000001 0 5\r\nabcde\r\n';
  const get = `${block}END\r\n`.length;
  assert.deepEqual(replyLengths(workload), { get, set: 'STORED\r\n'.length });
  const many = `${block.repeat(3)}END\r\n`.length;
  assert.equal(replyLengths({ ...workload, keysPerGet: 3 })?.get, many);
  const meta = 'VA 5 kbench-000000001\r\nabcde\r\n'.length;
  assert.deepEqual(replyLengths({ ...workload, protocol: 'meta' }), { get: meta, set: 4 });
  assert.deepEqual(replyLengths({ ...workload, protocol: 'binary' }), { get: 33, set: 24 });
  assert.equal(replyLengths({ ...workload, valueLengths: [5, 6] }), undefined);
});
