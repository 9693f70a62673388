/**
 * Keys of the binary protocol may hold any bytes. A meta command that meets such an item must not
 * put them on its reply line, which they could end.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeEngine, makeMemory, makeStore, Talk } from '../support/cache.ts';
import * as op from '../support/opcodes.ts';
import { requestBytes, words } from '../support/packets.ts';
import { hangUp } from './pieces.ts';

for (const key of ['a\r\nEN', 'a b', '\0', '\n']) {
  test(`meta commands give ${JSON.stringify(key)} back in base64`, () => {
    const store = makeStore(makeMemory());
    const binary = new Talk(makeEngine(store));
    binary.send(requestBytes({ opcode: op.SET, key, extras: words(0, 0), value: 'v' }));
    const text = new Talk(makeEngine(store));
    const encoded = Buffer.from(key, 'latin1').toString('base64');
    assert.equal(text.send(`mg ${encoded} b k v\r\n`), `VA 1 k${encoded} b\r\nv\r\n`);
    assert.match(
      text.send(`me ${encoded} b\r\n`),
      new RegExp(`^ME ${RegExp.escape(encoded)} exp=-1 .*\r\n$`),
    );
    hangUp(text);
    hangUp(binary);
  });
}

test('stats cachedump leaves them out', () => {
  const store = makeStore(makeMemory(), { lruSegmented: false });
  const binary = new Talk(makeEngine(store));
  for (const key of ['x [1 b; 0 s]\r\nEND', 'y\t\x7f']) {
    binary.send(requestBytes({ opcode: op.SET, key, extras: words(0, 0), value: 'v' }));
  }
  const text = new Talk(makeEngine(store));
  assert.equal(text.send('stats cachedump 1 0\r\n'), 'ITEM y\t\x7f [1 b; 0 s]\r\nEND\r\n');
  hangUp(text);
  hangUp(binary);
});

test('a key that is text is given back as the item has it', () => {
  const store = makeStore(makeMemory());
  const binary = new Talk(makeEngine(store));
  binary.send(requestBytes({ opcode: op.SET, key: 'foo\xff', extras: words(0, 0), value: 'v' }));
  const text = new Talk(makeEngine(store));
  assert.equal(text.send('mg Zm9v/w== b k v\r\n'), 'VA 1 kfoo\xff\r\nv\r\n');
  hangUp(text);
  hangUp(binary);
});
