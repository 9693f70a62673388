/**
 * Which class should give a page to which: the policy of `slab_automove=1`. Numbers in, decision
 * out; the page mover does the moving.
 *
 * memcached's rules. A class with more than two pages of free chunks, undisturbed for a whole
 * window, gives one to the pool. Otherwise, if a class evicts throughout the window and its oldest
 * items are younger than the oldest class's by the given ratio, it gets a page from that one.
 */

/** What is known of a class at one moment. */
export interface ClassSample {
  readonly id: number;
  readonly pages: number;
  readonly freeChunks: number;
  readonly chunksPerPage: number;
  /** Evictions and failed allocations so far. */
  readonly evicted: number;
  readonly outOfMemory: number;
  /** Seconds since the item at the tail of COLD was last used. */
  readonly age: number;
}

export interface PageMove {
  readonly source: number;
  /** A class, or 0 for the pool. */
  readonly destination: number;
}

interface WindowEntry {
  age: number;
  dirty: boolean;
  evicted: boolean;
  evictedShare: number;
}

const PAGES_TO_RECLAIM = 2.5;
const PAGES_OF_SOURCE_MIN = 2;
/** Share of all evictions in the window that makes a class a candidate on its own. */
const EVICTED_SHARE = 0.25;

/** Keeps the window; call `decide` once a second. */
export class Automove {
  private windowSize = 0;
  private readonly windows = new Map<number, WindowEntry[]>();
  private before = new Map<number, ClassSample>();
  private ticks = 0;

  /**
   * Takes in the samples of all classes; returns the move to make, if any. `windowSize` (seconds)
   * and `ratio` may be others than last time; a new size starts a new window.
   */
  decide(samples: readonly ClassSample[], windowSize: number, ratio: number): PageMove | null {
    if (windowSize !== this.windowSize) this.begin(windowSize);
    const evictedTotal = samples.reduce((sum, sample) => sum + this.evictedSince(sample), 0);
    this.ticks++;
    let oldest: { id: number; age: number } | null = null;
    let youngest: { id: number; age: number; evicting: boolean } | null = null;
    let reclaim: PageMove | null = null;
    for (const sample of samples) {
      const entry = this.entry(sample, evictedTotal);
      const window = this.push(sample.id, entry);
      const age = Math.floor(window.reduce((sum, each) => sum + each.age, 0) / this.windowSize);
      if (
        reclaim === null &&
        sample.freeChunks > sample.chunksPerPage * PAGES_TO_RECLAIM &&
        !window.some((each) => each.dirty)
      ) {
        reclaim = { source: sample.id, destination: 0 };
      }
      if (age > (oldest?.age ?? 0) && sample.pages > PAGES_OF_SOURCE_MIN) {
        oldest = { id: sample.id, age };
      }
      const seen = window.filter((each) => each.evicted).length;
      const share = window.reduce((sum, each) => sum + each.evictedShare, 0) / this.windowSize;
      const suffers = seen > this.windowSize / 2 || share > EVICTED_SHARE;
      if (suffers && age < (youngest?.age ?? Number.POSITIVE_INFINITY)) {
        youngest = { id: sample.id, age, evicting: entry.evicted };
      }
    }
    this.before = new Map(samples.map((sample) => [sample.id, sample]));
    if (reclaim !== null) return reclaim;
    if (oldest === null || youngest === null || this.ticks <= this.windowSize) return null;
    if (youngest.age >= oldest.age * ratio || !youngest.evicting) return null;
    return { source: oldest.id, destination: youngest.id };
  }

  private begin(windowSize: number): void {
    this.windowSize = windowSize;
    this.windows.clear();
    this.ticks = 0;
  }

  private entry(sample: ClassSample, evictedTotal: number): WindowEntry {
    const before = this.before.get(sample.id);
    const evicted = this.evictedSince(sample);
    const failed = before !== undefined && sample.outOfMemory > before.outOfMemory;
    const grown = before !== undefined && sample.pages > before.pages;
    return {
      age: sample.age,
      dirty: evicted > 0 || failed || grown,
      evicted: evicted > 0,
      evictedShare: evictedTotal === 0 ? 0 : evicted / evictedTotal,
    };
  }

  private evictedSince(sample: ClassSample): number {
    return sample.evicted - (this.before.get(sample.id)?.evicted ?? sample.evicted);
  }

  /** Adds to a class's window, which holds at most windowSize entries. */
  private push(id: number, entry: WindowEntry): WindowEntry[] {
    const window = this.windows.get(id) ?? [];
    window.push(entry);
    if (window.length > this.windowSize) window.shift();
    this.windows.set(id, window);
    return window;
  }
}
