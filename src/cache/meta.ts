/**
 * What the meta commands do to items and the classic ones do not: look at an item before it is
 * touched, create what is missing, mark as stale, empty in place. All within one round of the
 * item's stripe lock, from find to release, so that a command is one step for everybody else.
 */
import { Bytes } from '../memory/bytes.ts';
import {
  at,
  CHUNK_STATE_I32,
  ITEM_CAS_HIGH_I32,
  ITEM_CAS_LOW_I32,
  STATE_KEY_BINARY,
  STATE_STALE,
  STATE_TOKEN_SENT,
} from '../memory/layout.ts';
import {
  CLASS_DELETE_HITS,
  CLASS_GET_HITS_HOT,
  CLASS_TOUCH_HITS,
  DELETE_MISSES,
  GET_CMDS,
  GET_MISSES,
  META_CMDS,
  TOUCH_CMDS,
} from './counters.ts';
import type { Decimal64 } from './decimal64.ts';
import { keyAt, keyBytesOf, lruOf, setOwnCas, tenantOf } from './item.ts';
import { DELETED_BY_META, WATCH_DELETIONS, WATCH_MUTATIONS } from './log.ts';
import type { Store } from './store.ts';
import { MODE_ADD, MODE_SET, STORED } from './update.ts';
import { ValueWriter } from './writer.ts';

/** Digits of the largest number. */
const NUMBER_BYTES_MAX = 20;

/** One thread's meta operations. */
export class MetaStore {
  private readonly store: Store;
  private readonly i32: Int32Array;
  private readonly writer: ValueWriter;
  private readonly digits = new Bytes(Buffer.alloc(NUMBER_BYTES_MAX));

  constructor(store: Store) {
    this.store = store;
    this.i32 = store.memory.i32;
    this.writer = new ValueWriter(store.memory, store.allocator);
  }

  /** The living item with this key, or 0. In any case its stripe stays locked until release. */
  find(hash: number, tenant: number, key: Bytes, start: number, length: number): number {
    this.store.table.lockStripe(hash);
    return this.store.doFind(hash, tenant, key, start, length);
  }

  /** Lets go of the stripe. */
  release(hash: number): void {
    this.store.table.unlockStripe(hash);
  }

  /** Counts a fetch that hit; with `touched` as a touch. The item counts as used if `bump`. */
  doFetched(ref: number, touched: boolean, bump: boolean): void {
    const { store } = this;
    store.count(touched ? TOUCH_CMDS : GET_CMDS, 1);
    store.countClass(ref, touched ? CLASS_TOUCH_HITS : CLASS_GET_HITS_HOT + lruOf(this.i32, ref));
    if (bump) store.eviction.onHit(ref);
  }

  /** Counts a fetch that missed. */
  countMiss(): void {
    this.store.count(GET_CMDS, 1);
    this.store.count(GET_MISSES, 1);
  }

  /** Counts an `me`. */
  countLook(): void {
    this.store.count(META_CMDS, 1);
  }

  /** Counts a delete that found nothing, or another cas id. */
  countDeleteMiss(): void {
    this.store.count(DELETE_MISSES, 1);
  }

  /**
   * Stores an item under a key that find did not find, and returns it; 0 when there is no memory.
   * The value is the number, or nothing. `exptime` in clock seconds; `cas` null for a new id.
   */
  doVivify(
    hash: number,
    tenant: number,
    key: Bytes,
    start: number,
    length: number,
    binary: boolean,
    exptime: number,
    number: Decimal64 | null,
    cas: Decimal64 | null,
  ): number {
    const { store, writer, digits } = this;
    const bytes = number === null ? 0 : number.print(digits.u8, 0);
    const ref = store.allocator.allocItem(tenant, key, start, length, 0, exptime, bytes);
    if (ref === 0) return 0;
    store.noteMaking(ref);
    writer.begin(ref);
    if (bytes > 0 && !writer.write(digits, 0, bytes)) {
      store.discard(ref);
      return 0;
    }
    if (binary) this.i32[at(ref) + CHUNK_STATE_I32] |= STATE_KEY_BINARY;
    if (cas !== null) setOwnCas(this.i32, ref, cas.high | 0, cas.low | 0);
    store.doLink(hash, ref, 0);
    // As in memcached a number is logged, and what mg creates is not.
    if (number !== null) this.logStored(MODE_ADD, ref);
    return ref;
  }

  /**
   * Puts an empty item in the place of a found one, with the same cas id unless `cas` has another.
   * Returns it, or 0 when there is no memory for it.
   */
  doEmpty(
    hash: number,
    ref: number,
    flags: number,
    exptime: number,
    cas: Decimal64 | null,
  ): number {
    const { store, i32 } = this;
    const { bytes } = store.memory;
    const length = keyBytesOf(i32, ref);
    const tenant = tenantOf(i32, ref);
    const key = keyAt(i32, ref);
    const empty = store.allocator.allocItem(tenant, bytes, key, length, flags, exptime, 0);
    if (empty === 0) return 0;
    store.noteMaking(empty);
    const word = at(ref);
    i32[at(empty) + CHUNK_STATE_I32] |= i32[word + CHUNK_STATE_I32] & STATE_KEY_BINARY;
    const high = cas === null ? i32[word + ITEM_CAS_HIGH_I32] : cas.high | 0;
    const low = cas === null ? i32[word + ITEM_CAS_LOW_I32] : cas.low | 0;
    setOwnCas(i32, empty, high, low);
    store.doLink(hash, empty, ref);
    this.logStored(MODE_SET, empty);
    return empty;
  }

  /** Marks a found item as stale, for one client to win its renewal, and gives it a cas id. */
  doInvalidate(ref: number, cas: Decimal64 | null): void {
    const { store, i32 } = this;
    const word = at(ref) + CHUNK_STATE_I32;
    i32[word] = (i32[word] | STATE_STALE) & ~STATE_TOKEN_SENT;
    if (cas === null) store.doRenewCas(ref);
    else store.doSetOwnCas(ref, cas.high | 0, cas.low | 0);
  }

  /** Counts a deletion, and carries it out unless the item was `emptied` instead. */
  doDelete(hash: number, ref: number, emptied: boolean): void {
    const { store } = this;
    store.countClass(ref, CLASS_DELETE_HITS);
    if (store.log.wants(WATCH_DELETIONS)) store.log.deleted(DELETED_BY_META, ref);
    if (!emptied) store.unlinker.doUnlink(ref, hash);
  }

  private logStored(mode: number, ref: number): void {
    const { log } = this.store;
    if (log.wants(WATCH_MUTATIONS)) log.stored(STORED, mode, ref);
  }
}
