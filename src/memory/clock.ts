/**
 * The server's clock: whole seconds since a moment shortly before the start, kept in shared memory
 * so that all threads agree and reading it is a plain load.
 *
 * As in memcached, second 0 lies 62 s before the start: 0 can then mean "never", and an item's age
 * can be subtracted from any time without going below it. Wall-clock jumps do not move it: elapsed
 * time comes from the monotonic clock.
 */
import {
  HEAD_CLOCK,
  HEAD_CLOCK_OFFSET,
  HEAD_CLOCK_PAUSED,
  HEAD_START_CLOCK,
  HEAD_STARTED_F64,
} from './layout.ts';
import type { Memory } from './memory.ts';

const HEAD_START_SECONDS = 62;

/** Relative expiry times end at 30 days; larger ones are moments since 1970 (protocol.txt). */
const RELATIVE_EXPTIME_MAX = 60 * 60 * 24 * 30;

/** The last second that an item's exptime can hold. */
const CLOCK_SECONDS_MAX = 0x7fff_ffff;

/** Sets second 0. `nowMs` is the wall clock (Date.now()). */
export function startClock(memory: Memory, nowMs: number): void {
  startClockAt(memory, HEAD_START_SECONDS, nowMs);
}

/** As startClock, but with a second that is not the first: a restored cache goes on counting. */
export function startClockAt(memory: Memory, second: number, nowMs: number): void {
  memory.f64[HEAD_STARTED_F64] = Math.floor(nowMs / 1000) - second;
  memory.i32[HEAD_START_CLOCK] = second;
  memory.i32[HEAD_CLOCK] = second;
}

/** Sets the clock to the whole seconds elapsed since its start. The main thread calls it. */
export function tickClock(memory: Memory, elapsedMs: number): void {
  const { i32 } = memory;
  if (i32[HEAD_CLOCK_PAUSED] !== 0) return;
  const elapsed = Math.floor(elapsedMs / 1000);
  i32[HEAD_CLOCK] = i32[HEAD_START_CLOCK] + elapsed + i32[HEAD_CLOCK_OFFSET];
}

/** For tests: stops the clock, or lets it go on; the time it stood is made up for. */
export function pauseClock(memory: Memory, on: boolean): void {
  memory.i32[HEAD_CLOCK_PAUSED] = on ? 1 : 0;
}

/** For tests: moves the clock by this many seconds, for good. */
export function moveClock(memory: Memory, seconds: number): void {
  memory.i32[HEAD_CLOCK_OFFSET] += seconds;
  memory.i32[HEAD_CLOCK] += seconds;
}

/** Wall clock of second 0, in seconds since 1970. */
export function clockStarted(memory: Memory): number {
  return memory.f64[HEAD_STARTED_F64];
}

/**
 * Turns a client's exptime into clock seconds: 0 stays 0 (never), negative is in the past, up to 30
 * days is from now, more is a moment since 1970.
 */
export function realtime(memory: Memory, exptime: number): number {
  if (exptime === 0) return 0;
  // Any moment that has passed will do for a negative one; 1 is the first second.
  if (exptime < 0) return 1;
  if (exptime <= RELATIVE_EXPTIME_MAX) return memory.i32[HEAD_CLOCK] + exptime;
  const started = memory.f64[HEAD_STARTED_F64];
  return exptime <= started ? 1 : exptime - started;
}

/**
 * As realtime, for protocols in which an exptime is 32 bits without a sign: all are from now on or
 * moments since 1970. What lies beyond the clock's own range never comes.
 */
export function realtimeUnsigned(memory: Memory, exptime: number): number {
  return Math.min(realtime(memory, exptime), CLOCK_SECONDS_MAX);
}
