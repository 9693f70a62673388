// The steps of a run as fast-check commands: requests sent in fragments, dumps of statistics, a
// line without end, and (in evicting runs) single requests and floods.
import fc from 'fast-check';
import { abbreviate } from '../support/replies.ts';
import { explainLoss, noteAgreement } from './evictions.ts';
import { malformed } from './malformed.ts';
import type { SizeLimits } from './material.ts';
import { malformedMeta, meta } from './meta-requests.ts';
import { describeRequest, isHttp, mayHangUp, type Request, wellFormed } from './requests.ts';
import type { Fragmentation, Session } from './session.ts';
import {
  compareClasses,
  compareConns,
  compareLineSets,
  compareStats,
  parseStats,
} from './statistics.ts';

/** fast-check wants a model; the real memcached is ours. */
export type NoModel = Record<string, never>;

export abstract class Step implements fc.AsyncCommand<NoModel, Session> {
  check(): boolean {
    return true;
  }

  /** Carries the step out on both servers; returns the first difference. */
  protected abstract compare(session: Session): Promise<string | undefined>;
  abstract toString(): string;

  async run(_model: NoModel, session: Session): Promise<void> {
    const difference = await this.compare(session);
    if (difference !== undefined) throw new Error(`${String(this)}\n${difference}`);
  }
}

/** Some requests in one stream of bytes, cut anywhere. */
class Requests extends Step {
  readonly requests: readonly Request[];
  readonly how: Fragmentation;

  constructor(requests: readonly Request[], how: Fragmentation) {
    super();
    this.requests = requests;
    this.how = how;
  }

  protected async compare(session: Session): Promise<string | undefined> {
    const [ours, theirs] = await session.ask(this.requests, this.how);
    return session.settle(ours, theirs);
  }

  toString(): string {
    const how = this.how === 'bytes' ? 'byte by byte' : `cut at [${this.how.join(', ')}]`;
    return `send ${how}:\n${this.requests.map((one) => `    ${describeRequest(one)}\n`).join('')}`;
  }
}

/** One request where items may have been evicted on one side only. */
class LossyRequest extends Step {
  readonly request: Request;

  constructor(request: Request) {
    super();
    this.request = request;
  }

  protected async compare(session: Session): Promise<string | undefined> {
    const [ours, theirs] = await session.ask([this.request], []);
    const difference = await session.settle(ours, theirs);
    if (difference === undefined) {
      await noteAgreement(session, this.request, theirs);
      return undefined;
    }
    session.count(theirs);
    const unexplained = await explainLoss(session, this.request, ours, theirs);
    return unexplained === undefined ? undefined : `${difference}\n${unexplained}`;
  }

  toString(): string {
    return `send ${describeRequest(this.request)}`;
  }
}

/** Fills memory with items that nobody asks for again. */
class Flood extends Step {
  readonly count: number;
  readonly size: number;

  constructor(count: number, size: number) {
    super();
    this.count = count;
    this.size = size;
  }

  protected async compare(session: Session): Promise<string | undefined> {
    const value = '.'.repeat(this.size);
    const requests = Array.from({ length: this.count }, (_, index): Request => {
      const line = `set flood${index} 0 0 ${this.size} noreply`;
      return { line, end: '\r\n', data: { value: { literal: value }, end: '\r\n' }, keys: [] };
    });
    const [ours, theirs] = await session.send(requests, []);
    return session.settle(ours, theirs);
  }

  toString(): string {
    return `flood with ${this.count} items of ${this.size} bytes`;
  }
}

/** Bytes that end in no newline and make the server hang up. */
class EndlessLine extends Step {
  readonly start: string;
  readonly length: number;

  constructor(start: string, length: number) {
    super();
    this.start = start;
    this.length = length;
  }

  protected async compare(session: Session): Promise<string | undefined> {
    const bytes = Buffer.from(this.start.padEnd(this.length, 'z'), 'latin1');
    const [ours, theirs] = await Promise.all([
      session.ours.exchangeUntilClosed(bytes, [0.5]),
      session.theirs.exchangeUntilClosed(bytes, [0.5]),
    ]);
    return session.settle(ours, theirs);
  }

  toString(): string {
    return `send ${this.length} bytes without a newline: ${abbreviate(JSON.stringify(this.start))}`;
  }
}

const DUMPS = ['', 'items', 'slabs', 'settings', 'sizes', 'conns', 'detail dump', 'reset'] as const;
type Dump = (typeof DUMPS)[number];

/** Asks both for the same statistics. */
class Statistics extends Step {
  readonly dump: Dump;

  constructor(dump: Dump) {
    super();
    this.dump = dump;
  }

  protected async compare(session: Session): Promise<string | undefined> {
    const line = this.dump === '' ? 'stats' : `stats ${this.dump}`;
    const request: Request = { line, end: '\r\n', keys: [] };
    const [ours, theirs] = await session.ask([request], []);
    if (ours.end !== 'open' || theirs.end !== 'open') return session.settle(ours, theirs);
    for (const kind of ['STAT', 'PREFIX']) {
      if (theirs.bytes.includes(`${kind} `)) session.options.coverage.add(kind);
    }
    return this.#difference(
      ours.bytes.toString('latin1'),
      theirs.bytes.toString('latin1'),
      session,
    );
  }

  #difference(ours: string, theirs: string, session: Session): string | undefined {
    const { coverage } = session.options;
    switch (this.dump) {
      case '':
      case 'settings':
        return compareStats(this.dump, parseStats(ours), parseStats(theirs));
      case 'items':
      case 'slabs':
        return compareClasses(this.dump, parseStats(ours), parseStats(theirs));
      case 'conns':
        return compareConns(parseStats(ours), parseStats(theirs));
      case 'detail dump':
        return compareLineSets('stats detail dump', ours, theirs);
      case 'sizes':
      case 'reset':
        if (this.dump === 'reset') coverage.add('RESET');
        return ours === theirs ? undefined : `ours ${ours}\ntheirs ${theirs}`;
    }
  }

  toString(): string {
    return `stats ${this.dump}`;
  }
}

const fragmentation = (): fc.Arbitrary<Fragmentation> =>
  fc.oneof(
    { weight: 3, arbitrary: fc.constant<Fragmentation>([]) },
    {
      weight: 2,
      arbitrary: fc.array(
        fc.integer({ min: 0, max: 1000 }).map((n) => n / 1000),
        { maxLength: 8 },
      ),
    },
    { weight: 1, arbitrary: fc.constant<Fragmentation>('bytes') },
  );

const endlessLine = (): fc.Arbitrary<Step> =>
  fc
    .tuple(
      fc.constantFrom('', 'set k 0 0 1 ', 'gat 0 k ', `${' '.repeat(101)}get k `, 'gets', '\r'),
      fc.constantFrom(2049, 2100, 5000),
    )
    .map(([start, length]) => new EndlessLine(start, length));

const statistics = (): fc.Arbitrary<Step> =>
  fc.constantFrom(...DUMPS).map((dump) => new Statistics(dump));

const LONGEST_KEY = 250;

/** A request after which memcached forgets answers that it still owes to earlier lines. */
function dropsAnswers({ line }: Request): boolean {
  const words = line.split(' ');
  return (
    words.some((word) => word.length > LONGEST_KEY && /^ *g[ae]ts? /.test(line)) || isHttp(line)
  );
}

const LOOKS = /^ *mg /;
const COUNTS = /^ *(ma|incr|decr) /;

/** The requests without arithmetic behind an mg: see AVOIDED in differences.ts. */
function countingFirst(requests: readonly Request[]): Request[] {
  const look = requests.findIndex(({ line }) => LOOKS.test(line));
  return requests.filter(({ line }, at) => look === -1 || at < look || !COUNTS.test(line));
}

/**
 * A stream that both servers can answer in one way: what drops earlier answers comes first, and
 * nothing follows a request to close, since unread bytes turn the close into a reset.
 */
function answerable(requests: readonly Request[]): Request[] {
  const kept = countingFirst(requests).filter((request, at) => at === 0 || !dropsAnswers(request));
  const closing = kept.findIndex(({ line }) => mayHangUp(line));
  if (closing < 0) return kept;
  return kept.slice(0, closing + 1).map(({ data, ...request }, at) => {
    return at === closing || data === undefined ? request : { ...request, data };
  });
}

/** Text and meta commands, on the same keys. */
const either = (
  text: fc.Arbitrary<Request>,
  metaCommand: fc.Arbitrary<Request>,
): fc.Arbitrary<Request> =>
  fc.oneof({ weight: 3, arbitrary: text }, { weight: 2, arbitrary: metaCommand });

/** A line that some flag forbids, alone. */
const forbidden = (lines: readonly string[]): fc.Arbitrary<Step> =>
  fc.constantFrom(...lines).map((line) => new Requests([{ line, end: '\r\n', keys: [] }], []));

/** Steps for servers with room for everything; `lines` are requests of this kind of run alone. */
export function roomySteps(
  limits: SizeLimits,
  dumps: boolean,
  lines: readonly string[] = [],
): Array<fc.Arbitrary<Step>> {
  const clean = fc
    .tuple(
      fc.array(either(wellFormed(limits, false), meta(limits)), { minLength: 1, maxLength: 12 }),
      fragmentation(),
    )
    .map(([requests, how]): Step => new Requests(answerable(requests), how));
  const rough = fc
    .tuple(
      fc.array(
        either(
          fc.oneof(malformed(), wellFormed(limits, true)),
          fc.oneof(malformedMeta(), meta(undefined)),
        ),
        { minLength: 1, maxLength: 8 },
      ),
      fragmentation(),
    )
    .map(([requests, how]): Step => new Requests(answerable(requests), how));
  const last = [...(dumps ? [statistics()] : []), ...(lines.length > 0 ? [forbidden(lines)] : [])];
  return [clean, rough, clean, rough, clean, rough, clean, rough, endlessLine(), ...last];
}

/** Steps for servers that run out of memory: one request at a time, with floods between. */
export function lossySteps(limits: SizeLimits): Array<fc.Arbitrary<Step>> {
  // Without noreply: every outcome must be seen, or one side's unseen failure looks like a bug.
  const single = wellFormed(limits, false).map((request): Step => {
    return new LossyRequest({ ...request, line: request.line.replace(/ noreply$/, '') });
  });
  const flood = fc
    .tuple(
      fc.integer({ min: 1, max: 60 }),
      fc.constantFrom(...limits.chunkSizes, limits.slabChunkMax, limits.itemSizeMax),
    )
    .map(([count, size]): Step => new Flood(count, Math.max(1, size - 200)));
  const metaSingle = meta(limits)
    .filter(({ line }) => !/ N-?\d/.test(line))
    .map((request): Step => {
      return new LossyRequest({ ...request, line: request.line.replace(/ q(?= |$)/, '') });
    });
  return [single, single, single, single, single, metaSingle, metaSingle, metaSingle, flood];
}
