/**
 * What a cache should answer, as a plain Map: the reference that random command sequences are
 * compared with.
 */

import { memcachedItemBytes } from '../../src/cache/item.ts';

/** One step of a sequence. `b` says which of the two workers serves it. */
export interface Step {
  readonly command: string;
  readonly key: string;
  readonly value: string;
  readonly exptime: number;
  readonly amount: number;
  readonly b: boolean;
}

export interface Entry {
  readonly value: string;
  /** Clock second from which on it is dead; 0 for never. */
  readonly deadline: number;
}

/** What a command replies, and what is stored under its key afterwards. */
export interface Outcome {
  readonly reply: string;
  readonly entry: Entry | undefined;
}

/** Client flags of all items here. */
const FLAGS = 7;
/** Numbers in chains of chunks are none, as in memcached. */
const CHUNK_BYTES_MAX = 16_384;
const UINT64_END = 1n << 64n;
const NON_NUMERIC = 'CLIENT_ERROR cannot increment or decrement non-numeric value\r\n';

function deadlineOf(now: number, exptime: number): number {
  if (exptime === 0) return 0;
  return exptime < 0 ? 1 : now + exptime;
}

/** What a step does to an entry at a clock second. Values are ASCII; numbers below 2^53. */
export function outcome(step: Step, found: Entry | undefined, now: number): Outcome {
  const alive = found === undefined || found.deadline === 0 || found.deadline > now;
  const old = alive ? found : undefined;
  const fresh: Entry = { value: step.value, deadline: deadlineOf(now, step.exptime) };
  const stored = (entry: Entry): Outcome => ({ reply: 'STORED\r\n', entry });
  const refused: Outcome = { reply: 'NOT_STORED\r\n', entry: old };
  switch (step.command) {
    case 'set':
      return stored(fresh);
    case 'add':
      return old === undefined ? stored(fresh) : refused;
    case 'replace':
      return old === undefined ? refused : stored(fresh);
    case 'append':
      return old === undefined ? refused : stored({ ...old, value: old.value + step.value });
    case 'prepend':
      return old === undefined ? refused : stored({ ...old, value: step.value + old.value });
    case 'delete':
      return { reply: old === undefined ? 'NOT_FOUND\r\n' : 'DELETED\r\n', entry: undefined };
    case 'touch':
      if (old === undefined) return { reply: 'NOT_FOUND\r\n', entry: old };
      return { reply: 'TOUCHED\r\n', entry: { ...old, deadline: fresh.deadline } };
    case 'gat':
      if (old === undefined) return { reply: 'END\r\n', entry: old };
      return { reply: valueReply(step.key, old), entry: { ...old, deadline: fresh.deadline } };
    case 'incr':
    case 'decr':
      return arithmetic(step, old);
    default:
      return { reply: old === undefined ? 'END\r\n' : valueReply(step.key, old), entry: old };
  }
}

function valueReply(key: string, entry: Entry): string {
  return `VALUE ${key} 7 ${entry.value.length}\r\n${entry.value}\r\nEND\r\n`;
}

function arithmetic(step: Step, old: Entry | undefined): Outcome {
  if (old === undefined) return { reply: 'NOT_FOUND\r\n', entry: old };
  // White space ends the number; what follows is ignored.
  const digits = /^(\d+)( .*)?$/.exec(old.value)?.[1];
  // By memcached's arithmetic, whatever our own item takes.
  const inChunks = memcachedItemBytes(step.key.length, FLAGS, old.value.length) > CHUNK_BYTES_MAX;
  const number = BigInt(digits ?? '0');
  if (digits === undefined || inChunks || number >= UINT64_END) {
    return { reply: NON_NUMERIC, entry: old };
  }
  const amount = BigInt(step.amount);
  const lessened = number < amount ? 0n : number - amount;
  const result = step.command === 'incr' ? (number + amount) % UINT64_END : lessened;
  const text = String(result);
  return { reply: `${text}\r\n`, entry: { ...old, value: text.padEnd(old.value.length) } };
}

/** The step as a request. */
export function requestOf(step: Step): string {
  const { command, key, value, exptime, amount } = step;
  switch (command) {
    case 'delete':
    case 'get':
      return `${command} ${key}\r\n`;
    case 'touch':
      return `touch ${key} ${exptime}\r\n`;
    case 'gat':
      return `gat ${exptime} ${key}\r\n`;
    case 'incr':
    case 'decr':
      return `${command} ${key} ${amount}\r\n`;
    default:
      return `${command} ${key} 7 ${exptime} ${value.length}\r\n${value}\r\n`;
  }
}
