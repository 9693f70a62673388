/**
 * Whether what two threads saw can be explained by some order of their steps: one in which each
 * step takes effect at once, between its beginning and its end.
 */
import type { Done } from './baton.ts';
import { type Entry, outcome } from './model.ts';

type Contents = ReadonlyMap<string, Entry>;

/**
 * Looks for such an order. `explains` judges the contents at its end. With `evicting`, a key may be
 * gone when a step looks for it.
 */
export function isExplained(
  threads: readonly [readonly Done[], readonly Done[]],
  start: Contents,
  now: number,
  evicting: boolean,
  explains: (contents: Contents) => boolean,
): boolean {
  const search = (i: number, j: number, contents: Contents): boolean => {
    const a = threads[0][i];
    const b = threads[1][j];
    if (a === undefined && b === undefined) return explains(contents);
    const aFirst = a !== undefined && (b === undefined || b.ended > a.began);
    const bFirst = b !== undefined && (a === undefined || a.ended > b.began);
    return (
      (aFirst && after(a, contents, now, evicting).some((next) => search(i + 1, j, next))) ||
      (bFirst && after(b, contents, now, evicting).some((next) => search(i, j + 1, next)))
    );
  };
  return search(0, 0, start);
}

/** Whether a step may have failed because all that could be evicted was in use at that moment. */
function isOutOfMemory({ step, reply }: Done): boolean {
  if (/^SERVER_ERROR out of memory/i.test(reply)) return true;
  if (step.command === 'msa') return reply === 'NS\r\n';
  if (step.command === 'mg') return reply === 'EN\r\n';
  return reply === 'NOT_STORED\r\n' && ['append', 'prepend'].includes(step.command);
}

/** The contents that a step may have left, given its reply. */
function after(done: Done, contents: Contents, now: number, evicting: boolean): Contents[] {
  const { step, reply } = done;
  const found = contents.get(step.key);
  const results: Contents[] = [];
  for (const entry of evicting && found !== undefined ? [found, undefined] : [found]) {
    const expected = outcome(step, entry, now);
    if (expected.reply !== reply) continue;
    const next = new Map(contents);
    if (expected.entry === undefined) next.delete(step.key);
    else next.set(step.key, expected.entry);
    results.push(next);
  }
  if (evicting && isOutOfMemory(done)) {
    const without = new Map(contents);
    without.delete(step.key);
    results.push(contents, without);
  }
  return results;
}
