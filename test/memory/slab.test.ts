/** The allocator: chunks and pages are handed out once, found again, and never beyond the limit. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { auditCache } from '../../src/cache/audit.ts';
import {
  CLASS_FREE_COUNT_I32,
  CLASS_PAGES_I32,
  CLASS_PER_PAGE_I32,
  CLASS_USED_I32,
  HEAD_PAGE_COUNT,
  HEAD_PAGE_POOL_COUNT,
} from '../../src/memory/layout.ts';
import type { Memory } from '../../src/memory/memory.ts';
import { pageOf, pageRef, returnPage, takePage } from '../../src/memory/pages.ts';
import { Slab } from '../../src/memory/slab.ts';
import { makeMemory, makeStore } from '../support/cache.ts';

const MEGABYTE = 2 ** 20;

function make(pages: number): { memory: Memory; slab: Slab } {
  const memory = makeMemory({ memoryLimit: pages * MEGABYTE, memoryMax: pages * MEGABYTE });
  return { memory, slab: new Slab(memory, 2) };
}

/** All chunks that a class will give. */
function exhaust(slab: Slab, id: number): number[] {
  const refs: number[] = [];
  slab.lockClass(id);
  for (let ref = slab.doAlloc(id); ref !== 0; ref = slab.doAlloc(id)) refs.push(ref);
  slab.unlockClass(id);
  return refs;
}

test('classFor gives the smallest class that holds a size', () => {
  const { memory, slab } = make(1);
  const sizes = [...memory.classSizes].slice(1);
  for (let bytes = 1; bytes <= 3000; bytes++) {
    assert.equal(slab.classFor(bytes), sizes.findIndex((size) => size >= bytes) + 1);
  }
  assert.equal(slab.classFor(sizes.at(-1) ?? 0), sizes.length);
  assert.equal(slab.classFor((sizes.at(-1) ?? 0) + 1), 0);
});

test('a class gives every chunk of its pages once, and stops at the limit', () => {
  const { memory, slab } = make(2);
  const id = slab.classFor(5000);
  const perPage = memory.i32[slab.classWord(id) + CLASS_PER_PAGE_I32];
  const refs = exhaust(slab, id);
  assert.equal(refs.length, 2 * perPage);
  assert.equal(new Set(refs).size, refs.length);
  const bytes = memory.classSizes[id];
  const sorted = [...refs].sort((a, b) => a - b);
  for (let i = 1; i < sorted.length; i++) assert.ok((sorted[i] - sorted[i - 1]) * 8 >= bytes);
  for (const ref of refs) {
    const page = pageOf(memory, ref);
    assert.ok(page < 2);
    assert.ok((ref - pageRef(memory, page)) * 8 + bytes <= MEGABYTE, 'a chunk leaves its page');
  }
});

test('a class without a page gets one beyond the limit, and only one', () => {
  const { memory, slab } = make(1);
  const first = slab.classFor(100);
  exhaust(slab, first);
  const second = slab.classFor(9000);
  const perPage = memory.i32[slab.classWord(second) + CLASS_PER_PAGE_I32];
  assert.equal(exhaust(slab, second).length, perPage);
  assert.equal(memory.i32[HEAD_PAGE_COUNT], 2);
  assert.deepEqual(exhaust(slab, first), []);
});

test('what was freed last is given first', () => {
  const { slab } = make(1);
  const id = slab.classFor(100);
  const [a, b, c] = exhaust(slab, id);
  for (const ref of [a, c, b]) slab.free(ref, id);
  assert.deepEqual(exhaust(slab, id), [b, c, a]);
});

test('a chunk can be taken out of the free list wherever it stands', () => {
  for (const taken of [0, 1, 2]) {
    const { slab } = make(1);
    const id = slab.classFor(100);
    const refs = exhaust(slab, id).slice(0, 3);
    for (const ref of refs) slab.free(ref, id);
    slab.doUnlinkFree(refs[taken], id);
    const left = refs.filter((_, index) => index !== taken).reverse();
    assert.deepEqual(exhaust(slab, id), left);
  }
});

test('pages come fresh up to the limit, then from what was returned', () => {
  const { memory } = make(2);
  const take = (): number => takePage(memory, 2, false);
  assert.deepEqual([take(), take(), take()], [0, 1, -1]);
  returnPage(memory, 2, 0);
  assert.equal(memory.i32[HEAD_PAGE_POOL_COUNT], 1);
  assert.deepEqual([take(), take()], [0, -1]);
  assert.equal(memory.i32[HEAD_PAGE_POOL_COUNT], 0);
  assert.equal(takePage(memory, 2, true), 2);
});

test('after any allocations and frees, every chunk is free, uncarved or in use', () => {
  const step = fc.record({ bytes: fc.constantFrom(60, 500, 5000, 300_000), free: fc.boolean() });
  fc.assert(
    fc.property(fc.array(fc.tuple(step, fc.nat()), { maxLength: 300 }), (steps) => {
      const { memory, slab } = make(3);
      const used: { ref: number; id: number }[] = [];
      for (const [{ bytes, free }, dice] of steps) {
        if (free && used.length > 0) {
          const [gone] = used.splice(dice % used.length, 1);
          slab.free(gone.ref, gone.id);
          continue;
        }
        const id = slab.classFor(bytes);
        slab.lockClass(id);
        const ref = slab.doAlloc(id);
        slab.unlockClass(id);
        if (ref !== 0) used.push({ ref, id });
      }
      for (let id = 1; id <= memory.classLargest; id++) {
        const word = slab.classWord(id);
        const mine = used.filter((each) => each.id === id).length;
        const pages = memory.i32[word + CLASS_PAGES_I32];
        assert.equal(memory.i32[word + CLASS_USED_I32], mine);
        const all = pages * memory.i32[word + CLASS_PER_PAGE_I32];
        assert.equal(slab.freeChunks(id), all - mine);
        assert.ok(memory.i32[word + CLASS_FREE_COUNT_I32] <= all - mine);
      }
      for (const { ref, id } of used) slab.free(ref, id);
      assert.deepEqual(auditCache(makeStore(memory)), []);
    }),
    { numRuns: 60 },
  );
});
