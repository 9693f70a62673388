/**
 * Walks the whole shared state and reports what does not fit together. For tests and post-mortems:
 * call it when nothing else is at work.
 *
 * Every chunk is in exactly one of: free list, not yet carved, linked item, part of a linked item,
 * pinned item, upload. Lists are whole in both directions and agree with their counts. Every linked
 * item is in exactly one bucket and one list. No lock is held.
 */
import { atomicLoad } from '../memory/atomics.ts';
import { connectionsOf, connectionWord } from '../memory/connections.ts';
import {
  at,
  CHUNK_NEXT_I32,
  CHUNK_PREV_I32,
  CLASS_FREE_COUNT_I32,
  CLASS_FREE_HEAD_I32,
  CLASS_PAGES_I32,
  CLASS_PER_PAGE_I32,
  CLASS_USED_I32,
  CONN_PINNED_I32,
  CONN_UPLOAD_I32,
  DATA_NEXT_I32,
  HEAD_LOG_LOCK,
  HEAD_PAGE_COUNT,
  HEAD_PAGE_FRESH,
  HEAD_PAGE_LOCK,
  HEAD_PAGE_POOL,
  HEAD_PAGE_POOL_COUNT,
  HEAD_PAGE_RETIRED,
  ITEM_HASH_NEXT_I32,
  LRU_COUNT,
  PAGE_CARVED_I32,
  PAGE_CLASS_I32,
  PAGE_MOVING_I32,
  PAGE_NEXT_I32,
  PAGE_RETIRED,
  STATE_DATA,
  STATE_FREE,
  STATE_LARGE,
  STATE_LINKED,
  STATE_USED,
  STRIPE_BYTES,
  wordOf,
} from '../memory/layout.ts';
import { pageEntry } from '../memory/pages.ts';
import { forEachChunk } from '../memory/slab.ts';
import {
  chunkClassOf,
  firstDataWord,
  itemBytes,
  lruOf,
  refcountOf,
  tenantOf,
  valueBytesOf,
} from './item.ts';
import type { Store } from './store.ts';
import { dataCapacity } from './value.ts';

/** Everything that is wrong, as sentences; empty when all is well. */
export function auditCache(store: Store): string[] {
  return new Audit(store).run();
}

class Audit {
  private readonly store: Store;
  private readonly i32: Int32Array;
  private readonly problems: string[] = [];
  private readonly free = new Set<number>();
  private readonly linked = new Set<number>();
  private readonly inFlight = new Set<number>();
  private readonly data = new Set<number>();
  private readonly pins = new Map<number, number>();
  private readonly uploads = new Set<number>();

  constructor(store: Store) {
    this.store = store;
    this.i32 = store.memory.i32;
  }

  run(): string[] {
    this.checkLocks();
    this.collectConnections();
    this.collectChunks();
    this.checkPages();
    for (let id = 1; id <= this.store.memory.classLargest; id++) {
      this.checkFreeList(id);
      this.checkLists(id);
    }
    this.checkBuckets();
    this.checkInFlight();
    this.checkDataChains();
    return this.problems;
  }

  private expect(condition: boolean, problem: string): void {
    if (!condition) this.problems.push(problem);
  }

  private checkLocks(): void {
    const { store, i32 } = this;
    const { layout, classLargest } = store.memory;
    for (let stripe = 0; stripe < layout.stripeCount; stripe++) {
      const word = wordOf(layout.stripes + stripe * STRIPE_BYTES);
      this.expect(atomicLoad(i32, word) === 0, `stripe ${stripe} is locked`);
    }
    for (let id = 1; id <= classLargest; id++) {
      this.expect(atomicLoad(i32, store.slab.classWord(id)) === 0, `class ${id} is locked`);
    }
    this.expect(atomicLoad(i32, HEAD_PAGE_LOCK) === 0, 'the page pool is locked');
    this.expect(atomicLoad(i32, HEAD_LOG_LOCK) === 0, 'the log is locked');
  }

  private collectConnections(): void {
    const { memory } = this.store;
    for (let worker = 0; worker < memory.config.workers; worker++) {
      for (const slot of connectionsOf(memory, worker)) {
        const word = connectionWord(memory, slot);
        const pinned = this.i32[word + CONN_PINNED_I32];
        const upload = this.i32[word + CONN_UPLOAD_I32];
        if (pinned !== 0) this.pins.set(pinned, (this.pins.get(pinned) ?? 0) + 1);
        if (upload !== 0) this.uploads.add(upload);
      }
    }
  }

  private collectChunks(): void {
    const { memory, slab } = this.store;
    const used = new Map<number, number>();
    for (let page = 0; page < this.i32[HEAD_PAGE_FRESH]; page++) {
      const id = this.i32[pageEntry(memory, page) + PAGE_CLASS_I32];
      forEachChunk(memory, page, (ref) => {
        const state = this.i32[at(ref)];
        if ((state & STATE_USED) !== 0) used.set(id, (used.get(id) ?? 0) + 1);
        if ((state & STATE_FREE) !== 0) {
          this.free.add(ref);
          this.expect(state === STATE_FREE, `free chunk ${ref} has state ${state}`);
        } else if ((state & STATE_DATA) !== 0) this.data.add(ref);
        else if ((state & STATE_LINKED) !== 0) this.linked.add(ref);
        else if ((state & STATE_USED) !== 0) this.inFlight.add(ref);
        else this.problems.push(`chunk ${ref} of class ${id} is in no state: ${state}`);
        if ((state & STATE_USED) !== 0 && chunkClassOf(this.i32, ref) !== id) {
          this.problems.push(`chunk ${ref} says class ${chunkClassOf(this.i32, ref)}, not ${id}`);
        }
      });
    }
    for (let id = 1; id <= memory.classLargest; id++) {
      const counted = this.i32[slab.classWord(id) + CLASS_USED_I32];
      this.expect(counted === (used.get(id) ?? 0), `class ${id} counts ${counted} used chunks`);
    }
  }

  private checkPages(): void {
    const { memory, slab } = this.store;
    const { i32 } = this;
    const pages = new Map<number, number>();
    for (let page = 0; page < i32[HEAD_PAGE_FRESH]; page++) {
      const entry = pageEntry(memory, page);
      const id = i32[entry + PAGE_CLASS_I32];
      pages.set(id, (pages.get(id) ?? 0) + 1);
      this.expect(id >= PAGE_RETIRED, `page ${page} is on its way for ever`);
      this.expect(i32[entry + PAGE_MOVING_I32] === 0, `page ${page} is moving for ever`);
      if (id <= 0) continue;
      const perPage = i32[slab.classWord(id) + CLASS_PER_PAGE_I32];
      this.expect(i32[entry + PAGE_CARVED_I32] <= perPage, `page ${page} is over-carved`);
    }
    let owned = 0;
    for (let id = 1; id <= memory.classLargest; id++) {
      const counted = i32[slab.classWord(id) + CLASS_PAGES_I32];
      this.expect(counted === (pages.get(id) ?? 0), `class ${id} counts ${counted} pages`);
      owned += counted;
    }
    this.expect(i32[HEAD_PAGE_COUNT] === owned, 'the pool miscounts the pages of classes');
    let pooled = 0;
    for (let next = i32[HEAD_PAGE_POOL]; next !== 0 && pooled <= i32[HEAD_PAGE_FRESH]; pooled++) {
      next = i32[pageEntry(memory, next - 1) + PAGE_NEXT_I32];
    }
    const counted = i32[HEAD_PAGE_POOL_COUNT];
    this.expect(pooled === counted, `the pool has ${pooled} pages and counts ${counted}`);
    this.expect(pooled === (pages.get(0) ?? 0), 'pages are lost to pool and classes');
    let retired = 0;
    for (let next = i32[HEAD_PAGE_RETIRED]; next !== 0 && retired <= i32[HEAD_PAGE_FRESH]; ) {
      next = i32[pageEntry(memory, next - 1) + PAGE_NEXT_I32];
      retired++;
    }
    this.expect(retired === (pages.get(PAGE_RETIRED) ?? 0), 'pages given up are lost');
  }

  private checkFreeList(id: number): void {
    const word = this.store.slab.classWord(id);
    let count = 0;
    let previous = 0;
    let ref = this.i32[word + CLASS_FREE_HEAD_I32];
    while (ref !== 0 && this.free.delete(ref)) {
      this.expect(this.i32[at(ref) + CHUNK_PREV_I32] === previous, `free list ${id} is torn`);
      count++;
      previous = ref;
      ref = this.i32[at(ref) + CHUNK_NEXT_I32];
    }
    this.expect(ref === 0, `free list ${id} has a chunk that is in use or twice: ${ref}`);
    const counted = this.i32[word + CLASS_FREE_COUNT_I32];
    this.expect(count === counted, `free list ${id} has ${count} chunks, counts ${counted}`);
    if (id === this.store.memory.classLargest) {
      this.expect(this.free.size === 0, `${this.free.size} free chunks are in no free list`);
    }
  }

  private checkLists(id: number): void {
    const { lists } = this.store;
    for (let lru = 0; lru < LRU_COUNT; lru++) {
      const name = `list ${id}/${lru}`;
      let count = 0;
      let bytes = 0;
      let previous = 0;
      const limit = lists.items(0, id, lru);
      let ref = lists.head(0, id, lru);
      while (ref !== 0 && count <= limit) {
        this.expect(this.linked.has(ref), `${name} has an item that is not linked: ${ref}`);
        this.expect(lruOf(this.i32, ref) === lru, `${name} has an item of another list`);
        this.expect(tenantOf(this.i32, ref) === 0, `${name} has an item of another tenant`);
        this.expect(lists.classOf(ref) === id, `${name} has an item of another class`);
        this.expect(this.i32[at(ref) + CHUNK_PREV_I32] === previous, `${name} is torn`);
        bytes += itemBytes(this.i32, ref);
        count++;
        previous = ref;
        ref = this.i32[at(ref) + CHUNK_NEXT_I32];
      }
      this.expect(count === limit, `${name} has ${count} items, counts ${limit}`);
      this.expect(lists.tail(0, id, lru) === previous, `${name} ends elsewhere than its tail`);
      this.expect(bytes === lists.bytes(0, id, lru), `${name} miscounts its bytes`);
    }
  }

  private checkBuckets(): void {
    const { table, memory, lists } = this.store;
    let items = 0;
    const seen = new Set<number>();
    for (let stripe = 0; stripe < memory.layout.stripeCount; stripe++) {
      table.forEachBucket(stripe, (bucket) => {
        let ref = this.i32[bucket];
        while (ref !== 0 && !seen.has(ref)) {
          seen.add(ref);
          items++;
          this.expect(this.linked.has(ref), `a bucket has an item that is not linked: ${ref}`);
          this.expect(table.doContains(table.hashOf(ref), ref), `item ${ref}: wrong bucket`);
          this.expect(
            refcountOf(this.i32, ref) === (this.pins.get(ref) ?? 0),
            `item ${ref} has ${refcountOf(this.i32, ref)} references`,
          );
          ref = this.i32[at(ref) + ITEM_HASH_NEXT_I32];
        }
        this.expect(ref === 0, `item ${ref} is in two buckets or a circle`);
      });
    }
    this.expect(items === this.linked.size, `${this.linked.size} linked, ${items} in buckets`);
    this.expect(items === lists.itemsTotal(0), `${lists.itemsTotal(0)} in lists`);
  }

  private checkInFlight(): void {
    for (const ref of this.inFlight) {
      const known = this.uploads.has(ref) || this.pins.has(ref);
      this.expect(known, `chunk ${ref} is in use by nobody (${this.i32[at(ref)]})`);
    }
  }

  private checkDataChains(): void {
    const { memory } = this.store;
    for (const ref of [...this.linked, ...this.inFlight]) {
      if ((this.i32[at(ref)] & STATE_LARGE) === 0) continue;
      let room = 0;
      let chunk = this.i32[firstDataWord(this.i32, ref)];
      while (chunk !== 0 && this.data.delete(chunk)) {
        room += dataCapacity(memory, chunk);
        chunk = this.i32[at(chunk) + DATA_NEXT_I32];
      }
      this.expect(chunk === 0, `item ${ref} has a data chunk that is not its own`);
      const complete = !this.linked.has(ref) || room >= valueBytesOf(this.i32, ref);
      this.expect(complete, `item ${ref} lacks data chunks`);
    }
    this.expect(this.data.size === 0, `${this.data.size} data chunks belong to no item`);
  }
}
