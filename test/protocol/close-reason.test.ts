// Watchers are told why the server has closed a connection by what was said on it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WATCH_CONNEVENTS } from '../../src/cache/log.ts';
import { CLOSE_ERROR } from '../../src/memory/connections.ts';
import { HEAD_WATCHED } from '../../src/memory/layout.ts';
import { LogRing } from '../../src/memory/log-ring.ts';
import { LOG_LINE_BYTES_MAX, putLogLine } from '../../src/protocol/log-line.ts';
import { makeEngine, makeMemory, makeStore, Talk } from '../support/cache.ts';

const REASONS: readonly (readonly [string, string])[] = [
  ['shutdown', 'shutdown'],
  ['shutdown graceful', 'shutdown'],
  ['quit', 'normal'],
];

for (const [line, reason] of REASONS) {
  test(`${line.slice(0, 20)}: ${reason}`, () => {
    const memory = makeMemory();
    const store = makeStore(memory);
    const asked: boolean[] = [];
    const host = { shutdown: (graceful: boolean): void => void asked.push(graceful) };
    const talk = new Talk(makeEngine(store, { host, options: { shutdownEnabled: true } }));
    memory.i32[HEAD_WATCHED] = WATCH_CONNEVENTS;
    talk.send(`${line}\r\n`);
    assert.equal(talk.closed, true);
    assert.equal(asked.length, reason === 'shutdown' ? 1 : 0);
    // As the transport says it when it was the protocol that wanted to close.
    talk.engine.close(talk.session, CLOSE_ERROR);
    const text = Buffer.alloc(LOG_LINE_BYTES_MAX);
    const length = putLogLine(memory, new LogRing(memory, store.actor).oldest(), text);
    assert.match(text.toString('latin1', 0, length), new RegExp(` reason=${reason} cfd=`));
  });
}
