/**
 * The maintainer: a thread of its own that does what no request should wait for. It juggles the LRU
 * lists, grows the hash table, crawls for dead items, and moves pages between classes.
 *
 * It sleeps between rounds: 1 ms while there is work, up to 100 ms when there is none, and wakes at
 * once for an order (orders.ts).
 */
import { atomicLoad, atomicStore, atomicWait } from '../memory/atomics.ts';
import {
  CLASS_PAGES_I32,
  CLASS_PER_PAGE_I32,
  HEAD_AUTOMOVE,
  HEAD_AUTOMOVE_RATIO_F64,
  HEAD_AUTOMOVE_WINDOW,
  HEAD_CLOCK,
  HEAD_CRAWLER_SLEEP,
  HEAD_HASH_POWER,
  HEAD_LRU_CRAWLER,
  HEAD_MAINTAINER_STOP,
  HEAD_MAINTAINER_WAKE,
  HEAD_MOVE_DESTINATION,
  HEAD_MOVE_SOURCE,
  LRU_COLD,
} from '../memory/layout.ts';
import type { Memory } from '../memory/memory.ts';
import { isShrinking } from '../memory/pages.ts';
import { Automove, type ClassSample } from './automove.ts';
import type { CacheConfig } from './config.ts';
import { ITEM_EVICTED, ITEM_OUTOFMEMORY, LRU_JUGGLES } from './counters.ts';
import { Crawler } from './crawler.ts';
import { idleSecondsOf } from './item.ts';
import { WATCH_SYSEVENTS } from './log.ts';
import { PageMover } from './mover.ts';
import { ANY_CLASS, endOrderedCrawl, isCrawlOrdered, isOrder, POOL_SOURCE } from './orders.ts';
import { Store } from './store.ts';

/** The maintainer's actor number. */
export const MAINTAINER_ACTOR = 1;

/** How long a class is left alone whose page could not be given up. */
const STUCK_SECONDS = 5;
const SLEEP_MIN_MS = 1;
const SLEEP_MAX_MS = 100;
/** Items per bucket at which the table doubles. */
export const LOAD_MAX = 1.5;

/** Runs until requestMaintainerStop. Blocks its thread. */
export function runMaintainer(memory: Memory, config: CacheConfig): void {
  const { i32 } = memory;
  const maintainer = new Maintainer(memory, config);
  let sleepMs = SLEEP_MIN_MS;
  while (atomicLoad(i32, HEAD_MAINTAINER_STOP) === 0) {
    const wake = atomicLoad(i32, HEAD_MAINTAINER_WAKE);
    sleepMs = maintainer.round() ? SLEEP_MIN_MS : Math.min(sleepMs * 2, SLEEP_MAX_MS);
    atomicWait(i32, HEAD_MAINTAINER_WAKE, wake, sleepMs);
  }
}

/** One thread's maintenance, round by round; tests drive it without a thread. */
export class Maintainer {
  readonly store: Store;
  readonly crawler: Crawler;
  readonly mover: PageMover;
  private readonly automove: Automove;
  private readonly i32: Int32Array;
  private lastSecond = 0;
  /** The class whose page could not be given up last, and until when it is left alone. */
  private stuckSource = 0;
  private stuckUntil = 0;

  constructor(memory: Memory, config: CacheConfig, actor = MAINTAINER_ACTOR) {
    this.store = new Store(memory, config, actor);
    this.i32 = memory.i32;
    this.crawler = new Crawler(this.store, () => this.restWhileCrawling());
    this.mover = new PageMover(this.store, (ms) => this.sleep(ms));
    this.automove = new Automove();
  }

  /** Does what is due; true when there may be more to do at once. */
  round(): boolean {
    const { i32, store } = this;
    let busy = this.expandIfFull();
    busy = this.takeOrder() || busy;
    busy = this.takeCrawlOrder() || busy;
    busy = this.shrink() || busy;
    if (store.config.lruMaintainer) busy = this.juggle() || busy;
    const now = i32[HEAD_CLOCK];
    if (now !== this.lastSecond) {
      this.lastSecond = now;
      this.everySecond();
    }
    return busy;
  }

  private everySecond(): void {
    if (this.i32[HEAD_LRU_CRAWLER] !== 0) this.crawler.crawlDue();
    if (this.i32[HEAD_AUTOMOVE] === 0 || !this.store.config.slabReassign) return;
    const window = this.i32[HEAD_AUTOMOVE_WINDOW];
    const ratio = this.store.memory.f64[HEAD_AUTOMOVE_RATIO_F64];
    const move = this.automove.decide(this.samples(), window, ratio);
    if (move === null) return;
    const done = this.mover.move(move.source, move.destination);
    const { log } = this.store;
    if (log.wants(WATCH_SYSEVENTS)) log.pageMoved(move.source, move.destination, done);
  }

  private juggle(): boolean {
    const { store } = this;
    let moves = 0;
    for (let id = 1; id <= store.memory.classLargest; id++) {
      if (this.i32[store.slab.classWord(id) + CLASS_PAGES_I32] === 0) continue;
      moves += store.eviction.juggle(0, id);
      store.count(LRU_JUGGLES, 1);
    }
    return moves > 0;
  }

  private expandIfFull(): boolean {
    const { store, i32 } = this;
    if (!store.config.hashExpand) return false;
    if (store.lists.itemsTotal(0) <= 2 ** i32[HEAD_HASH_POWER] * LOAD_MAX) return false;
    return store.table.expand();
  }

  /** Carries out a page move that was ordered; see orders.ts. */
  private takeOrder(): boolean {
    const { i32 } = this;
    const ordered = atomicLoad(i32, HEAD_MOVE_SOURCE);
    if (!isOrder(ordered)) return false;
    const destination = i32[HEAD_MOVE_DESTINATION];
    const source = ordered === ANY_CLASS ? this.bestSource(destination) : ordered;
    if (source !== -1) this.mover.move(source === POOL_SOURCE ? 0 : source, destination);
    atomicStore(i32, HEAD_MOVE_SOURCE, 0);
    return true;
  }

  /** Takes a page from the class that has most, while there are more than cache_memlimit allows. */
  private shrink(): boolean {
    const { store, mover } = this;
    if (!store.config.slabReassign || !isShrinking(store.memory, store.actor, false)) return false;
    const now = this.i32[HEAD_CLOCK];
    const waiting = now < this.stuckUntil;
    const source = this.bestSource(waiting ? this.stuckSource : 0);
    if (source === -1) return !waiting && isShrinking(store.memory, store.actor, true);
    if (mover.move(source, 0)) return true;
    // Something in its page is in use for long: the other classes first.
    this.stuckSource = source;
    this.stuckUntil = now + STUCK_SECONDS;
    return false;
  }

  /** Carries out `lru_crawler crawl`. */
  private takeCrawlOrder(): boolean {
    const { i32 } = this;
    if (!isCrawlOrdered(i32)) return false;
    this.crawler.crawlOrdered();
    endOrderedCrawl(i32);
    return true;
  }

  /** The class with the most pages but this one: it can best spare one. */
  private bestSource(destination: number): number {
    let best = -1;
    let most = 1;
    for (let id = 1; id <= this.store.memory.classLargest; id++) {
      const pages = this.i32[this.store.slab.classWord(id) + CLASS_PAGES_I32];
      if (id === destination || pages <= most) continue;
      best = id;
      most = pages;
    }
    return best;
  }

  private samples(): ClassSample[] {
    const { store, i32 } = this;
    const samples: ClassSample[] = [];
    for (let id = 1; id <= store.memory.classLargest; id++) {
      const word = store.slab.classWord(id);
      const tail = store.lists.tail(0, id, LRU_COLD);
      samples.push({
        id,
        pages: i32[word + CLASS_PAGES_I32],
        freeChunks: store.slab.freeChunks(id),
        chunksPerPage: i32[word + CLASS_PER_PAGE_I32],
        evicted: store.lists.statistic(0, id, ITEM_EVICTED),
        outOfMemory: store.lists.statistic(0, id, ITEM_OUTOFMEMORY),
        age: tail === 0 ? 0 : idleSecondsOf(i32, tail),
      });
    }
    return samples;
  }

  /** Between two batches of the crawler: sleep, and see to what is more urgent. */
  private restWhileCrawling(): boolean {
    const { store } = this;
    // Each class that is still to be crawled would sleep once more.
    if (atomicLoad(this.i32, HEAD_MAINTAINER_STOP) !== 0) return false;
    this.sleep(this.i32[HEAD_CRAWLER_SLEEP] / 1000);
    if (store.config.lruMaintainer) this.juggle();
    this.expandIfFull();
    return atomicLoad(this.i32, HEAD_MAINTAINER_STOP) === 0;
  }

  private sleep(ms: number): void {
    const wake = atomicLoad(this.i32, HEAD_MAINTAINER_WAKE);
    atomicWait(this.i32, HEAD_MAINTAINER_WAKE, wake, ms);
  }
}
