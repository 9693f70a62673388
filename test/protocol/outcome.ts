/**
 * What can be seen of a cache after some input, however it was cut: the replies and, afterwards,
 * all statistics that requests move. Two inputs that are the same must have the same outcome.
 */
import fc from 'fast-check';
import type { SizeLimits } from '../compare/material.ts';
import { feedPieces, freshTalk, hangUp, secondTalk } from './pieces.ts';

export const LIMITS: SizeLimits = {
  itemSizeMax: 128 * 1024,
  slabChunkMax: 32 * 1024,
  chunkSizes: [96, 120, 152, 1184, 8880],
};
export const MEMORY = {
  memoryLimit: 16 * 1024 * 1024,
  memoryMax: 16 * 1024 * 1024,
  itemSizeMax: LIMITS.itemSizeMax,
  slabChunkMax: LIMITS.slabChunkMax,
  maxConns: 2,
};
/**
 * What is stored in the end, with every counter that requests move. Bytes are counted per event,
 * and turns are given per event, so those do depend on the pieces.
 */
const SUMMARY = 'stats\r\nstats items\r\nstats slabs\r\nstats sizes\r\nstats detail dump\r\n';

/** Ids are given out in order from 1, so these are often those of stored items. */
export const someCas = (key: string, choice: string): string =>
  String(choice === 'last' ? 1 + (key.length % 3) : 1);

/** Places to cut, as fractions of the length, so that they stay sensible while a case shrinks. */
export const cuts = (): fc.Arbitrary<number[]> =>
  fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 40, size: 'max' });

/** The bytes at which to cut an input of this length. */
export const place = (fractions: readonly number[], length: number): number[] =>
  fractions.map((fraction) => Math.floor(fraction * length)).sort((a, b) => a - b);

/** Everything that can be seen of a cache after this input in these pieces. */
export function outcome(input: Buffer, at: readonly number[], requestsPerEvent: number): string[] {
  const talk = freshTalk(MEMORY);
  const engine = talk.engine as { options: { requestsPerEvent: number } };
  engine.options = { ...talk.engine.options, requestsPerEvent };
  const observer = secondTalk(talk);
  observer.send('stats sizes_enable\r\nstats detail on\r\n');
  const replies = feedPieces(talk, input, at);
  const closed = talk.closed;
  hangUp(talk);
  const summary = observer
    .send(SUMMARY)
    .replace(/^STAT (bytes_read|bytes_written|conn_yields) .*$/gm, '');
  return [replies, String(closed), summary];
}
