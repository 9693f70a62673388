/**
 * Makes a living cache of pages that were read from elsewhere: references are turned into those of
 * this memory, every chunk is checked, and hash table, lists and counts are built from the state
 * words, as recovery does. A chunk that does not add up becomes a free one, so that no content of
 * the pages can do harm.
 *
 * For a memory that no other thread works on yet.
 */
import { startClockAt } from '../memory/clock.ts';
import {
  at,
  CHUNK_CLASS_I32,
  CHUNK_NEXT_I32,
  CHUNK_PREV_I32,
  CHUNK_STATE_I32,
  DATA_HEAD_I32,
  DATA_NEXT_I32,
  HEAD_CAS_LOW,
  HEAD_HASH_POWER,
  HEAD_LOG_GID,
  HEAD_PAGE_COUNT,
  HEAD_PAGE_FRESH,
  HEAD_SIZES_CAS_HIGH,
  HEAD_SIZES_CAS_LOW,
  HEAD_SIZES_ENABLED,
  ITEM_HASH_NEXT_I32,
  ITEM_HEADER_BYTES,
  LRU_COUNT,
  PAGE_CARVED_I32,
  PAGE_CLASS_I32,
  PAGE_MOVING_I32,
  STATE_CFLAGS,
  STATE_DATA,
  STATE_FLAGS,
  STATE_FREE,
  STATE_LARGE,
  STATE_LINKED,
  STATE_USED,
  STRIPE_BYTES,
  STRIPE_MASK_I32,
  TENANT_COUNT,
  TENANT_FLUSH_MARK_I32,
  TENANT_OLDEST_CAS_HIGH_I32,
  TENANT_OLDEST_CAS_LOW_I32,
  TENANT_OLDEST_LIVE_I32,
  wordOf,
} from '../memory/layout.ts';
import type { Memory } from '../memory/memory.ts';
import { pageEntry, pageRef } from '../memory/pages.ts';
import { forEachChunk } from '../memory/slab.ts';
import { TOTAL_ITEMS } from './counters.ts';
import { tenantWord } from './expiry.ts';
import type { Image, ImagePage } from './image.ts';
import { firstDataWord, KEY_BYTES_MAX, keyBytesOf, tenantOf, valueBytesOf } from './item.ts';
import { LOAD_MAX } from './maintainer.ts';
import { rebuildClass } from './rebuild.ts';
import { trackSize } from './sizes.ts';
import type { Store } from './store.ts';
import { dataCapacity } from './value.ts';

const PAGE_UNITS = 131_072;
/** In the owner word of a data chunk: it belongs to an item that is whole. No actor has this. */
const CLAIMED = -1;

/** Enters pages in the page table; page k of the list has its bytes in place as page k here. */
export function placePages(memory: Memory, pages: readonly ImagePage[]): void {
  const { i32 } = memory;
  for (const [index, { id, carved }] of pages.entries()) {
    const entry = pageEntry(memory, index);
    i32[entry + PAGE_CLASS_I32] = id;
    i32[entry + PAGE_CARVED_I32] = carved;
    i32[entry + PAGE_MOVING_I32] = 0;
  }
  i32[HEAD_PAGE_FRESH] = pages.length;
  i32[HEAD_PAGE_COUNT] = pages.length;
}

/** Brings placed pages to life; `nowMs` is the wall clock. Returns how many items there are. */
export function adoptPages(
  store: Store,
  image: Image,
  pages: readonly ImagePage[],
  nowMs: number,
): number {
  const { memory } = store;
  // Time that has passed since counts; a wall clock that was set back does not.
  const away = Math.max(0, Math.floor(nowMs / 1000) - image.savedAt);
  startClockAt(memory, image.clock + away, nowMs);
  restoreSequences(memory, image);
  growTable(memory, image.items);
  return new Adoption(store, image, pages).run();
}

function restoreSequences(memory: Memory, image: Image): void {
  const { i32 } = memory;
  for (let word = 0; word < 3; word++) {
    i32[HEAD_CAS_LOW + word] = image.cas[word];
    i32[HEAD_LOG_GID + word] = image.gid[word];
  }
  for (const [tenant, [oldestLive, casLow, casHigh, mark]] of image.flushes.entries()) {
    const word = tenantWord(memory, tenant);
    i32[word + TENANT_OLDEST_LIVE_I32] = oldestLive;
    i32[word + TENANT_OLDEST_CAS_LOW_I32] = casLow;
    i32[word + TENANT_OLDEST_CAS_HIGH_I32] = casHigh;
    i32[word + TENANT_FLUSH_MARK_I32] = mark;
  }
}

/** Makes the empty hash table as large as so many items need. */
function growTable(memory: Memory, items: number): void {
  const { i32, layout } = memory;
  let power = i32[HEAD_HASH_POWER];
  while (power < layout.hashPowerMax && items > 2 ** power * LOAD_MAX) power++;
  i32[HEAD_HASH_POWER] = power;
  for (let stripe = 0; stripe < layout.stripeCount; stripe++) {
    i32[wordOf(layout.stripes + stripe * STRIPE_BYTES) + STRIPE_MASK_I32] = 2 ** power - 1;
  }
}

class Adoption {
  private readonly store: Store;
  private readonly memory: Memory;
  private readonly i32: Int32Array;
  private readonly image: Image;
  /** The number here of each page of the image, + 1; 0 for a page that was not saved. */
  private readonly placeOf: Int32Array;
  private items = 0;

  constructor(store: Store, image: Image, pages: readonly ImagePage[]) {
    this.store = store;
    this.memory = store.memory;
    this.i32 = store.memory.i32;
    this.image = image;
    const last = pages.reduce((most, { page }) => Math.max(most, page), 0);
    this.placeOf = new Int32Array(last + 1);
    for (const [index, { page }] of pages.entries()) this.placeOf[page] = index + 1;
  }

  run(): number {
    const { store, i32 } = this;
    if (i32[HEAD_SIZES_ENABLED] !== 0) {
      i32[HEAD_SIZES_CAS_LOW] = 0;
      i32[HEAD_SIZES_CAS_HIGH] = 0;
    }
    this.eachChunk((ref) => this.doTranslate(ref));
    this.eachChunk((ref) => this.doInsert(ref));
    this.eachChunk((ref) => this.doSettleData(ref));
    this.doSetHeads();
    for (let id = 1; id <= this.memory.classLargest; id++) {
      store.slab.lockClass(id);
      rebuildClass(store, id);
      store.slab.unlockClass(id);
    }
    store.count(TOTAL_ITEMS, this.items);
    return this.items;
  }

  private eachChunk(visit: (ref: number) => void): void {
    for (let page = 0; page < this.i32[HEAD_PAGE_FRESH]; page++) {
      forEachChunk(this.memory, page, visit);
    }
  }

  /** The ref here of what the image calls so; 0 if that is no chunk. */
  private refOf(old: number): number {
    const { i32, memory, placeOf } = this;
    const units = (old >>> 0) - this.image.firstRef;
    if (old === 0 || units < 0) return 0;
    const page = Math.floor(units / PAGE_UNITS);
    const place = page < placeOf.length ? placeOf[page] - 1 : -1;
    if (place === -1) return 0;
    const entry = pageEntry(memory, place);
    const within = units % PAGE_UNITS;
    const index = within / (memory.classSizes[i32[entry + PAGE_CLASS_I32]] / 8);
    if (!Number.isInteger(index) || index >= i32[entry + PAGE_CARVED_I32]) return 0;
    return (pageRef(memory, place) + within) | 0;
  }

  /** First pass: every chunk is a free one, a linked item or a data chunk, with refs of today. */
  private doTranslate(ref: number): void {
    const { i32 } = this;
    const word = at(ref);
    const state = i32[word + CHUNK_STATE_I32] & STATE_FLAGS;
    const used = (state & STATE_USED) !== 0 && (state & STATE_FREE) === 0;
    if (used && (state & STATE_DATA) !== 0) {
      i32[word + CHUNK_STATE_I32] = STATE_USED | STATE_DATA;
      i32[word + DATA_HEAD_I32] = this.refOf(i32[word + DATA_HEAD_I32]);
      i32[word + DATA_NEXT_I32] = this.refOf(i32[word + DATA_NEXT_I32]);
      i32[word + ITEM_HASH_NEXT_I32] = 0;
    } else if (used && (state & STATE_LINKED) !== 0 && this.fits(ref, state)) {
      // Nobody holds a reference any more.
      i32[word + CHUNK_STATE_I32] = state;
      i32[word + CHUNK_NEXT_I32] = this.refOf(i32[word + CHUNK_NEXT_I32]);
      i32[word + CHUNK_PREV_I32] = this.refOf(i32[word + CHUNK_PREV_I32]);
      if ((state & STATE_LARGE) === 0) return;
      const first = firstDataWord(i32, ref);
      i32[first] = this.refOf(i32[first]);
    } else {
      i32[word + CHUNK_STATE_I32] = STATE_FREE;
    }
  }

  /** Whether an item's header can be true: key and value lie within what they may. */
  private fits(ref: number, state: number): boolean {
    const { i32, memory } = this;
    const id = i32[at(ref) + CHUNK_CLASS_I32] & 63;
    const keyBytes = keyBytesOf(i32, ref);
    const valueBytes = valueBytesOf(i32, ref);
    if (id !== this.pageClassOf(ref) || tenantOf(i32, ref) >= TENANT_COUNT) return false;
    if (keyBytes === 0 || keyBytes > KEY_BYTES_MAX) return false;
    if (valueBytes < 0 || valueBytes > memory.config.itemSizeMax) return false;
    const large = (state & STATE_LARGE) !== 0;
    const suffix = ((state & STATE_CFLAGS) === 0 ? 0 : 4) + (large ? 4 : 0);
    const own = ITEM_HEADER_BYTES + suffix + keyBytes + (large ? 0 : valueBytes);
    return own <= memory.classSizes[id];
  }

  private pageClassOf(ref: number): number {
    const page = Math.floor(((ref >>> 0) - this.memory.layout.pages / 8) / PAGE_UNITS);
    return this.i32[pageEntry(this.memory, page) + PAGE_CLASS_I32];
  }

  /** Second pass: items that are whole go into their buckets. */
  private doInsert(ref: number): void {
    const { i32, store } = this;
    const state = i32[at(ref)];
    if ((state & STATE_LINKED) === 0 || (state & STATE_DATA) !== 0) return;
    if ((state & STATE_LARGE) !== 0 && !this.doClaimData(ref)) {
      i32[at(ref)] = STATE_FREE;
      return;
    }
    const hash = store.table.hashOf(ref);
    store.table.lockStripe(hash);
    store.table.doInsert(hash, ref);
    store.table.unlockStripe(hash);
    if (i32[HEAD_SIZES_ENABLED] !== 0) trackSize(this.memory, ref, 1);
    this.items++;
  }

  /** Follows the chain of a large item and claims its chunks; false if it is not whole. */
  private doClaimData(ref: number): boolean {
    const { i32, memory } = this;
    let room = 0;
    for (
      let chunk = i32[firstDataWord(i32, ref)];
      chunk !== 0;
      chunk = i32[at(chunk) + DATA_NEXT_I32]
    ) {
      const word = at(chunk);
      if ((i32[word] & STATE_DATA) === 0 || i32[word + DATA_HEAD_I32] !== ref) return false;
      // A circle, or a chunk of two items.
      if (i32[word + ITEM_HASH_NEXT_I32] === CLAIMED) return false;
      if ((i32[word + CHUNK_CLASS_I32] & 63) !== this.pageClassOf(chunk)) return false;
      i32[word + ITEM_HASH_NEXT_I32] = CLAIMED;
      room += dataCapacity(memory, chunk);
    }
    return room >= valueBytesOf(i32, ref);
  }

  /** Third pass: data chunks that no item has claimed are free. */
  private doSettleData(ref: number): void {
    const { i32, store } = this;
    const word = at(ref);
    if ((i32[word] & STATE_DATA) === 0) return;
    const head = i32[word + DATA_HEAD_I32];
    const claimed = i32[word + ITEM_HASH_NEXT_I32] === CLAIMED;
    if (claimed && (i32[at(head)] & STATE_LINKED) !== 0) {
      i32[word + ITEM_HASH_NEXT_I32] = store.actor + 1;
    } else {
      i32[word + CHUNK_STATE_I32] = STATE_FREE;
    }
  }

  /** From the heads the lists are built in their order. */
  private doSetHeads(): void {
    const { image, memory, store } = this;
    for (let tenant = 0; tenant < TENANT_COUNT; tenant++) {
      for (let id = 1; id <= memory.classLargest; id++) {
        for (let lru = 0; lru < LRU_COUNT; lru++) {
          store.lists.doSetHead(tenant, id, lru, this.refOf(image.heads[tenant][id][lru]));
        }
      }
    }
  }
}
