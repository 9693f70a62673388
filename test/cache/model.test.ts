/**
 * Random sequences of commands, served by two workers with the maintainer at work in between,
 * against a Map. With room to spare every reply is determined; under pressure a key may vanish at
 * any moment, but never come back, and never hold anything but what was stored last.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  ITEM_EVICTED,
  ITEM_OUTOFMEMORY,
  SLAB_MOVES,
  sumCounter,
} from '../../src/cache/counters.ts';
import { PageMover } from '../../src/cache/mover.ts';
import { CLASS_PAGES_I32, CLASS_PER_PAGE_I32, HEAD_CLOCK } from '../../src/memory/layout.ts';
import { checkLockOrder, locksHeld } from '../../src/memory/lock.ts';
import { type Entry, outcome, requestOf, type Step } from './model.ts';
import { filler, read, storageLine, World } from './world.ts';

const LENGTHS = [1, 30, 200, 1500, 8000, 16_200, 16_400, 40_000, 70_000];
const VALUE_BYTES_MAX = 400_000;
/** Steps that are not requests. */
const TICK = 'tick';
const MAINTAIN = 'maintain';
const MOVE = 'move';
const FLUSH = 'flush_all';

const REQUESTS = (
  'set set set set add replace append prepend delete touch gat incr incr decr get get get ' +
  'mg mg mdx mdi ma msa'
).split(' ');
const EVENTS = [TICK, MAINTAIN, MAINTAIN, MOVE, FLUSH];

function steps(keys: number, length: number): fc.Arbitrary<Step[]> {
  const value = fc.oneof(
    fc.nat(99_999).map(String),
    fc.tuple(fc.nat(9999), fc.constantFrom(...LENGTHS)).map(([n, size]) => filler(`v${n}`, size)),
  );
  const step = fc.record({
    command: fc.oneof(
      { weight: 8, arbitrary: fc.constantFrom(...REQUESTS) },
      { weight: 1, arbitrary: fc.constantFrom(...EVENTS) },
    ),
    key: fc.nat(keys - 1).map((n) => `key${n}`),
    value,
    exptime: fc.constantFrom(0, 0, 0, 0, 3, 10, -1),
    amount: fc.nat(2000),
    b: fc.boolean(),
  });
  return fc.array(step, { minLength: length / 2, maxLength: length, size: 'max' });
}

class Run {
  private readonly world: World;
  private readonly strict: boolean;
  private readonly model = new Map<string, Entry>();

  constructor(world: World, strict: boolean) {
    this.world = world;
    this.strict = strict;
  }

  all(sequence: readonly Step[]): void {
    for (const [index, step] of sequence.entries()) {
      this.one(step);
      assert.equal(locksHeld(), 0);
      if (index % 10 === 9) assert.deepEqual(this.world.audit(), []);
    }
    for (const key of [...this.model.keys()]) this.compare(key);
    assert.deepEqual(this.world.audit(), []);
  }

  private one(step: Step): void {
    const { world } = this;
    if (step.command === TICK) world.pass(1 + (step.amount % 5));
    else if (step.command === MAINTAIN) world.maintainer.round();
    else if (step.command === MOVE) this.move(step.amount);
    else if (step.command === FLUSH) {
      assert.equal(world.a.send('flush_all\r\n'), 'OK\r\n');
      this.model.clear();
    } else this.request(step);
  }

  private request(step: Step): void {
    const { world, model } = this;
    const found = model.get(step.key);
    if ((found?.value.length ?? 0) + step.value.length > VALUE_BYTES_MAX) return;
    const now = world.memory.i32[HEAD_CLOCK];
    const reply = (step.b ? world.b : world.a).send(requestOf(step));
    const expected = outcome(step, found, now);
    if (reply === expected.reply) this.note(step.key, expected.entry);
    else if (!this.strict && /^(SERVER_ERROR|NS\r|EN\r)/.test(reply)) this.compare(step.key);
    else {
      const evicted = outcome(step, undefined, now);
      assert.equal(reply, this.strict ? expected.reply : evicted.reply, JSON.stringify(step));
      // An append that found no memory is answered like one that found no item.
      if (reply === 'NOT_STORED\r\n') this.compare(step.key);
      else this.note(step.key, evicted.entry);
    }
  }

  private note(key: string, entry: Entry | undefined): void {
    if (entry === undefined) this.model.delete(key);
    else this.model.set(key, entry);
  }

  /** The key holds what the model says, or, under pressure, nothing. */
  private compare(key: string): void {
    const entry = this.model.get(key);
    const dead = entry !== undefined && entry.deadline !== 0;
    const expired = dead && entry.deadline <= this.world.memory.i32[HEAD_CLOCK];
    const value = read(this.world.b, key);
    if (value === null && (!this.strict || expired)) this.model.delete(key);
    else assert.equal(value, expired ? null : (entry?.value ?? null), key);
  }

  /** Moves a page from one class that has several to any class or the pool. */
  private move(dice: number): void {
    const { store } = this.world.maintainer;
    const { memory, slab } = store;
    const rich: number[] = [];
    for (let id = 1; id <= memory.classLargest; id++) {
      const word = slab.classWord(id);
      // With a page's worth of free chunks nothing needs to be evicted for the move.
      const roomy = slab.freeChunks(id) >= memory.i32[word + CLASS_PER_PAGE_I32];
      if (memory.i32[word + CLASS_PAGES_I32] > 1 && (roomy || !this.strict)) rich.push(id);
    }
    if (rich.length === 0) return;
    const mover = new PageMover(store, () => {});
    mover.move(rich[dice % rich.length], dice % (memory.classLargest + 1));
  }
}

/** A run takes seconds; shrinking a failure ends here, and reports what it has. */
const SHRINK_LIMIT_MS = 60_000;

/** Evictions, refusals for want of memory, and moved pages over all runs: none means no test. */
interface Pressure {
  evicted: number;
  refused: number;
  moved: number;
}

/** Fills the larger classes to the brim, or with holes in several pages. */
function prefill(world: World, holes: boolean): void {
  for (const [length, count] of [
    [1500, holes ? 1 : 800],
    [8000, 150],
    [16_200, 80],
    [70_000, holes ? 15 : 20],
  ]) {
    for (let i = 0; i < count; i++) {
      world.b.send(storageLine('set', `fill${length}x${i}`, filler('fill', length)));
    }
    for (let i = 0; i < count && holes; i++) {
      if (i % 4 > 0) world.b.send(`delete fill${length}x${i}\r\n`);
    }
  }
}

function compareWithModel(
  world: () => World,
  strict: boolean,
  keys: number,
  numRuns: number,
): Pressure {
  const pressure = { evicted: 0, refused: 0, moved: 0 };
  const property = fc.property(steps(keys, 200), (sequence) => {
    const fresh = world();
    prefill(fresh, strict);
    new Run(fresh, strict).all(sequence);
    const { lists, memory } = fresh.maintainer.store;
    for (let id = 1; id <= memory.classLargest; id++) {
      pressure.evicted += lists.statistic(0, id, ITEM_EVICTED);
      pressure.refused += lists.statistic(0, id, ITEM_OUTOFMEMORY);
    }
    pressure.moved += sumCounter(memory, SLAB_MOVES);
  });
  checkLockOrder(true);
  try {
    fc.assert(property, { numRuns, interruptAfterTimeLimit: SHRINK_LIMIT_MS });
  } finally {
    checkLockOrder(false);
  }
  return pressure;
}

const MEGABYTE = 2 ** 20;

test("with room to spare, every reply is the model's", () => {
  const memory = { memoryLimit: 60 * MEGABYTE, memoryMax: 60 * MEGABYTE, hashPowerInit: 3 };
  const { moved } = compareWithModel(() => new World(memory), true, 12, 60);
  assert.ok(moved > 0, 'no page was ever moved');
});

test("with a TEMP list, every reply is the model's", () => {
  const memory = { memoryLimit: 60 * MEGABYTE, memoryMax: 60 * MEGABYTE };
  compareWithModel(() => new World(memory, { tempLru: true, temporaryTtl: 5 }), true, 12, 20);
});

test('under pressure, keys vanish but never hold what was not stored', () => {
  const memory = { memoryLimit: MEGABYTE, memoryMax: MEGABYTE, hashPowerInit: 3 };
  const pressure = compareWithModel(() => new World(memory), false, 60, 60);
  assert.ok(pressure.evicted > 1000, `${pressure.evicted} evictions`);
});

test('under pressure in flat mode, keys vanish but never hold what was not stored', () => {
  const memory = { memoryLimit: MEGABYTE, memoryMax: MEGABYTE };
  const config = { lruSegmented: false, lruMaintainer: false };
  const pressure = compareWithModel(() => new World(memory, config), false, 60, 60);
  assert.ok(pressure.evicted > 100, `${pressure.evicted} evictions`);
});

test('without eviction, what was stored stays', () => {
  const memory = { memoryLimit: 3 * MEGABYTE, memoryMax: 3 * MEGABYTE };
  const config = { evictToFree: false };
  const pressure = compareWithModel(() => new World(memory, config), false, 60, 30);
  assert.equal(pressure.evicted, 0);
  assert.ok(pressure.refused > 20, `${pressure.refused} refusals`);
});
