/**
 * Real threads race over a tiny cache in an order that a seed decides, access by access. Whatever
 * the order, the cache is whole afterwards, and what each thread was told can be explained.
 *
 * INTERLEAVING_MS raises the time spent; INTERLEAVING_SEED repeats one run.
 */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { claimConnection } from '../../src/memory/connections.ts';
import { HEAD_CLOCK } from '../../src/memory/layout.ts';
import { CONTROL_WORDS, type Done, MOVE, type Part, RANDOM, ROUND, TURN } from './baton.ts';
import { isExplained } from './history.ts';
import type { Entry, Step } from './model.ts';
import { Picker } from './whole.ts';
import { filler, read, storageLine, World } from './world.ts';

const BUDGET_MS = Number(process.env.INTERLEAVING_MS ?? 10_000);
const SEED = Number(process.env.INTERLEAVING_SEED ?? 0);
/** A run takes milliseconds; one that takes this long hangs. */
const HANG_MS = 20_000;

const KEYS = ['k0', 'k1', 'k2'];
const LENGTHS = [5, 60, 900, 9000, 16_200, 20_000, 70_000, 90_000];
const COMMANDS = (
  'set set set add replace append append prepend delete incr incr decr get get touch gat ' +
  'mg mg mdx mdi ma msa'
).split(' ');

interface Answer {
  readonly done?: Done[];
  readonly error?: string;
}

function randomStep(picker: Picker, thread: number): Step {
  const maintenance = thread === 1 && picker.below(4) === 0;
  const number = picker.below(2) === 0;
  return {
    command: maintenance ? [ROUND, MOVE][picker.below(2)] : COMMANDS[picker.below(COMMANDS.length)],
    key: KEYS[picker.below(KEYS.length)],
    value: number
      ? String(picker.below(1200))
      : filler(`v${picker.below(1e6)}`, LENGTHS[picker.below(LENGTHS.length)]),
    exptime: [0, 0, 100][picker.below(3)],
    amount: picker.below(1000),
    b: thread === 1,
  };
}

/** A cache that is roomy, has pages with holes, or is full. */
function startingWorld(picker: Picker): { world: World; evicting: boolean } {
  const mode = picker.below(3);
  const limit = mode === 2 ? 2 ** 20 : 2 ** 24;
  const world = new World({ memoryLimit: limit, memoryMax: limit, hashPowerInit: 2 });
  const count = mode === 0 ? 0 : 70;
  for (let i = 0; i < count; i++) {
    world.b.send(storageLine('set', `fill${i}`, filler('fill', 16_200)));
  }
  for (let i = 0; i < count && mode === 1; i++) {
    if (i % 5 > 0) world.b.send(`delete fill${i}\r\n`);
  }
  return { world, evicting: mode > 0 };
}

class Race {
  private readonly workers: Worker[];

  constructor(t: TestContext) {
    const url = new URL('./baton.ts', import.meta.url);
    this.workers = [new Worker(url), new Worker(url)];
    t.after(() => Promise.all(this.workers.map((worker) => worker.terminate())));
  }

  /** Runs one seed; returns what is wrong, as sentences. */
  async run(seed: number, broken: boolean): Promise<string[]> {
    const picker = new Picker(seed);
    const { world, evicting } = startingWorld(picker);
    const start = new Map<string, Entry>();
    for (const key of KEYS.slice(picker.below(KEYS.length))) {
      const { value } = randomStep(picker, 0);
      world.put(key, value);
      start.set(key, { value, deadline: 0 });
    }
    const answers = await this.play(world, picker, broken);
    const errors = answers.flatMap((answer) => (answer.error === undefined ? [] : [answer.error]));
    if (errors.length > 0) return errors;
    const problems = world.audit();
    // A torn structure cannot be read without danger.
    if (problems.length > 0) return problems;
    const last = new Map(KEYS.map((key) => [key, read(world.b, key)]));
    const explained = isExplained(
      [answers[0].done ?? [], answers[1].done ?? []].map((done) =>
        done.filter(({ step }) => step.command !== ROUND && step.command !== MOVE),
      ) as [Done[], Done[]],
      start,
      world.memory.i32[HEAD_CLOCK],
      evicting,
      (contents) =>
        KEYS.every((key) => {
          const value = last.get(key) ?? null;
          return (evicting && value === null) || value === (contents.get(key)?.value ?? null);
        }),
    );
    return explained ? [] : [`no order explains ${brief(answers, last)}`];
  }

  private play(world: World, picker: Picker, broken: boolean): Promise<Answer[]> {
    const control = new Int32Array(new SharedArrayBuffer(CONTROL_WORDS * 4));
    control[RANDOM] = picker.below(2 ** 31) | 1;
    control[TURN] = picker.below(2);
    const eagerness = 1 + picker.below(4);
    return Promise.all(
      this.workers.map((worker, thread) => {
        const part: Part = {
          buffer: world.memory.buffer,
          control,
          thread,
          slot: claimConnection(world.memory, thread, 'test', 'test'),
          steps: Array.from({ length: 3 }, () => randomStep(picker, thread)),
          eagerness,
          broken,
        };
        worker.postMessage(part);
        return answerOf(worker);
      }),
    );
  }
}

function answerOf(worker: Worker): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => resolve({ error: 'a thread hangs' }), HANG_MS);
    worker.once('error', reject);
    worker.once('message', (answer: Answer) => {
      clearTimeout(timer);
      worker.off('error', reject);
      resolve(answer);
    });
  });
}

function brief(answers: readonly Answer[], last: ReadonlyMap<string, string | null>): string {
  const short = (text: string): string => `${text.slice(0, 30)}(${text.length})`;
  const threads = answers.map((answer) =>
    (answer.done ?? []).map(({ step, reply, began, ended }) => {
      const value = `${short(step.value)} ${step.amount} -> ${short(reply)}`;
      return `${began}-${ended} ${step.command} ${step.key} ${value}`;
    }),
  );
  return JSON.stringify([threads, [...last].map(([key, value]) => [key, short(value ?? '-')])]);
}

test('two threads in any order leave a whole cache and replies that make sense', async (t) => {
  const race = new Race(t);
  const end = Date.now() + BUDGET_MS;
  let runs = 0;
  for (let seed = SEED; seed === SEED || (SEED === 0 && Date.now() < end); seed++) {
    assert.deepEqual(await race.run(seed, false), [], `INTERLEAVING_SEED=${seed}`);
    runs++;
  }
  t.diagnostic(`${runs} interleavings`);
});

test('a lock that excludes nobody is found out, by the same seed each time', async (t) => {
  for (let seed = 1; ; seed++) {
    assert.ok(seed < 500, '500 interleavings found nothing wrong with a broken lock');
    const problems = await new Race(t).run(seed, true);
    if (problems.length === 0) continue;
    t.diagnostic(`seed ${seed}: ${problems[0].slice(0, 200)}`);
    assert.deepEqual(await new Race(t).run(seed, true), problems);
    return;
  }
});
