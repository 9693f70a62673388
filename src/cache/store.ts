/**
 * The operations on items that protocols are made of: get, touch, delete, store, incr, flush. One
 * Store per thread, all over the same shared memory.
 *
 * Reads are done in place: a hit returns with the item's stripe locked, the caller copies what it
 * needs, or pins the item, and calls endGet. No item's bytes change while its stripe is held, nor
 * while it is pinned.
 */

import type { Bytes } from '../memory/bytes.ts';
import { casHigh, nextCasLow } from '../memory/cas.ts';
import { connectionWord } from '../memory/connections.ts';
import {
  ACTOR_BYTES,
  at,
  CHUNK_STATE_I32,
  CONN_PINNED_I32,
  HEAD_CLOCK,
  HEAD_SIZES_ENABLED,
  ITEM_EXPTIME_I32,
  ITEM_TIME_I32,
  JOURNAL_IN_PLACE_I32,
  JOURNAL_LINK_I32,
  JOURNAL_UNLINK_I32,
  STATE_LINKED,
  STATE_OWN_CAS,
  STATE_REF_ONE,
  wordOf,
} from '../memory/layout.ts';
import type { Memory } from '../memory/memory.ts';
import { Slab } from '../memory/slab.ts';
import { Allocator } from './alloc.ts';
import type { CacheConfig } from './config.ts';
import {
  CLASS_GET_HITS_HOT,
  CLASS_TOUCH_HITS,
  classCountersOf,
  countersOf,
  FLUSH_CMDS,
  GET_CMDS,
  GET_EXPIRED,
  GET_FLUSHED,
  GET_MISSES,
  TOTAL_ITEMS,
  TOUCH_CMDS,
  TOUCH_MISSES,
} from './counters.ts';
import type { Eviction } from './eviction.ts';
import { flushAll, isExpired, isFlushed, timeWithOwnCas } from './expiry.ts';
import { lruOf, setCas, setOwnCas, setOwner, tenantOf } from './item.ts';
import { Lists } from './lists.ts';
import {
  GET_FLUSHED_AWAY,
  GET_FOUND,
  GET_HAS_EXPIRED,
  GET_NOT_FOUND,
  Log,
  WATCH_FETCHERS,
} from './log.ts';
import { Segmented } from './segmented.ts';
import { trackSize } from './sizes.ts';
import { Table } from './table.ts';
import { Unlinker } from './unlink.ts';

/** One thread's view of the cache. */
export class Store {
  readonly memory: Memory;
  readonly config: CacheConfig;
  readonly actor: number;
  readonly slab: Slab;
  readonly table: Table;
  readonly lists: Lists;
  readonly log: Log;
  readonly unlinker: Unlinker;
  readonly eviction: Eviction;
  readonly allocator: Allocator;
  private readonly i32: Int32Array;
  private readonly f64: Float64Array;
  private readonly counters: number;
  private readonly classCounters: number;
  private readonly journal: number;
  /** False with -C: items have no cas ids, and new ones name none. */
  readonly casEnabled: boolean;

  constructor(memory: Memory, config: CacheConfig, actor: number) {
    this.memory = memory;
    this.config = config;
    this.actor = actor;
    this.casEnabled = config.casEnabled;
    this.i32 = memory.i32;
    this.f64 = memory.f64;
    this.slab = new Slab(memory, actor);
    this.table = new Table(memory, actor);
    this.lists = new Lists(memory);
    this.log = new Log(memory, actor, this.lists);
    this.unlinker = new Unlinker(memory, this.slab, this.table, this.lists);
    this.eviction = new Segmented(
      memory,
      config,
      this.slab,
      this.table,
      this.lists,
      this.unlinker,
      this.log,
    );
    this.allocator = new Allocator(
      memory,
      config.casEnabled,
      this.slab,
      this.lists,
      this.eviction,
      this.unlinker,
    );
    this.counters = countersOf(memory, actor);
    this.classCounters = classCountersOf(memory, actor, 0);
    this.journal = wordOf(memory.layout.actors + actor * ACTOR_BYTES);
  }

  /** Adds to one of this thread's counters (names in counters.ts). */
  count(counter: number, amount: number): void {
    this.f64[this.counters + counter] += amount;
  }

  /** Adds 1 to a counter of the class whose list the item is in. */
  countClass(ref: number, counter: number): void {
    this.f64[this.classCounters + this.lists.classOf(ref) * 16 + counter]++;
  }

  /**
   * The living item with this key, or 0; a dead one is removed. The caller holds the stripe, before
   * and after. As in memcached this is the fetch that watchers see, whatever the command.
   */
  doFind(hash: number, tenant: number, key: Bytes, start: number, length: number): number {
    let ref = this.table.doFind(hash, tenant, key, start, length);
    let status = GET_NOT_FOUND;
    if (ref !== 0) {
      status = this.statusOf(ref);
      if (status !== GET_FOUND) {
        this.unlinker.doUnlink(ref, hash);
        ref = 0;
      }
    }
    if (this.log.wants(WATCH_FETCHERS)) this.log.fetched(status, key, start, length, ref);
    return ref;
  }

  /** Whether an item lives, or what has killed it, which is counted. */
  private statusOf(ref: number): number {
    if (isFlushed(this.memory, ref)) {
      this.f64[this.counters + GET_FLUSHED]++;
      return GET_FLUSHED_AWAY;
    }
    if (isExpired(this.memory, ref)) {
      this.f64[this.counters + GET_EXPIRED]++;
      return GET_HAS_EXPIRED;
    }
    return GET_FOUND;
  }

  /** Fetches an item: on a hit its stripe stays locked until endGet(hash); 0 on a miss. */
  get(hash: number, tenant: number, key: Bytes, start: number, length: number): number {
    const { f64, counters } = this;
    this.table.lockStripe(hash);
    const ref = this.doFind(hash, tenant, key, start, length);
    f64[counters + GET_CMDS]++;
    if (ref === 0) {
      this.table.unlockStripe(hash);
      f64[counters + GET_MISSES]++;
      return 0;
    }
    this.countClass(ref, CLASS_GET_HITS_HOT + lruOf(this.i32, ref));
    this.eviction.onHit(ref);
    return ref;
  }

  /** As get, and gives the item a new exptime (clock seconds); counted as a touch. */
  getAndTouch(
    hash: number,
    tenant: number,
    key: Bytes,
    start: number,
    length: number,
    exptime: number,
  ): number {
    const { f64, counters } = this;
    this.table.lockStripe(hash);
    const ref = this.doFind(hash, tenant, key, start, length);
    f64[counters + TOUCH_CMDS]++;
    if (ref === 0) {
      this.table.unlockStripe(hash);
      f64[counters + TOUCH_MISSES]++;
      return 0;
    }
    this.countClass(ref, CLASS_TOUCH_HITS);
    this.eviction.onHit(ref);
    this.i32[at(ref) + ITEM_EXPTIME_I32] = exptime;
    return ref;
  }

  /** Ends a get that hit. */
  endGet(hash: number): void {
    this.table.unlockStripe(hash);
  }

  /** Keeps a fetched item alive for a connection until unpin; within get and endGet. */
  pin(slot: number, ref: number): void {
    const { i32 } = this;
    i32[connectionWord(this.memory, slot) + CONN_PINNED_I32] = ref;
    i32[at(ref) + CHUNK_STATE_I32] += STATE_REF_ONE;
  }

  /** Lets go of the item that the connection has pinned. */
  unpin(slot: number): void {
    const { i32 } = this;
    const word = connectionWord(this.memory, slot) + CONN_PINNED_I32;
    const ref = i32[word];
    if (ref === 0) return;
    const hash = this.table.hashOf(ref);
    this.table.lockStripe(hash);
    i32[this.journal + JOURNAL_UNLINK_I32] = ref;
    i32[word] = 0;
    this.unlinker.doUnpin(ref);
    i32[this.journal + JOURNAL_UNLINK_I32] = 0;
    this.table.unlockStripe(hash);
  }

  /** Sets an item's exptime (clock seconds); false when there is none. */
  touch(
    hash: number,
    tenant: number,
    key: Bytes,
    start: number,
    length: number,
    exptime: number,
  ): boolean {
    if (this.getAndTouch(hash, tenant, key, start, length, exptime) === 0) return false;
    this.table.unlockStripe(hash);
    return true;
  }

  /** Removes what is stored under a key without counting: a set that failed must not leave it. */
  drop(hash: number, tenant: number, key: Bytes, start: number, length: number): void {
    this.table.lockStripe(hash);
    const ref = this.doFind(hash, tenant, key, start, length);
    if (ref !== 0) this.unlinker.doUnlink(ref, hash);
    this.table.unlockStripe(hash);
  }

  /** flush_all: now (`when` 0) or at clock second `when`. Counting is the protocol's part. */
  flush(tenant: number, when: number): void {
    flushAll(this.memory, tenant, when, this.config.casEnabled);
  }

  countFlush(): void {
    this.f64[this.counters + FLUSH_CMDS]++;
  }

  /**
   * Makes a new item findable, in the place of `old` if that is not 0. The caller holds the stripe.
   * The bucket changes in one store: a key never vanishes in between. It gets a new cas id, unless
   * it has one of its own (setOwnCas).
   */
  doLink(hash: number, ref: number, old: number): void {
    const { i32, slab, lists } = this;
    const word = at(ref);
    if (this.casEnabled && (i32[word + CHUNK_STATE_I32] & STATE_OWN_CAS) !== 0) {
      i32[word + ITEM_TIME_I32] = timeWithOwnCas(this.memory, tenantOf(i32, ref));
    } else {
      i32[word + ITEM_TIME_I32] = i32[HEAD_CLOCK];
      this.doSetNewCas(ref);
    }
    i32[this.journal + JOURNAL_LINK_I32] = ref;
    i32[this.journal + JOURNAL_UNLINK_I32] = old;
    const id = lists.classOf(ref);
    if (old === 0) {
      this.table.doInsert(hash, ref);
      slab.lockClass(id);
    } else {
      this.table.doReplace(hash, old, ref);
      const oldId = lists.classOf(old);
      slab.lockClass(oldId);
      const large = this.unlinker.doDrop(old, oldId);
      if (large !== 0 || oldId !== id) {
        slab.unlockClass(oldId);
        if (large !== 0) this.unlinker.freeLarge(large);
        slab.lockClass(id);
      }
    }
    lists.doLink(ref);
    i32[word + CHUNK_STATE_I32] |= STATE_LINKED;
    slab.unlockClass(id);
    if (i32[HEAD_SIZES_ENABLED] !== 0) trackSize(this.memory, ref, 1);
    i32[this.journal + JOURNAL_LINK_I32] = 0;
    i32[this.journal + JOURNAL_UNLINK_I32] = 0;
    this.f64[this.counters + TOTAL_ITEMS]++;
  }

  /**
   * Names an item that is being made under a stripe lock, and belongs to no connection, in the
   * journal: else its first chunk would be lost with this thread once a second one is allocated.
   */
  noteMaking(ref: number): void {
    this.i32[this.journal + JOURNAL_LINK_I32] = ref;
  }

  /** Names the item whose value is being changed in place, or 0 when that is done. */
  noteInPlace(ref: number): void {
    this.i32[this.journal + JOURNAL_IN_PLACE_I32] = ref;
  }

  /** Gives an item a new cas id after its value changed in place. The caller holds the stripe. */
  doRenewCas(ref: number): void {
    const { i32, memory } = this;
    const tracking = i32[HEAD_SIZES_ENABLED] !== 0;
    if (tracking) trackSize(memory, ref, -1);
    this.doSetNewCas(ref);
    // Only then: with this id no flush of the past takes the item for one of its own time.
    i32[at(ref) + CHUNK_STATE_I32] &= ~STATE_OWN_CAS;
    if (tracking) trackSize(memory, ref, 1);
  }

  /** Gives an item the next cas id; 0 if there are none (-C). */
  private doSetNewCas(ref: number): void {
    const { i32 } = this;
    const low = this.casEnabled ? nextCasLow(i32) : 0;
    setCas(i32, ref, this.casEnabled ? casHigh(i32, low) : 0, low);
  }

  /** Gives a linked item a cas id of a client's choice. The caller holds the stripe. */
  doSetOwnCas(ref: number, high: number, low: number): void {
    const { i32, memory } = this;
    if (!this.casEnabled) return;
    if (i32[HEAD_SIZES_ENABLED] !== 0) trackSize(memory, ref, -1);
    i32[at(ref) + ITEM_TIME_I32] = timeWithOwnCas(memory, tenantOf(i32, ref));
    setOwnCas(i32, ref, high, low);
  }

  /** Frees an item that was never linked. */
  discard(ref: number): void {
    setOwner(this.i32, ref, this.actor);
    this.unlinker.free(ref);
  }
}
