/**
 * When an item is dead though it is still there: its time has come, or its keyspace was flushed.
 * Dead items are removed by whoever meets them: a request, the tail of a list, the crawler.
 */
import { casBefore, casHigh, nextCasLow } from '../memory/cas.ts';
import {
  at,
  CHUNK_STATE_I32,
  HEAD_CLOCK,
  ITEM_CAS_HIGH_I32,
  ITEM_CAS_LOW_I32,
  ITEM_EXPTIME_I32,
  ITEM_TIME_I32,
  STATE_OWN_CAS,
  TENANT_BYTES,
  TENANT_FLUSH_MARK_I32,
  TENANT_OLDEST_CAS_HIGH_I32,
  TENANT_OLDEST_CAS_LOW_I32,
  TENANT_OLDEST_LIVE_I32,
  wordOf,
} from '../memory/layout.ts';
import type { Memory } from '../memory/memory.ts';
import { tenantOf } from './item.ts';

/** First word of a tenant's record. */
export function tenantWord(memory: Memory, tenant: number): number {
  return wordOf(memory.layout.tenants + tenant * TENANT_BYTES);
}

export function isExpired(memory: Memory, ref: number): boolean {
  const exptime = memory.i32[at(ref) + ITEM_EXPTIME_I32];
  return exptime !== 0 && exptime <= memory.i32[HEAD_CLOCK];
}

/** Whether a flush_all of the item's keyspace has killed it. */
export function isFlushed(memory: Memory, ref: number): boolean {
  const { i32 } = memory;
  const tenant = tenantWord(memory, tenantOf(i32, ref));
  const oldestLive = i32[tenant + TENANT_OLDEST_LIVE_I32];
  if (oldestLive === 0 || oldestLive > i32[HEAD_CLOCK]) return false;
  const item = at(ref);
  const time = i32[item + ITEM_TIME_I32];
  if (time <= oldestLive) return true;
  if ((i32[item + CHUNK_STATE_I32] & STATE_OWN_CAS) !== 0) {
    return time <= i32[tenant + TENANT_FLUSH_MARK_I32];
  }
  return casBefore(
    i32[item + ITEM_CAS_HIGH_I32],
    i32[item + ITEM_CAS_LOW_I32],
    i32[tenant + TENANT_OLDEST_CAS_HIGH_I32],
    i32[tenant + TENANT_OLDEST_CAS_LOW_I32],
  );
}

export function isDead(memory: Memory, ref: number): boolean {
  return isExpired(memory, ref) || isFlushed(memory, ref);
}

/**
 * The time for an item with a cas id of a client's choice that is stored now. Where others of the
 * same second are told by their cas ids from what a flush_all has killed, this one's time lies
 * behind the last flush_all, if need be in the seconds to come.
 */
export function timeWithOwnCas(memory: Memory, tenant: number): number {
  const { i32 } = memory;
  const mark = i32[tenantWord(memory, tenant) + TENANT_FLUSH_MARK_I32];
  return Math.max(i32[HEAD_CLOCK], mark + 1);
}

/**
 * flush_all: kills what is stored now (`when` 0 or past), or at clock second `when` what was not
 * stored or renewed since then. A later flush_all replaces an earlier one's time (protocol.txt).
 * Without cas ids the second is all there is to go by: what is stored in it afterwards dies too.
 */
export function flushAll(memory: Memory, tenant: number, when: number, casEnabled: boolean): void {
  const { i32 } = memory;
  const word = tenantWord(memory, tenant);
  const now = i32[HEAD_CLOCK];
  const oldestLive = (when > 0 ? when : now) - (casEnabled ? 1 : 0);
  if (casEnabled && oldestLive <= now) {
    const low = nextCasLow(i32);
    i32[word + TENANT_OLDEST_CAS_HIGH_I32] = casHigh(i32, low);
    i32[word + TENANT_OLDEST_CAS_LOW_I32] = low;
    i32[word + TENANT_FLUSH_MARK_I32] = Math.max(now, i32[word + TENANT_FLUSH_MARK_I32] + 1);
  }
  i32[word + TENANT_OLDEST_LIVE_I32] = oldestLive;
}
