// The load generator over real sockets, against a small server that is honest, lies, or is slow.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { Generator, type LoadShape } from '../../bench/generator.ts';
import { Items } from '../../bench/items.ts';
import { Random, requestSequence } from '../../bench/random.ts';
import { WrongReply } from '../../bench/reply-reader.ts';
import { NetTransport } from '../../bench/transport-net.ts';
import { type Behaviour, HONEST, startServer } from './fake-server.ts';

const UNIFORM = { kind: 'uniform', exponent: 0 } as const;
const CLOSED: LoadShape = { connections: 4, depth: 3, keysPerGet: 2, protocol: 'text', rate: 0 };

async function connected(
  t: TestContext,
  behaviour: Behaviour,
  shape: LoadShape,
  setShare: number,
): Promise<Generator> {
  const random = new Random(1);
  const items = new Items(500, [20, 3000], random);
  const sequence = requestSequence(4096, 500, UNIFORM, setShare, random);
  const port = await startServer(t, behaviour);
  const transport = new NetTransport();
  const generator = new Generator(shape, items, sequence, transport, process.pid);
  t.after(() => generator.close());
  await generator.connect(port);
  return generator;
}

test('a closed loop finds every item and counts keys as ops', async (t) => {
  const generator = await connected(t, HONEST, CLOSED, 0.2);
  await generator.fill();
  for (let i = 0; i < 2; i++) {
    const { ops, requests, counts, seconds, p50, p999, max } = await generator.round(20, 200);
    assert.equal(counts.misses, 0);
    assert.ok(counts.stores > 0 && counts.hits > counts.stores);
    assert.equal(ops, counts.hits + counts.stores);
    assert.ok(requests > 0 && requests < ops);
    assert.ok(seconds > 0);
    assert.ok(p50 > 0 && p50 <= p999 && p999 <= max);
  }
});

test('items that were never stored are misses', async (t) => {
  const generator = await connected(t, HONEST, CLOSED, 0);
  const { counts, ops } = await generator.round(0, 100);
  assert.equal(counts.hits, 0);
  assert.equal(counts.misses, ops);
});

test('a server that returns other bytes than were stored fails the run', async (t) => {
  const flip = (value: string): string => `~${value.slice(1)}`;
  const generator = await connected(t, { keep: flip, getDelayMs: 0 }, CLOSED, 0);
  await generator.fill();
  await assert.rejects(generator.round(0, 1000), WrongReply);
});

test('a closed connection fails the run', async (t) => {
  const generator = await connected(t, { keep: () => undefined, getDelayMs: 0 }, CLOSED, 0);
  await assert.rejects(generator.fill());
});

test('open-loop latency counts from the time at which a request was due', async (t) => {
  const shape: LoadShape = { connections: 1, depth: 1, keysPerGet: 1, protocol: 'text', rate: 200 };
  const generator = await connected(t, { keep: (value) => value, getDelayMs: 40 }, shape, 0);
  await generator.fill();
  // A request is due every 5 ms and takes 40 ms (timers may fire 1 ms early): each answer is over
  // 30 ms later than the one before, where a closed loop would call every one of them 40 ms late.
  const { max, requests, unsent } = await generator.round(0, 600);
  assert.ok(requests >= 1 && requests <= 16, `${requests} requests`);
  assert.ok(max >= 30 * requests, `${max} ms after ${requests} requests`);
  assert.ok(unsent > 0);
});

test('an open loop sends no more than was due', async (t) => {
  const shape: LoadShape = {
    connections: 4,
    depth: 4,
    keysPerGet: 1,
    protocol: 'text',
    rate: 1000,
  };
  const generator = await connected(t, HONEST, shape, 0.1);
  await generator.fill();
  const { requests } = await generator.round(50, 300);
  // 350 ms at 1000/s, and one at the very start.
  assert.ok(requests > 0 && requests <= 351, `${requests} requests`);
});
