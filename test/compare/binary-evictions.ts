// Lost items in binary runs: what a packet answers when its item is missing, for the judgement that
// evictions.ts passes on either protocol.
import * as op from '../support/opcodes.ts';
import { parseReplies, type ReplyPacket } from '../support/packets.ts';
import type { BinaryRequest } from './binary-requests.ts';
import type { Answer } from './compare-replies.ts';
import { UNCOUNTED_LOSSES } from './differences.ts';
import { forgive, type Missed, noteState } from './evictions.ts';
import type { Session } from './session.ts';

const NOT_FOUND = 0x01;
const NOT_STORED = 0x05;
const NO_MEMORY = 0x82;

const STORES: readonly number[] = [op.SET, op.ADD, op.REPLACE];
const JOINS: ReadonlyMap<number, string> = new Map([
  [op.APPEND, 'append'],
  [op.PREPEND, 'prepend'],
]);
const COUNTS: readonly number[] = [op.INCR, op.DECR];
const LOOKS: readonly number[] = [op.GET, op.GETK, op.GAT, op.GATK, op.TOUCH, op.DELETE];

/** True for packets whose outcome is always seen, and seen to be that of a missing item. */
export function tellsLoss({ opcode, extras }: BinaryRequest): boolean {
  if (COUNTS.includes(opcode)) return extras.readUInt32BE(16) === 0xffff_ffff;
  return STORES.includes(opcode) || JOINS.has(opcode) || LOOKS.includes(opcode);
}

/** The status of the answer when the item is missing; undefined where that changes nothing. */
function missedStatus({ opcode, cas }: BinaryRequest): number | undefined {
  if (JOINS.has(opcode)) return NOT_STORED;
  const compares = cas !== undefined && cas !== 'zero';
  if (!STORES.includes(opcode) || compares || opcode === op.REPLACE) return NOT_FOUND;
  return opcode === op.ADD ? 0 : undefined;
}

/** Notes the loss counters when both answered alike and so have the same state of the key. */
export async function notePacket(
  session: Session,
  request: BinaryRequest,
  answer: Answer,
): Promise<void> {
  const { status } = parseReplies(answer.bytes).packets[0] ?? {};
  const changes = STORES.includes(request.opcode) || request.opcode === op.DELETE;
  if (status === NOT_FOUND || (status === 0 && changes)) await noteState(session, request.key);
}

/** Returns undefined when the difference is a lost item that the loser's counters admit. */
export async function explainPacketLoss(
  session: Session,
  request: BinaryRequest,
  ours: Answer,
  theirs: Answer,
): Promise<string | undefined> {
  if (ours.end !== 'open' || theirs.end !== 'open') return 'no loss closes a connection';
  const [mine, other] = [ours, theirs].map(({ bytes }) => parseReplies(bytes).packets);
  if (mine?.length !== 1 || other?.length !== 1) return 'not one packet each';
  const verdict = whoMissed(request, mine[0], other[0]);
  return typeof verdict === 'string' ? verdict : await forgive(session, [request.key], verdict);
}

function whoMissed(
  request: BinaryRequest,
  ours: ReplyPacket | undefined,
  theirs: ReplyPacket | undefined,
): Missed | string {
  const none = new Set<string>();
  const keys = new Set([request.key]);
  // A side without memory for the new value never looked for the item: it may be missing on both.
  if (ours?.status === NO_MEMORY || theirs?.status === NO_MEMORY) return [none, none];
  const missed = missedStatus(request);
  if (ours?.status === theirs?.status || missed === undefined) return 'no item is missing';
  const name = JOINS.get(request.opcode) ?? '';
  if (theirs?.status === missed && UNCOUNTED_LOSSES.commands.includes(name)) return [none, none];
  if (ours?.status === missed) return [keys, none];
  if (theirs?.status === missed) return [none, keys];
  return 'neither answer is that of a missing item';
}
