/**
 * Checks hash tables of the greatest size that may be asked for: 2^32 buckets, of which there are
 * at most 2^31, since a longer mask is negative as int32.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeEngine, makeMemory, makeStore, Talk } from '../support/cache.ts';

for (const power of [12, 31, 32]) {
  test(`a table of 2^${power} buckets`, (context) => {
    let talk: Talk;
    try {
      talk = new Talk(makeEngine(makeStore(makeMemory({ hashPowerInit: power }))));
    } catch (error) {
      context.skip(`SKIPPED: no address space for so many buckets: ${String(error)}`);
      process.stderr.write(`no address space for 2^${power} buckets: ${String(error)}\n`);
      return;
    }
    const { memory } = talk.engine.store;
    const head = memory.u8.toString('latin1', 0, memory.layout.classes);
    for (let n = 0; n < 200; n++) talk.send(`set key-${n} 0 0 1 noreply\r\na\r\n`);
    const keys = Array.from({ length: 200 }, (_, n) => `key-${n}`);
    assert.equal(talk.send(`get ${keys.join(' ')}\r\n`).match(/^VALUE/gm)?.length, 200);
    // The first 64 words hold counters that go on; nothing else in front of the table may change.
    const after = memory.u8.toString('latin1', 256, memory.layout.classes);
    assert.equal(after, head.slice(256), 'a bucket lies outside the table');
    assert.match(talk.send('stats\r\n'), new RegExp(`hash_power_level ${Math.min(power, 31)}\r`));
  });
}
