// Compares two reply streams frame by frame: byte for byte, except what the table of differences
// allows and cas ids, which are compared by identity.
import { describeFrame, type Frame, parseFrames } from '../support/replies.ts';
import type { CasBook } from './cas-book.ts';
import { LINE_DIFFERENCES } from './differences.ts';
import { compareMeta } from './meta-replies.ts';

/** What one side answered to one exchange. */
export interface Answer {
  readonly bytes: Buffer;
  /** Whether the connection was usable afterwards; `stalled`: no answer to the fence came. */
  readonly end: 'open' | 'closed' | 'stalled';
}

/** The first difference as readable text, or undefined when there is none. */
export function compareAnswers(ours: Answer, theirs: Answer, book: CasBook): string | undefined {
  const difference = compareFrames(parseFrames(ours.bytes), parseFrames(theirs.bytes), book);
  if (difference !== undefined) return difference;
  if (ours.end === theirs.end) return undefined;
  return `afterwards our connection is ${ours.end}, theirs ${theirs.end}`;
}

export function compareFrames(
  ours: readonly Frame[],
  theirs: readonly Frame[],
  book: CasBook,
): string | undefined {
  const count = Math.max(ours.length, theirs.length);
  for (let at = 0; at < count; at++) {
    const problem = compareFrame(ours[at], theirs[at], book);
    if (problem !== undefined) {
      const around = window('ours  ', ours, at) + window('theirs', theirs, at);
      return `reply ${at + 1}: ${problem}\n${around}`;
    }
  }
  return undefined;
}

/** What differs between two frames, or undefined. */
export function compareFrame(
  ours: Frame | undefined,
  theirs: Frame | undefined,
  book: CasBook,
): string | undefined {
  if (ours === undefined || theirs === undefined) return 'one side has no such reply';
  if (ours.kind === 'value' && theirs.kind === 'value') {
    if (ours.key !== theirs.key || ours.flags !== theirs.flags) return 'key or flags differ';
    if (!ours.data.equals(theirs.data)) return 'data differ';
    if ((ours.cas === undefined) !== (theirs.cas === undefined)) return 'only one has a cas id';
    if (ours.cas === undefined || theirs.cas === undefined) return undefined;
    return book.pair(ours.key, ours.cas, theirs.cas);
  }
  if (ours.kind === 'value' || theirs.kind === 'value') return 'only one is a value';
  if (ours.kind === 'meta' && theirs.kind === 'meta') return compareMeta(ours, theirs, book);
  if (ours.kind === theirs.kind && ours.text === theirs.text) return undefined;
  const allowed = LINE_DIFFERENCES.some(
    (difference) => difference.ours.test(ours.text) && difference.theirs.test(theirs.text),
  );
  return allowed ? undefined : 'lines differ';
}

/** The frames around a position, to show a difference in its place. */
function window(name: string, frames: readonly Frame[], at: number): string {
  const from = Math.max(0, at - 2);
  const lines = frames.slice(from, at + 2).map((frame, index) => {
    const mark = from + index === at ? '>' : ' ';
    return `  ${name} ${mark} ${describeFrame(frame)}\n`;
  });
  return at >= frames.length ? `${lines.join('')}  ${name} > (nothing)\n` : lines.join('');
}
