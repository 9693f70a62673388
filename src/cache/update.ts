/**
 * Storing: what becomes of a complete new item under each of the storage commands, and arithmetic
 * on stored numbers. Results are codes; protocols put them into words.
 */
import { Bytes } from '../memory/bytes.ts';
import { casBefore } from '../memory/cas.ts';
import {
  at,
  ITEM_CAS_HIGH_I32,
  ITEM_CAS_LOW_I32,
  ITEM_EXPTIME_I32,
  STATE_KEY_BINARY,
  STATE_OWN_CAS,
  STATE_STALE,
  STATE_TOKEN_SENT,
} from '../memory/layout.ts';
import {
  CAS_MISSES,
  CLASS_CAS_BADVAL,
  CLASS_CAS_HITS,
  CLASS_DECR_HITS,
  CLASS_INCR_HITS,
  DECR_MISSES,
  INCR_MISSES,
} from './counters.ts';
import { Decimal64 } from './decimal64.ts';
import {
  CAS_BYTES,
  casIs,
  clientFlagsOf,
  keyAt,
  keyBytesOf,
  memcachedItemBytes,
  refcountOf,
  setOwnCas,
  tenantOf,
  valueAt,
  valueBytesOf,
} from './item.ts';
import { WATCH_MUTATIONS } from './log.ts';
import type { Store } from './store.ts';
import { ValueWriter } from './writer.ts';

/* Storage commands. */
export const MODE_SET = 0;
export const MODE_ADD = 1;
export const MODE_REPLACE = 2;
export const MODE_APPEND = 3;
export const MODE_PREPEND = 4;
export const MODE_CAS = 5;
/** As cas; what is newer than the client knows is replaced too, by a value stale at once. */
export const MODE_CAS_STALE = 6;
/** As append and prepend, but a missing item is created. */
export const MODE_APPEND_VIVIFY = 7;
export const MODE_PREPEND_VIVIFY = 8;

/* Results of commit. */
export const STORED = 0;
const NOT_STORED = 1;
export const EXISTS = 2;
export const NOT_FOUND = 3;

/* Results of delta. */
export const DELTA_OK = 0;
export const DELTA_NOT_FOUND = 1;
export const DELTA_NON_NUMERIC = 2;
export const DELTA_NO_MEMORY = 3;
export const DELTA_EXISTS = 4;

const NUMBER_BYTES_MAX = 20;

/** One thread's updates. */
export class Updater {
  private readonly store: Store;
  private readonly i32: Int32Array;
  private readonly writer: ValueWriter;
  /** The number after a delta. */
  readonly result = new Decimal64();
  /** The item that holds the number after a delta; as long as its stripe is held. */
  changed = 0;
  /** Bytes of value, and cas id, of what the last commit or delta has stored, if it has. */
  storedBytes = 0;
  casHigh = 0;
  casLow = 0;
  private readonly digits = new Bytes(Buffer.alloc(NUMBER_BYTES_MAX));

  constructor(store: Store) {
    this.store = store;
    this.i32 = store.memory.i32;
    this.writer = new ValueWriter(store.memory, store.allocator);
  }

  /**
   * Carries out a storage command with a complete item, and consumes the item: it is linked, or
   * freed. `casHigh` and `casLow` are the id that a cas must match, and an append or prepend unless
   * it is 0 or there are no ids (-C).
   */
  commit(mode: number, ref: number, hash: number, casHigh: number, casLow: number): number {
    const { store, i32 } = this;
    const tenant = tenantOf(i32, ref);
    store.table.lockStripe(hash);
    const old = store.doFind(
      hash,
      tenant,
      store.memory.bytes,
      keyAt(i32, ref),
      keyBytesOf(i32, ref),
    );
    let result = NOT_STORED;
    let link = 0;
    if (old === 0) {
      if (mode === MODE_SET || mode === MODE_ADD || mode >= MODE_APPEND_VIVIFY) link = ref;
      else if (mode === MODE_CAS || mode === MODE_CAS_STALE) {
        store.count(CAS_MISSES, 1);
        result = NOT_FOUND;
      }
    } else if (mode === MODE_SET || mode === MODE_REPLACE) {
      link = ref;
    } else if (mode === MODE_ADD) {
      store.eviction.onRenew(old);
    } else if (mode === MODE_CAS || mode === MODE_CAS_STALE) {
      const given = casHigh !== 0 || casLow !== 0;
      const matches = given && casIs(i32, old, casHigh, casLow);
      if (matches || (given && mode === MODE_CAS_STALE && isBefore(i32, casHigh, casLow, old))) {
        store.countClass(old, CLASS_CAS_HITS);
        if (!matches) this.doInheritStale(old, ref);
        link = ref;
      } else {
        store.countClass(old, CLASS_CAS_BADVAL);
        result = EXISTS;
      }
    } else if (store.casEnabled && !this.isOrAny(old, casHigh, casLow)) {
      result = EXISTS;
    } else {
      link = this.doConcatenate(mode, old, ref);
    }
    if (link !== 0) {
      store.doLink(hash, link, old);
      this.doNote(link);
      result = STORED;
    }
    if (store.log.wants(WATCH_MUTATIONS)) store.log.stored(result, mode, link === 0 ? ref : link);
    store.table.unlockStripe(hash);
    if (link !== ref) store.discard(ref);
    return result;
  }

  /** True when an item has this cas id, or none is asked for. */
  private isOrAny(ref: number, casHigh: number, casLow: number): boolean {
    return (casHigh === 0 && casLow === 0) || casIs(this.i32, ref, casHigh, casLow);
  }

  /**
   * Adds `amount` to the number stored under a key, or subtracts it. The number is in `result`
   * afterwards, and stands in the item: in place, padded with spaces, if it is not longer than
   * before; otherwise in a new item. A cas id that is not 0 must be the item's. A miss is not
   * counted: the command may have a use for it (countDeltaMiss).
   */
  delta(
    hash: number,
    tenant: number,
    key: Bytes,
    start: number,
    length: number,
    increment: boolean,
    amount: Decimal64,
    casHigh: number,
    casLow: number,
  ): number {
    const { store } = this;
    store.table.lockStripe(hash);
    const ref = store.doFind(hash, tenant, key, start, length);
    let result = DELTA_NOT_FOUND;
    if (ref !== 0) result = this.doDelta(hash, ref, increment, amount, casHigh, casLow);
    store.table.unlockStripe(hash);
    return result;
  }

  /** As delta, for a found item whose stripe the caller holds. */
  doDelta(
    hash: number,
    ref: number,
    increment: boolean,
    amount: Decimal64,
    casHigh: number,
    casLow: number,
  ): number {
    const { i32 } = this;
    if (valueBytesOf(i32, ref) === 0 || this.tooLargeForNumber(ref)) return DELTA_NON_NUMERIC;
    if (!this.isOrAny(ref, casHigh, casLow)) return DELTA_EXISTS;
    return this.doAdd(hash, ref, increment, amount);
  }

  countDeltaMiss(increment: boolean): void {
    this.store.count(increment ? INCR_MISSES : DECR_MISSES, 1);
  }

  private doAdd(hash: number, ref: number, increment: boolean, amount: Decimal64): number {
    const { store, i32, result, digits } = this;
    const { u8 } = store.memory;
    const bytes = valueBytesOf(i32, ref);
    const value = valueAt(i32, ref);
    if (!result.parse(u8, value, value + bytes)) return DELTA_NON_NUMERIC;
    if (increment) result.add(amount);
    else result.subtractToZero(amount);
    store.countClass(ref, increment ? CLASS_INCR_HITS : CLASS_DECR_HITS);
    const length = result.print(digits.u8, 0);
    if (length <= bytes && refcountOf(i32, ref) === 0) {
      store.doRenewCas(ref);
      store.noteInPlace(ref);
      for (let i = 0; i < length; i++) u8[value + i] = digits.u8[i];
      for (let i = length; i < bytes; i++) u8[value + i] = 0x20;
      store.noteInPlace(0);
      store.eviction.onRenew(ref);
      this.doNote(ref);
      return DELTA_OK;
    }
    const replacement = this.allocLike(ref, length);
    if (replacement === 0) return DELTA_NO_MEMORY;
    this.writer.begin(replacement);
    this.writer.write(digits, 0, length);
    store.doLink(hash, replacement, ref);
    this.doNote(replacement);
    return DELTA_OK;
  }

  /** memcached takes no item for a number that it has to store in pieces, by its own arithmetic. */
  private tooLargeForNumber(ref: number): boolean {
    const { i32, store } = this;
    const flags = clientFlagsOf(i32, ref);
    const bytes = memcachedItemBytes(keyBytesOf(i32, ref), flags, valueBytesOf(i32, ref));
    return bytes - (store.casEnabled ? 0 : CAS_BYTES) > store.memory.config.slabChunkMax;
  }

  /** A new item with both values, or 0 when there is no memory for it. */
  private doConcatenate(mode: number, old: number, addition: number): number {
    const { i32, writer, store } = this;
    const bytes = valueBytesOf(i32, old) + valueBytesOf(i32, addition);
    const ref = this.allocLike(old, bytes);
    if (ref === 0) return 0;
    store.noteMaking(ref);
    writer.begin(ref);
    const append = mode === MODE_APPEND || mode === MODE_APPEND_VIVIFY;
    const first = append ? old : addition;
    const second = append ? addition : old;
    if (writer.writeFrom(first) && writer.writeFrom(second)) {
      if ((i32[at(addition)] & STATE_OWN_CAS) !== 0) {
        const word = at(addition);
        setOwnCas(i32, ref, i32[word + ITEM_CAS_HIGH_I32], i32[word + ITEM_CAS_LOW_I32]);
      }
      return ref;
    }
    store.discard(ref);
    return 0;
  }

  /** A new item with the key, flags and exptime of another, or 0 when there is no memory. */
  private allocLike(ref: number, valueBytes: number): number {
    const { i32, store } = this;
    const like = store.allocator.allocItem(
      tenantOf(i32, ref),
      store.memory.bytes,
      keyAt(i32, ref),
      keyBytesOf(i32, ref),
      clientFlagsOf(i32, ref) | 0,
      i32[at(ref) + ITEM_EXPTIME_I32],
      valueBytes,
    );
    if (like !== 0) i32[at(like)] |= i32[at(ref)] & STATE_KEY_BINARY;
    return like;
  }

  /** A stale value keeps the end of the one it replaces, and that its renewal was handed out. */
  private doInheritStale(old: number, ref: number): void {
    const { i32 } = this;
    i32[at(ref) + ITEM_EXPTIME_I32] = i32[at(old) + ITEM_EXPTIME_I32];
    i32[at(ref)] |= STATE_STALE | (i32[at(old)] & STATE_TOKEN_SENT);
  }

  private doNote(ref: number): void {
    const word = at(ref);
    this.changed = ref;
    this.storedBytes = valueBytesOf(this.i32, ref);
    this.casHigh = this.i32[word + ITEM_CAS_HIGH_I32];
    this.casLow = this.i32[word + ITEM_CAS_LOW_I32];
  }
}

/** Whether a cas id is smaller than the item's. */
function isBefore(i32: Int32Array, high: number, low: number, ref: number): boolean {
  const word = at(ref);
  return casBefore(high, low, i32[word + ITEM_CAS_HIGH_I32], i32[word + ITEM_CAS_LOW_I32]);
}
