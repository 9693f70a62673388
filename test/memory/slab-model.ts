/**
 * What the allocator ought to have handed out, kept beside the real one: for comparing both after
 * any sequence of operations.
 */
import assert from 'node:assert/strict';
import { PAGE_BYTES } from '../../src/memory/classes.ts';
import {
  at,
  CHUNK_NEXT_I32,
  CHUNK_PREV_I32,
  CHUNK_STATE_I32,
  CLASS_FREE_COUNT_I32,
  CLASS_FREE_HEAD_I32,
  CLASS_PAGES_I32,
  CLASS_USED_I32,
  HEAD_PAGE_COUNT,
  HEAD_PAGE_FRESH,
  PAGE_CARVED_I32,
  PAGE_CLASS_I32,
  STATE_FREE,
  STATE_USED,
} from '../../src/memory/layout.ts';
import type { Memory } from '../../src/memory/memory.ts';
import { pageEntry, pageOf } from '../../src/memory/pages.ts';
import { forEachChunk, Slab } from '../../src/memory/slab.ts';

export class SlabModel {
  readonly slab: Slab;
  readonly memory: Memory;
  /** Chunks in use, with their class. */
  readonly used = new Map<number, number>();
  private readonly carved = new Map<number, number>();

  constructor(memory: Memory, actor: number) {
    this.memory = memory;
    this.slab = new Slab(memory, actor);
  }

  /** Allocates a chunk and checks what it is; false when there is no memory. */
  alloc(id: number): boolean {
    const { slab, memory } = this;
    const freeBefore = slab.freeChunks(id);
    slab.lockClass(id);
    const ref = slab.doAlloc(id);
    slab.unlockClass(id);
    if (ref === 0) {
      assert.equal(freeBefore, 0, 'refused although chunks were free');
      return false;
    }
    assert.ok(!this.used.has(ref), 'a chunk in use was handed out again');
    assert.equal(memory.i32[at(ref) + CHUNK_STATE_I32], STATE_USED);
    const start = at(ref) * 4;
    const page = pageOf(memory, ref);
    const pageStart = memory.layout.pages + page * PAGE_BYTES;
    assert.equal((start - pageStart) % memory.classSizes[id], 0);
    assert.ok(start + memory.classSizes[id] <= pageStart + PAGE_BYTES, 'runs out of its page');
    assert.equal(memory.i32[pageEntry(memory, page) + PAGE_CLASS_I32], id);
    this.used.set(ref, id);
    this.carved.set(ref, id);
    return true;
  }

  /** Frees the chunk in use at this position, if there is one. */
  free(position: number): void {
    const refs = [...this.used.keys()];
    if (refs.length === 0) return;
    const ref = refs[position % refs.length];
    this.slab.free(ref, this.used.get(ref) ?? 0);
    this.used.delete(ref);
  }

  usedOf(id: number): number {
    return [...this.used.values()].filter((other) => other === id).length;
  }

  /** Compares every count, list, state and page with what was handed out. */
  check(): void {
    const { memory, slab } = this;
    const { i32 } = memory;
    let pages = 0;
    for (let id = 1; id <= memory.classLargest; id++) {
      const word = slab.classWord(id);
      assert.equal(i32[word], 0, `class ${id} is locked`);
      assert.equal(i32[word + CLASS_USED_I32], this.usedOf(id));
      const free = this.freeList(id);
      assert.equal(i32[word + CLASS_FREE_COUNT_I32], free.length);
      const carved = [...this.carved].filter(([, other]) => other === id).map(([ref]) => ref);
      const expected = carved.filter((ref) => !this.used.has(ref));
      assert.deepEqual(new Set(free), new Set(expected));
      const perPage = Math.floor(PAGE_BYTES / memory.classSizes[id]);
      assert.equal(slab.freeChunks(id), i32[word + CLASS_PAGES_I32] * perPage - this.usedOf(id));
      pages += i32[word + CLASS_PAGES_I32];
    }
    assert.equal(i32[HEAD_PAGE_COUNT], pages);
    this.checkPages();
  }

  private checkPages(): void {
    const { memory } = this;
    const seen = new Set<number>();
    for (let page = 0; page < memory.i32[HEAD_PAGE_FRESH]; page++) {
      let count = 0;
      forEachChunk(memory, page, (ref) => {
        count++;
        seen.add(ref);
        const state = memory.i32[at(ref) + CHUNK_STATE_I32];
        assert.equal(state, this.used.has(ref) ? STATE_USED : STATE_FREE);
      });
      assert.equal(memory.i32[pageEntry(memory, page) + PAGE_CARVED_I32], count);
    }
    assert.deepEqual(seen, new Set(this.carved.keys()));
  }

  private freeList(id: number): number[] {
    const { i32 } = this.memory;
    const refs: number[] = [];
    let previous = 0;
    let ref = i32[this.slab.classWord(id) + CLASS_FREE_HEAD_I32];
    while (ref !== 0 && refs.length <= this.carved.size) {
      assert.equal(i32[at(ref) + CHUNK_PREV_I32], previous);
      refs.push(ref);
      previous = ref;
      ref = i32[at(ref) + CHUNK_NEXT_I32];
    }
    return refs;
  }
}
