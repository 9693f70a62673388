/**
 * The LRU lists: four per (tenant, slab class), doubly linked, most recent at the head, with their
 * item and byte counts. Mechanism only: which item goes where is the policy's business.
 *
 * `do...` functions are for callers that hold the lock of the list's class. The list of a large
 * item is that of the largest class, whatever class its header chunk is from.
 */
import { CLASS_COUNT_MAX } from '../memory/classes.ts';
import {
  at,
  CHUNK_NEXT_I32,
  CHUNK_PREV_I32,
  LIST_HEAD_I32,
  LIST_ITEMS_I32,
  LIST_TAIL_I32,
  LIST_WORDS,
  LISTS_BYTES,
  LISTS_SIZES_F64,
  LISTS_STATS_F64,
  LRU_COUNT,
  wordOf,
} from '../memory/layout.ts';
import type { Memory } from '../memory/memory.ts';
import { chunkClassOf, isLarge, itemBytes, lruOf, tenantOf } from './item.ts';

/** One thread's access to the lists. */
export class Lists {
  readonly memory: Memory;
  private readonly i32: Int32Array;
  private readonly f64: Float64Array;

  constructor(memory: Memory) {
    this.memory = memory;
    this.i32 = memory.i32;
    this.f64 = memory.f64;
  }

  /** First byte of the record of a (tenant, class). */
  private record(tenant: number, id: number): number {
    return this.memory.layout.lists + (tenant * CLASS_COUNT_MAX + id) * LISTS_BYTES;
  }

  /** First word of a list. */
  private listWord(tenant: number, id: number, lru: number): number {
    return wordOf(this.record(tenant, id)) + lru * LIST_WORDS;
  }

  /** The class whose lists an item is in, and whose lock guards them. */
  classOf(ref: number): number {
    const { i32 } = this;
    return isLarge(i32, ref) ? this.memory.classLargest : chunkClassOf(i32, ref);
  }

  /** Links an item at the head of the list that its header names. */
  doLink(ref: number): void {
    const { i32 } = this;
    const tenant = tenantOf(i32, ref);
    const id = this.classOf(ref);
    const lru = lruOf(i32, ref);
    const list = this.listWord(tenant, id, lru);
    const head = i32[list + LIST_HEAD_I32];
    const item = at(ref);
    i32[item + CHUNK_NEXT_I32] = head;
    i32[item + CHUNK_PREV_I32] = 0;
    if (head !== 0) i32[at(head) + CHUNK_PREV_I32] = ref;
    else i32[list + LIST_TAIL_I32] = ref;
    i32[list + LIST_HEAD_I32] = ref;
    i32[list + LIST_ITEMS_I32]++;
    this.f64[this.record(tenant, id) / 8 + LISTS_SIZES_F64 + lru] += itemBytes(i32, ref);
  }

  /** Links an item at the tail of the list that its header names. */
  doAppend(ref: number): void {
    const { i32 } = this;
    const tenant = tenantOf(i32, ref);
    const id = this.classOf(ref);
    const lru = lruOf(i32, ref);
    const list = this.listWord(tenant, id, lru);
    const tail = i32[list + LIST_TAIL_I32];
    i32[at(ref) + CHUNK_NEXT_I32] = 0;
    i32[at(ref) + CHUNK_PREV_I32] = tail;
    if (tail !== 0) i32[at(tail) + CHUNK_NEXT_I32] = ref;
    else i32[list + LIST_HEAD_I32] = ref;
    i32[list + LIST_TAIL_I32] = ref;
    i32[list + LIST_ITEMS_I32]++;
    this.f64[this.record(tenant, id) / 8 + LISTS_SIZES_F64 + lru] += itemBytes(i32, ref);
  }

  /** Takes an item out of its list. */
  doUnlink(ref: number): void {
    const { i32 } = this;
    const tenant = tenantOf(i32, ref);
    const id = this.classOf(ref);
    const lru = lruOf(i32, ref);
    const list = this.listWord(tenant, id, lru);
    const item = at(ref);
    const next = i32[item + CHUNK_NEXT_I32];
    const prev = i32[item + CHUNK_PREV_I32];
    if (prev === 0) i32[list + LIST_HEAD_I32] = next;
    else i32[at(prev) + CHUNK_NEXT_I32] = next;
    if (next === 0) i32[list + LIST_TAIL_I32] = prev;
    else i32[at(next) + CHUNK_PREV_I32] = prev;
    i32[list + LIST_ITEMS_I32]--;
    this.f64[this.record(tenant, id) / 8 + LISTS_SIZES_F64 + lru] -= itemBytes(i32, ref);
  }

  /** Puts a copy of an item into its place in the list. Header and size are the same in both. */
  doSubstitute(ref: number, copy: number): void {
    const { i32 } = this;
    const list = this.listWord(tenantOf(i32, ref), this.classOf(ref), lruOf(i32, ref));
    const next = i32[at(ref) + CHUNK_NEXT_I32];
    const prev = i32[at(ref) + CHUNK_PREV_I32];
    i32[at(copy) + CHUNK_NEXT_I32] = next;
    i32[at(copy) + CHUNK_PREV_I32] = prev;
    if (prev === 0) i32[list + LIST_HEAD_I32] = copy;
    else i32[at(prev) + CHUNK_NEXT_I32] = copy;
    if (next === 0) i32[list + LIST_TAIL_I32] = copy;
    else i32[at(next) + CHUNK_PREV_I32] = copy;
  }

  /** The least recently used item of a list, or 0. */
  tail(tenant: number, id: number, lru: number): number {
    return this.i32[this.listWord(tenant, id, lru) + LIST_TAIL_I32];
  }

  head(tenant: number, id: number, lru: number): number {
    return this.i32[this.listWord(tenant, id, lru) + LIST_HEAD_I32];
  }

  /** Items in a list. */
  items(tenant: number, id: number, lru: number): number {
    return this.i32[this.listWord(tenant, id, lru) + LIST_ITEMS_I32];
  }

  /** Bytes of the items in a list. */
  bytes(tenant: number, id: number, lru: number): number {
    return this.f64[this.record(tenant, id) / 8 + LISTS_SIZES_F64 + lru];
  }

  /** Adds to an item statistic of a (tenant, class); names in counters.ts. */
  doCount(tenant: number, id: number, statistic: number, amount: number): void {
    this.f64[this.record(tenant, id) / 8 + LISTS_STATS_F64 + statistic] += amount;
  }

  doSetStatistic(tenant: number, id: number, statistic: number, value: number): void {
    this.f64[this.record(tenant, id) / 8 + LISTS_STATS_F64 + statistic] = value;
  }

  statistic(tenant: number, id: number, statistic: number): number {
    return this.f64[this.record(tenant, id) / 8 + LISTS_STATS_F64 + statistic];
  }

  /** Zeroes the item statistics of a (tenant, class). */
  doResetStatistics(tenant: number, id: number): void {
    const start = this.record(tenant, id) / 8 + LISTS_STATS_F64;
    this.f64.fill(0, start, this.record(tenant, id) / 8 + LISTS_BYTES / 8);
  }

  /** Says where a list begins, before it is rebuilt. */
  doSetHead(tenant: number, id: number, lru: number, ref: number): void {
    this.i32[this.listWord(tenant, id, lru) + LIST_HEAD_I32] = ref;
  }

  /** Empties the lists of a class without touching its items, before they are rebuilt. */
  doClear(tenant: number, id: number): void {
    for (let lru = 0; lru < LRU_COUNT; lru++) {
      const list = this.listWord(tenant, id, lru);
      this.i32.fill(0, list, list + LIST_WORDS);
      this.f64[this.record(tenant, id) / 8 + LISTS_SIZES_F64 + lru] = 0;
    }
  }

  /** Items over all lists of a tenant; an item on its way between lists may count twice or not. */
  itemsTotal(tenant: number): number {
    let sum = 0;
    for (let id = 1; id <= this.memory.classLargest; id++) {
      for (let lru = 0; lru < LRU_COUNT; lru++) sum += this.items(tenant, id, lru);
    }
    return sum;
  }
}
