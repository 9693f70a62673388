/**
 * The table of slab classes: which chunk sizes exist for given `-n`, `-f` and `slab_chunk_max`.
 *
 * It is memcached's table, id for id, because operators' tuning and tools are built on those
 * numbers. memcached's chunk has to hold its 48-byte item header; ours is smaller, so an item may
 * land in a smaller class here than there.
 */

/** Page size: what classes grow by and what moves between them. */
export const PAGE_BYTES = 1024 * 1024;
/** Class ids run from 1 to at most 63; 0 is the global pool of pages. */
export const CLASS_COUNT_MAX = 64;
/** sizeof(item) in memcached on 64-bit machines, without the 8 bytes of cas. */
export const MEMCACHED_HEADER_BYTES = 48;

const CHUNK_ALIGN_BYTES = 8;

/** Chunk sizes by class id; index 0 is unused. The last one is slabChunkMax. */
export function slabClassSizes(
  chunkSizeMin: number,
  growthFactor: number,
  slabChunkMax: number,
): number[] {
  const sizes = [0];
  let size = MEMCACHED_HEADER_BYTES + chunkSizeMin;
  while (sizes.length < CLASS_COUNT_MAX - 1 && size < slabChunkMax / growthFactor) {
    size = Math.ceil(size / CHUNK_ALIGN_BYTES) * CHUNK_ALIGN_BYTES;
    sizes.push(size);
    size = Math.trunc(size * growthFactor);
  }
  sizes.push(slabChunkMax);
  return sizes;
}
