/**
 * The crawler: looks for items that have expired or were flushed, so that their memory comes back
 * without anybody asking for them.
 *
 * It walks the pages of a class chunk by chunk, in memory order, and locks an item's stripe only if
 * the item looks dead. How soon a class is crawled again depends on what the last crawl found: at
 * least every hour, at most every few seconds.
 */
import {
  at,
  HEAD_CLOCK,
  HEAD_CRAWLER_RUNNING,
  HEAD_CRAWLER_TOCRAWL,
  HEAD_PAGE_FRESH,
  ITEM_EXPTIME_I32,
  PAGE_CLASS_I32,
  STATE_DATA,
  STATE_FETCHED,
  STATE_LINKED,
} from '../memory/layout.ts';
import { pageEntry, pageOf } from '../memory/pages.ts';
import { forEachChunk } from '../memory/slab.ts';
import {
  CRAWLER_STARTS,
  ITEM_CRAWLER_CHECKED,
  ITEM_CRAWLER_RECLAIMED,
  ITEM_EXPIRED_UNFETCHED,
} from './counters.ts';
import { isDead } from './expiry.ts';
import { isCrawlOrderedFor } from './orders.ts';
import type { Store } from './store.ts';

const WAIT_STEP_SECONDS = 60;
const WAIT_MAX_SECONDS = 60 * 60;
const WAIT_MIN_SECONDS = 5;
/** Items looked at between two pauses. */
const ITEMS_PER_BATCH = 1000;
/** A crawl that freed this share of what could expire was worth it: come back sooner. */
const WORTH_SHARE = 0.01;

interface Schedule {
  next: number; // clock second of the next crawl
  wait: number; // seconds
}

export class Crawler {
  private readonly store: Store;
  private readonly i32: Int32Array;
  private readonly pause: () => boolean;
  private readonly schedules = new Map<number, Schedule>();
  /** Where the next crawl of a class begins, if lru_crawler_tocrawl has cut the last one short. */
  private readonly resumeAt = new Map<number, number>();
  private sinceBatch = 0;
  private stopped = false;

  /** `pause` is called between batches; it may sleep, and returns false to end the crawl. */
  constructor(store: Store, pause: () => boolean) {
    this.store = store;
    this.i32 = store.memory.i32;
    this.pause = pause;
  }

  /** Crawls the classes whose time has come. */
  crawlDue(): void {
    const now = this.i32[HEAD_CLOCK];
    for (let id = 1; id <= this.store.memory.classLargest; id++) {
      const schedule = this.schedules.get(id) ?? { next: now + WAIT_MIN_SECONDS, wait: 0 };
      this.schedules.set(id, schedule);
      if (now < schedule.next) continue;
      const { expirable, reclaimed } = this.crawl(id);
      const worth = reclaimed > expirable * WORTH_SHARE;
      const step = worth ? -WAIT_STEP_SECONDS : WAIT_STEP_SECONDS;
      schedule.wait = Math.min(Math.max(schedule.wait + step, 0), WAIT_MAX_SECONDS);
      schedule.next = this.i32[HEAD_CLOCK] + schedule.wait + WAIT_MIN_SECONDS;
    }
  }

  /** Crawls the classes that `lru_crawler crawl` has ordered (orders.ts). */
  crawlOrdered(): void {
    const { i32, store } = this;
    for (let id = 1; id <= store.memory.classLargest; id++) {
      if (isCrawlOrderedFor(i32, id)) this.crawl(id);
    }
  }

  /** Crawls one class; returns how many items had an exptime, and how many were dead. */
  crawl(id: number): { expirable: number; reclaimed: number } {
    const { store, i32 } = this;
    const { memory, slab, lists } = store;
    let checked = 0;
    let expirable = 0;
    let reclaimed = 0;
    let unfetched = 0;
    this.stopped = false;
    i32[HEAD_CRAWLER_RUNNING] = 1;
    const limit = i32[HEAD_CRAWLER_TOCRAWL] >>> 0;
    const from = (this.resumeAt.get(id) ?? 0) >>> 0;
    this.resumeAt.delete(id);
    const firstPage = from === 0 ? 0 : pageOf(memory, from);
    for (let page = firstPage; page < i32[HEAD_PAGE_FRESH] && !this.stopped; page++) {
      if (i32[pageEntry(memory, page) + PAGE_CLASS_I32] !== id) continue;
      forEachChunk(memory, page, (ref) => {
        if (this.stopped || ref >>> 0 < from) return;
        const state = i32[at(ref)];
        if ((state & STATE_LINKED) === 0 || (state & STATE_DATA) !== 0) return;
        if (limit !== 0 && checked === limit) {
          this.stopped = true;
          this.resumeAt.set(id, ref);
          return;
        }
        checked++;
        if (i32[at(ref) + ITEM_EXPTIME_I32] !== 0) expirable++;
        if (isDead(memory, ref) && this.reclaim(ref)) {
          reclaimed++;
          if ((state & STATE_FETCHED) === 0) unfetched++;
        }
        this.rest();
      });
    }
    i32[HEAD_CRAWLER_RUNNING] = 0;
    if (checked === 0) return { expirable, reclaimed };
    store.count(CRAWLER_STARTS, 1);
    slab.lockClass(id);
    lists.doCount(0, id, ITEM_CRAWLER_CHECKED, checked);
    lists.doCount(0, id, ITEM_CRAWLER_RECLAIMED, reclaimed);
    lists.doCount(0, id, ITEM_EXPIRED_UNFETCHED, unfetched);
    slab.unlockClass(id);
    return { expirable, reclaimed };
  }

  /** Ends an item if it is still the one that looked dead. */
  private reclaim(ref: number): boolean {
    const { store, i32 } = this;
    const { table, memory, unlinker } = store;
    const hash = table.hashOf(ref);
    table.lockStripe(hash);
    const dead =
      (i32[at(ref)] & STATE_LINKED) !== 0 &&
      table.hashOf(ref) === hash &&
      table.doContains(hash, ref) &&
      isDead(memory, ref);
    if (dead) unlinker.doUnlink(ref, hash);
    table.unlockStripe(hash);
    return dead;
  }

  private rest(): void {
    this.sinceBatch++;
    if (this.sinceBatch < ITEMS_PER_BATCH) return;
    this.sinceBatch = 0;
    if (!this.pause()) this.stopped = true;
  }
}
