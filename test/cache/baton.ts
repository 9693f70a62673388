/**
 * One of two threads that pass a baton: only its holder runs, and at every synchronising access a
 * seeded generator in shared memory decides who goes on. So a run is a real race of real threads,
 * and its seed repeats it exactly.
 */
import { parentPort } from 'node:worker_threads';
import { Maintainer } from '../../src/cache/maintainer.ts';
import { PageMover } from '../../src/cache/mover.ts';
import { setAtomicsHook } from '../../src/memory/atomics.ts';
import { CLASS_PAGES_I32, STRIPE_BYTES, wordOf } from '../../src/memory/layout.ts';
import { checkLockOrder } from '../../src/memory/lock.ts';
import { attachMemory, type Memory } from '../../src/memory/memory.ts';
import { FEED_MORE } from '../../src/protocol/engine.ts';
import { CACHE_DEFAULTS, makeEngine, makeStore } from '../support/cache.ts';
import { requestOf, type Step } from './model.ts';

/* Words of the control array. */
export const TURN = 0;
export const RANDOM = 1;
export const STEPS = 2;
/** + thread: it has finished. */
export const DONE = 3;
export const CONTROL_WORDS = 5;

/** Steps that are the maintainer's work. */
export const ROUND = 'round';
export const MOVE = 'move';

/** What a thread is to do. */
export interface Part {
  readonly buffer: SharedArrayBuffer;
  readonly control: Int32Array;
  readonly thread: number;
  readonly slot: number;
  readonly steps: readonly Step[];
  /** The baton is passed at one access in 2^eagerness. */
  readonly eagerness: number;
  /** Makes the locks of stripes exclude nobody, to prove that this is found out. */
  readonly broken: boolean;
}

/** What became of a step: its reply, and when it began and ended in accesses of both threads. */
export interface Done {
  readonly step: Step;
  readonly reply: string;
  readonly began: number;
  readonly ended: number;
}

class Baton {
  private readonly part: Part;
  private readonly i32: Int32Array;
  private readonly stripes: number;
  private readonly stripesEnd: number;

  constructor(part: Part, memory: Memory) {
    this.part = part;
    this.i32 = memory.i32;
    this.stripes = wordOf(memory.layout.stripes);
    this.stripesEnd = this.stripes + memory.layout.stripeCount * (STRIPE_BYTES / 4);
  }

  /** Blocks until this thread has the baton. */
  await(): void {
    const { control, thread } = this.part;
    while (Atomics.load(control, TURN) !== thread) Atomics.wait(control, TURN, 1 - thread);
  }

  pass(): void {
    const { control, thread } = this.part;
    Atomics.store(control, TURN, 1 - thread);
    Atomics.notify(control, TURN);
  }

  /** Before every synchronising access. */
  step(operation: string, index: number): void {
    const { control, thread, eagerness, broken } = this.part;
    control[STEPS]++;
    if (operation === 'wait') this.waitFor(index);
    else if (control[DONE + 1 - thread] === 0 && this.random() >>> (32 - eagerness) === 0) {
      this.pass();
      this.await();
    }
    const stripe = index >= this.stripes && index < this.stripesEnd;
    if (broken && stripe && operation === 'compareExchange') this.i32[index] = 0;
  }

  /** Instead of a sleep: the other goes on until the word changes. */
  private waitFor(index: number): void {
    const { control, thread } = this.part;
    const seen = this.i32[index];
    while (this.i32[index] === seen) {
      if (control[DONE + 1 - thread] !== 0) throw new Error(`word ${index} is locked for ever`);
      this.pass();
      this.await();
    }
  }

  /** xorshift32 */
  private random(): number {
    const { control } = this.part;
    let x = control[RANDOM];
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    control[RANDOM] = x;
    return x;
  }
}

/** Carries out steps; the maintainer's with a store of its own. */
class Hand {
  private readonly part: Part;
  private readonly baton: Baton;
  private readonly memory: Memory;
  private readonly engine;
  private readonly session;
  private readonly maintainer: Maintainer;

  constructor(part: Part, baton: Baton, memory: Memory) {
    this.part = part;
    this.baton = baton;
    this.memory = memory;
    this.engine = makeEngine(makeStore(memory, {}, part.thread + 2));
    this.session = this.engine.open(part.slot);
    this.maintainer = new Maintainer(memory, CACHE_DEFAULTS);
  }

  carryOut(step: Step): Done {
    const { control } = this.part;
    const began = control[STEPS];
    let reply = '';
    if (step.command === ROUND) this.maintainer.round();
    else if (step.command === MOVE) this.move();
    else reply = this.send(requestOf(step));
    return { step, reply, began, ended: control[STEPS] };
  }

  private move(): void {
    const { store } = this.maintainer;
    const pages = (id: number): number =>
      this.memory.i32[store.slab.classWord(id) + CLASS_PAGES_I32];
    const mover = new PageMover(store, () => {});
    for (let id = 1; id <= this.memory.classLargest; id++) if (pages(id) > 1) mover.move(id, 0);
  }

  private send(request: string): string {
    const { engine, session } = this;
    const bytes = Buffer.from(request, 'latin1');
    let reply = '';
    let result = engine.feed(session, bytes, 0, bytes.length);
    for (;;) {
      reply += engine.output.view().toString('latin1');
      engine.output.reset();
      if (result === FEED_MORE) return reply;
      // The socket is full: the other thread may do anything to what is being sent.
      this.baton.step('resume', 0);
      result = engine.resume(session);
    }
  }
}

function play(part: Part): Done[] {
  const memory = attachMemory(part.buffer);
  const baton = new Baton(part, memory);
  const hand = new Hand(part, baton, memory);
  checkLockOrder(true);
  baton.await();
  setAtomicsHook((operation, index) => baton.step(operation, index));
  try {
    return part.steps.map((step) => hand.carryOut(step));
  } finally {
    setAtomicsHook(null);
    part.control[DONE + part.thread] = 1;
    baton.pass();
  }
}

parentPort?.on('message', (part: Part) => {
  try {
    parentPort?.postMessage({ done: play(part) });
  } catch (error) {
    parentPort?.postMessage({ error: error instanceof Error ? String(error.stack) : error });
  }
});
