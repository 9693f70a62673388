// How the node:net transport uses its reply buffers.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ReplyStorage } from '../../src/net/reply-storage.ts';
import { OUTPUT_BYTES } from '../../src/protocol/output.ts';
import { nodeRig, receive, until } from './letters.ts';

/** Reply storage that knows how much of it is out with a socket. */
class CountingStorage extends ReplyStorage {
  detached = 0;
  detachedMax = 0;

  override detach(): Buffer {
    this.detached++;
    this.detachedMax = Math.max(this.detachedMax, this.detached);
    return super.detach();
  }

  override recycle(storage: Buffer): void {
    assert.equal(storage.length, OUTPUT_BYTES);
    this.detached--;
    super.recycle(storage);
  }
}

test('all replies to one read leave together and the buffer is used again', async (t) => {
  const storage = new CountingStorage();
  const { protocol, client } = await nodeRig(t, storage);
  const socket = await client();
  const { current } = storage;
  for (let round = 0; round < 3; round++) {
    socket.write('abc');
    assert.equal(await receive(socket, 3), 'abc');
  }
  assert.equal(protocol.feeds, 3);
  assert.equal(protocol.output.bytes, current);
  assert.equal(storage.detachedMax, 0);
});

test('a client that does not read holds one buffer', async (t) => {
  const storage = new CountingStorage();
  const { protocol, client } = await nodeRig(t, storage);
  const lazy = await client();
  lazy.pause();
  lazy.write('B'.repeat(400));
  await until(() => storage.detached === 1);
  const { feeds } = protocol;
  const other = await client();
  for (let round = 0; round < 20; round++) {
    other.write('z');
    assert.equal(await receive(other, 1), 'z');
  }
  assert.equal(protocol.feeds, feeds + 20);
  assert.equal(storage.detachedMax, 1);
  assert.equal((await receive(lazy, 400 * OUTPUT_BYTES)).length, 400 * OUTPUT_BYTES);
  await until(() => storage.detached === 0);
});

test('a lazy client that goes away gives its buffer back', async (t) => {
  const storage = new CountingStorage();
  const { client, told } = await nodeRig(t, storage);
  const lazy = await client();
  lazy.pause();
  lazy.write('B'.repeat(400));
  await until(() => storage.detached === 1);
  lazy.resetAndDestroy();
  await until(() => told.closedSlots.length === 1);
  assert.equal(storage.detached, 0);
});
