// Reading a cache that is busy, old, locked down, or falls silent in the middle.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type CopiedItem, nowSeconds } from '../../src/tools/item.ts';
import type { ListedKey } from '../../src/tools/key-list.ts';
import { Source } from '../../src/tools/source.ts';
import { type Answers, fakeCache } from './fake-cache.ts';

const STATS = () => `STAT time ${nowSeconds()}\r\nEND\r\n`;

/** A cache of the meta protocol's time with two items, but for what `special` answers. */
function modern(special: Answers): Answers {
  return (line) => {
    const own = special(line);
    if (own !== '') return own;
    if (line === 'stats') return STATS();
    if (line === 'mn') return 'MN\r\n';
    if (line.startsWith('lru_crawler')) return 'key=a exp=-1 la=1 size=70\nkey=b exp=-1\nEND\r\n';
    if (line.startsWith('me ')) return `ME ${line.slice(3)} exp=-1 la=0 cas=1 size=70\r\n`;
    if (line === 'get a b') return 'VALUE a 5 2\r\nAA\r\nVALUE b 0 0\r\n\r\nEND\r\n';
    return 'ERROR\r\n';
  };
}

async function keysOf(source: Source, onBusy = (): void => {}): Promise<ListedKey[]> {
  const list = await source.list(onBusy);
  try {
    const keys: ListedKey[] = [];
    for await (const key of list.keys()) keys.push(key);
    return keys;
  } finally {
    await list.close();
  }
}

async function copyOf(source: Source): Promise<CopiedItem[]> {
  const items = await source.fetch(await keysOf(source));
  source.close();
  return items;
}

const names = (items: readonly { readonly key: Buffer }[]) =>
  items.map(({ key }) => key.toString('latin1'));

test('a busy crawler is waited for', async (t) => {
  let asked = 0;
  const { address } = await fakeCache(
    t,
    modern((line) => {
      if (!line.startsWith('lru_crawler')) return '';
      return ++asked < 3 ? 'BUSY currently processing crawler request\r\n' : '';
    }),
  );
  const source = await Source.open(address);
  let busy = 0;
  const keys = await keysOf(source, () => {
    busy++;
  });
  source.close();
  assert.deepEqual(names(keys), ['a', 'b']);
  assert.equal(busy, 2);
});

test('a server without the walk over the hash table is asked along the lists', async (t) => {
  const { address, lines } = await fakeCache(
    t,
    modern((line) => (line === 'lru_crawler metadump hash' ? 'BADCLASS invalid class id\r\n' : '')),
  );
  assert.deepEqual(names(await copyOf(await Source.open(address))), ['a', 'b']);
  assert.ok(lines.includes('lru_crawler metadump all'));
});

test('mgdump is asked when metadump is refused', async (t) => {
  const { address } = await fakeCache(
    t,
    modern((line) => {
      if (line.includes('metadump')) return 'ERROR metadump not allowed\r\n';
      return line === 'lru_crawler mgdump hash' ? 'mg a\r\nmg Yg== b\r\nEN\r\n' : '';
    }),
  );
  const items = await copyOf(await Source.open(address));
  assert.deepEqual(names(items), ['a', 'b']);
  assert.deepEqual(names([items[0]]), ['a']);
  assert.deepEqual([items[0].flags, items[0].expiry, items[0].value.toString()], [5, 0, 'AA']);
});

test('a list may begin with OK', async (t) => {
  const { address } = await fakeCache(
    t,
    modern((line) => (line.startsWith('lru_crawler') ? 'OK\r\nkey=a exp=-1\nEND\r\n' : '')),
  );
  const source = await Source.open(address);
  assert.deepEqual(names(await keysOf(source)), ['a']);
  source.close();
});

test('a server that lists nothing is named with its answer', async (t) => {
  const { address } = await fakeCache(
    t,
    modern((line) => {
      if (line.includes('mgdump')) return 'ERROR\r\n';
      return line.includes('metadump') ? 'CLIENT_ERROR lru crawler disabled\r\n' : '';
    }),
  );
  const source = await Source.open(address);
  await assert.rejects(keysOf(source), {
    name: 'ToolError',
    message: `${address.shown} does not list its keys: CLIENT_ERROR lru crawler disabled`,
  });
  source.close();
});

test('items that vanish after they were listed are left out', async (t) => {
  const { address } = await fakeCache(
    t,
    modern((line) => {
      if (line.startsWith('lru_crawler'))
        return 'key=a exp=-1\nkey=b exp=-1\nkey=c exp=-1\nEND\r\n';
      if (line === 'me c') return 'EN\r\n';
      return line === 'get a b' ? 'VALUE b 1 1\r\nB\r\nEND\r\n' : '';
    }),
  );
  assert.deepEqual(names(await copyOf(await Source.open(address))), ['b']);
});

test('without the meta protocol the list tells the expiry, by its own clock', async (t) => {
  const ahead = 5000;
  const expiry = nowSeconds() + ahead + 100;
  const { address, lines } = await fakeCache(
    t,
    modern((line) => {
      if (line === 'stats') return `STAT time ${nowSeconds() + ahead}\r\nEND\r\n`;
      if (line === 'mn') return 'ERROR\r\n';
      return line.startsWith('lru_crawler') ? `key=a exp=${expiry}\nkey=b exp=-1\nEND\r\n` : '';
    }),
  );
  const items = await copyOf(await Source.open(address));
  assert.ok(Math.abs(items[0].expiry - (nowSeconds() + 100)) <= 2, String(items[0].expiry));
  assert.equal(items[1].expiry, 0);
  assert.equal(lines.filter((line) => line.startsWith('me ')).length, 0);
});

test('the time to live is read with either sign, and -1 is never', async (t) => {
  const told = new Map([
    ['a', -90],
    ['b', 80],
  ]);
  const { address } = await fakeCache(
    t,
    modern((line) => {
      if (!line.startsWith('me ')) return '';
      return `ME ${line.slice(3)} exp=${told.get(line.slice(3))} la=0 cas=1 size=70\r\n`;
    }),
  );
  const [a, b] = await copyOf(await Source.open(address));
  assert.ok(Math.abs(a.expiry - nowSeconds() - 90) <= 2);
  assert.ok(Math.abs(b.expiry - nowSeconds() - 80) <= 2);
});

test('the last second of an item is not taken for no expiry', async (t) => {
  const { address } = await fakeCache(
    t,
    modern((line) => {
      if (!line.startsWith('lru_crawler')) return '';
      return `key=a exp=${nowSeconds() + 1}\nkey=b exp=${nowSeconds() + 900}\nEND\r\n`;
    }),
  );
  const [a, b] = await copyOf(await Source.open(address));
  assert.ok(a.expiry > 0);
  assert.equal(b.expiry, 0);
});

const BREAKS: readonly (readonly [what: string, request: string, answer: string | undefined])[] = [
  ['hangs up', 'get a b', undefined],
  ['reports an error', 'get a b', 'SERVER_ERROR out of memory writing get response\r\n'],
  ['sends another key', 'get a b', 'VALUE z 0 1\r\nz\r\nEND\r\n'],
  ['sends a wrong length', 'get a b', 'VALUE a 0 1\r\nABC\r\nEND\r\n'],
  ['answers me wrongly', 'me a', 'CLIENT_ERROR bad command line format\r\n'],
  ['breaks the list off', 'lru_crawler metadump hash', 'key=a exp=-1\nERROR\r\n'],
  ['hangs up in its list', 'lru_crawler metadump hash', undefined],
  ['lists something else', 'lru_crawler metadump hash', 'key=a\nEND\r\n'],
];

test('a server that does not keep to the protocol ends the copy with one sentence', async (t) => {
  for (const [what, request, answer] of BREAKS) {
    const { address } = await fakeCache(
      t,
      modern((line) => (line === request ? answer : '')),
    );
    const source = await Source.open(address);
    await assert.rejects(copyOf(source), { name: 'ToolError' }, what);
    source.close();
  }
});

test('both dialects of a login are tried', async (t) => {
  for (const dialect of ['set auth 0 0 8', 'set ann 0 0 4']) {
    const { address, lines } = await fakeCache(
      t,
      modern((line) => {
        if (!line.startsWith('set ')) return line === 'ann pass' || line === 'pass' ? '\r\n' : '';
        return line === dialect ? 'STORED' : 'CLIENT_ERROR unauthenticated';
      }),
    );
    const source = await Source.open({ ...address, user: 'ann', password: 'pass' });
    assert.deepEqual(names(await keysOf(source)), ['a', 'b']);
    source.close();
    assert.ok(lines.includes(dialect));
  }
  const { address } = await fakeCache(t, (line) =>
    line.startsWith('set') ? '' : 'CLIENT_ERROR authentication failure\r\n',
  );
  await assert.rejects(Source.open({ ...address, user: 'ann', password: 'pass' }), {
    message: `${address.shown} does not let ann in: CLIENT_ERROR authentication failure`,
  });
});
