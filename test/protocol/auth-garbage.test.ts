// Whatever a client sends that has not authenticated, in whatever pieces, it gets nothing but
// refusals, and nothing happens in the cache.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  AUTH_CMDS,
  AUTH_ERRORS,
  BYTES_READ,
  BYTES_WRITTEN,
  CONN_YIELDS,
  countersOf,
} from '../../src/cache/counters.ts';
import { COUNTER_GLOBAL_COUNT } from '../../src/memory/layout.ts';
import { credentialTable } from '../../src/protocol/credentials.ts';
import { makeEngine, makeMemory, makeStore, Talk } from '../support/cache.ts';
import { parseReplies, requestBytes } from '../support/packets.ts';
import { feedPieces } from './pieces.ts';

const TABLE = credentialTable([{ user: Buffer.from('bob'), password: Buffer.from('s3cret') }]);
const ALLOWED_COUNTERS = [AUTH_CMDS, AUTH_ERRORS, BYTES_READ, BYTES_WRITTEN, CONN_YIELDS];
const REASONS = [
  'unauthenticated',
  'authentication failure',
  'auth token too long',
  'bad authentication token format',
  'bad command line termination',
];
const REFUSALS = new RegExp(`^(CLIENT_ERROR (${REASONS.join('|')})\\r\\n)*$`);

const WORDS =
  'get gets gat set add cas append incr delete touch mg ms md ma mn me stats flush_all version ' +
  'quit shutdown watch k bob s3cret noreply settings 0 1 2 5 7 10 16385 -1 4294967306 v c t s0 T0';
const word = fc.oneof(fc.constantFrom(...WORDS.split(' ')), fc.string({ maxLength: 8 }));
const line = fc.array(word, { maxLength: 8 }).map((words) => Buffer.from(`${words.join(' ')}\r\n`));
const login = fc
  .tuple(word, word)
  .filter(([user, password]) => `${user} ${password}` !== 'bob s3cret')
  .map(([user, password]) => {
    const value = `${user} ${password}`;
    return Buffer.from(`set k 0 0 ${Buffer.byteLength(value)}\r\n${value}\r\n`);
  });
const packet = fc
  .record({
    opcode: fc.integer({ min: 0, max: 255 }),
    key: fc.constantFrom('', 'k', 'PLAIN', 'X'),
    value: fc.constantFrom('', 'v', '\0bob\0wrong', '\0who\0s3cret', 'x\0bob\0s3cret'),
    extras: fc.constantFrom(0, 4, 8, 20).map((length) => Buffer.alloc(length)),
    opaque: fc.nat(),
  })
  .map(requestBytes);
const garbage = fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes));
const input = fc
  .array(fc.oneof(line, login, packet, garbage), { minLength: 1, maxLength: 12 })
  .map((parts) => Buffer.concat(parts));
const cuts = fc.array(fc.nat(400), { maxLength: 6 });

/** Feeds the input to a new connection that must not get in; returns what it was told. */
function refused(kind: 'text' | 'sasl', bytes: Buffer, places: readonly number[]): string {
  const tables = { text: null, sasl: null, [kind]: TABLE };
  const options = { auth: { tables, timeout: 5 } };
  const talk = new Talk(makeEngine(makeStore(makeMemory()), { options }));
  const inside = [...new Set(places)].filter((at) => at > 0 && at < bytes.length);
  const said = feedPieces(
    talk,
    bytes,
    inside.toSorted((a, b) => a - b),
  );
  assert.equal(talk.session.authenticated, false);
  const { memory, actor } = talk.engine.store;
  const counters = countersOf(memory, actor);
  for (let counter = 0; counter < COUNTER_GLOBAL_COUNT; counter++) {
    if (ALLOWED_COUNTERS.includes(counter)) continue;
    assert.equal(memory.f64[counters + counter], 0, `counter ${counter} moved`);
  }
  return said;
}

test('-Y: refusals only', () => {
  const property = fc.property(input, cuts, (bytes, places) => {
    assert.match(refused('text', bytes, places), REFUSALS);
  });
  fc.assert(property, { numRuns: 300 });
});

test('-S: refusals, and what leads to authentication', () => {
  const property = fc.property(input, cuts, (bytes, places) => {
    const { packets, rest } = parseReplies(Buffer.from(refused('sasl', bytes, places), 'latin1'));
    assert.equal(rest.length, 0);
    for (const { opcode, status } of packets) {
      const answered = status === 0 && (opcode === 0x0b || opcode === 0x20);
      assert.ok(answered || [0x04, 0x20, 0x21, 0x81].includes(status), `${opcode}: ${status}`);
    }
  });
  fc.assert(property, { numRuns: 300 });
});
