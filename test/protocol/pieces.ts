/**
 * Drives an engine step by step: input in any pieces, output taken whenever the engine hands it
 * out. Every step is checked for what must always hold: progress, bounded buffers, no lock kept.
 */
import assert from 'node:assert/strict';
import { auditCache } from '../../src/cache/audit.ts';
import type { CacheConfig } from '../../src/cache/config.ts';
import type { MemoryConfig } from '../../src/memory/config.ts';
import { releaseConnection } from '../../src/memory/connections.ts';
import { checkLockOrder, locksHeld } from '../../src/memory/lock.ts';
import { FEED_CLOSE, FEED_FULL, FEED_MORE, FEED_YIELD } from '../../src/protocol/engine.ts';
import { OUTPUT_BYTES } from '../../src/protocol/output.ts';
import { SPEAKS_BINARY } from '../../src/protocol/session.ts';
import { makeEngine, makeMemory, makeStore, Talk } from '../support/cache.ts';

/** The longest line without end that is kept for any command but get and gets. */
const LINE_BYTES_MAX = 2048;

/** Header, extras and key of a packet; its value is never kept. */
const PACKET_BYTES_MAX = 24 + 255 + 65_535;

/** What one call of feed or resume gave. */
export interface Step {
  readonly result: number;
  readonly output: string;
}

function taken(talk: Talk, result: number): Step {
  const { output } = talk.engine;
  assert.ok([FEED_MORE, FEED_FULL, FEED_CLOSE, FEED_YIELD].includes(result));
  assert.ok(output.length <= OUTPUT_BYTES, 'more output than the buffer holds');
  assert.equal(locksHeld(), 0, 'a lock was kept');
  const text = output.view().toString('latin1');
  output.reset();
  if (result === FEED_CLOSE) talk.closed = true;
  return { result, output: text };
}

/** One call of feed. */
export function feed(talk: Talk, input: Buffer | string): Step {
  const bytes = typeof input === 'string' ? Buffer.from(input, 'latin1') : Buffer.from(input);
  const step = taken(talk, talk.engine.feed(talk.session, bytes, 0, bytes.length));
  // The engine may not look at the input again.
  bytes.fill(0xee);
  return step;
}

/** One call of resume; it must bring something forward. */
export function resume(talk: Talk): Step {
  const { session } = talk;
  const before = [session.pendingLength, session.state, session.sendOffset, session.replyOffset];
  const step = taken(talk, talk.engine.resume(session));
  const after = [session.pendingLength, session.state, session.sendOffset, session.replyOffset];
  const moved = step.output !== '' || before.some((value, index) => value !== after[index]);
  assert.ok(moved || step.result === FEED_MORE || step.result === FEED_CLOSE, 'stuck');
  return step;
}

/** Feeds the input in pieces that end at the cuts; returns all replies, up to a close. */
export function feedPieces(talk: Talk, input: Buffer, cuts: readonly number[]): string {
  let replies = '';
  let start = 0;
  for (const end of [...cuts, input.length]) {
    let step = feed(talk, input.subarray(start, end));
    replies += step.output;
    while (step.result === FEED_FULL || step.result === FEED_YIELD) {
      step = resume(talk);
      replies += step.output;
    }
    if (talk.closed) break;
    checkPending(talk);
    start = end;
  }
  return replies;
}

/** A line that has no end yet may only be long if it is a multi-get; a packet has its bounds. */
function checkPending({ session }: Talk): void {
  if (session.pending === null || session.pendingLength <= LINE_BYTES_MAX) return;
  if (session.speaks === SPEAKS_BINARY && session.pendingLength < PACKET_BYTES_MAX) return;
  const { pendingStart, pendingLength } = session;
  const text = session.pending.u8.toString('latin1', pendingStart, pendingStart + pendingLength);
  assert.match(text, /^ {0,100}gets? /, `${session.pendingLength} bytes are kept`);
}

/** A connection to a cache of its own, with the lock order checked in this thread from now on. */
export function freshTalk(
  memoryConfig: Partial<MemoryConfig> = {},
  cacheConfig: Partial<CacheConfig> = {},
): Talk {
  checkLockOrder(true);
  const memory = makeMemory({ hashPowerInit: 12, ...memoryConfig });
  return new Talk(makeEngine(makeStore(memory, cacheConfig)));
}

/** Another connection to the same cache. */
export function secondTalk(talk: Talk): Talk {
  return new Talk(talk.engine);
}

/** Closes the connection, as the transport does, and checks that it left nothing behind. */
export function hangUp(talk: Talk): void {
  const { engine, session } = talk;
  engine.close(session);
  assert.deepEqual(auditCache(engine.store), []);
  releaseConnection(engine.store.memory, session.slot);
  assert.deepEqual(auditCache(engine.store), []);
  assert.equal(session.pending, null);
  assert.equal(session.reply, null);
  assert.equal(session.upload, 0);
  assert.equal(session.sending, 0);
}
