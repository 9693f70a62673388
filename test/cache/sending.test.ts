/** A number that is being sent is not changed under the sender's hands. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FEED_FULL } from '../../src/protocol/engine.ts';
import { World } from './world.ts';

test('incr on a value that is being sent makes a new item; the old one is sent whole', () => {
  const world = new World({ slabChunkMax: 2 ** 19 });
  const old = '7'.padEnd(100_000);
  assert.equal(world.b.send(`set n 0 0 ${old.length}\r\n${old}\r\n`), 'STORED\r\n');
  const { engine, session } = world.a;
  const line = Buffer.from('get n\r\n');
  let result = engine.feed(session, line, 0, line.length);
  assert.equal(result, FEED_FULL);
  // Nothing was sent yet of what follows: it is in the output, and its end is still in the item.
  let reply = engine.output.view().toString('latin1');
  engine.output.reset();
  assert.equal(world.b.send('incr n 1\r\n'), '8\r\n');
  assert.equal(world.b.send('get n\r\n'), 'VALUE n 0 1\r\n8\r\nEND\r\n');
  while (result === FEED_FULL) {
    result = engine.resume(session);
    reply += engine.output.view().toString('latin1');
    engine.output.reset();
  }
  assert.equal(reply === `VALUE n 0 ${old.length}\r\n${old}\r\nEND\r\n`, true);
  assert.deepEqual(world.audit(), []);
});
