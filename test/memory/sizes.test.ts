/**
 * Checks the map of the shared memory: regions in order and apart, records that fill cache lines,
 * and no two fields of a record in one word. New fields are found by their names.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { MemoryConfig } from '../../src/memory/config.ts';
import * as layout from '../../src/memory/layout.ts';
import * as logLayout from '../../src/memory/log-layout.ts';
import * as statsLayout from '../../src/memory/stats-layout.ts';
import { MEMORY_DEFAULTS } from '../support/cache.ts';

const MEGABYTE = 1024 * 1024;
const KEY_BYTES_MAX = 250;

/** A run of bytes within a record. */
interface Field {
  readonly name: string;
  readonly start: number;
  readonly bytes: number;
}

/** The constants whose names match, as fields of `unit` bytes. */
function constants(pattern: RegExp, unit: number): Field[] {
  return Object.entries({ ...layout, ...logLayout, ...statsLayout }).flatMap(([name, value]) =>
    pattern.test(name) && typeof value === 'number'
      ? [{ name, start: value * unit, bytes: unit }]
      : [],
  );
}

function fieldsOf(prefix: string): Field[] {
  return [
    ...constants(new RegExp(`^${prefix}_.*_I32$`), 4),
    ...constants(new RegExp(`^${prefix}_.*_F64$`), 8),
  ];
}

function headFields(): Field[] {
  const named = /^HEAD_(?!BYTES$|CAS_LOW$|LOG_GID$|.*_F64$)/;
  return [
    { name: 'HEAD_CAS_LOW', start: layout.HEAD_CAS_LOW * 4, bytes: 12 },
    { name: 'HEAD_LOG_GID', start: layout.HEAD_LOG_GID * 4, bytes: 12 },
    ...constants(named, 4),
    { name: 'HEAD_STARTED_F64', start: layout.HEAD_STARTED_F64 * 8, bytes: 8 },
    {
      name: 'HEAD_CONFIG_F64',
      start: layout.HEAD_CONFIG_F64 * 8,
      bytes: 8 * layout.CONFIG_FIELDS.length,
    },
  ];
}

function connectionFields(): Field[] {
  return [
    ...fieldsOf('CONN'),
    { name: 'CONN_PEER_AT', start: layout.CONN_PEER_AT, bytes: layout.CONN_TEXT_BYTES },
    { name: 'CONN_LISTEN_AT', start: layout.CONN_LISTEN_AT, bytes: layout.CONN_TEXT_BYTES },
  ];
}

function listsFields(): Field[] {
  const { LRU_COUNT, LIST_WORDS, LISTS_SIZES_F64, LISTS_STATS_F64, LISTS_STATS_COUNT } = layout;
  return [
    { name: 'lists', start: 0, bytes: LRU_COUNT * LIST_WORDS * 4 },
    { name: 'LISTS_SIZES_F64', start: LISTS_SIZES_F64 * 8, bytes: LRU_COUNT * 8 },
    { name: 'LISTS_STATS_F64', start: LISTS_STATS_F64 * 8, bytes: LISTS_STATS_COUNT * 8 },
  ];
}

function prefixFields(): Field[] {
  const text = { name: 'PREFIX_TEXT_AT', start: statsLayout.PREFIX_TEXT_AT, bytes: KEY_BYTES_MAX };
  return [...fieldsOf('PREFIX'), text];
}

// A free chunk has the four CHUNK fields only; an item adds its own, a data chunk others in the
// words of next and prev, which it has no use for.
const RECORDS: ReadonlyArray<readonly [string, number, readonly Field[]]> = [
  ['head', layout.HEAD_BYTES, headFields()],
  ['stripe', layout.STRIPE_BYTES, fieldsOf('STRIPE')],
  ['class', layout.CLASS_BYTES, fieldsOf('CLASS')],
  ['journal', layout.ACTOR_JOURNAL_BYTES, fieldsOf('JOURNAL')],
  ['tenant', layout.TENANT_BYTES, fieldsOf('TENANT')],
  ['list', layout.LIST_WORDS * 4, fieldsOf('LIST')],
  ['lists', layout.LISTS_BYTES, listsFields()],
  ['connection', layout.CONN_BYTES, connectionFields()],
  ['page', layout.PAGE_ENTRY_BYTES, fieldsOf('PAGE')],
  ['prefix', statsLayout.PREFIX_BYTES, prefixFields()],
  ['log ring', logLayout.LOG_RING_HEAD_BYTES, fieldsOf('LOG_RING')],
  ['log record', logLayout.RECORD_TEXT_AT, fieldsOf('RECORD')],
  ['watcher', logLayout.WATCHER_HEAD_BYTES, fieldsOf('WATCHER')],
  ['item', layout.ITEM_HEADER_BYTES, [...fieldsOf('CHUNK'), ...fieldsOf('ITEM')]],
  [
    'data chunk',
    layout.DATA_HEADER_BYTES,
    [
      ...constants(/^CHUNK_(STATE|CLASS)_I32$/, 4),
      ...constants(/^ITEM_HASH_NEXT_I32$/, 4),
      ...fieldsOf('DATA'),
    ],
  ],
];

for (const [name, bytes, fields] of RECORDS) {
  test(`the fields of a record (${name}) are apart and within its ${bytes} bytes`, () => {
    assert.ok(fields.length > 1, 'no fields found');
    const sorted = [...fields].sort((a, b) => a.start - b.start);
    for (const [index, field] of sorted.entries()) {
      const end = index + 1 < sorted.length ? sorted[index + 1].start : bytes;
      assert.ok(field.start >= 0, field.name);
      assert.ok(field.start + field.bytes <= end, `${field.name} runs into what follows`);
    }
  });
}

test('records have the sizes that memory use is calculated with', () => {
  assert.equal(layout.ITEM_HEADER_BYTES, 40);
  assert.equal(layout.DATA_HEADER_BYTES, 20);
  assert.equal(layout.STRIPE_BYTES, 16);
  assert.equal(layout.CLASS_BYTES, 64);
  assert.equal(layout.TENANT_BYTES, 64);
  assert.equal(layout.LISTS_BYTES, 256);
  assert.equal(layout.CONN_BYTES, 192);
  assert.equal(layout.PAGE_ENTRY_BYTES, 16);
  assert.equal(statsLayout.PREFIX_BYTES, 320);
});

test('an actor has its journal and all counters, in whole cache lines', () => {
  const counters = layout.COUNTER_GLOBAL_COUNT + 64 * layout.COUNTER_CLASS_COUNT;
  assert.equal(layout.ACTOR_BYTES, layout.ACTOR_JOURNAL_BYTES + 8 * counters);
  assert.equal(layout.ACTOR_BYTES % 64, 0);
});

test('the flags of a chunk are single bits below the reference count', () => {
  const flags = Object.entries(layout).filter(([name]) =>
    /^STATE_(?!FLAGS|REF_ONE)[A-Z]+$/.test(name),
  );
  let all = 0;
  for (const [name, flag] of flags) {
    assert.ok(typeof flag === 'number' && flag > 0 && (flag & (flag - 1)) === 0, name);
    assert.equal(all & flag, 0, `${name} is taken`);
    all |= flag;
  }
  assert.equal(all & ~layout.STATE_FLAGS, 0);
  assert.equal(layout.STATE_REF_ONE, layout.STATE_FLAGS + 1);
});

/** The regions in the order of the drawing in layout.ts: name, first byte, bytes, alignment. */
function regionsOf(
  map: layout.Layout,
): ReadonlyArray<readonly [name: string, start: number, bytes: number, align: number]> {
  return [
    ['head', 0, layout.HEAD_BYTES, 64],
    ['stripes', map.stripes, map.stripeCount * layout.STRIPE_BYTES, 64],
    ['classes', map.classes, 64 * layout.CLASS_BYTES, 64],
    ['actors', map.actors, map.actorCount * layout.ACTOR_BYTES, 64],
    ['tenants', map.tenants, layout.TENANT_COUNT * layout.TENANT_BYTES, 64],
    ['lists', map.lists, layout.TENANT_COUNT * 64 * layout.LISTS_BYTES, 64],
    ['connections', map.connections, map.connectionCount * layout.CONN_BYTES, 64],
    ['page table', map.pageTable, map.pageCountMax * layout.PAGE_ENTRY_BYTES, 64],
    ['sizes', map.sizes, map.sizesCount * 4, 64],
    ['prefixes', map.prefixes, statsLayout.PREFIX_COUNT * statsLayout.PREFIX_BYTES, 4096],
    ['log rings', map.logRings, map.actorCount * map.logRingBytes, 64],
    ['watchers', map.watchers, logLayout.WATCHER_COUNT * map.watcherBytes, 64],
    ['hash table', map.hashTable, 2 ** map.hashPowerMax * 4, 4096],
    ['pages', map.pages, map.pageCountMax * MEGABYTE, MEGABYTE],
  ];
}

const anyConfig = (): fc.Arbitrary<MemoryConfig> =>
  fc
    .record({
      megabytes: fc.oneof(fc.integer({ min: 1, max: 2048 }), fc.integer({ min: 1, max: 28_000 })),
      itemSizeMax: fc.integer({ min: 1024, max: 128 * MEGABYTE }),
      workers: fc.integer({ min: 1, max: 64 }),
      maxConns: fc.integer({ min: 1, max: 20_000 }),
      hashPowerInit: fc.integer({ min: 12, max: 26 }),
      workerLogBytes: fc.integer({ min: 1024, max: 10_000_000 }),
      watcherLogBytes: fc.integer({ min: 1024, max: 10_000_000 }),
    })
    .map(({ megabytes, ...rest }) => ({
      ...MEMORY_DEFAULTS,
      ...rest,
      memoryLimit: megabytes * MEGABYTE,
      memoryMax: megabytes * MEGABYTE,
    }));

test('regions lie in order, aligned, without overlap, for any config', () => {
  fc.assert(
    fc.property(anyConfig(), (config) => {
      const map = layout.computeLayout(config);
      let end = 0;
      for (const [name, start, bytes, align] of regionsOf(map)) {
        assert.equal(start % align, 0, `${name} is not aligned`);
        assert.ok(start >= end, `${name} overlaps what is before it`);
        assert.ok(start - end < align, `${name} leaves a gap`);
        end = start + bytes;
      }
      assert.equal(map.totalBytes, end);
      assert.ok(map.pageCountMax * MEGABYTE >= config.memoryMax);
      assert.ok(map.hashPowerMax >= config.hashPowerInit);
      assert.ok(map.stripeCount <= 2 ** config.hashPowerInit);
    }),
  );
});

test('what 32-bit references cannot reach is refused with the largest possible size', () => {
  const config = { ...MEMORY_DEFAULTS, memoryMax: 40 * 2 ** 30 };
  let told = 0;
  assert.throws(
    () => layout.computeLayout(config),
    (error: Error) => {
      told = Number(/at most (\d+) MB/.exec(error.message)?.[1]);
      return error instanceof RangeError;
    },
  );
  // The classes' first pages and the larger hash table of the refused config are within that size.
  const possible = { ...config, memoryMax: (told - 64) * MEGABYTE };
  assert.ok(layout.computeLayout(possible).totalBytes <= 32 * 2 ** 30);
});

test('a reference is its byte offset in units of 8, also when it is negative as int32', () => {
  for (const byte of [8, 4096, 2 ** 32 - 8, 2 ** 32, 2 ** 34 - 8, 2 ** 34, 2 ** 35 - 8]) {
    const ref = (byte / 8) | 0;
    assert.equal(layout.at(ref) * 4, byte);
    assert.equal(ref < 0, byte >= 2 ** 34);
  }
});
