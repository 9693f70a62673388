/**
 * A memory whose plain stores of words and bytes can be counted, so that a thread can be made to
 * die in front of any of them: the seam in atomics.ts shows only the synchronising accesses.
 */
import { Bytes } from '../../src/memory/bytes.ts';
import { attachMemory, type Memory } from '../../src/memory/memory.ts';

/** Thrown in front of a store: the thread ends there and then. */
export class Death extends Error {}

/** How many stores may still be done; the next one is death. */
export interface Countdown {
  left: number;
}

interface Counted {
  readonly view: Int32Array | Buffer;
  readonly countdown: Countdown;
}

const counted = new WeakMap<object, Counted>();
const CHANGING = ['store', 'add', 'exchange', 'compareExchange'] as const;
const READING = ['load', 'wait', 'notify'] as const;

/** Makes Atomics accept the wrapped arrays, which are no typed arrays. */
for (const name of [...CHANGING, ...READING]) {
  const original = Reflect.get(Atomics, name) as (...args: unknown[]) => unknown;
  const changing = CHANGING.some((each) => each === name);
  const unwrapping = (array: object, ...rest: unknown[]): unknown => {
    const found = counted.get(array);
    if (found !== undefined && changing) step(found.countdown);
    return original(found?.view ?? array, ...rest);
  };
  Reflect.set(Atomics, name, unwrapping);
}

const copy = Buffer.prototype.copy;
Buffer.prototype.copy = function (this: Buffer, target: Uint8Array, ...rest: number[]): number {
  const source = (counted.get(this)?.view ?? this) as Buffer;
  return copy.call(source, (counted.get(target)?.view ?? target) as Buffer, ...rest);
};

function step(countdown: Countdown): void {
  if (countdown.left-- === 0) throw new Death();
}

/** The same memory as a thread sees it whose stores are counted. */
export function countStores(memory: Memory, countdown: Countdown): Memory {
  const same = attachMemory(memory.buffer);
  Object.defineProperty(same, 'i32', { value: countIn(same.i32, countdown) });
  Object.defineProperty(same, 'u8', { value: countIn(same.u8, countdown) });
  const bytes = new Bytes(same.u8);
  Object.defineProperty(bytes, 'view', { value: countInView(bytes.view, countdown) });
  Object.defineProperty(same, 'bytes', { value: bytes });
  return same;
}

/** The stores by words: all methods of a DataView that set something. */
function countInView(view: DataView, countdown: Countdown): DataView {
  return new Proxy(view, {
    get: (target, key) => {
      const value = Reflect.get(target, key, target) as unknown;
      if (typeof value !== 'function') return value;
      if (!String(key).startsWith('set')) return value.bind(target);
      return (...args: unknown[]): unknown => {
        step(countdown);
        return value.apply(target, args);
      };
    },
  });
}

function countIn(view: Int32Array | Buffer, countdown: Countdown): Int32Array | Buffer {
  const proxy = new Proxy(view, {
    get: (target, key) => {
      const value = Reflect.get(target, key, target) as unknown;
      return typeof value === 'function' ? value.bind(target) : value;
    },
    set: (target, key, value) => {
      step(countdown);
      return Reflect.set(target, key, value, target);
    },
  });
  counted.set(proxy, { view, countdown });
  return proxy;
}

/** Runs `act` with at most `stores` stores to the counted memory; true if it died of them. */
export function diesAfter(stores: number, countdown: Countdown, act: () => void): boolean {
  countdown.left = stores;
  try {
    act();
    return false;
  } catch (error) {
    if (!(error instanceof Death)) throw error;
    return true;
  } finally {
    countdown.left = Number.POSITIVE_INFINITY;
  }
}
