/** Checks the table of connections: slots are claimed, told, freed and used again. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  claimConnection,
  claimDatagrams,
  claimListener,
  connectionsOf,
  connectionWord,
  listConnections,
  releaseConnection,
} from '../../src/memory/connections.ts';
import {
  CONN_BYTES,
  CONN_PINNED_I32,
  CONN_UPLOAD_I32,
  HEAD_CLOCK,
  HEAD_CONN_NEXT,
} from '../../src/memory/layout.ts';
import type { Memory } from '../../src/memory/memory.ts';
import { makeMemory } from '../support/cache.ts';

const MAX_CONNS = 5;
/** Slots beyond -c: a connection that is to be told so needs one, too. */
const SPARE_SLOTS = 16;
const WORKERS = 2;
/** A worker may have a socket for datagrams of either family. */
const DATAGRAM_SLOTS = 2 * WORKERS;

const table = (): Memory =>
  makeMemory({ maxConns: MAX_CONNS, workers: WORKERS, memoryLimit: 2 ** 20, memoryMax: 0 });

test('slots run out after -c and the spare ones, and come back when released', () => {
  const memory = table();
  const slots = Array.from({ length: MAX_CONNS + SPARE_SLOTS + DATAGRAM_SLOTS }, () =>
    claimConnection(memory, 0, 'peer', 'listener'),
  );
  assert.equal(new Set(slots).size, slots.length);
  assert.ok(slots.every((slot) => slot >= 0));
  assert.equal(claimConnection(memory, 0, 'peer', 'listener'), -1);
  assert.equal(listConnections(memory).length, slots.length);
  releaseConnection(memory, slots[3]);
  assert.equal(listConnections(memory).length, slots.length - 1);
  assert.equal(claimConnection(memory, 1, 'peer', 'listener'), slots[3]);
});

test('connections are told apart by the worker that serves them', () => {
  const memory = table();
  const slots = [0, 1, 1, 0, 1].map((worker) => claimConnection(memory, worker, 'p', 'l'));
  assert.deepEqual(connectionsOf(memory, 0), [slots[0], slots[3]]);
  assert.deepEqual(connectionsOf(memory, 1), [slots[1], slots[2], slots[4]]);
  assert.deepEqual(connectionsOf(memory, 2), []);
  releaseConnection(memory, slots[2]);
  assert.equal(connectionsOf(memory, 0).length, 2);
  assert.deepEqual(connectionsOf(memory, 1), [slots[1], slots[4]]);
  assert.equal(listConnections(memory).length, 4);
});

test('a connection is listed with its texts and the seconds since its last command', () => {
  const memory = table();
  memory.i32[HEAD_CLOCK] = 100;
  const slot = claimConnection(memory, 1, 'tcp:127.0.0.1:40123', 'tcp:0.0.0.0:11311');
  memory.i32[HEAD_CLOCK] = 107;
  assert.deepEqual(listConnections(memory), [
    {
      slot,
      worker: 1,
      peer: 'tcp:127.0.0.1:40123',
      listener: 'tcp:0.0.0.0:11311',
      listening: false,
      datagram: false,
      secondsSinceLastCommand: 7,
    },
  ]);
});

test('a listener takes a slot, is listed as one, and is no worker’s connection', () => {
  const memory = table();
  claimListener(memory, 'tcp:0.0.0.0:11311');
  claimConnection(memory, 0, 'peer', 'listener');
  const [listener, connection] = listConnections(memory);
  assert.deepEqual([listener.listening, connection.listening], [true, false]);
  assert.equal(listener.peer, 'tcp:0.0.0.0:11311');
  assert.deepEqual(connectionsOf(memory, 0), [connection.slot]);
});

test('a socket for datagrams takes a slot of its worker', () => {
  const memory = table();
  const slot = claimDatagrams(memory, 1, 'udp:127.0.0.1:11311');
  const [entry] = listConnections(memory);
  assert.deepEqual([entry.datagram, entry.listening], [true, false]);
  assert.deepEqual(connectionsOf(memory, 1), [slot]);
});

test('long texts are cut to 79 bytes and spoil nothing', () => {
  const memory = table();
  const long = `unix:${'/socket'.repeat(40)}`;
  claimConnection(memory, 0, long, long);
  claimConnection(memory, 1, '', 'x');
  const [first, second] = listConnections(memory);
  assert.equal(first.peer, long.slice(0, 79));
  assert.equal(first.listener, long.slice(0, 79));
  assert.equal(second.peer, '');
  assert.equal(second.listener, 'x');
  assert.equal(second.worker, 1);
});

test('a slot used again holds nothing of the connection before', () => {
  const memory = table();
  const slot = claimConnection(memory, 0, 'a long text of the first', 'listener');
  const word = connectionWord(memory, slot);
  memory.i32[word + CONN_UPLOAD_I32] = 4096;
  memory.i32[word + CONN_PINNED_I32] = 8192;
  releaseConnection(memory, slot);
  // Slots are taken in turn: this one comes up again when the turn is round.
  memory.i32[HEAD_CONN_NEXT] = slot;
  assert.equal(claimConnection(memory, 1, 'short', 'l'), slot);
  assert.equal(memory.i32[word + CONN_UPLOAD_I32], 0);
  assert.equal(memory.i32[word + CONN_PINNED_I32], 0);
  assert.equal(listConnections(memory)[0].peer, 'short');
});

test('slots are records of their own', () => {
  const memory = table();
  assert.equal(connectionWord(memory, 1) - connectionWord(memory, 0), CONN_BYTES / 4);
});
