// The steps of a binary run: packets sent in fragments, packets whose headers are wrong, dumps of
// statistics, and, in mixed runs, any step of the text protocol on the same keyspace.
import fc from 'fast-check';
import { NOOP, STAT } from '../support/opcodes.ts';
import { parseReplies } from '../support/packets.ts';
import { explainPacketLoss, notePacket, tellsLoss } from './binary-evictions.ts';
import {
  BINARY_KEYS,
  type BinaryRequest,
  describeRequest,
  ending,
  wellFormed,
  withPauses,
} from './binary-requests.ts';
import type { BinarySession } from './binary-session.ts';
import type { Answer } from './compare-replies.ts';
import { KEYS, type SizeLimits } from './material.ts';
import { compareClasses, compareLineSets, compareStats, type Stat } from './statistics.ts';
import { lossySteps, type NoModel, roomySteps, type Step } from './steps.ts';

export abstract class BinaryStep implements fc.AsyncCommand<NoModel, BinarySession> {
  check(): boolean {
    return true;
  }

  /** Carries the step out on both servers; returns the first difference. */
  protected abstract compare(session: BinarySession): Promise<string | undefined>;
  abstract toString(): string;

  async run(_model: NoModel, session: BinarySession): Promise<void> {
    const difference = await this.compare(session);
    if (difference !== undefined) throw new Error(`${String(this)}\n${difference}`);
  }
}

/** Packets in one stream of bytes, cut at some of them or in them. */
class Packets extends BinaryStep {
  readonly requests: readonly BinaryRequest[];
  readonly cuts: readonly number[];

  constructor(requests: readonly BinaryRequest[], cuts: readonly number[]) {
    super();
    this.requests = requests;
    this.cuts = cuts;
  }

  protected async compare(session: BinarySession): Promise<string | undefined> {
    const [ours, theirs] = await session.ask(this.requests, this.cuts);
    return session.settle(this.requests, ours, theirs);
  }

  toString(): string {
    const list = this.requests.map((one) => `    ${describeRequest(one)}\n`).join('');
    return `send packets cut at [${this.cuts.join(', ')}]:\n${list}`;
  }
}

/** One packet where items may have been evicted on one side only. */
class LossyPacket extends BinaryStep {
  readonly request: BinaryRequest;

  constructor(request: BinaryRequest) {
    super();
    this.request = request;
  }

  protected async compare(session: BinarySession): Promise<string | undefined> {
    const { request } = this;
    const [ours, theirs] = await session.ask([request], []);
    const difference = await session.settle([request], ours, theirs);
    if (difference === undefined) {
      await notePacket(session.text, request, theirs);
      return undefined;
    }
    session.count(theirs);
    const unexplained = await explainPacketLoss(session.text, request, ours, theirs);
    return unexplained === undefined ? undefined : `${difference}\n${unexplained}`;
  }

  toString(): string {
    return `send the packet ${describeRequest(this.request)}`;
  }
}

const DUMPS = ['', 'settings', 'settings too', 'items', 'slabs', 'detail dump'] as const;

/** Asks both for the same statistics, in packets. */
class BinaryStatistics extends BinaryStep {
  readonly dump: (typeof DUMPS)[number];

  constructor(dump: (typeof DUMPS)[number]) {
    super();
    this.dump = dump;
  }

  protected async compare(session: BinarySession): Promise<string | undefined> {
    const { dump } = this;
    const request = { opcode: STAT, key: dump, extras: Buffer.alloc(0), value: { literal: '' } };
    const answers = await session.ask([request], []);
    const [ours, theirs] = answers.map(statsOf);
    if (ours === undefined || theirs === undefined) return 'no packet without name ends them';
    if (dump === 'items' || dump === 'slabs') return compareClasses(dump, ours, theirs);
    if (dump === 'detail dump') {
      const [mine, other] = [ours, theirs].map((stats) => stats.flat().join('\r\n'));
      return compareLineSets(dump, mine ?? '', other ?? '');
    }
    return compareStats(dump === '' ? '' : 'settings', ours, theirs);
  }

  toString(): string {
    return `STAT ${this.dump}`;
  }
}

/** The names and values of a complete reply to STAT. */
function statsOf(answer: Answer): Stat[] | undefined {
  const { packets, rest } = parseReplies(answer.bytes);
  const last = packets.pop();
  if (last === undefined || last.key !== '' || last.value !== '' || rest.length > 0)
    return undefined;
  return packets.map(({ key, value }): Stat => [key, value]);
}

/** A step of the text protocol, by the text connections. */
class TextStep extends BinaryStep {
  readonly step: Step;

  constructor(step: Step) {
    super();
    this.step = step;
  }

  protected async compare(session: BinarySession): Promise<string | undefined> {
    await this.step.run({}, session.text);
    return undefined;
  }

  toString(): string {
    return String(this.step);
  }
}

const LONGEST_CUTS = 400;

const cuts = (): fc.Arbitrary<number[]> =>
  fc.oneof(
    { weight: 3, arbitrary: fc.constant<number[]>([]) },
    {
      weight: 2,
      arbitrary: fc
        .array(fc.nat(LONGEST_CUTS), { maxLength: 12 })
        .map((places) => places.sort((a, b) => a - b)),
    },
    {
      weight: 1,
      arbitrary: fc.constant(Array.from({ length: 100 }, (_, index) => index + 1)),
    },
  );

const wrongMagic = (): fc.Arbitrary<BinaryStep> =>
  fc.constantFrom(0, 0x0a, 0x67, 0x7f, 0x81, 0xff).map((magic) => {
    const packet = {
      opcode: NOOP,
      key: '',
      extras: Buffer.alloc(0),
      value: { literal: '' },
      magic,
    };
    return new Packets([packet], []);
  });

/** Steps for servers with room for everything; `mixed` adds those of the text protocol. */
export function binarySteps(
  limits: SizeLimits,
  mixed: boolean,
  dumps: boolean,
  lines: readonly string[] = [],
): Array<fc.Arbitrary<BinaryStep>> {
  const keys = mixed ? KEYS : [...KEYS, ...BINARY_KEYS];
  const usual = { keys, limits, lastExptime: !mixed };
  const short = { ...usual, limits: SMALL };
  const right = fc
    .tuple(fc.array(wellFormed(usual), { minLength: 1, maxLength: 16 }), cuts())
    .map(([requests, places]): BinaryStep => new Packets(withPauses(requests), places));
  // Whole: what is sent after a close would turn it into a reset, and lose replies.
  const wrong = fc
    .tuple(fc.array(wellFormed(short), { maxLength: 4 }), ending())
    .map(([requests, last]): BinaryStep => new Packets(withPauses([...requests, last]), []));
  const statistics = fc.constantFrom(...DUMPS).map((one): BinaryStep => new BinaryStatistics(one));
  const text = mixed
    ? roomySteps(limits, false, lines).map((step) =>
        step.map((one): BinaryStep => new TextStep(one)),
      )
    : [];
  const binary = [right, right, right, right, wrong, wrong, wrongMagic()];
  return [...binary, ...(dumps ? [statistics] : []), ...text];
}

/** Steps for servers that run out of memory: single packets and text requests, and floods. */
export function lossyBinarySteps(limits: SizeLimits): Array<fc.Arbitrary<BinaryStep>> {
  const single = wellFormed({ keys: KEYS, limits, lastExptime: false })
    .filter(tellsLoss)
    .map((request): BinaryStep => new LossyPacket(request));
  const text = lossySteps(limits).map((step) => step.map((one): BinaryStep => new TextStep(one)));
  return [...Array.from({ length: 14 }, () => single), ...text];
}

/** Sizes that keep a stream so short that it arrives in one piece. */
const SMALL: SizeLimits = { itemSizeMax: 600, slabChunkMax: 600, chunkSizes: [96, 120, 152] };
