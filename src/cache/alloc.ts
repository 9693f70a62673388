/**
 * Room for new items: a chunk of the right class, evicting if there is none, and for items above
 * slab_chunk_max a head chunk to which data chunks are added while the value arrives.
 */
import { type Bytes, copyBytes } from '../memory/bytes.ts';
import {
  at,
  CHUNK_CLASS_I32,
  CHUNK_STATE_I32,
  DATA_HEAD_I32,
  DATA_HEADER_BYTES,
  DATA_NEXT_I32,
  ITEM_EXPTIME_I32,
  ITEM_HEADER_BYTES,
  ITEM_VALUE_BYTES_I32,
  STATE_CFLAGS,
  STATE_DATA,
  STATE_LARGE,
  STATE_USED,
} from '../memory/layout.ts';
import type { Memory } from '../memory/memory.ts';
import type { Slab } from '../memory/slab.ts';
import { ITEM_DIRECT_RECLAIMS, ITEM_OUTOFMEMORY } from './counters.ts';
import type { Eviction } from './eviction.ts';
import {
  CAS_BYTES,
  classWordOf,
  firstDataWord,
  itemBytesFor,
  keyAt,
  memcachedItemBytes,
  setCas,
  setClientFlags,
} from './item.ts';
import type { Lists } from './lists.ts';
import type { Unlinker } from './unlink.ts';

/** Attempts to make room before an allocation is given up. */
const TRIES = 10;

/** One thread's way of getting items. */
export class Allocator {
  private readonly memory: Memory;
  private readonly i32: Int32Array;
  private readonly slab: Slab;
  private readonly lists: Lists;
  private readonly eviction: Eviction;
  private readonly unlinker: Unlinker;
  /** The largest item, by memcached's arithmetic with cas ids. */
  private readonly itemBytesMax: number;

  constructor(
    memory: Memory,
    casEnabled: boolean,
    slab: Slab,
    lists: Lists,
    eviction: Eviction,
    unlinker: Unlinker,
  ) {
    this.memory = memory;
    this.i32 = memory.i32;
    this.slab = slab;
    this.lists = lists;
    this.eviction = eviction;
    this.unlinker = unlinker;
    this.itemBytesMax = memory.config.itemSizeMax + (casEnabled ? 0 : CAS_BYTES);
  }

  /** Whether -I allows an item of this size: what -C saves in memcached leaves room for more. */
  sizeAllowed(keyBytes: number, flags: number, valueBytes: number): boolean {
    return memcachedItemBytes(keyBytes, flags, valueBytes) <= this.itemBytesMax;
  }

  /**
   * An unlinked item with its key and header filled in, or 0 when there is no memory or -I forbids
   * it. `flags` as int32, `exptime` in clock seconds. The caller fills in the value and links or
   * frees it.
   */
  allocItem(
    tenant: number,
    key: Bytes,
    keyStart: number,
    keyBytes: number,
    flags: number,
    exptime: number,
    valueBytes: number,
  ): number {
    if (!this.sizeAllowed(keyBytes, flags, valueBytes)) return 0;
    const { i32, slab } = this;
    const bytes = itemBytesFor(keyBytes, flags, valueBytes);
    const large = bytes > this.memory.config.slabChunkMax;
    const id = slab.classFor(large ? itemBytesFor(keyBytes, flags, 0) + 4 : bytes);
    const ref = id === 0 ? 0 : this.allocChunk(tenant, id);
    if (ref === 0) {
      this.countOutOfMemory(tenant, large ? this.memory.classLargest : id);
      return 0;
    }
    const word = at(ref);
    i32[word + CHUNK_CLASS_I32] = classWordOf(id, this.eviction.listFor(exptime), keyBytes, tenant);
    i32[word + ITEM_EXPTIME_I32] = exptime;
    i32[word + ITEM_VALUE_BYTES_I32] = valueBytes;
    setCas(i32, ref, 0, 0);
    let state = STATE_USED;
    if (flags !== 0) {
      state |= STATE_CFLAGS;
      setClientFlags(i32, ref, flags);
    }
    if (large) {
      i32[word + ITEM_HEADER_BYTES / 4 + (flags !== 0 ? 1 : 0)] = 0;
      state |= STATE_LARGE;
    }
    i32[word + CHUNK_STATE_I32] = state;
    copyBytes(key, keyStart, this.memory.bytes, keyAt(i32, ref), keyBytes);
    return ref;
  }

  /**
   * Adds a data chunk to a large item behind `last` (0: the first one), for `remaining` bytes of
   * value. Returns it, or 0 when there is no memory.
   */
  addDataChunk(ref: number, tenant: number, last: number, remaining: number): number {
    const { i32, slab, memory } = this;
    const wanted = Math.min(remaining + DATA_HEADER_BYTES, memory.config.slabChunkMax);
    let id = slab.classFor(wanted);
    let chunk = this.allocChunk(tenant, id);
    if (chunk === 0 && id !== memory.classLargest) {
      // A smaller class may have nothing to evict; a large chunk can always be had by evicting a
      // large item.
      id = memory.classLargest;
      chunk = this.allocChunk(tenant, id);
    }
    if (chunk === 0) {
      this.countOutOfMemory(tenant, memory.classLargest);
      return 0;
    }
    const word = at(chunk);
    i32[word + DATA_NEXT_I32] = 0;
    i32[word + DATA_HEAD_I32] = ref;
    // Marked first: what is in a chain is freed with its item, and not by itself.
    i32[word + CHUNK_STATE_I32] = STATE_USED | STATE_DATA;
    if (last === 0) i32[firstDataWord(i32, ref)] = chunk;
    else i32[at(last) + DATA_NEXT_I32] = chunk;
    return chunk;
  }

  /** Counts a failed allocation for the class whose list the item would have been in. */
  private countOutOfMemory(tenant: number, id: number): void {
    this.slab.lockClass(id);
    this.lists.doCount(tenant, id, ITEM_OUTOFMEMORY, 1);
    this.slab.unlockClass(id);
  }

  /** A chunk of the class, making room for it if need be, or 0. */
  private allocChunk(tenant: number, id: number): number {
    const { slab } = this;
    slab.lockClass(id);
    let ref = slab.doAlloc(id);
    let tries = 0;
    while (ref === 0 && tries < TRIES) {
      tries++;
      const large = this.eviction.doMakeRoom(tenant, id);
      if (large !== 0) {
        slab.unlockClass(id);
        this.unlinker.freeLarge(large);
        slab.lockClass(id);
      }
      ref = slab.doAlloc(id);
    }
    if (tries > 0) this.lists.doCount(tenant, id, ITEM_DIRECT_RECLAIMS, tries);
    slab.unlockClass(id);
    return ref;
  }
}
