/**
 * INCREMENT with a number to begin with is one step: two workers that count the same new key, the
 * second of them at any moment of the first one's work, get two numbers, and neither an error.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setAtomicsHook } from '../../src/memory/atomics.ts';
import { LockTimeout, setLockPatience } from '../../src/memory/lock.ts';
import { World } from '../cache/world.ts';
import type { Talk } from '../support/cache.ts';
import * as op from '../support/opcodes.ts';
import { deltaExtras, parseReplies, requestBytes } from '../support/packets.ts';

const SUCCESS = 0;

/** Status and number of the reply to `INCREMENT k` by 1, beginning with 10. */
function increment(talk: Talk): [number, number] {
  const packet = { opcode: op.INCR, key: 'k', extras: deltaExtras(1n, 10n, 0) };
  const { packets } = parseReplies(Buffer.from(talk.send(requestBytes(packet)), 'latin1'));
  const [reply] = packets;
  return [reply.status, Buffer.from(reply.value, 'latin1').at(-1) ?? -1];
}

/** B counts at the n-th access of A; false when A has no so many. */
function race(n: number): boolean {
  const world = new World();
  let left = n;
  let other: [number, number] | null = null;
  setAtomicsHook(() => {
    if (--left !== 0) return;
    setLockPatience(0);
    try {
      other = increment(world.b);
    } catch (error) {
      // A holds the stripe: B would have had to wait for its end.
      if (!(error instanceof LockTimeout)) throw error;
      world.b = world.talk(3);
    } finally {
      setLockPatience(Number.POSITIVE_INFINITY);
    }
  });
  const first = increment(world.a);
  setAtomicsHook(null);
  const second = other ?? increment(world.b);
  const numbers = [first, second].sort((one, two) => one[1] - two[1]);
  assert.deepEqual(
    numbers,
    [
      [SUCCESS, 10],
      [SUCCESS, 11],
    ],
    `access ${n}`,
  );
  assert.deepEqual(world.audit(), []);
  return left <= 0;
}

test('nobody loses the race for the first number', () => {
  let n = 1;
  while (race(n)) n++;
  assert.ok(n > 3, `only ${n} accesses`);
});

test('a beginning counts as no miss, and its refusal as one', () => {
  const world = new World();
  assert.deepEqual(increment(world.a), [SUCCESS, 10]);
  const refused = { opcode: op.DECR, key: 'none', extras: deltaExtras(1n, 10n, 0xffff_ffff) };
  world.a.send(requestBytes(refused));
  world.b.send('version\r\n');
  const stats = world.b.send('stats\r\n');
  assert.match(stats, /incr_misses 0\r\n/);
  assert.match(stats, /decr_misses 1\r\n/);
  assert.match(stats, /total_items 1\r\n/);
});
