/**
 * The map of what the memory holds for `stats detail` and `stats sizes` only. The regions
 * themselves are laid out in layout.ts; the same rules of naming hold.
 */

/* Prefix entry of `stats detail`: 320 bytes. */
export const PREFIX_BYTES = 320;
/** Twice the prefixes that are counted, so that probes stay short. */
export const PREFIX_COUNT = 131_072;
export const PREFIX_LIMIT = 65_536;
export const PREFIX_HASH_I32 = 0;
export const PREFIX_LENGTH_I32 = 1; // prefix length + 1; 0 is an empty entry
export const PREFIX_GETS_F64 = 1;
export const PREFIX_HITS_F64 = 2;
export const PREFIX_SETS_F64 = 3;
export const PREFIX_DELETES_F64 = 4;
export const PREFIX_TEXT_AT = 64;
/** Bytes of item size per bucket of `stats sizes`. */
export const SIZES_STEP = 32;
