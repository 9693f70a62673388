/**
 * What decides the shape of the shared memory. Fixed at start and written into the memory itself,
 * so that a thread which attaches needs nothing but the buffer.
 */

/** All sizes are in bytes. The settings table (src/server) checks the ranges. */
export interface MemoryConfig {
  /** `-m`: soft limit on slab pages. */
  readonly memoryLimit: number;
  /** `-o memory_max`: address space reserved for pages; at least memoryLimit. */
  readonly memoryMax: number;
  /** `-I`: the largest item, in memcached's arithmetic. */
  readonly itemSizeMax: number;
  /** `-o slab_chunk_max`: the largest chunk; items above it are chains of chunks. */
  readonly slabChunkMax: number;
  /** `-f`: growth of the chunk size from one class to the next. */
  readonly growthFactor: number;
  /** `-n`: room for key, value and flags in the smallest chunk. */
  readonly chunkSizeMin: number;
  /** `-L`: touch all of memoryLimit at start. */
  readonly preallocate: boolean;
  /** `-t`: serving threads. */
  readonly workers: number;
  /** `-c`: simultaneous connections. */
  readonly maxConns: number;
  /** `-o hashpower`: the hash table starts with 2 to this power buckets. */
  readonly hashPowerInit: number;
  /** `-o worker_logbuf_size`: what a thread may log before it is read. */
  readonly workerLogBytes: number;
  /** `-o watcher_logbuf_size`: what may wait to be sent to a watcher. */
  readonly watcherLogBytes: number;
  /** `-o hash_algorithm`: an index into the list of src/cache/hash.ts. */
  readonly hashAlgorithm: number;
}
