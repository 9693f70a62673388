// What `npm run bench:micro` measures, one row each.

/**
 * Operations per call: enough to make tinybench's own clock disappear, and few enough that a call
 * usually ends before the scheduler takes the core away.
 */
export const OPS_PER_CALL = 1000;

export interface Task {
  readonly name: string;
  /** Operations in one call of run(). */
  readonly ops: number;
  readonly run: () => void;
}
