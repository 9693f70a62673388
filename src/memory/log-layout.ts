/**
 * The map of what `watch` needs of the shared memory: log rings, the records in them, and watchers.
 * The regions themselves are laid out in layout.ts; the same rules of naming hold.
 */

/* Log ring of an actor: 128 bytes of head, a cache line for its writer and one for its reader. */
export const LOG_RING_HEAD_BYTES = 128;
/** Where the writer goes on, and where the reader does, in words from the end of the head. */
export const LOG_RING_WRITE_I32 = 0;
export const LOG_RING_READ_I32 = 16;

/**
 * Log record, 8-byte aligned in its ring: 0 size in words (0: go on at the start of the ring) |
 * 1 type | 2-3 microseconds since 1970 (Float64) | 4-5 gid | 6 connection | 7 status | 8 class |
 * 9 value bytes | 10 ttl | 11 detail | 12 text length | text...
 */
export const RECORD_SIZE_I32 = 0;
export const RECORD_TYPE_I32 = 1;
export const RECORD_TIME_F64 = 1;
export const RECORD_GID_LOW_I32 = 4;
export const RECORD_GID_HIGH_I32 = 5;
export const RECORD_CONNECTION_I32 = 6;
export const RECORD_STATUS_I32 = 7;
export const RECORD_CLASS_I32 = 8;
export const RECORD_BYTES_I32 = 9;
export const RECORD_TTL_I32 = 10;
export const RECORD_DETAIL_I32 = 11;
export const RECORD_TEXT_LENGTH_I32 = 12;
export const RECORD_TEXT_AT = 52;

/* Watcher: 128 bytes of head, then its buffer. */
export const WATCHER_HEAD_BYTES = 128;
/** How many there can be, as in memcached. */
export const WATCHER_COUNT = 20;
export const WATCHER_OWNER_I32 = 0; // actor that serves it, + 1; 0 is a free place
export const WATCHER_FLAGS_I32 = 1;
export const WATCHER_SLOT_I32 = 2;
/** Records with a smaller number are older than this watcher. */
export const WATCHER_GID_LOW_I32 = 3;
export const WATCHER_GID_HIGH_I32 = 4;
/** Lines that found no room since the last one that did. */
export const WATCHER_SKIPPED_I32 = 5;
/** Bytes from the start of the buffer: where lines are added, and where they are taken. */
export const WATCHER_WRITE_I32 = 6;
export const WATCHER_READ_I32 = 16;
