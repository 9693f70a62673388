/** delete, which may be for an item only that still has the cas id that the client saw. */
import type { Bytes } from '../memory/bytes.ts';
import { CLASS_DELETE_HITS, DELETE_MISSES } from './counters.ts';
import { casIs } from './item.ts';
import { DELETED_BY_DELETE, WATCH_DELETIONS } from './log.ts';
import type { Store } from './store.ts';

/* Results of deleteIf. */
export const DELETED = 0;
const DELETE_NOT_FOUND = 1;
export const DELETE_EXISTS = 2;

/** Deletes an item if its cas id is this one, or in any case if this is 0. */
export function deleteIf(
  store: Store,
  hash: number,
  tenant: number,
  key: Bytes,
  start: number,
  length: number,
  casHigh: number,
  casLow: number,
): number {
  store.table.lockStripe(hash);
  const ref = store.doFind(hash, tenant, key, start, length);
  let result = DELETE_NOT_FOUND;
  if (ref !== 0) {
    if ((casHigh !== 0 || casLow !== 0) && !casIs(store.memory.i32, ref, casHigh, casLow)) {
      result = DELETE_EXISTS;
    } else {
      store.countClass(ref, CLASS_DELETE_HITS);
      if (store.log.wants(WATCH_DELETIONS)) store.log.deleted(DELETED_BY_DELETE, ref);
      store.unlinker.doUnlink(ref, hash);
      result = DELETED;
    }
  }
  store.table.unlockStripe(hash);
  if (ref === 0) store.count(DELETE_MISSES, 1);
  return result;
}
