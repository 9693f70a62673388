// Decides whether a concurrent history of one key is linearizable: whether every command can be
// given a moment between its sending and its reply such that, in the order of these moments, every
// reply is what one item would have answered. The search is Wing and Gong's with Lowe's memory of
// visited configurations; keys are independent, so each key's history is checked alone.
import {
  type Call,
  describeCall,
  describeReply,
  type Reply,
  type SeenValues,
  type State,
  sameState,
  step,
} from './model.ts';

/** One command as a client saw it. Times are of one monotonic clock, in nanoseconds. */
export interface Operation {
  readonly client: number;
  readonly key: string;
  readonly call: Call;
  readonly sent: bigint;
  /** Both undefined when no reply came: it may have happened at any time since, or never. */
  readonly received: bigint | undefined;
  readonly reply: Reply | undefined;
}

export interface CheckOptions {
  /** The item may vanish at any moment (eviction), but never comes back by itself. */
  readonly mayVanish: boolean;
}

/** An event in the list of those not yet linearized: the sending or the reply of an operation. */
interface Entry {
  readonly operation: number;
  readonly isReply: boolean;
  previous: Entry;
  next: Entry;
  /** The other event of the same operation. */
  partner: Entry | undefined;
}

interface Choice {
  readonly entry: Entry;
  readonly before: State;
  /** States that this operation could also have led to. */
  readonly others: State[];
}

/** True when the history of one key is linearizable. */
export function isLinearizable(history: readonly Operation[], options: CheckOptions): boolean {
  return new Search(history, options).run();
}

class Search {
  readonly #history: readonly Operation[];
  readonly #mayVanish: boolean;
  readonly #seen: SeenValues;
  readonly #head: Entry;
  readonly #visited = new Set<string>();
  readonly #choices: Choice[] = [];
  #state: State;
  #done = 0n;
  /** Operations with a reply that are not linearized yet. */
  #open: number;

  constructor(history: readonly Operation[], options: CheckOptions) {
    this.#history = history;
    this.#mayVanish = options.mayVanish;
    this.#seen = seenValues(history);
    this.#head = linkEvents(history);
    this.#open = history.filter((operation) => operation.reply !== undefined).length;
  }

  run(): boolean {
    let entry = this.#head.next;
    while (this.#open > 0) {
      if (entry !== this.#head && !entry.isReply) {
        entry = this.#linearize(entry) ? this.#head.next : entry.next;
        continue;
      }
      // A reply came up before its operation could be placed: one of the choices was wrong.
      const choice = this.#choices.pop();
      if (choice === undefined) return false;
      this.#undo(choice);
      entry = this.#take(choice.entry, choice.others) ? this.#head.next : choice.entry.next;
    }
    return true;
  }

  #linearize(entry: Entry): boolean {
    return this.#take(entry, this.#outcomes(entry.operation));
  }

  /** Places the operation now, with the first outcome that leads to a new configuration. */
  #take(entry: Entry, outcomes: readonly State[]): boolean {
    const done = this.#done | (1n << BigInt(entry.operation));
    for (const [at, state] of outcomes.entries()) {
      const configuration = `${done.toString(36)}|${sameState(state)}`;
      if (this.#visited.has(configuration)) continue;
      this.#visited.add(configuration);
      this.#choices.push({ entry, before: this.#state, others: outcomes.slice(at + 1) });
      this.#state = state;
      this.#done = done;
      if (entry.partner !== undefined) this.#open -= 1;
      unlink(entry);
      if (entry.partner !== undefined) unlink(entry.partner);
      return true;
    }
    return false;
  }

  #undo({ entry, before }: Choice): void {
    this.#state = before;
    this.#done &= ~(1n << BigInt(entry.operation));
    if (entry.partner !== undefined) {
      this.#open += 1;
      relink(entry.partner);
    }
    relink(entry);
  }

  #outcomes(index: number): State[] {
    const operation = this.#history[index];
    if (operation === undefined) return [];
    const { call, reply } = operation;
    const starts =
      this.#mayVanish && this.#state !== undefined ? [this.#state, undefined] : [this.#state];
    return starts.flatMap((state) =>
      reply === undefined
        ? possibleReplies(call).flatMap((guess) => step(state, call, guess, this.#seen))
        : step(state, call, reply, this.#seen),
    );
  }
}

/** For a command without a reply: the replies whose effects it may have had. */
function possibleReplies(call: Call): Reply[] {
  if ('delta' in call) return [];
  return ['STORED', 'DELETED', 'TOUCHED'].map((line) => ({ line }));
}

/** Which value each cas id was shown with. */
function seenValues(history: readonly Operation[]): SeenValues {
  const seen = new Map<string, string>();
  for (const { reply } of history) {
    if (reply !== undefined && 'value' in reply && reply.cas !== undefined) {
      seen.set(reply.cas, reply.value);
    }
  }
  return seen;
}

/** A ring of all events in the order of their times, with a head that is no event. */
function linkEvents(history: readonly Operation[]): Entry {
  const events: Array<{ time: bigint; entry: Entry }> = [];
  const blank = (operation: number, isReply: boolean): Entry => {
    const entry = { operation, isReply, partner: undefined } as unknown as Entry;
    entry.previous = entry;
    entry.next = entry;
    return entry;
  };
  for (const [index, operation] of history.entries()) {
    const sending = blank(index, false);
    events.push({ time: operation.sent, entry: sending });
    if (operation.received === undefined) continue;
    const replying = blank(index, true);
    sending.partner = replying;
    replying.partner = sending;
    events.push({ time: operation.received, entry: replying });
  }
  // At equal times sendings go first: the operations then count as overlapping.
  events.sort(
    (a, b) => Number(a.time - b.time) || Number(a.entry.isReply) - Number(b.entry.isReply),
  );
  const head = blank(-1, true);
  for (const { entry } of events) {
    entry.previous = head.previous;
    entry.next = head;
    head.previous.next = entry;
    head.previous = entry;
  }
  return head;
}

function unlink(entry: Entry): void {
  entry.previous.next = entry.next;
  entry.next.previous = entry.previous;
}

function relink(entry: Entry): void {
  entry.previous.next = entry;
  entry.next.previous = entry;
}

/** Histories by key. */
export function splitByKey(history: readonly Operation[]): Map<string, Operation[]> {
  const keys = new Map<string, Operation[]>();
  for (const operation of history) {
    const list = keys.get(operation.key);
    if (list === undefined) keys.set(operation.key, [operation]);
    else list.push(operation);
  }
  return keys;
}

/**
 * The shortest beginning of a key's history that is not linearizable, or undefined. What had been
 * sent but not answered by its end stands in it without a reply.
 */
export function shortestViolation(
  history: readonly Operation[],
  options: CheckOptions,
): Operation[] | undefined {
  if (isLinearizable(history, options)) return undefined;
  const ends = history.flatMap(({ received }) => (received === undefined ? [] : [received]));
  ends.sort((a, b) => Number(a - b));
  let [low, high] = [0, ends.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (isLinearizable(until(history, ends[middle]!), options)) low = middle + 1;
    else high = middle;
  }
  return until(history, ends[low]!);
}

function until(history: readonly Operation[], end: bigint): Operation[] {
  return history
    .filter(({ sent }) => sent <= end)
    .map((operation) =>
      operation.received !== undefined && operation.received <= end
        ? operation
        : { ...operation, received: undefined, reply: undefined },
    );
}

/** The operations as lines in the order of sending, with times in microseconds. */
export function describeHistory(history: readonly Operation[]): string {
  const sorted = [...history].sort((a, b) => Number(a.sent - b.sent));
  const start = sorted[0]?.sent ?? 0n;
  const micro = (time: bigint | undefined) =>
    time === undefined ? '…' : String((time - start) / 1000n);
  const lines = sorted.map(({ client, call, reply, sent, received }) => {
    const times = `${micro(sent).padStart(8)} – ${micro(received).padStart(8)}`;
    return `${times}  client ${client}  ${describeCall(call)} -> ${describeReply(reply)}`;
  });
  return `key ${sorted[0]?.key ?? ''}\n${lines.join('\n')}`;
}
