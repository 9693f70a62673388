// What the bench makes of its rounds and of the machine it runs on.

import assert from 'node:assert/strict';
import { availableParallelism } from 'node:os';
import { test } from 'node:test';
import { cpuSecondsOf, machineBusySeconds } from '../../bench/proc.ts';
import { isDisjoint, median, place } from '../../bench/rounds.ts';
import { sendsRepliesSingly } from '../../bench/servers.ts';

test('the median is the middle value, or the mean of the two in the middle', () => {
  assert.equal(median([3, 1, 200]), 3);
  assert.equal(median([4, 1, 200, 2]), 3);
  assert.equal(median([7]), 7);
});

test('server and generator get cores of their own while there are enough', (t) => {
  const cores = availableParallelism();
  const one = place(1);
  if (one.server.length === 0) {
    t.skip('processes cannot be pinned here');
    return;
  }
  assert.deepEqual(one.server, [0]);
  assert.ok(isDisjoint(one));
  const all = place(cores);
  assert.equal(all.server.length, cores);
  assert.ok(!isDisjoint(all));
});

test('memcached before 1.6.35 sends the replies of pipelined gets singly', () => {
  for (const version of ['1.4.39', '1.6.18', '1.6.34']) assert.ok(sendsRepliesSingly(version));
  for (const version of ['1.6.35', '1.6.45', '1.7.0', '2.0']) {
    assert.ok(!sendsRepliesSingly(version), version);
  }
});

test('processor time of a process grows while it computes', (t) => {
  const before = cpuSecondsOf(process.pid);
  const machineBefore = machineBusySeconds();
  if (before === undefined || machineBefore === undefined) {
    t.skip('there is no /proc here');
    return;
  }
  const ownBefore = process.cpuUsage();
  let spent = 0;
  while (spent < 60_000) {
    const { user, system } = process.cpuUsage(ownBefore);
    spent = user + system;
  }
  // /proc counts in ticks of 10 ms.
  assert.ok(cpuSecondsOf(process.pid)! - before >= 0.03);
  assert.ok(machineBusySeconds()! > machineBefore);
});

test('processor time of a process that is not there is undefined', () => {
  assert.equal(cpuSecondsOf(2 ** 30), undefined);
});
