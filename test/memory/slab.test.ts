/**
 * Checks the allocator and the pool of pages: chunks come from free lists or are carved, pages obey
 * the limit but for a class's first one, and whatever is given back can be had again.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { PAGE_BYTES } from '../../src/memory/classes.ts';
import {
  CLASS_CARVE_PAGE_I32,
  HEAD_PAGE_COUNT,
  HEAD_PAGE_FRESH,
  HEAD_PAGE_LIMIT,
  HEAD_PAGE_POOL_COUNT,
  PAGE_CLASS_I32,
} from '../../src/memory/layout.ts';
import type { Memory } from '../../src/memory/memory.ts';
import {
  pageEntry,
  pageOf,
  pageRef,
  rebuildPool,
  returnPage,
  takePage,
} from '../../src/memory/pages.ts';
import { Slab } from '../../src/memory/slab.ts';
import { makeMemory } from '../support/cache.ts';
import { SlabModel } from './slab-model.ts';

const ACTOR = 2;

/** Three classes of 1, 2 and 8 chunks per page or so, and a few pages. */
function smallMemory(pages: number): Memory {
  const bytes = pages * PAGE_BYTES;
  return makeMemory({
    memoryLimit: bytes,
    memoryMax: bytes,
    chunkSizeMin: 100_000,
    growthFactor: 4,
    slabChunkMax: 1024 * 1024,
    maxConns: 1,
    hashPowerInit: 12,
  });
}

test('an item goes to the smallest class that holds it', () => {
  const memory = makeMemory({ memoryLimit: PAGE_BYTES, memoryMax: PAGE_BYTES });
  const slab = new Slab(memory, ACTOR);
  const largest = memory.classSizes[memory.classLargest];
  for (let bytes = 1; bytes <= largest; bytes += bytes < 2000 ? 1 : 997) {
    const id = slab.classFor(bytes);
    assert.ok(memory.classSizes[id] >= bytes);
    assert.ok(id === 1 || memory.classSizes[id - 1] < bytes);
  }
  assert.equal(slab.classFor(largest), memory.classLargest);
  assert.equal(slab.classFor(largest + 1), 0);
});

test('a page is carved chunk by chunk, to its end, before the next one is taken', () => {
  const memory = smallMemory(4);
  const model = new SlabModel(memory, ACTOR);
  const perPage = Math.floor(PAGE_BYTES / memory.classSizes[1]);
  for (let chunk = 1; chunk <= perPage; chunk++) {
    model.alloc(1);
    assert.equal(memory.i32[HEAD_PAGE_COUNT], 1);
    model.check();
  }
  assert.equal(memory.i32[model.slab.classWord(1) + CLASS_CARVE_PAGE_I32], 0);
  model.alloc(1);
  assert.equal(memory.i32[HEAD_PAGE_COUNT], 2);
  model.check();
});

test('a freed chunk is the next to be handed out', () => {
  const model = new SlabModel(smallMemory(2), ACTOR);
  for (let chunk = 0; chunk < 4; chunk++) model.alloc(1);
  const refs = [...model.used.keys()];
  model.free(1);
  model.alloc(1);
  assert.deepEqual(new Set(model.used.keys()), new Set(refs));
  model.check();
});

test('any free chunk can be taken out of the free list', () => {
  for (const position of [0, 1, 2]) {
    const model = new SlabModel(smallMemory(2), ACTOR);
    for (let chunk = 0; chunk < 3; chunk++) model.alloc(1);
    const [first, second, third] = model.used.keys();
    for (const _ of [first, second, third]) model.free(0);
    const { slab, memory } = model;
    slab.lockClass(1);
    slab.doUnlinkFree([first, second, third][position], 1);
    const left = [slab.doAlloc(1), slab.doAlloc(1)];
    slab.unlockClass(1);
    const others = [first, second, third].filter((_, index) => index !== position);
    assert.deepEqual(new Set(left), new Set(others));
    assert.equal(slab.freeChunks(1), Math.floor(PAGE_BYTES / memory.classSizes[1]) - 3);
  }
});

test('pages obey the limit, but every class gets its first one', () => {
  const memory = smallMemory(2);
  const model = new SlabModel(memory, ACTOR);
  while (model.alloc(1));
  assert.equal(memory.i32[HEAD_PAGE_COUNT], 2);
  for (let id = 2; id <= memory.classLargest; id++) {
    assert.ok(model.alloc(id), `class ${id} got no page`);
    while (model.alloc(id));
  }
  assert.equal(memory.i32[HEAD_PAGE_COUNT], 2 + memory.classLargest - 1);
  model.check();
});

test('raising the limit lets classes grow, up to the reserved address space', () => {
  const memory = smallMemory(1);
  const model = new SlabModel(memory, ACTOR);
  while (model.alloc(1));
  const before = model.used.size;
  memory.i32[HEAD_PAGE_LIMIT] = 1_000_000;
  while (model.alloc(1));
  assert.ok(model.used.size > before);
  assert.equal(memory.i32[HEAD_PAGE_COUNT], memory.layout.pageCountMax);
  model.check();
});

test('returned pages are used again before fresh ones', () => {
  const memory = smallMemory(3);
  const pages = [0, 1, 2].map(() => takePage(memory, ACTOR, false));
  assert.deepEqual(pages, [0, 1, 2]);
  assert.equal(takePage(memory, ACTOR, false), -1);
  returnPage(memory, ACTOR, 0);
  returnPage(memory, ACTOR, 2);
  assert.equal(memory.i32[HEAD_PAGE_POOL_COUNT], 2);
  assert.equal(memory.i32[HEAD_PAGE_COUNT], 1);
  const again = [takePage(memory, ACTOR, false), takePage(memory, ACTOR, false)];
  assert.deepEqual(new Set(again), new Set([0, 2]));
  assert.equal(memory.i32[HEAD_PAGE_POOL_COUNT], 0);
  assert.equal(memory.i32[HEAD_PAGE_FRESH], 3);
});

test('a page on its way is marked with who carries it', () => {
  const memory = smallMemory(3);
  const page = takePage(memory, 5, false);
  assert.equal(memory.i32[pageEntry(memory, page) + PAGE_CLASS_I32], -7);
});

test('the pool is rebuilt with the pages that a dead actor was carrying, and no others', () => {
  const memory = smallMemory(8);
  const { i32 } = memory;
  const [kept, carried, others, back] = [2, 3, 4, 2].map((actor) => takePage(memory, actor, false));
  i32[pageEntry(memory, kept) + PAGE_CLASS_I32] = 1;
  returnPage(memory, ACTOR, back);
  i32[HEAD_PAGE_POOL_COUNT] = 77;
  i32[HEAD_PAGE_COUNT] = 77;
  rebuildPool(memory, 3);
  assert.equal(i32[HEAD_PAGE_COUNT], 2);
  assert.equal(i32[HEAD_PAGE_POOL_COUNT], 2);
  const again = [takePage(memory, ACTOR, false), takePage(memory, ACTOR, false)];
  assert.deepEqual(new Set(again), new Set([carried, back]));
  assert.equal(i32[pageEntry(memory, others) + PAGE_CLASS_I32], -6);
});

test('a page and its chunks find each other', () => {
  const memory = smallMemory(8);
  for (const page of [0, 1, 7, memory.layout.pageCountMax - 1]) {
    const first = pageRef(memory, page);
    assert.equal(pageOf(memory, first), page);
    assert.equal(pageOf(memory, first + PAGE_BYTES / 8 - 1), page);
  }
});

type Operation = readonly [kind: 'alloc' | 'free', choice: number];

const operations = (): fc.Arbitrary<Operation[]> =>
  fc.array(
    fc.tuple(fc.constantFrom('alloc', 'alloc', 'free') as fc.Arbitrary<Operation[0]>, fc.nat(99)),
    { maxLength: 120, size: 'max' },
  );

test('after any sequence of alloc and free all counts and lists agree', () => {
  fc.assert(
    fc.property(operations(), fc.integer({ min: 1, max: 6 }), (sequence, pages) => {
      const memory = smallMemory(pages);
      const model = new SlabModel(memory, ACTOR);
      for (const [kind, choice] of sequence) {
        if (kind === 'alloc') model.alloc(1 + (choice % memory.classLargest));
        else model.free(choice);
      }
      model.check();
      const used = model.used.size;
      for (let left = used; left > 0; left--) model.free(0);
      model.check();
    }),
    { numRuns: 60 },
  );
});
