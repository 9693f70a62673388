/**
 * memcached's segmented LRU (doc/new_lru.txt of memcached), and its flat mode.
 *
 * New items start in HOT, short-lived ones in TEMP. An item that is fetched twice is ACTIVE. At the
 * tails, ACTIVE items go to WARM or stay there, others sink to COLD, and only COLD's tail is
 * evicted. So a scan passes through HOT and COLD without touching what is in use. In flat mode
 * there is only COLD, in order of last use.
 *
 * Differences: memcached queues every COLD item that becomes ACTIVE for a move to WARM. Here it
 * moves at once if it was idle for a minute; otherwise it is rescued when it comes to the tail.
 * Fetches then hardly ever touch the lists, and an ACTIVE item is not evicted. HOT and WARM are
 * worked on only when they are too large or too old, and every fetch renews an item's time, not
 * only one that changes its flags, so that age means time since the last use.
 */
import {
  at,
  CHUNK_PREV_I32,
  CHUNK_STATE_I32,
  HEAD_AUTOMOVE,
  HEAD_CLOCK,
  HEAD_HOT_FACTOR_F64,
  HEAD_HOT_PCT,
  HEAD_LRU_SEGMENTED,
  HEAD_TEMP_TTL,
  HEAD_WARM_FACTOR_F64,
  HEAD_WARM_PCT,
  ITEM_EXPTIME_I32,
  ITEM_TIME_I32,
  LRU_COLD,
  LRU_HOT,
  LRU_TEMP,
  LRU_WARM,
  STATE_ACTIVE,
  STATE_FETCHED,
  STATE_LINKED,
} from '../memory/layout.ts';
import type { Memory } from '../memory/memory.ts';
import type { Slab } from '../memory/slab.ts';
import type { CacheConfig } from './config.ts';
import {
  ITEM_EVICTED,
  ITEM_EVICTED_ACTIVE,
  ITEM_EVICTED_NONZERO,
  ITEM_EVICTED_TIME,
  ITEM_EVICTED_UNFETCHED,
  ITEM_EXPIRED_UNFETCHED,
  ITEM_LRUTAIL_REFLOCKED,
  ITEM_MOVES_TO_COLD,
  ITEM_MOVES_TO_WARM,
  ITEM_MOVES_WITHIN,
  ITEM_RECLAIMED,
  ITEM_TAILREPAIRS,
} from './counters.ts';
import type { Eviction } from './eviction.ts';
import { isDead } from './expiry.ts';
import { idleSecondsOf, lruOf, refcountOf, setLru, tenantOf } from './item.ts';
import type { Lists } from './lists.ts';
import { type Log, WATCH_EVICTIONS } from './log.ts';
import { ANY_CLASS, orderPageMove } from './orders.ts';
import type { Table } from './table.ts';
import type { Unlinker } from './unlink.ts';

/** Items looked at per pull before giving up: locked or pinned ones are passed over. */
const TAIL_TRIES = 5;
/**
 * A fetch moves an item only if it was last used this long ago, in seconds: what is fetched all the
 * time is found ACTIVE when it reaches the tail, and rescued then.
 */
const UPDATE_INTERVAL_SECONDS = 60;
/** ACTIVE items that one eviction passes over; then it takes even one of those. */
const RESCUES_MAX = 64;
/** Items that are made to sink into COLD before an eviction is given up. */
const SINKS_MAX = 64;
const JUGGLES_PER_RUN = 500;
/** Pulls per taking of the class lock, so that workers get their turn. */
const PULLS_PER_LOCK = 16;

/** The policy as one thread sees it. */
export class Segmented implements Eviction {
  private readonly memory: Memory;
  private readonly i32: Int32Array;
  private readonly config: CacheConfig;
  private readonly slab: Slab;
  private readonly table: Table;
  private readonly lists: Lists;
  private readonly unlinker: Unlinker;
  private readonly log: Log;
  /** Large item unlinked by the last pull, to be freed without the class lock. */
  private largeVictim = 0;
  /** Items that were ended since doMakeRoom was called. */
  private freed = 0;
  /** Items that the pull at hand has rescued from COLD. */
  private rescues = 0;

  constructor(
    memory: Memory,
    config: CacheConfig,
    slab: Slab,
    table: Table,
    lists: Lists,
    unlinker: Unlinker,
    log: Log,
  ) {
    this.memory = memory;
    this.i32 = memory.i32;
    this.config = config;
    this.slab = slab;
    this.table = table;
    this.lists = lists;
    this.unlinker = unlinker;
    this.log = log;
  }

  listFor(exptime: number): number {
    const { i32 } = this;
    const ttl = i32[HEAD_TEMP_TTL];
    if (ttl >= 0 && exptime !== 0 && exptime - i32[HEAD_CLOCK] <= ttl) return LRU_TEMP;
    return i32[HEAD_LRU_SEGMENTED] !== 0 ? LRU_HOT : LRU_COLD;
  }

  onHit(ref: number): void {
    const { i32 } = this;
    const word = at(ref) + CHUNK_STATE_I32;
    const state = i32[word];
    if ((state & STATE_FETCHED) === 0) i32[word] = state | STATE_FETCHED;
    else if ((state & STATE_ACTIVE) === 0 && i32[HEAD_LRU_SEGMENTED] !== 0) {
      i32[word] = state | STATE_ACTIVE;
    }
    this.onRenew(ref);
  }

  onRenew(ref: number): void {
    const { i32 } = this;
    const word = at(ref);
    const idle = i32[HEAD_CLOCK] - i32[word + ITEM_TIME_I32];
    // At most one write a second, so that threads which read the same item can share its cache
    // line.
    // (An item with a cas id of its own may be ahead of the clock.)
    if (idle <= 0) return;
    const lruSegmented = i32[HEAD_LRU_SEGMENTED] !== 0;
    const recent = idle < UPDATE_INTERVAL_SECONDS;
    // In flat mode the time is that of the last move.
    if (recent && !lruSegmented) return;
    i32[word + ITEM_TIME_I32] = i32[HEAD_CLOCK];
    if (recent) return;
    const active = (i32[word + CHUNK_STATE_I32] & STATE_ACTIVE) !== 0;
    if (lruSegmented && (lruOf(i32, ref) !== LRU_COLD || !active)) return;
    i32[word + CHUNK_STATE_I32] &= ~STATE_ACTIVE;
    const id = this.lists.classOf(ref);
    this.slab.lockClass(id);
    this.doMove(ref, lruSegmented ? LRU_WARM : LRU_COLD);
    if (lruSegmented) this.lists.doCount(tenantOf(i32, ref), id, ITEM_MOVES_TO_WARM, 1);
    this.slab.unlockClass(id);
  }

  doMakeRoom(tenant: number, id: number): number {
    this.largeVictim = 0;
    this.freed = 0;
    this.doPullTail(tenant, id, LRU_COLD, 0, true, 0);
    if (this.freed > 0 || !this.config.evictToFree) return this.largeVictim;
    // Nothing in COLD can go: let items sink into it, from HOT if there are any, else from WARM.
    for (let sinks = 0; sinks < SINKS_MAX && this.freed === 0; sinks++) {
      const from = this.lists.items(tenant, id, LRU_HOT) > 0 ? LRU_HOT : LRU_WARM;
      if (this.lists.items(tenant, id, from) === 0) break;
      this.doPullTail(tenant, id, from, 0, false, 0);
      if (this.freed === 0) this.doPullTail(tenant, id, LRU_COLD, 0, true, 0);
    }
    return this.largeVictim;
  }

  juggle(tenant: number, id: number): number {
    const { lists, i32 } = this;
    const { f64 } = this.memory;
    let moves = 0;
    if (lists.tail(tenant, id, LRU_TEMP) !== 0) {
      moves += this.pullRepeatedly(tenant, id, [LRU_TEMP], 0, 0, 0);
    }
    const coldTail = lists.tail(tenant, id, LRU_COLD);
    const coldAge = coldTail === 0 ? 0 : idleSecondsOf(i32, coldTail);
    const bytes =
      lists.bytes(tenant, id, LRU_HOT) +
      lists.bytes(tenant, id, LRU_WARM) +
      lists.bytes(tenant, id, LRU_COLD);
    const segmented = i32[HEAD_LRU_SEGMENTED] !== 0;
    const hotAge = segmented ? coldAge * f64[HEAD_HOT_FACTOR_F64] : 0;
    const warmAge = segmented ? coldAge * f64[HEAD_WARM_FACTOR_F64] : 0;
    const which = segmented ? [LRU_HOT, LRU_WARM, LRU_COLD] : [LRU_HOT, LRU_WARM];
    return moves + this.pullRepeatedly(tenant, id, which, bytes, hotAge, warmAge);
  }

  private pullRepeatedly(
    tenant: number,
    id: number,
    which: number[],
    bytes: number,
    hotAge: number,
    warmAge: number,
  ): number {
    let moves = 0;
    for (let done = 0; done < JUGGLES_PER_RUN; done += PULLS_PER_LOCK) {
      const before = moves;
      this.slab.lockClass(id);
      for (let i = 0; i < PULLS_PER_LOCK; i++) {
        this.largeVictim = 0;
        for (const lru of which) {
          const age = lru === LRU_HOT ? hotAge : warmAge;
          if (this.largeVictim === 0) {
            moves += this.doPullTail(tenant, id, lru, bytes, false, age);
          }
        }
        if (this.largeVictim !== 0) break;
      }
      this.slab.unlockClass(id);
      if (this.largeVictim !== 0) this.unlinker.freeLarge(this.largeVictim);
      if (moves === before) break;
    }
    return moves;
  }

  /**
   * Looks at the tail of one list: frees what is dead, moves what is in the wrong list, and evicts
   * from COLD if `evict`. Returns how many items it freed or moved. The caller holds the class.
   */
  private doPullTail(
    tenant: number,
    id: number,
    lru: number,
    bytesTotal: number,
    evict: boolean,
    maxAge: number,
  ): number {
    const { i32, lists, table } = this;
    let removed = 0;
    let next = 0;
    this.rescues = 0;
    let ref = lists.tail(tenant, id, lru);
    for (let tries = TAIL_TRIES; tries > 0 && ref !== 0; tries--, ref = next) {
      next = i32[at(ref) + CHUNK_PREV_I32];
      if (lru !== LRU_COLD && this.staysPut(tenant, id, lru, ref, bytesTotal, maxAge)) break;
      const hash = table.hashOf(ref);
      if (!table.tryLockStripe(hash)) continue;
      const pinned = refcountOf(i32, ref) !== 0;
      if (pinned && (lru === LRU_COLD || lru === LRU_TEMP)) {
        lists.doCount(tenant, id, ITEM_LRUTAIL_REFLOCKED, 1);
        if (evict) this.doPassPinned(tenant, id, ref, hash);
        table.unlockStripe(hash);
        continue;
      }
      if (!pinned && isDead(this.memory, ref)) {
        lists.doCount(tenant, id, ITEM_RECLAIMED, 1);
        if ((i32[at(ref)] & STATE_FETCHED) === 0) {
          lists.doCount(tenant, id, ITEM_EXPIRED_UNFETCHED, 1);
        }
        this.largeVictim = this.unlinker.doUnlinkVictim(ref, hash);
        this.freed++;
        table.unlockStripe(hash);
        removed++;
        if (this.largeVictim !== 0) return removed;
        continue;
      }
      const pulled =
        lru === LRU_COLD
          ? this.doPullCold(tenant, id, ref, hash, evict)
          : this.doPullUpper(tenant, id, lru, ref);
      const inWarm =
        pulled !== 0 && (i32[at(ref)] & STATE_LINKED) !== 0 && lruOf(i32, ref) === LRU_WARM;
      table.unlockStripe(hash);
      removed += pulled;
      // An item that was rescued to WARM, or went back to its head, leaves another one to look at.
      if (inWarm && (evict || lru === LRU_WARM)) {
        if (evict) tries++;
        continue;
      }
      break;
    }
    return removed;
  }

  /**
   * A pinned item at the tail of COLD goes to its head, or a few slow readers could end all
   * evictions of the class. One that was not used for tail_repair_time is ended; its memory comes
   * back with the last unpin.
   */
  private doPassPinned(tenant: number, id: number, ref: number, hash: number): void {
    const { i32, lists } = this;
    const { tailRepairTime } = this.config;
    const idle = idleSecondsOf(i32, ref);
    if (tailRepairTime === 0 || idle <= tailRepairTime) {
      this.doMove(ref, LRU_COLD);
      return;
    }
    lists.doCount(tenant, id, ITEM_TAILREPAIRS, 1);
    this.unlinker.doUnlinkVictim(ref, hash);
  }

  /** A living item at the tail of COLD: evicted if a place is needed, rescued if in use. */
  private doPullCold(
    tenant: number,
    id: number,
    ref: number,
    hash: number,
    evict: boolean,
  ): number {
    const { i32, lists } = this;
    const state = i32[at(ref)];
    if (this.doRescue(tenant, id, ref, !evict || this.rescues < RESCUES_MAX)) return 1;
    if (!evict || !this.config.evictToFree) return 0;
    lists.doCount(tenant, id, ITEM_EVICTED, 1);
    const age = idleSecondsOf(i32, ref);
    lists.doSetStatistic(tenant, id, ITEM_EVICTED_TIME, age);
    if (i32[at(ref) + ITEM_EXPTIME_I32] !== 0) lists.doCount(tenant, id, ITEM_EVICTED_NONZERO, 1);
    if ((state & STATE_FETCHED) === 0) lists.doCount(tenant, id, ITEM_EVICTED_UNFETCHED, 1);
    if ((state & STATE_ACTIVE) !== 0) lists.doCount(tenant, id, ITEM_EVICTED_ACTIVE, 1);
    if (this.log.wants(WATCH_EVICTIONS)) this.log.evicted(ref);
    this.largeVictim = this.unlinker.doUnlinkVictim(ref, hash);
    this.freed++;
    if (i32[HEAD_AUTOMOVE] === 2 && this.config.slabReassign) {
      orderPageMove(this.memory, this.slab.actor, ANY_CLASS, id);
    }
    return 1;
  }

  /** Moves an ACTIVE item from the tail of COLD to WARM, if it `may`; false if it stays. */
  private doRescue(tenant: number, id: number, ref: number, may: boolean): boolean {
    const { i32, lists } = this;
    const state = i32[at(ref)];
    if (!may || (state & STATE_ACTIVE) === 0 || i32[HEAD_LRU_SEGMENTED] === 0) return false;
    this.rescues++;
    lists.doCount(tenant, id, ITEM_MOVES_TO_WARM, 1);
    i32[at(ref)] = state & ~STATE_ACTIVE;
    this.doMove(ref, LRU_WARM);
    return true;
  }

  /** A living item at the tail of HOT or WARM, where one must go: it sinks or is rescued. */
  private doPullUpper(tenant: number, id: number, lru: number, ref: number): number {
    if (lru === LRU_TEMP) return 0;
    const { i32, lists } = this;
    const word = at(ref);
    const state = i32[word];
    if ((state & STATE_ACTIVE) !== 0) {
      i32[word] = state & ~STATE_ACTIVE;
      lists.doCount(tenant, id, lru === LRU_WARM ? ITEM_MOVES_WITHIN : ITEM_MOVES_TO_WARM, 1);
      this.doMove(ref, LRU_WARM);
      return 1;
    }
    lists.doCount(tenant, id, ITEM_MOVES_TO_COLD, 1);
    this.doMove(ref, LRU_COLD);
    return 1;
  }

  /**
   * Whether the tail of HOT, WARM or TEMP may stay where it is: it lives, and its list is neither
   * too large nor too old. Looks without the item's stripe; what changes meanwhile is seen next
   * time.
   */
  private staysPut(
    tenant: number,
    id: number,
    lru: number,
    ref: number,
    bytesTotal: number,
    maxAge: number,
  ): boolean {
    if (isDead(this.memory, ref)) return false;
    if (lru === LRU_TEMP) return true;
    const percent = this.i32[lru === LRU_HOT ? HEAD_HOT_PCT : HEAD_WARM_PCT];
    const limit = Math.floor((bytesTotal * percent) / 100);
    const age = idleSecondsOf(this.i32, ref);
    return this.lists.bytes(tenant, id, lru) <= limit && age <= maxAge;
  }

  /** Puts an item at the head of another list. The caller holds its stripe and its class. */
  private doMove(ref: number, lru: number): void {
    this.lists.doUnlink(ref);
    setLru(this.i32, ref, lru);
    this.lists.doLink(ref);
  }
}
