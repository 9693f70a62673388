// Compares two streams of binary replies packet by packet: byte for byte, except what the table of
// differences allows and cas ids, which are compared by identity.
import { VERSION } from '../support/opcodes.ts';
import { parseReplies, type ReplyPacket } from '../support/packets.ts';
import { abbreviate } from '../support/replies.ts';
import { type BinaryRequest, describeRequest } from './binary-requests.ts';
import type { CasBook } from './cas-book.ts';
import type { Answer } from './compare-replies.ts';
import { LINE_DIFFERENCES } from './differences.ts';

/** The first difference as readable text, or undefined when there is none. */
export function compareReplies(
  requests: readonly BinaryRequest[],
  ours: Answer,
  theirs: Answer,
  book: CasBook,
): string | undefined {
  const [mine, other] = [parseReplies(ours.bytes), parseReplies(theirs.bytes)];
  const count = Math.max(mine.packets.length, other.packets.length);
  for (let at = 0; at < count; at++) {
    const [our, their] = [mine.packets[at], other.packets[at]];
    const problem = comparePackets(requests, our, their, book);
    if (problem === undefined) continue;
    const request = requests[(their ?? our)?.opaque ?? -1];
    const about = request === undefined ? '' : ` to ${describeRequest(request)}`;
    return `reply ${at + 1}${about}: ${problem}\n  ours   ${show(our)}\n  theirs ${show(their)}`;
  }
  if (!mine.rest.equals(other.rest)) return 'the bytes behind the last packet differ';
  if (ours.end === theirs.end) return undefined;
  return `afterwards our connection is ${ours.end}, theirs ${theirs.end}`;
}

function comparePackets(
  requests: readonly BinaryRequest[],
  ours: ReplyPacket | undefined,
  theirs: ReplyPacket | undefined,
  book: CasBook,
): string | undefined {
  if (ours === undefined || theirs === undefined) return 'one side has no such reply';
  const names = ['magic', 'opcode', 'dataType', 'status', 'opaque', 'extras', 'key'] as const;
  const field = names.find((name) => ours[name] !== theirs[name]);
  if (field !== undefined) return `${field} differs`;
  if (ours.value !== theirs.value && !isAllowed(ours, theirs)) return 'values differ';
  if ((ours.cas === 0n) !== (theirs.cas === 0n)) return 'only one has a cas id';
  const key = requests[ours.opaque]?.key;
  if (ours.cas === 0n || key === undefined) return undefined;
  return book.pair(key, String(ours.cas), String(theirs.cas));
}

/** The text protocol's table holds here too: VERSION is what its line says. */
function isAllowed(ours: ReplyPacket, theirs: ReplyPacket): boolean {
  if (ours.opcode !== VERSION || ours.status !== 0) return false;
  return LINE_DIFFERENCES.some(
    (rule) =>
      rule.ours.test(`VERSION ${ours.value}`) && rule.theirs.test(`VERSION ${theirs.value}`),
  );
}

/** What is counted, so that a run which never saw some reply fails. */
export function kindOf({ opcode, status }: ReplyPacket): string {
  const digits = (number: number) => number.toString(16).padStart(2, '0');
  return `binary ${digits(opcode)}: ${digits(status)}`;
}

function show(packet: ReplyPacket | undefined): string {
  if (packet === undefined) return '(nothing)';
  const { opcode, status, opaque, cas, extras, key, value } = packet;
  const texts = [extras, key, value].map((text) => JSON.stringify(abbreviate(text))).join(' ');
  return `opcode ${opcode} status ${status} opaque ${opaque} cas ${cas} ${texts}`;
}
