/**
 * The shared memory itself: makes it, attaches to it, and gives each thread the views and first
 * words of the regions that its hot loops index with.
 */
import { Bytes } from './bytes.ts';
import { PAGE_BYTES, slabClassSizes } from './classes.ts';
import type { MemoryConfig } from './config.ts';
import {
  CLASS_BYTES,
  CLASS_CHUNK_BYTES_I32,
  CLASS_PER_PAGE_I32,
  CONFIG_FIELDS,
  CONNECTIONS_MAX,
  computeLayout,
  HEAD_CONFIG_F64,
  HEAD_HASH_POWER,
  HEAD_MAGIC,
  HEAD_PAGE_LIMIT,
  HEAD_VERSION,
  LAYOUT_MAGIC,
  LAYOUT_VERSION,
  type Layout,
  STRIPE_BYTES,
  STRIPE_MASK_I32,
  wordOf,
} from './layout.ts';

/** A thread's view of the shared memory. */
export class Memory {
  readonly buffer: SharedArrayBuffer;
  readonly config: MemoryConfig;
  readonly layout: Layout;
  readonly i32: Int32Array<SharedArrayBuffer>;
  readonly u8: Buffer<SharedArrayBuffer>;
  /** All of u8, for moving bytes by words. */
  readonly bytes: Bytes;
  readonly f64: Float64Array<SharedArrayBuffer>;
  /** Ids run from 1 to classLargest. */
  readonly classLargest: number;
  /** Chunk sizes by class id. */
  readonly classSizes: Int32Array;

  constructor(buffer: SharedArrayBuffer, config: MemoryConfig) {
    this.buffer = buffer;
    this.config = config;
    this.layout = computeLayout(config);
    this.i32 = new Int32Array(buffer);
    this.u8 = Buffer.from(buffer);
    this.bytes = new Bytes(this.u8);
    this.f64 = new Float64Array(buffer);
    const { chunkSizeMin, growthFactor, slabChunkMax } = config;
    this.classSizes = Int32Array.from(slabClassSizes(chunkSizeMin, growthFactor, slabChunkMax));
    this.classLargest = this.classSizes.length - 1;
  }
}

/**
 * Reserves and initialises the shared memory; costs address space, not memory, until it is used.
 * When memoryMax cannot be had it settles for less, down to memoryLimit: see `memory.config`.
 * Throws RangeError with a sentence for the operator when not even that is to be had, or when there
 * are to be more connections than an item can count. `prepare` gets the hash table and the pages,
 * which is nearly all of it, while nothing has touched them yet.
 */
export function createMemory(wanted: MemoryConfig, prepare?: (bytes: Uint8Array) => void): Memory {
  if (wanted.maxConns > CONNECTIONS_MAX) {
    throw new RangeError(`at most ${CONNECTIONS_MAX} connections can be sent the same item`);
  }
  const [buffer, config] = reserve(wanted);
  const memory = new Memory(buffer, config);
  const { i32, f64, layout } = memory;
  prepare?.(memory.u8.subarray(layout.hashTable));
  CONFIG_FIELDS.forEach((field, index) => {
    f64[HEAD_CONFIG_F64 + index] = Number(config[field]);
  });
  i32[HEAD_VERSION] = LAYOUT_VERSION;
  i32[HEAD_PAGE_LIMIT] = Math.max(1, Math.floor(config.memoryLimit / PAGE_BYTES));
  const hashPower = Math.min(config.hashPowerInit, layout.hashPowerMax);
  i32[HEAD_HASH_POWER] = hashPower;
  for (let stripe = 0; stripe < layout.stripeCount; stripe++) {
    const word = wordOf(layout.stripes + stripe * STRIPE_BYTES);
    i32[word + STRIPE_MASK_I32] = 2 ** hashPower - 1;
  }
  for (let id = 1; id <= memory.classLargest; id++) {
    const word = wordOf(layout.classes + id * CLASS_BYTES);
    i32[word + CLASS_CHUNK_BYTES_I32] = memory.classSizes[id];
    i32[word + CLASS_PER_PAGE_I32] = Math.floor(PAGE_BYTES / memory.classSizes[id]);
  }
  if (config.preallocate) touch(memory);
  i32[HEAD_MAGIC] = LAYOUT_MAGIC;
  return memory;
}

/** Attaches this thread to a memory made by createMemory. */
export function attachMemory(buffer: SharedArrayBuffer): Memory {
  const head = new Int32Array(buffer, 0, 2);
  if (head[HEAD_MAGIC] !== LAYOUT_MAGIC || head[HEAD_VERSION] !== LAYOUT_VERSION) {
    throw new TypeError('not a slabcached memory, or one of another layout version');
  }
  const values = new Float64Array(buffer, HEAD_CONFIG_F64 * 8, CONFIG_FIELDS.length);
  const field = (name: (typeof CONFIG_FIELDS)[number]): number =>
    values[CONFIG_FIELDS.indexOf(name)];
  return new Memory(buffer, {
    memoryLimit: field('memoryLimit'),
    memoryMax: field('memoryMax'),
    itemSizeMax: field('itemSizeMax'),
    slabChunkMax: field('slabChunkMax'),
    growthFactor: field('growthFactor'),
    chunkSizeMin: field('chunkSizeMin'),
    preallocate: field('preallocate') === 1,
    workers: field('workers'),
    maxConns: field('maxConns'),
    hashPowerInit: field('hashPowerInit'),
    workerLogBytes: field('workerLogBytes'),
    watcherLogBytes: field('watcherLogBytes'),
    hashAlgorithm: field('hashAlgorithm'),
  });
}

/** The buffer, and the config with the memoryMax that could be had. */
function reserve(wanted: MemoryConfig): [SharedArrayBuffer, MemoryConfig] {
  let memoryMax = Math.max(wanted.memoryMax, wanted.memoryLimit);
  for (;;) {
    const config = { ...wanted, memoryMax };
    try {
      return [new SharedArrayBuffer(computeLayout(config).totalBytes), config];
    } catch (error) {
      if (memoryMax === wanted.memoryLimit) throw refusal(config, error);
      memoryMax = Math.max(wanted.memoryLimit, Math.floor(memoryMax * 0.75));
    }
  }
}

/** The sentence for an operator whose -m cannot be had. */
function refusal(config: MemoryConfig, reason: unknown): RangeError {
  const megabytes = Math.floor(config.memoryLimit / PAGE_BYTES);
  const text = reason instanceof Error ? reason.message : String(reason);
  return new RangeError(
    `cannot reserve the address space for -m ${megabytes} (${text}): lower -m, ` +
      'or raise the limit on virtual memory (ulimit -v)',
  );
}

const TOUCH_STEP_BYTES = 4096;

/** Writes to every 4 KB of the pages within -m, so that no request pays for a first touch (-L). */
function touch(memory: Memory): void {
  const { layout, config, u8 } = memory;
  const end = layout.pages + config.memoryLimit;
  for (let byte = layout.pages; byte < end; byte += TOUCH_STEP_BYTES) u8[byte] = 0;
}
