/**
 * A get line of very many keys: other connections get their turns meanwhile, and the line is not
 * moved in memory again and again while it is served.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CONN_YIELDS, sumCounter } from '../../src/cache/counters.ts';
import { FEED_FULL, FEED_MORE, FEED_YIELD } from '../../src/protocol/engine.ts';
import { makeEngine, makeMemory, makeStore, Talk } from '../support/cache.ts';

test('a line of many keys is served in turns', () => {
  const memory = makeMemory();
  const talk = new Talk(makeEngine(makeStore(memory)));
  const line = Buffer.from(`get ${'a '.repeat(5_000)}\r\n`);
  let result = talk.engine.feed(talk.session, line, 0, line.length);
  for (let turn = 1; turn <= 4; turn++) {
    assert.equal(result, FEED_YIELD, `turn ${turn}`);
    assert.equal(talk.engine.output.length, 0);
    result = talk.engine.resume(talk.session);
  }
  assert.equal(result, FEED_MORE);
  assert.equal(talk.engine.output.view().toString(), 'END\r\n');
  assert.equal(sumCounter(memory, CONN_YIELDS), 4);
});

test('a line of many keys is answered completely, and what follows it too', () => {
  const talk = new Talk(makeEngine(makeStore(makeMemory())));
  talk.send('set a 0 0 1\r\nx\r\n');
  const value = 'VALUE a 0 1\r\nx\r\n';
  const request = `get ${'a b '.repeat(20_000)}\r\nget a\r\n`;
  assert.equal(talk.send(request), `${value.repeat(20_000)}END\r\n${value}END\r\n`);
});

test('a line of a megabyte is not moved in every turn', (context) => {
  const talk = new Talk(makeEngine(makeStore(makeMemory())));
  const value = 'v'.repeat(1_000);
  talk.send(`set a 0 0 ${value.length}\r\n${value}\r\n`);
  const line = Buffer.from(`get ${'a '.repeat(500_000)}\r\n`);
  const cut = line.length - 1;
  assert.equal(talk.engine.feed(talk.session, line, 0, cut), FEED_MORE);

  let moved = 0;
  const copyWithin = Buffer.prototype.copyWithin;
  const copy = Buffer.prototype.copy;
  context.mock.method(
    Uint8Array.prototype,
    'copyWithin',
    function counting(this: Buffer, target: number, start: number, end: number) {
      moved += end - start;
      return copyWithin.call(this, target, start, end);
    },
  );
  context.mock.method(
    Buffer.prototype,
    'copy',
    function counting(this: Buffer, target: Uint8Array, ...range: number[]) {
      const bytes = copy.call(this, target, ...range);
      if (target !== talk.engine.output.bytes) moved += bytes;
      return bytes;
    },
  );
  let result = talk.engine.feed(talk.session, line, cut, cut + 1);
  for (let turn = 0; turn < 1_000 && result !== FEED_MORE; turn++) {
    assert.ok(result === FEED_FULL || result === FEED_YIELD);
    talk.engine.output.reset();
    result = talk.engine.resume(talk.session);
  }
  assert.ok(moved <= 2 * line.length, `${moved} bytes were moved`);
});
