// Seeded random numbers and the key sequences made of them: every round of a bench, for every
// server, asks for the same keys in the same order, and drawing them costs nothing while it runs.

/** A seeded source of 32-bit unsigned integers (mulberry32). */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 0;
  }

  /** The next integer in 0..2^32-1. */
  uint32(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (t ^ (t >>> 14)) >>> 0;
  }

  /** The next number in [0, 1), in steps of 2^-32. */
  fraction(): number {
    return this.uint32() / 4294967296;
  }

  /** The next integer in 0..limit-1. */
  below(limit: number): number {
    return Math.floor(this.fraction() * limit);
  }
}

/** Draws ranks 0..count-1 with probability proportional to 1 / (rank + 1)^exponent. */
export class Zipf {
  readonly #cumulative: Float64Array;

  constructor(count: number, exponent: number) {
    this.#cumulative = new Float64Array(count);
    let sum = 0;
    for (let rank = 0; rank < count; rank++) {
      sum += (rank + 1) ** -exponent;
      this.#cumulative[rank] = sum;
    }
  }

  /** The rank that belongs to a fraction in [0, 1) of the distribution. */
  rank(fraction: number): number {
    const cumulative = this.#cumulative;
    const target = fraction * cumulative[cumulative.length - 1];
    let low = 0;
    let high = cumulative.length - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (cumulative[middle] > target) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}

/** The numbers 0..count-1 in random order. */
export function permutation(count: number, random: Random): Uint32Array {
  const order = new Uint32Array(count);
  for (let i = 0; i < count; i++) {
    const j = random.below(i + 1);
    order[i] = order[j];
    order[j] = i;
  }
  return order;
}

/** How keys are chosen: all alike, or Zipf with this exponent. */
export interface Distribution {
  readonly kind: 'uniform' | 'zipf';
  readonly exponent: number;
}

/**
 * A sequence of `length` requests over `keys` keys: `key` stands for a get of it, `~key` for a set.
 * Popular keys are spread over the key space, so that their numbers say nothing about their rank.
 */
export function requestSequence(
  length: number,
  keys: number,
  distribution: Distribution,
  setShare: number,
  random: Random,
): Int32Array {
  const sequence = new Int32Array(length);
  if (distribution.kind === 'uniform') {
    for (let i = 0; i < length; i++) sequence[i] = random.below(keys);
  } else {
    const zipf = new Zipf(keys, distribution.exponent);
    const keyOfRank = permutation(keys, random);
    for (let i = 0; i < length; i++) sequence[i] = keyOfRank[zipf.rank(random.fraction())];
  }
  for (let i = 0; i < length; i++) {
    if (random.fraction() < setShare) sequence[i] = ~sequence[i];
  }
  return sequence;
}
