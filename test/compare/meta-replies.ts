// Compares the replies of meta commands flag by flag: cas ids by identity, times as far as the
// clock allows, everything else as it is.
import type { MetaFrame } from '../support/replies.ts';
import type { CasBook } from './cas-book.ts';

/** Seconds by which two servers may disagree about what is left of a time. */
const CLOCK_SLACK = 3;
const TWO_TO_32 = 2 ** 32;

/** What differs between two meta replies, or undefined. */
export function compareMeta(ours: MetaFrame, theirs: MetaFrame, book: CasBook): string | undefined {
  if (!(ours.data ?? EMPTY).equals(theirs.data ?? EMPTY)) return 'data differ';
  const [ourCode, ...ourFlags] = ours.text.split(' ');
  const [theirCode, ...theirFlags] = withBinaryKey(ours.text, theirs.text).split(' ');
  if (ourCode !== theirCode || ourFlags.length !== theirFlags.length) return 'lines differ';
  if (ourCode === 'ME') return compareLooks(ourFlags, theirFlags, book);
  const key = keyOf(ourFlags);
  for (const [at, flag] of ourFlags.entries()) {
    const problem = compareFlag(flag, theirFlags[at] ?? '', key, book);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

const EMPTY = Buffer.alloc(0);

/**
 * Their line with a key in base64 where only ours has it so: 1.6.18 forgets of items that it
 * creates itself that their keys are binary (REPLY_DIFFERENCES).
 */
function withBinaryKey(ours: string, theirs: string): string {
  const [, encoded = ''] = / k([^ ]+) b(?: |$)/.exec(ours) ?? [];
  const raw = Buffer.from(encoded, 'base64').toString('latin1');
  return encoded === '' ? theirs : theirs.replace(` k${raw}`, () => ` k${encoded} b`);
}

/** The key that a reply names, in plain. */
function keyOf(flags: readonly string[]): string {
  const word = flags.find((flag) => flag.startsWith('k'))?.slice(1) ?? '';
  return flags.includes('b') ? Buffer.from(word, 'base64').toString('latin1') : word;
}

function compareFlag(ours: string, theirs: string, key: string, book: CasBook): string | undefined {
  const letter = ours[0] ?? '';
  if (letter !== theirs[0]) return `flag ${ours} is not ${theirs}`;
  if (ours === theirs && letter !== 'c') return undefined;
  const numbers = [ours, theirs].map((flag) => Number(flag.slice(1)));
  const [mine = Number.NaN, other = Number.NaN] = numbers;
  if (numbers.some(Number.isNaN)) return `flag ${ours} is not ${theirs}`;
  switch (letter) {
    case 'c':
      return compareCas(key, ours.slice(1), theirs.slice(1), book);
    case 't':
      return sameTime(mine, other) ? undefined : `time ${ours} is not ${theirs}`;
    case 'l':
      // Ours is renewed by every fetch; see the README.
      return undefined;
    default:
      return `flag ${ours} is not ${theirs}`;
  }
}

/** What is not stored has the id 0 with both. */
function compareCas(key: string, ours: string, theirs: string, book: CasBook): string | undefined {
  if (ours === '0' || theirs === '0') return ours === theirs ? undefined : 'only one has a cas id';
  return book.pair(key, ours, theirs);
}

function sameTime(ours: number, theirs: number): boolean {
  if (ours < 0 || theirs < 0) return ours === theirs;
  const distance = Math.abs(ours - theirs);
  return Math.min(distance, TWO_TO_32 - distance) <= CLOCK_SLACK;
}

/** `me`: class and size follow from the layout, and 1.6.18 gives times to live a minus sign. */
function compareLooks(
  ours: readonly string[],
  theirs: readonly string[],
  book: CasBook,
): string | undefined {
  const [key = '', ...facts] = ours;
  const [other = ''] = theirs;
  // As for k: theirs may have forgotten that it is binary.
  if (key !== other && key !== Buffer.from(other, 'latin1').toString('base64')) {
    return 'keys differ';
  }
  for (const [at, fact] of facts.entries()) {
    const [name = '', value = ''] = fact.split('=');
    const [theirName = '', theirValue = ''] = (theirs[at + 1] ?? '').split('=');
    if (name !== theirName) return `${name} is not ${theirName}`;
    if (name === 'fetch' && value !== theirValue) return 'only one was fetched';
    if (name === 'exp' && !sameTime(Math.abs(Number(value)), Math.abs(Number(theirValue)))) {
      return `exp=${value} is not ${theirValue}`;
    }
    if (name === 'cas') {
      const problem = compareCas('', value, theirValue, book);
      if (problem !== undefined) return problem;
    }
  }
  return undefined;
}
