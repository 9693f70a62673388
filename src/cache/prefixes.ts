/**
 * `stats detail`: gets, hits, sets and deletes by key prefix (what stands before the delimiter).
 *
 * The table lies in shared memory, so that all threads count into one, under one lock: while detail
 * is on, every request pays for it. It holds at most 65,536 prefixes, as memcached's does; later
 * ones are not counted.
 */
import { type Bytes, copyBytes, equalBytes } from '../memory/bytes.ts';
import { HEAD_PREFIX_LOCK, HEAD_PREFIX_USED, wordOf } from '../memory/layout.ts';
import { lock, RANK_PREFIX, unlock } from '../memory/lock.ts';
import type { Memory } from '../memory/memory.ts';
import {
  PREFIX_BYTES,
  PREFIX_COUNT,
  PREFIX_DELETES_F64,
  PREFIX_GETS_F64,
  PREFIX_HASH_I32,
  PREFIX_HITS_F64,
  PREFIX_LENGTH_I32,
  PREFIX_LIMIT,
  PREFIX_SETS_F64,
  PREFIX_TEXT_AT,
} from '../memory/stats-layout.ts';
import { hashKey } from './hash.ts';

/** One thread's access to the prefix statistics. */
export class Prefixes {
  private readonly memory: Memory;
  private readonly actor: number;
  private readonly delimiter: number;

  constructor(memory: Memory, actor: number, delimiter: string) {
    this.memory = memory;
    this.actor = actor;
    this.delimiter = delimiter.charCodeAt(0);
  }

  recordGet(key: Bytes, start: number, length: number, hit: boolean): void {
    this.record(key, start, length, PREFIX_GETS_F64, hit);
  }

  recordSet(key: Bytes, start: number, length: number): void {
    this.record(key, start, length, PREFIX_SETS_F64, false);
  }

  recordDelete(key: Bytes, start: number, length: number): void {
    this.record(key, start, length, PREFIX_DELETES_F64, false);
  }

  /** The lines of `stats detail dump`, in the order of the table, with END. */
  dump(): string {
    const { memory } = this;
    const lines: string[] = [];
    lock(memory.i32, HEAD_PREFIX_LOCK, RANK_PREFIX, this.actor);
    for (let entry = 0; entry < PREFIX_COUNT; entry++) {
      const byte = memory.layout.prefixes + entry * PREFIX_BYTES;
      const length = memory.i32[wordOf(byte) + PREFIX_LENGTH_I32] - 1;
      if (length < 0) continue;
      const text = byte + PREFIX_TEXT_AT;
      const f64 = byte / 8;
      lines.push(
        `PREFIX ${memory.u8.toString('latin1', text, text + length)}` +
          ` get ${memory.f64[f64 + PREFIX_GETS_F64]} hit ${memory.f64[f64 + PREFIX_HITS_F64]}` +
          ` set ${memory.f64[f64 + PREFIX_SETS_F64]} del ${memory.f64[f64 + PREFIX_DELETES_F64]}`,
      );
    }
    unlock(memory.i32, HEAD_PREFIX_LOCK);
    return [...lines, 'END', ''].join('\r\n');
  }

  /** Forgets all prefixes (`stats reset`). */
  clear(): void {
    const { memory } = this;
    lock(memory.i32, HEAD_PREFIX_LOCK, RANK_PREFIX, this.actor);
    if (memory.i32[HEAD_PREFIX_USED] > 0) {
      const start = memory.layout.prefixes;
      memory.u8.fill(0, start, start + PREFIX_COUNT * PREFIX_BYTES);
      memory.i32[HEAD_PREFIX_USED] = 0;
    }
    unlock(memory.i32, HEAD_PREFIX_LOCK);
  }

  private record(key: Bytes, start: number, length: number, counter: number, hit: boolean): void {
    let prefix = 0;
    while (prefix < length && key.u8[start + prefix] !== this.delimiter) prefix++;
    // A key without delimiter has no prefix and is not counted.
    if (prefix === length) return;
    const { memory } = this;
    lock(memory.i32, HEAD_PREFIX_LOCK, RANK_PREFIX, this.actor);
    const byte = this.doFindOrAdd(key, start, prefix);
    if (byte !== -1) {
      memory.f64[byte / 8 + counter]++;
      if (hit) memory.f64[byte / 8 + PREFIX_HITS_F64]++;
    }
    unlock(memory.i32, HEAD_PREFIX_LOCK);
  }

  /** First byte of the entry of a prefix; -1 when it is new and the table is full. */
  private doFindOrAdd(key: Bytes, start: number, length: number): number {
    const { i32, bytes, layout } = this.memory;
    const hash = hashKey(key, start, length, 0);
    for (let probe = 0; probe < PREFIX_COUNT; probe++) {
      const byte = layout.prefixes + ((hash + probe) & (PREFIX_COUNT - 1)) * PREFIX_BYTES;
      const word = wordOf(byte);
      const text = byte + PREFIX_TEXT_AT;
      if (i32[word + PREFIX_LENGTH_I32] === 0) {
        if (i32[HEAD_PREFIX_USED] >= PREFIX_LIMIT) return -1;
        i32[HEAD_PREFIX_USED]++;
        i32[word + PREFIX_HASH_I32] = hash;
        copyBytes(key, start, bytes, text, length);
        i32[word + PREFIX_LENGTH_I32] = length + 1;
        return byte;
      }
      if (i32[word + PREFIX_HASH_I32] !== hash) continue;
      if (i32[word + PREFIX_LENGTH_I32] !== length + 1) continue;
      if (equalBytes(bytes, text, key, start, length)) return byte;
    }
    return -1;
  }
}
