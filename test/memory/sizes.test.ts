/**
 * The sizes and places of everything in shared memory. A change here is a change of what an item
 * costs, or of how much can be addressed.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CLASS_COUNT_MAX, slabClassSizes } from '../../src/memory/classes.ts';
import * as layout from '../../src/memory/layout.ts';
import { MEMORY_DEFAULTS } from '../support/cache.ts';

const MEGABYTE = 2 ** 20;

test('an item header takes 40 bytes, a data chunk header 20', () => {
  assert.equal(layout.ITEM_HEADER_BYTES, 40);
  assert.equal(layout.DATA_HEADER_BYTES, 20);
  assert.equal(layout.ITEM_CAS_HIGH_I32 * 4 + 4, layout.ITEM_HEADER_BYTES);
  assert.equal(layout.DATA_NEXT_I32 * 4 + 4, layout.DATA_HEADER_BYTES);
});

/** The exported numbers by name. */
const numbers = { ...layout } as unknown as Readonly<Record<string, number>>;

/** Fields that share a record, as [name, first byte, bytes]. */
type Field = readonly [string, number, number];

function words(names: readonly string[], bytes = 4): Field[] {
  return names.map((name) => [name, numbers[name] * bytes, bytes]);
}

const RECORDS: Readonly<Record<string, { readonly bytes: number; readonly fields: Field[] }>> = {
  item: {
    bytes: layout.ITEM_HEADER_BYTES,
    fields: words([
      'CHUNK_STATE_I32',
      'CHUNK_CLASS_I32',
      'ITEM_HASH_NEXT_I32',
      'CHUNK_NEXT_I32',
      'CHUNK_PREV_I32',
      'ITEM_TIME_I32',
      'ITEM_EXPTIME_I32',
      'ITEM_VALUE_BYTES_I32',
      'ITEM_CAS_LOW_I32',
      'ITEM_CAS_HIGH_I32',
    ]),
  },
  'data chunk': {
    bytes: layout.DATA_HEADER_BYTES,
    fields: words([
      'CHUNK_STATE_I32',
      'CHUNK_CLASS_I32',
      'ITEM_HASH_NEXT_I32',
      'DATA_HEAD_I32',
      'DATA_NEXT_I32',
    ]),
  },
  stripe: {
    bytes: layout.STRIPE_BYTES,
    fields: words(['STRIPE_LOCK_I32', 'STRIPE_MASK_I32']),
  },
  class: {
    bytes: layout.CLASS_BYTES,
    fields: words([
      'CLASS_LOCK_I32',
      'CLASS_CHUNK_BYTES_I32',
      'CLASS_PER_PAGE_I32',
      'CLASS_FREE_HEAD_I32',
      'CLASS_FREE_COUNT_I32',
      'CLASS_PAGES_I32',
      'CLASS_CARVE_PAGE_I32',
      'CLASS_USED_I32',
    ]),
  },
  journal: {
    bytes: layout.ACTOR_JOURNAL_BYTES,
    fields: words([
      'JOURNAL_ALLOC_I32',
      'JOURNAL_LINK_I32',
      'JOURNAL_UNLINK_I32',
      'JOURNAL_VICTIM_I32',
      'JOURNAL_CHUNK_I32',
      'JOURNAL_MOVE_FROM_I32',
      'JOURNAL_MOVE_TO_I32',
      'JOURNAL_IN_PLACE_I32',
    ]),
  },
  tenant: {
    bytes: layout.TENANT_BYTES,
    fields: words([
      'TENANT_OLDEST_LIVE_I32',
      'TENANT_OLDEST_CAS_LOW_I32',
      'TENANT_OLDEST_CAS_HIGH_I32',
    ]),
  },
  lists: {
    bytes: layout.LISTS_BYTES,
    fields: [
      ['lists', 0, layout.LRU_COUNT * layout.LIST_WORDS * 4],
      ['sizes', layout.LISTS_SIZES_F64 * 8, layout.LRU_COUNT * 8],
      ['statistics', layout.LISTS_STATS_F64 * 8, layout.LISTS_STATS_COUNT * 8],
    ],
  },
  connection: {
    bytes: layout.CONN_BYTES,
    fields: [
      ...words([
        'CONN_STATE_I32',
        'CONN_WORKER_I32',
        'CONN_UPLOAD_I32',
        'CONN_PINNED_I32',
        'CONN_LAST_COMMAND_I32',
      ]),
      ['peer', layout.CONN_PEER_AT, layout.CONN_TEXT_BYTES],
      ['listener', layout.CONN_LISTEN_AT, layout.CONN_TEXT_BYTES],
    ],
  },
  page: {
    bytes: layout.PAGE_ENTRY_BYTES,
    fields: words(['PAGE_CLASS_I32', 'PAGE_CARVED_I32', 'PAGE_MOVING_I32', 'PAGE_NEXT_I32']),
  },
  prefix: {
    bytes: layout.PREFIX_BYTES,
    fields: [
      ...words(['PREFIX_HASH_I32', 'PREFIX_LENGTH_I32']),
      ...words(['PREFIX_GETS_F64', 'PREFIX_HITS_F64', 'PREFIX_SETS_F64', 'PREFIX_DELETES_F64'], 8),
      ['text', layout.PREFIX_TEXT_AT, 250],
    ],
  },
};

for (const [name, { bytes, fields }] of Object.entries(RECORDS)) {
  test(`${name}: fields do not overlap and lie within it`, () => {
    assertApart(fields, bytes);
    // Records stand side by side: what is aligned in the first is in all.
    const unit = fields.some(([, , size]) => size === 8) ? 8 : 4;
    assert.equal(bytes % unit, 0);
  });
}

test('fields of the head do not overlap', () => {
  const names = Object.keys(numbers);
  const doubles: Field[] = [
    ['HEAD_STARTED_F64', layout.HEAD_STARTED_F64 * 8, 8],
    ['HEAD_CONFIG_F64', layout.HEAD_CONFIG_F64 * 8, layout.CONFIG_FIELDS.length * 8],
  ];
  const plain = names.filter(
    (name) => /^HEAD_/.test(name) && !/_F64$|^HEAD_WORDS$|^HEAD_BYTES$/.test(name),
  );
  assert.ok(plain.length > 20);
  assertApart([...words(plain), ...doubles], layout.HEAD_BYTES);
  const last = Math.max(...plain.map((name) => numbers[name]));
  assert.ok(last < layout.HEAD_WORDS);
});

test('regions do not overlap, are aligned for their fields, and fill the buffer', () => {
  for (const memoryMax of [1, 64, 1024, 30_000].map((count) => count * MEGABYTE)) {
    for (const workers of [1, 4, 64]) {
      const map = layout.computeLayout({ ...MEMORY_DEFAULTS, memoryMax, workers });
      const regions: Field[] = [
        ['head', 0, layout.HEAD_BYTES],
        ['stripes', map.stripes, map.stripeCount * layout.STRIPE_BYTES],
        ['classes', map.classes, CLASS_COUNT_MAX * layout.CLASS_BYTES],
        ['actors', map.actors, map.actorCount * layout.ACTOR_BYTES],
        ['tenants', map.tenants, layout.TENANT_COUNT * layout.TENANT_BYTES],
        ['lists', map.lists, layout.TENANT_COUNT * CLASS_COUNT_MAX * layout.LISTS_BYTES],
        ['connections', map.connections, map.connectionCount * layout.CONN_BYTES],
        ['pageTable', map.pageTable, map.pageCountMax * layout.PAGE_ENTRY_BYTES],
        ['sizes', map.sizes, map.sizesCount * 4],
        ['prefixes', map.prefixes, layout.PREFIX_COUNT * layout.PREFIX_BYTES],
        ['hashTable', map.hashTable, 2 ** map.hashPowerMax * 4],
        ['pages', map.pages, map.pageCountMax * MEGABYTE],
      ];
      assertApart(regions, map.totalBytes);
      for (const [name, start] of regions) assert.equal(start % 8, 0, name);
      assert.equal(map.pages % MEGABYTE, 0);
      assert.equal(map.totalBytes, map.pages + map.pageCountMax * MEGABYTE);
      // A stripe's buckets stay its own when the table doubles, so there is one stripe per bucket
      // at most, and their number is a power of two.
      assert.equal(Math.log2(map.stripeCount) % 1, 0);
      assert.ok(map.stripeCount <= 2 ** MEMORY_DEFAULTS.hashPowerInit);
    }
  }
});

test('refs reach 32 GiB, and what lies beyond is refused', () => {
  const over = { ...MEMORY_DEFAULTS, memoryMax: 2 ** 35 };
  assert.throws(
    () => layout.computeLayout(over),
    (error: Error) => {
      const most = Number(/at most (\d+) MB can be addressed/.exec(error.message)?.[1]);
      assert.ok(most > 31 * 1024 - 128, `${most} MB`);
      const config = { ...over, memoryMax: most * MEGABYTE };
      assert.ok(layout.computeLayout(config).totalBytes <= 2 ** 35);
      return error instanceof RangeError;
    },
  );
});

test('a ref is an int32; negative ones lie in the upper 16 GiB', () => {
  for (const byte of [8, 2 ** 32, 2 ** 34 - 8, 2 ** 34, 2 ** 35 - 8]) {
    const ref = (byte / 8) | 0;
    assert.equal(layout.at(ref), byte / 4);
    assert.equal(ref < 0, byte >= 2 ** 34);
  }
});

test("slab classes are memcached's", () => {
  // From the output of memcached -vv with its default -n 48, -f 1.25 and -I 1m.
  assert.deepEqual(
    slabClassSizes(48, 1.25, MEGABYTE / 2).slice(1),
    [
      96, 120, 152, 192, 240, 304, 384, 480, 600, 752, 944, 1184, 1480, 1856, 2320, 2904, 3632,
      4544, 5680, 7104, 8880, 11_104, 13_880, 17_352, 21_696, 27_120, 33_904, 42_384, 52_984,
      66_232, 82_792, 103_496, 129_376, 161_720, 202_152, 252_696, 315_872, 394_840, 524_288,
    ],
  );
  // -f 2 doubles.
  assert.deepEqual(slabClassSizes(48, 2, MEGABYTE / 2).slice(1, 6), [96, 192, 384, 768, 1536]);
  // A small factor reaches the last id, which is still the largest chunk.
  const many = slabClassSizes(48, 1.01, MEGABYTE / 2);
  assert.equal(many.length, CLASS_COUNT_MAX);
  assert.equal(many.at(-1), MEGABYTE / 2);
});

function assertApart(fields: readonly Field[], end: number): void {
  const sorted = [...fields].sort((a, b) => a[1] - b[1]);
  for (const [index, [name, start, bytes]] of sorted.entries()) {
    const [nextName, nextStart] = sorted[index + 1] ?? ['the end', end];
    assert.ok(start + bytes <= nextStart, `${name} runs into ${nextName}`);
  }
}
