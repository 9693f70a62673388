/**
 * What makes a cache, beside the bytes of its pages: enough for another memory, in another process,
 * to hold the same items (see adopt.ts). Statistics are not part of it.
 */
import {
  HEAD_CAS_LOW,
  HEAD_CLOCK,
  HEAD_LOG_GID,
  HEAD_PAGE_FRESH,
  LAYOUT_VERSION,
  LRU_COUNT,
  PAGE_CARVED_I32,
  PAGE_CLASS_I32,
  TENANT_COUNT,
  TENANT_FLUSH_MARK_I32,
  TENANT_OLDEST_CAS_HIGH_I32,
  TENANT_OLDEST_CAS_LOW_I32,
  TENANT_OLDEST_LIVE_I32,
} from '../memory/layout.ts';
import type { Memory } from '../memory/memory.ts';
import { pageEntry } from '../memory/pages.ts';
import { tenantWord } from './expiry.ts';
import type { Store } from './store.ts';

const KILOBYTE = 1024;
/** Words of a sequence, and of what a flush leaves. */
const SEQUENCE_WORDS = 3;
const FLUSH_WORDS = 4;

/** The description of a cache at rest. Sizes in bytes, times in seconds. */
export interface Image {
  readonly layoutVersion: number;
  readonly itemSizeMax: number;
  readonly slabChunkMax: number;
  readonly growthFactor: number;
  readonly chunkSizeMin: number;
  /** Items linked; tells how large a hash table they need. */
  readonly items: number;
  /** Ref of the first page: what the refs in the pages are relative to. */
  readonly firstRef: number;
  readonly clock: number;
  /**
   * Wall clock at that moment, and not what the cache's own clock makes of it: it may have been set
   * since the start.
   */
  readonly savedAt: number;
  /** The sequences of cas ids and log records, three words each. */
  readonly cas: readonly number[];
  readonly gid: readonly number[];
  /** Per tenant: flush_all's second, the cas id (low, high) that came with it, and its mark. */
  readonly flushes: readonly (readonly number[])[];
  /** Per tenant and class: the heads of the LRU lists. */
  readonly heads: readonly (readonly (readonly number[])[])[];
}

/** A page that belongs to a class: its number, that class, and how many chunks were carved. */
export interface ImagePage {
  readonly page: number;
  readonly id: number;
  readonly carved: number;
}

/** Describes a cache that no thread works on any more; `nowMs` is the wall clock. */
export function describeCache(store: Store, nowMs: number): Image {
  const { memory } = store;
  const { i32, config } = memory;
  const sequence = (word: number): number[] => [...i32.subarray(word, word + SEQUENCE_WORDS)];
  const tenants = Array.from({ length: TENANT_COUNT }, (_, tenant) => tenant);
  return {
    layoutVersion: LAYOUT_VERSION,
    itemSizeMax: config.itemSizeMax,
    slabChunkMax: config.slabChunkMax,
    growthFactor: config.growthFactor,
    chunkSizeMin: config.chunkSizeMin,
    items: tenants.reduce((sum, tenant) => sum + store.lists.itemsTotal(tenant), 0),
    firstRef: memory.layout.pages / 8,
    clock: i32[HEAD_CLOCK],
    savedAt: Math.floor(nowMs / 1000),
    cas: sequence(HEAD_CAS_LOW),
    gid: sequence(HEAD_LOG_GID),
    flushes: tenants.map((tenant) => {
      const word = tenantWord(memory, tenant);
      return [
        i32[word + TENANT_OLDEST_LIVE_I32],
        i32[word + TENANT_OLDEST_CAS_LOW_I32],
        i32[word + TENANT_OLDEST_CAS_HIGH_I32],
        i32[word + TENANT_FLUSH_MARK_I32],
      ];
    }),
    heads: tenants.map((tenant) => listHeads(store, tenant)),
  };
}

/** By class; class 0 has none. */
function listHeads(store: Store, tenant: number): number[][] {
  const heads: number[][] = [[]];
  for (let id = 1; id <= store.memory.classLargest; id++) {
    heads.push(Array.from({ length: LRU_COUNT }, (_, lru) => store.lists.head(tenant, id, lru)));
  }
  return heads;
}

/** The pages that hold items. */
export function imagePages(memory: Memory): ImagePage[] {
  const { i32 } = memory;
  const pages: ImagePage[] = [];
  for (let page = 0; page < i32[HEAD_PAGE_FRESH]; page++) {
    const entry = pageEntry(memory, page);
    const id = i32[entry + PAGE_CLASS_I32];
    if (id > 0) pages.push({ page, id, carved: i32[entry + PAGE_CARVED_I32] });
  }
  return pages;
}

/**
 * Whether an image that was read from somewhere has everything, in the shape of a memory whose
 * flags are the image's. What the numbers are does no harm.
 */
export function imageFits(image: Image, memory: Memory): boolean {
  const { items, firstRef, clock, savedAt, cas, gid, flushes, heads } = image;
  return (
    [items, firstRef, clock, savedAt].every((value) => Number.isSafeInteger(value) && value >= 0) &&
    areNumbers(cas, SEQUENCE_WORDS) &&
    areNumbers(gid, SEQUENCE_WORDS) &&
    isList(flushes, TENANT_COUNT) &&
    flushes.every((flush) => areNumbers(flush, FLUSH_WORDS)) &&
    isList(heads, TENANT_COUNT) &&
    heads.every(
      (classes) =>
        isList(classes, memory.classLargest + 1) &&
        classes.slice(1).every((lists) => areNumbers(lists, LRU_COUNT)),
    )
  );
}

function isList(value: unknown, length: number): boolean {
  return Array.isArray(value) && value.length === length;
}

function areNumbers(value: readonly number[], length: number): boolean {
  return isList(value, length) && value.every((word) => Number.isInteger(word));
}

/** The flags in which a memory differs from the one an image was taken of, with both values. */
export function differingFlags(image: Image, memory: Memory): string[] {
  const { config } = memory;
  const flags: readonly (readonly [string, number, number])[] = [
    ['-I', image.itemSizeMax, config.itemSizeMax],
    ['-f', image.growthFactor, config.growthFactor],
    ['-n', image.chunkSizeMin, config.chunkSizeMin],
    ['-o slab_chunk_max', image.slabChunkMax / KILOBYTE, config.slabChunkMax / KILOBYTE],
  ];
  return flags
    .filter(([, then, now]) => then !== now)
    .map(([flag, then, now]) => `${flag} ${then}, not ${now}`);
}
