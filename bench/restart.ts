// `npm run bench:restart`: how long a cache takes to be written to its memory file and to be
// brought back from it into a fresh memory. --megabytes, --value (bytes) and --file choose what and
// where; the server's own lines tell the times.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { WarmRestart } from '../src/server/warm-restart.ts';
import { Items, KEY_LENGTH, MAX_ITEMS } from './items.ts';
import { Random } from './random.ts';
import { CACHE_CONFIG, claimSlot, createCache, Rig } from './rig.ts';

const MEGABYTE = 1024 * 1024;
/** Header and rounding of an item, roughly. */
const ITEM_OVERHEAD_BYTES = 60;
const SETS_PER_FEED = 500;

const { values } = parseArgs({
  options: {
    megabytes: { type: 'string', default: '1024' },
    value: { type: 'string', default: '100' },
    file: { type: 'string' },
  },
});
const megabytes = Number(values.megabytes);
const valueBytes = Number(values.value);
const perItem = KEY_LENGTH + valueBytes + ITEM_OVERHEAD_BYTES;
const count = Math.min(Math.floor((megabytes * MEGABYTE) / perItem), MAX_ITEMS);

const folder = mkdtempSync(join(tmpdir(), 'slabcached-bench-'));
const file = values.file ?? join(folder, 'memory');
try {
  const items = new Items(count, [valueBytes], new Random(1));
  const memory = createCache(megabytes, 1);
  const { engine, session } = new Rig(memory, 0, claimSlot(memory, 0), items, SETS_PER_FEED);
  // What the maintainer does in a server, or long chains would be all that is measured.
  for (let buckets = 2 ** 16; buckets < count; buckets *= 2) engine.store.table.expand();
  const input = Buffer.alloc(SETS_PER_FEED * items.maxSetLength);
  for (let first = 0; first < count; first += SETS_PER_FEED) {
    let length = 0;
    for (let item = first; item < Math.min(first + SETS_PER_FEED, count); item++) {
      length = items.writeSet(input, length, item);
    }
    engine.feed(session, input, 0, length);
    engine.output.reset();
  }
  await new WarmRestart(file, memory, CACHE_CONFIG).save();
  await new WarmRestart(file, createCache(megabytes, 1), CACHE_CONFIG).restore();
} finally {
  rmSync(folder, { recursive: true, force: true });
}
