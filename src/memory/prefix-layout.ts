/**
 * The entries of the region of prefixes (layout.ts): a hash table of 320 bytes each, in which
 * `stats detail` counts. Fields as there: ..._I32 in words, ..._F64 in 8-byte words.
 */
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
