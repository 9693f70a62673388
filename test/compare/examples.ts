// The fixed examples by theme, and how a reply is held against the expected one: for every engine
// that they are tried on, with sockets or without.
import assert from 'node:assert/strict';
import * as cases from './cases.ts';
import { EDGE_CASES } from './edge-cases.ts';
import * as meta from './meta-cases.ts';
import * as change from './meta-change-cases.ts';
import * as odd from './odd-cases.ts';

export const THEMES: ReadonlyArray<readonly [string, readonly cases.Case[]]> = [
  ['storage', cases.STORAGE_CASES],
  ['cas', cases.CAS_CASES],
  ['retrieval', cases.RETRIEVAL_CASES],
  ['change', cases.CHANGE_CASES],
  ['administration', odd.ADMIN_CASES],
  ['edges', EDGE_CASES],
  ['odd lines', odd.LINE_CASES],
  ['closing', odd.CLOSING_CASES],
  ['mg', meta.META_GET_CASES],
  ['keys in base64', meta.META_KEY_CASES],
  ['ms', meta.META_SET_CASES],
  ['md', change.META_DELETE_CASES],
  ['ma', change.META_ARITHMETIC_CASES],
  ['me and mn', change.META_LOOK_CASES],
];

/** Replaces `<a>` by what it is bound to, and `<version>` by a version's pattern. */
export function fill(text: string, bound: ReadonlyMap<string, string>): string {
  return text.replace(/<(\w)>/g, (all, name: string) => bound.get(name) ?? all);
}

/** `<t100>`: that many seconds, of which a few may have passed, or to which they were added. */
function secondsPattern(text: string): string {
  const seconds = Number(text);
  const near = [0, 1, 2, 3].map((late) => (seconds < 4 ? seconds + late : seconds - late));
  return `(?:${near.join('|')})`;
}

/** Checks a reply, binding the cas ids that it shows first. */
export function matchReply(actual: string, expected: string, bound: Map<string, string>): void {
  const names: string[] = [];
  // A long value would make too large a pattern.
  if (!/<\w+>/.test(expected)) {
    assert.equal(actual, expected);
    return;
  }
  const source = fill(expected, bound)
    .split(/(<\w+>)/)
    .map((part) => {
      if (part === '<version>') return '\\d+\\.\\d+\\.\\d+';
      if (part === '<number>') return '\\d+';
      if (/^<t\d+>$/.test(part)) return secondsPattern(part.slice(2, -1));
      if (!/^<\w>$/.test(part)) return part.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
      const name = part.slice(1, -1);
      if (names.includes(name)) return `\\${names.indexOf(name) + 1}`;
      names.push(name);
      return '(\\d+)';
    });
  const found = new RegExp(`^${source.join('')}$`, 's').exec(actual);
  if (found === null) assert.equal(actual, fill(expected, bound));
  for (const [at, name] of names.entries()) {
    const id = found?.[at + 1] ?? '';
    assert.ok(![...bound.values()].includes(id), `cas id ${id} is not new`);
    bound.set(name, id);
  }
}

/** The case with our own last reply where that differs on purpose. */
export function asOurs(one: cases.Case): cases.Case {
  const last = one.talk[one.talk.length - 1];
  if (one.ours === undefined || last === undefined) return one;
  return { ...one, talk: [...one.talk.slice(0, -1), [last[0], one.ours]] };
}
