// Connections of the unix socket that wait while their worker dies: no slot is taken for it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { connectionsOf, listConnections } from '../../src/memory/connections.ts';
import { Dispatcher } from '../../src/net/dispatcher.ts';
import { createServerState } from '../../src/net/state.ts';
import { makeMemory } from '../support/cache.ts';

const WORKERS = 2;

test('a worker that is being repaired gets no slot for a connection that waited', async () => {
  const memory = makeMemory({ workers: WORKERS });
  const state = createServerState(WORKERS);
  const dispatcher = new Dispatcher({
    memory,
    state,
    maxConns: 1,
    fast: false,
    heldMax: 8,
  });
  for (let worker = 0; worker < WORKERS; worker++) dispatcher.restore(worker);
  const answers: number[] = [];
  const answer = { alive: () => true, send: (slot: number) => void answers.push(slot) };
  dispatcher.claimFor(0, 'unix:x', 'unix:x', answer);
  dispatcher.claimFor(0, 'unix:x', 'unix:x', answer);
  assert.equal(answers.length, 1);
  assert.equal(state.held(), 1);
  // Its slots are freed, then its connections are counted anew.
  dispatcher.suspend(0);
  state.addConnections(0, -1);
  while (state.held() > 0) await sleep(1);
  assert.deepEqual(connectionsOf(memory, 0), [answers[0]]);
  assert.equal(state.totalConnections(), 0);
  dispatcher.restore(0);
  dispatcher.claimFor(0, 'unix:x', 'unix:x', answer);
  assert.equal(answers.length, 2);
  assert.equal(listConnections(memory).length, 2);
  dispatcher.close();
});
