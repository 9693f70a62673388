/** Random requests whose values can be checked for wholeness by whoever reads them back. */
import { filler, storageLine } from './world.ts';

/** A small seeded generator (mulberry32). */
export class Picker {
  private state: number;

  constructor(seed: number) {
    this.state = seed | 0;
  }

  /** A whole number from 0 to limit - 1. */
  below(limit: number): number {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * limit);
  }
}

const KEYS = 60;
/** Numbers are multiples of this, so that a torn one is not. */
const STEP = 111_111;
const LENGTHS = [10, 60, 400, 3000, 9000, 15_000, 20_000, 60_000, 140_000];

/** Keys by kind of value: `s` set whole, `a` appended to, `n` numbers. */
export const WHOLE_KEYS: readonly string[] = ['s', 'a', 'n'].flatMap((kind) =>
  Array.from({ length: KEYS }, (_, index) => `${kind}${index}`),
);

/** A request on a random key. */
export function randomRequest(picker: Picker): string {
  const kind = 'san'[picker.below(3)];
  const key = `${kind}${picker.below(KEYS)}`;
  const dice = picker.below(10);
  if (dice < 3) return `get ${key} s${picker.below(KEYS)}\r\n`;
  if (dice === 3) return `delete ${key}\r\n`;
  if (dice === 4) return `gat 1000 ${key}\r\n`;
  const length = LENGTHS[picker.below(LENGTHS.length)];
  if (kind === 's') {
    return storageLine('set', key, filler(`${key}-${picker.below(1e6)}`, length));
  }
  if (kind === 'n') {
    if (dice < 9) return `incr ${key} ${STEP * (1 + picker.below(50))}\r\n`;
    return storageLine('set', key, String(STEP * (1 + picker.below(100))));
  }
  const pairs = 'ab'.repeat(length >> 4);
  const commands = ['append', 'prepend', 'set'];
  return storageLine(commands[picker.below(3)], key, pairs);
}

/** Whether a value of this key is one that was stored, and not a part or a mixture. */
export function isWhole(key: string, value: string): boolean {
  if (key[0] === 'n') return /^\d+ *$/.test(value) && Number(value) % STEP === 0;
  if (key[0] === 'a') return value === 'ab'.repeat(value.length / 2);
  const name = value.slice(0, value.indexOf('.'));
  if (value.length === 10) return value.startsWith(`${key}-`);
  return name.startsWith(`${key}-`) && value === filler(name, value.length);
}
