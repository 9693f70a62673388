// Latency histogram of the load generator: log-linear buckets in one typed array. It exists because
// recording into perf_hooks' createHistogram() costs ten times as much (31 ns against 3), which is
// time that the generator does not have.

const SUB_BITS = 7;
const SUB_BUCKETS = 1 << SUB_BITS;
const BUCKETS = (32 - SUB_BITS + 1) << SUB_BITS;

/**
 * Counts of durations in units of 0.1 µs. Durations below 128 units are exact, larger ones are kept
 * to one part in 64; the largest that can be told apart is 214 s.
 */
export class Histogram {
  readonly #counts = new Float64Array(BUCKETS);
  #total = 0;
  #max = 0;

  get total(): number {
    return this.#total;
  }

  /** The longest duration recorded, in milliseconds, exact. */
  get maxMs(): number {
    return this.#max / 10_000;
  }

  /** Records one duration in milliseconds; a negative one counts as 0. */
  record(ms: number): void {
    const units = ms <= 0 ? 0 : ms >= 214_748 ? 0x7fffffff : (ms * 10_000) | 0;
    this.#counts[bucketOf(units)]++;
    this.#total++;
    if (units > this.#max) this.#max = units;
  }

  /** The milliseconds that `share` (0..1) of all durations do not exceed; 0 if empty. */
  percentileMs(share: number): number {
    const wanted = Math.max(1, Math.ceil(share * this.#total));
    let seen = 0;
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      seen += this.#counts[bucket];
      if (seen >= wanted) return Math.min(upperEdge(bucket), this.#max) / 10_000;
    }
    return 0;
  }

  reset(): void {
    this.#counts.fill(0);
    this.#total = 0;
    this.#max = 0;
  }
}

function bucketOf(units: number): number {
  const shift = 31 - Math.clz32(units | (SUB_BUCKETS - 1)) - (SUB_BITS - 1);
  return (shift << SUB_BITS) + (units >>> shift);
}

/** The largest number of units that falls into a bucket. */
function upperEdge(bucket: number): number {
  const shift = bucket >>> SUB_BITS;
  return ((bucket & (SUB_BUCKETS - 1)) + 1) * 2 ** shift - 1;
}
