/**
 * Lines that have not ended yet: how long a client may keep the server waiting for the end of one.
 */
import type { Engine } from './engine.ts';
import type { Session } from './session.ts';

/** Input without a line end that is tolerated for anything but a retrieval command. */
export const LINE_BYTES_MAX = 2048;
/** Leading spaces tolerated in front of a retrieval command that long. */
const LEADING_SPACES_MAX = 100;
/** A multi-get line may have any number of keys, but not fill the memory. */
const KEYS_LINE_BYTES_MAX = 64 * 1024 * 1024;

const LINE_FEED = 0x0a;
const LINE_FEEDS = 0x0a0a0a0a;

/** Where the line at hand ends in the engine's input; where the input ends, if it does not. */
export function findLineFeed(engine: Engine, session: Session): number {
  const { input, source, at, end } = engine;
  let lineFeed = at + session.scanned;
  // By words as long as none of their four bytes is a line feed: see bytes.ts.
  for (; lineFeed <= end - 4; lineFeed += 4) {
    const word = source.view.getInt32(lineFeed, true) ^ LINE_FEEDS;
    if (((word - 0x01010101) & ~word & 0x80808080) !== 0) break;
  }
  while (lineFeed < end && input[lineFeed] !== LINE_FEED) lineFeed++;
  session.scanned = lineFeed - at;
  return lineFeed;
}

/** Whether a line without end may still become one: a multi-get may be of any length. */
export function mayGrow(engine: Engine): boolean {
  const { input, at, end } = engine;
  let word = at;
  while (word < end && input[word] === 0x20) word++;
  if (word - at > LEADING_SPACES_MAX || end - at > KEYS_LINE_BYTES_MAX) return false;
  const start = input.toString('latin1', word, Math.min(word + 5, end));
  return start.startsWith('get ') || start === 'gets ';
}
