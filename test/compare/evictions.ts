// In evicting runs the servers lose different items. A difference is only forgiven when the side
// that misses an item can show, by its own counters, that it lost something since both agreed on
// that key; then the key is deleted on both sides and the run goes on.
import { type Frame, parseFrames } from '../support/replies.ts';
import type { Answer } from './compare-replies.ts';
import { LOSS_COUNTERS, OUT_OF_MEMORY_REPLIES, UNCOUNTED_LOSSES } from './differences.ts';
import { lineTokens, type Request } from './requests.ts';
import type { Session, Side } from './session.ts';

/** What incr and decr say without room for a longer number. */
const NO_ROOM_FOR_NUMBER = 'SERVER_ERROR out of memory';

/** An answer that says itself that there was no memory needs no counter to be believed. */
function saysNoMemory(line: string): boolean {
  return line in OUT_OF_MEMORY_REPLIES || line === NO_ROOM_FOR_NUMBER;
}

/** What a command answers when the item it needs is not there. */
const MISSED: Readonly<Record<string, string>> = {
  add: 'STORED',
  replace: 'NOT_STORED',
  append: 'NOT_STORED',
  prepend: 'NOT_STORED',
  cas: 'NOT_FOUND',
  delete: 'NOT_FOUND',
  incr: 'NOT_FOUND',
  decr: 'NOT_FOUND',
  touch: 'NOT_FOUND',
};

/** What a meta command answers when the item it needs is not there, by its name below. */
const META_MISSED: Readonly<Record<string, string>> = {
  mg: 'EN',
  me: 'EN',
  md: 'NF',
  ma: 'NF',
  add: 'HD',
  replace: 'NS',
  append: 'NS',
  prepend: 'NS',
  cas: 'NF',
};
const META_MODES: Readonly<Record<string, string>> = {
  ME: 'add',
  MA: 'append',
  MP: 'prepend',
  MR: 'replace',
};

/** What a request is, and what it answers when its item is missing; an ms goes by its mode. */
function commandOf({ line }: Request): [name: string, missed: string | undefined] {
  const [command = '', , , ...flags] = lineTokens(line);
  if (!/^m[gesda]$/.test(command)) return [command, MISSED[command]];
  if (command !== 'ms') return [command, META_MISSED[command]];
  const mode = META_MODES[flags.find((flag) => flag in META_MODES) ?? ''] ?? 'set';
  const compares = flags.some((flag) => flag.startsWith('C'));
  const name = compares && (mode === 'set' || mode === 'replace') ? 'cas' : mode;
  return [name, META_MISSED[name]];
}

/**
 * How many items a server says it has dropped or refused for want of memory. A class without items
 * is not listed, so the largest count seen of each counter is what is summed.
 */
async function lossCount(side: Side): Promise<number> {
  const answer = await side.exchange(Buffer.from('stats\r\nstats items\r\n'), []);
  const names = LOSS_COUNTERS.join('|');
  const pattern = new RegExp(`^STAT ((?:items:\\d+:)?(?:${names})) (\\d+)\r$`, 'gm');
  for (const [, name = '', count] of answer.bytes.toString('latin1').matchAll(pattern)) {
    side.largestLosses.set(name, Math.max(side.largestLosses.get(name) ?? 0, Number(count)));
  }
  return [...side.largestLosses.values()].reduce((sum, count) => sum + count, 0);
}

function lossCounts(session: Session): Promise<[number, number]> {
  return Promise.all([lossCount(session.ours), lossCount(session.theirs)]);
}

/**
 * Notes the loss counters when both sides answered alike and the answer proves the same state of
 * the key: it was just stored, or it is missing. What is noted are the counters read the time
 * before, since an item may be lost between the answer and the reading.
 */
export async function noteAgreement(
  session: Session,
  request: Request,
  answer: Answer,
): Promise<void> {
  const key = request.keys[0];
  if (key === undefined || request.keys.length !== 1) return;
  if (!/^(STORED|DELETED|NOT_FOUND)\r\n$/.test(answer.bytes.toString('latin1'))) return;
  await noteState(session, key);
}

/** Notes the loss counters for a key whose state both sides have just shown to be the same. */
export async function noteState(session: Session, key: string): Promise<void> {
  session.losses.set(key, session.lastLosses);
  session.lastLosses = await lossCounts(session);
}

/** Returns undefined when the difference is a lost item that the loser's counters admit. */
export async function explainLoss(
  session: Session,
  request: Request,
  ours: Answer,
  theirs: Answer,
): Promise<string | undefined> {
  if (ours.end !== 'open' || theirs.end !== 'open') return 'no loss closes a connection';
  const verdict = whoMissed(request, parseFrames(ours.bytes), parseFrames(theirs.bytes));
  if (typeof verdict === 'string') return verdict;
  return await forgive(session, request.keys, verdict);
}

/** The keys that [ours, theirs] missed. */
export type Missed = readonly [ReadonlySet<string>, ReadonlySet<string>];

/** Deletes the keys on both sides, unless a side misses one and has lost nothing since. */
export async function forgive(
  session: Session,
  asked: readonly string[],
  verdict: Missed,
): Promise<string | undefined> {
  const counts = await lossCounts(session);
  for (const [side, missed] of verdict.entries()) {
    const unexplained = [...missed].find((key) => {
      const before = session.losses.get(key)?.[side] ?? 0;
      return (counts[side] ?? 0) <= before;
    });
    if (unexplained !== undefined) {
      const name = side === 0 ? 'our' : 'their';
      return `${name} side misses ${JSON.stringify(unexplained)}, but has lost nothing since`;
    }
  }
  const keys = [...new Set(asked)];
  const lines = Buffer.from(keys.map((key) => `delete ${key} noreply\r\n`).join(''), 'latin1');
  await Promise.all([session.ours.exchange(lines, []), session.theirs.exchange(lines, [])]);
  for (const key of keys) session.losses.set(key, counts);
  session.lastLosses = counts;
  return undefined;
}

/** The keys that [ours, theirs] missed, or why the two answers are no matter of lost items. */
function whoMissed(
  request: Request,
  ours: readonly Frame[],
  theirs: readonly Frame[],
): Missed | string {
  const [command, missed] = commandOf(request);
  if (/^g[ae]ts?$/.test(command)) return missedValues(ours, theirs);
  const [mine, other] = [onlyLine(ours), onlyLine(theirs)];
  if (mine === undefined || other === undefined) return 'not one line each';
  const keys = new Set(request.keys);
  const none = new Set<string>();
  // A side without memory for the new value never looked for the item: it may be missing on both.
  if (saysNoMemory(mine) || saysNoMemory(other)) return [none, none];
  const [mineMissed, otherMissed] = [mine === missed, other === missed];
  if (otherMissed && UNCOUNTED_LOSSES.commands.includes(command)) return [none, none];
  if (mineMissed || otherMissed) return [mineMissed ? keys : none, otherMissed ? keys : none];
  return 'neither answer is that of a missing item';
}

function onlyLine(frames: readonly Frame[]): string | undefined {
  const [frame] = frames;
  if (frames.length !== 1) return undefined;
  if (frame?.kind === 'meta') return frame.text.split(' ', 1)[0];
  return frame?.kind === 'line' ? frame.text : undefined;
}

/** Values present on both sides must agree; those on one side only were missed by the other. */
function missedValues(ours: readonly Frame[], theirs: readonly Frame[]): Missed | string {
  const [mine, other] = [valuesByKey(ours), valuesByKey(theirs)];
  for (const [key, value] of mine) {
    const their = other.get(key);
    if (their !== undefined && their !== value) return `values of ${JSON.stringify(key)} differ`;
  }
  const missedByUs = new Set([...other.keys()].filter((key) => !mine.has(key)));
  const missedByThem = new Set([...mine.keys()].filter((key) => !other.has(key)));
  if (missedByUs.size + missedByThem.size === 0) return 'nothing is missing on either side';
  return [missedByUs, missedByThem];
}

function valuesByKey(frames: readonly Frame[]): Map<string, string> {
  const values = new Map<string, string>();
  for (const frame of frames) {
    if (frame.kind !== 'value') continue;
    values.set(frame.key, `${frame.flags} ${frame.data.toString('latin1')}`);
  }
  return values;
}
