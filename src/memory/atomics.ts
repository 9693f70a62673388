/**
 * The one seam through which all shared state is synchronised.
 *
 * Nothing else in the project calls `Atomics`: a test can install a hook here and so see, order,
 * delay or abort every synchronising access of a thread. In production the hook is null, a check
 * that costs nothing that can be measured beside the 8-20 ns of the access itself.
 */

/** Called before every synchronising access with its name and the Int32 index; it may throw. */
export type AtomicsHook = (operation: string, index: number) => void;

let hook: AtomicsHook | null = null;

/** Installs a hook for this thread, or removes it with null. */
export function setAtomicsHook(next: AtomicsHook | null): void {
  hook = next;
}

export function atomicLoad(i32: Int32Array, index: number): number {
  if (hook !== null) hook('load', index);
  return Atomics.load(i32, index);
}

export function atomicStore(i32: Int32Array, index: number, value: number): void {
  if (hook !== null) hook('store', index);
  Atomics.store(i32, index, value);
}

/** Returns the value before the addition; wraps at 32 bits. */
export function atomicAdd(i32: Int32Array, index: number, value: number): number {
  if (hook !== null) hook('add', index);
  return Atomics.add(i32, index, value);
}

/** Returns the value before the exchange. */
export function atomicExchange(i32: Int32Array, index: number, value: number): number {
  if (hook !== null) hook('exchange', index);
  return Atomics.exchange(i32, index, value);
}

/** Returns the value found; the exchange took place if that is `expected`. */
export function atomicCompareExchange(
  i32: Int32Array,
  index: number,
  expected: number,
  replacement: number,
): number {
  if (hook !== null) hook('compareExchange', index);
  return Atomics.compareExchange(i32, index, expected, replacement);
}

/**
 * Sleeps while the word holds `value`, at most `timeoutMs`. It may return early for a notification
 * meant for an earlier value, so callers loop on their own condition.
 */
export function atomicWait(i32: Int32Array, index: number, value: number, timeoutMs: number): void {
  if (hook !== null) hook('wait', index);
  Atomics.wait(i32, index, value, timeoutMs);
}

export function atomicNotify(i32: Int32Array, index: number, count: number): void {
  if (hook !== null) hook('notify', index);
  Atomics.notify(i32, index, count);
}
