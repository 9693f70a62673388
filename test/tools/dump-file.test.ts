// The dump file: what goes in comes out, and what is torn or damaged is never taken for whole.
import assert from 'node:assert/strict';
import { readFileSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { DumpReader } from '../../src/tools/dump-reader.ts';
import { DumpWriter } from '../../src/tools/dump-writer.ts';
import { type CopiedItem, needsBase64 } from '../../src/tools/item.ts';
import { scratch } from '../server/launch.ts';

const fields = fc.record({
  key: fc.uint8Array({ minLength: 1, maxLength: 250 }).map((bytes) => Buffer.from(bytes)),
  isBinary: fc.boolean(),
  flags: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  expiry: fc.integer({ min: 0, max: 2 ** 33 }),
  value: fc.uint8Array({ maxLength: 5000 }).map((bytes) => Buffer.from(bytes)),
});
const item: fc.Arbitrary<CopiedItem> = fields.map((values) => ({
  ...values,
  isBinary: values.isBinary || needsBase64(values.key),
}));

const SAMPLE: readonly CopiedItem[] = ['first', 'second', 'third'].map((name, index) => ({
  key: Buffer.from(name),
  isBinary: index === 1,
  flags: index,
  expiry: index * 1000,
  value: Buffer.from(`value of ${name}`),
}));

async function write(path: string, items: readonly CopiedItem[]): Promise<Buffer> {
  const writer = await DumpWriter.create(path);
  for (const one of items) await writer.store([one]);
  await writer.finish();
  return readFileSync(path);
}

async function read(path: string): Promise<{ items: CopiedItem[]; reader: DumpReader }> {
  const reader = await DumpReader.open(path);
  const items: CopiedItem[] = [];
  for await (const one of reader.items()) items.push(one);
  return { items, reader };
}

test('items come out as they went in', async (t) => {
  const folder = scratch(t);
  let run = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(item, { maxLength: 20 }), async (items) => {
      const path = join(folder, `dump-${run++}`);
      const { length } = await write(path, items);
      const { items: found, reader } = await read(path);
      assert.deepEqual(found, items);
      assert.equal(reader.isComplete, true);
      assert.equal(reader.wholeBytes + 24, length);
    }),
    { numRuns: 30 },
  );
});

test('a file cut at any byte gives its whole items and says that it is not complete', async (t) => {
  const path = join(scratch(t), 'dump');
  const whole = await write(path, SAMPLE);
  for (let length = 32; length < whole.length; length++) {
    writeFileSync(path, whole.subarray(0, length));
    const { items, reader } = await read(path);
    assert.deepEqual(items, SAMPLE.slice(0, items.length));
    assert.equal(reader.isComplete, false);
    assert.ok(reader.wholeBytes <= length);
  }
});

test('any damaged bit is noticed', async (t) => {
  const path = join(scratch(t), 'dump');
  const whole = await write(path, SAMPLE);
  for (let at = 0; at < whole.length; at++) {
    const damaged = Buffer.from(whole);
    damaged[at] ^= 1 << (at & 7);
    writeFileSync(path, damaged);
    const outcome = await read(path).then(
      ({ items, reader }) => {
        assert.deepEqual(items, SAMPLE.slice(0, items.length));
        return reader.isComplete ? 'complete' : 'incomplete';
      },
      (error: Error) => error.name,
    );
    // A length that became larger may reach beyond the file: then the file ends too early.
    assert.ok(outcome === 'ToolError' || outcome === 'incomplete', `byte ${at}: ${outcome}`);
  }
});

test('a key that would be more than a key in a line of text is damage', async (t) => {
  const path = join(scratch(t), 'dump');
  for (const key of ['a 0 0 1\r\nx\r\nflush_all', 'a b', 'k'.repeat(251)]) {
    await write(path, [{ ...SAMPLE[0], key: Buffer.from(key) }]);
    await assert.rejects(read(path), /is damaged after byte 32$/, key);
    unlinkSync(path);
  }
});

test('a foreign file is named', async (t) => {
  const path = join(scratch(t), 'other');
  writeFileSync(path, 'something else that is longer than a header of a dump');
  await assert.rejects(read(path), /^ToolError: .*other is not a dump of slabcached$/);
  await assert.rejects(
    read(join(path, 'x')),
    /cannot read .*: a part of the path is not a directory/,
  );
  const newer = await write(join(scratch(t), 'newer'), []);
  newer.writeUInt32BE(2, 8);
  writeFileSync(path, newer);
  await assert.rejects(read(path), /has version 2 of the format, not 1$/);
});

test('a dump goes on where it was interrupted', async (t) => {
  const path = join(scratch(t), 'dump');
  const whole = await write(path, SAMPLE);
  writeFileSync(path, whole.subarray(0, whole.length - 30));
  const { reader } = await read(path);
  const writer = await DumpWriter.append(path, reader.wholeBytes, reader.count);
  await writer.store(SAMPLE.slice(reader.count));
  await writer.finish();
  const { items, reader: again } = await read(path);
  assert.deepEqual(items, SAMPLE);
  assert.equal(again.isComplete, true);
});

test('an existing file is not overwritten', async (t) => {
  const path = join(scratch(t), 'dump');
  writeFileSync(path, 'precious');
  await assert.rejects(DumpWriter.create(path), /cannot write .*: the file exists$/);
  assert.equal(readFileSync(path, 'utf8'), 'precious');
});
