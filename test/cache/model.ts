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
  /** Client flags, if they are not FLAGS: what mg has created has none. */
  readonly flags?: number | undefined;
  /** Marked by md I; whether a client was told to renew it. */
  readonly stale?: boolean;
  readonly sent?: boolean;
}

/** What a command replies, and what is stored under its key afterwards. */
export interface Outcome {
  readonly reply: string;
  readonly entry: Entry | undefined;
}

/** Client flags of all items that are stored here. */
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
      return old === undefined ? refused : stored(renewed(old, old.value + step.value));
    case 'prepend':
      return old === undefined ? refused : stored(renewed(old, step.value + old.value));
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
    case 'ma':
      return arithmetic(step, old);
    case 'mg':
      return metaGet(old, fresh.deadline);
    case 'mdx':
    case 'mdi':
    case 'msa':
      return metaChange(step, old, fresh);
    default:
      return { reply: old === undefined ? 'END\r\n' : valueReply(step.key, old), entry: old };
  }
}

/** A new item in the place of another. */
function renewed(old: Entry, value: string): Entry {
  const { deadline, flags } = old;
  return { value, deadline, flags };
}

/** `mg <key> v f N<exptime>` */
function metaGet(old: Entry | undefined, deadline: number): Outcome {
  if (old === undefined) {
    return { reply: 'VA 0 f0 W\r\n\r\n', entry: { value: '', deadline, flags: 0, sent: true } };
  }
  const { value, flags = FLAGS, stale = false, sent = false } = old;
  const marks = `${sent ? ' Z' : ''}${stale ? ' X' : ''}${stale && !sent ? ' W' : ''}`;
  const reply = `VA ${value.length} f${flags}${marks}\r\n${value}\r\n`;
  return { reply, entry: { ...old, sent: sent || stale } };
}

/** md that empties, md that marks as stale, and ms that appends or creates. */
function metaChange(step: Step, old: Entry | undefined, fresh: Entry): Outcome {
  if (step.command === 'msa') {
    return { reply: 'HD\r\n', entry: old ? renewed(old, old.value + step.value) : fresh };
  }
  if (old === undefined) return { reply: 'NF\r\n', entry: old };
  const { deadline } = fresh;
  const entry =
    step.command === 'mdx'
      ? { value: '', deadline }
      : { ...old, deadline, stale: true, sent: false };
  return { reply: 'HD\r\n', entry };
}

function valueReply(key: string, entry: Entry): string {
  return `VALUE ${key} ${entry.flags ?? FLAGS} ${entry.value.length}\r\n${entry.value}\r\nEND\r\n`;
}

function arithmetic(step: Step, old: Entry | undefined): Outcome {
  const meta = step.command === 'ma';
  if (old === undefined) return { reply: meta ? 'NF\r\n' : 'NOT_FOUND\r\n', entry: old };
  // White space ends the number; what follows is ignored.
  const digits = /^(\d+)( .*)?$/.exec(old.value)?.[1];
  const { flags = FLAGS } = old;
  // By memcached's arithmetic, whatever our own item takes.
  const inChunks = memcachedItemBytes(step.key.length, flags, old.value.length) > CHUNK_BYTES_MAX;
  const number = BigInt(digits ?? '0');
  if (digits === undefined || inChunks || number >= UINT64_END) {
    return { reply: NON_NUMERIC, entry: old };
  }
  const amount = BigInt(step.amount);
  const lessened = number < amount ? 0n : number - amount;
  const result = step.command === 'decr' ? lessened : (number + amount) % UINT64_END;
  const text = String(result);
  const inPlace = { ...old, value: text.padEnd(old.value.length) };
  return {
    reply: meta ? `VA ${text.length}\r\n${text}\r\n` : `${text}\r\n`,
    entry: text.length > old.value.length ? renewed(old, text) : inPlace,
  };
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
    case 'mg':
      return `mg ${key} v f N${exptime}\r\n`;
    case 'mdx':
      return `md ${key} x F${FLAGS} T${exptime}\r\n`;
    case 'mdi':
      return `md ${key} I T${exptime}\r\n`;
    case 'ma':
      return `ma ${key} v D${amount}\r\n`;
    case 'msa':
      return `ms ${key} ${value.length} F${FLAGS} MA N${exptime}\r\n${value}\r\n`;
    default:
      return `${command} ${key} ${FLAGS} ${exptime} ${value.length}\r\n${value}\r\n`;
  }
}
