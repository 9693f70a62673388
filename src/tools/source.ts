/**
 * Reads all items of a running cache: lists its keys with the crawler, then fetches the values in
 * batches. The cache is asked for nothing that could hold it up, and nothing in it changes: the
 * time to live comes from `me`, since `mg` takes the one token of an item that is stale. (For keys
 * that only base64 can name there is nothing but `mg`.)
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Address } from './address.ts';
import { Connection } from './connection.ts';
import { type CopiedItem, needsBase64, nowSeconds } from './item.ts';
import { KeyList, type ListedKey } from './key-list.ts';
import { ToolError } from './tool-error.ts';

const BUSY_PAUSE_MS = 500;
const BUSY_TRIES = 600;
/** Values asked for at once. */
const BATCH_BYTES = 1024 * 1024;

/**
 * What the crawler is asked for, best first: a walk over the hash table sees every item once; older
 * servers walk only along the lists; where metadump is off mgdump may be on.
 */
const LISTINGS = ['metadump hash', 'metadump all', 'mgdump hash', 'mgdump all'];

/** A key about to be fetched, with what is known about its item. */
interface Wanted {
  readonly key: Buffer;
  readonly isBinary: boolean;
  readonly expiry: number;
  readonly bytes: number;
}

/** A cache that items are copied from. */
export class Source {
  readonly #address: Address;
  readonly #connection: Connection;
  readonly #hasMeta: boolean;
  /** Seconds by which the source's clock is ahead of ours. */
  readonly #ahead: number;

  private constructor(address: Address, connection: Connection, hasMeta: boolean, ahead: number) {
    this.#address = address;
    this.#connection = connection;
    this.#hasMeta = hasMeta;
    this.#ahead = ahead;
  }

  static async open(address: Address): Promise<Source> {
    const connection = await Connection.open(address);
    try {
      await connection.send('stats\r\n');
      const time = await readTime(connection, address);
      return new Source(address, connection, await connection.knowsMeta(), time - nowSeconds());
    } catch (error) {
      connection.close();
      throw error;
    }
  }

  close(): void {
    this.#connection.close();
  }

  /** Lists all keys; waits while the crawler is busy with something else. */
  async list(onBusy: () => void): Promise<KeyList> {
    const list = await KeyList.create();
    try {
      await this.#listInto(list, onBusy);
      return list;
    } catch (error) {
      await list.close();
      throw error;
    }
  }

  async #listInto(list: KeyList, onBusy: () => void): Promise<void> {
    let refusal = '';
    for (const listing of LISTINGS) {
      const answer = await this.#listWith(listing, list, onBusy);
      if (answer === '') return;
      // A server that does not know a listing says less than one that does not allow it.
      if (refusal === '' || refusal === 'ERROR' || refusal.startsWith('BADCLASS')) refusal = answer;
    }
    throw new ToolError(`${this.#address.shown} does not list its keys: ${refusal}`);
  }

  /** The empty string when all keys have been listed, else the server's refusal. */
  async #listWith(listing: string, list: KeyList, onBusy: () => void): Promise<string> {
    for (let attempt = 0; attempt < BUSY_TRIES; attempt++) {
      const connection = await Connection.open(this.#address);
      try {
        await connection.send(`lru_crawler ${listing}\r\n`);
        let line = await connection.line();
        // memcached says OK before the list from 1.6.43 on.
        if (line === 'OK') line = await connection.line();
        while (line.startsWith('key=') || line.startsWith('mg ')) {
          await list.add(line);
          line = await connection.line();
        }
        if (line === 'END' || line === 'EN') return '';
        if (list.count > 0) {
          throw new ToolError(`${this.#address.shown} broke off its list of keys: ${line}`);
        }
        if (!line.startsWith('BUSY')) return line;
      } finally {
        connection.close();
      }
      onBusy();
      await sleep(BUSY_PAUSE_MS);
    }
    return 'its crawler is busy';
  }

  /** Fetches items; those that are gone meanwhile are left out. */
  async fetch(listed: readonly ListedKey[]): Promise<CopiedItem[]> {
    const wanted = this.#hasMeta
      ? await this.#ask(listed)
      : listed.flatMap((key) => this.#fromList(key));
    const items: CopiedItem[] = [];
    let group: Wanted[] = [];
    let bytes = 0;
    for (const item of wanted) {
      if (bytes + item.bytes > BATCH_BYTES && group.length > 0) {
        items.push(...(await this.#fetchGroup(group)));
        group = [];
        bytes = 0;
      }
      group.push(item);
      bytes += item.bytes;
    }
    if (group.length > 0) items.push(...(await this.#fetchGroup(group)));
    return items;
  }

  /** What the listing alone says; keys that the text protocol cannot ask for are left out. */
  #fromList({ key, expiry, bytes }: ListedKey): Wanted[] {
    if (needsBase64(key)) return [];
    const ours = expiry === undefined || expiry === 0 ? 0 : expiry - this.#ahead;
    return [{ key, isBinary: false, expiry: ours, bytes }];
  }

  /** Asks for the time to live that every item has now. */
  async #ask(listed: readonly ListedKey[]): Promise<Wanted[]> {
    await this.#connection.send(...listed.map(({ key }) => `me ${inLine(key)}\r\n`));
    const wanted: Wanted[] = [];
    for (const entry of listed) {
      const line = await this.#connection.line();
      if (line === 'EN') continue;
      const match = /^ME ([^ ]+) exp=(-?\d+) .*\bsize=(\d+)/.exec(line);
      if (match === null) throw new ToolError(`${this.#address.shown} answers me with '${line}'`);
      const { key } = entry;
      const isBinary = needsBase64(key) || match[1] !== key.toString('latin1');
      const expiry = this.#expiry(Number(match[2]), entry);
      wanted.push({ key, isBinary, expiry, bytes: Number(match[3]) });
    }
    return wanted;
  }

  /**
   * The expiry on our clock. `me` tells the seconds that are left, memcached up to 1.6.x with a
   * minus before them, and -1 for never; so -1 may be the last second of an item, and is if the
   * listing said so.
   */
  #expiry(told: number, { expiry }: ListedKey): number {
    if (told !== -1) return nowSeconds() + Math.abs(told);
    if (expiry === undefined || expiry === 0) return 0;
    const left = expiry - this.#ahead - nowSeconds();
    return Math.abs(left) <= 2 ? nowSeconds() + 1 : 0;
  }

  /** Fetches values: with `get`, and with `mg` for keys that only base64 can name. */
  async #fetchGroup(group: readonly Wanted[]): Promise<CopiedItem[]> {
    const plain = group.filter(({ key }) => !needsBase64(key));
    const encoded = group.filter(({ key }) => needsBase64(key));
    const gets = plain.map(({ key }) => ` ${key.toString('latin1')}`).join('');
    await this.#connection.send(
      gets === '' ? '' : `get${gets}\r\n`,
      ...encoded.map(({ key }) => `mg ${inLine(key)} f v\r\n`),
    );
    const items = gets === '' ? [] : await this.#readValues(plain);
    for (const item of encoded) {
      const line = await this.#connection.line();
      if (line === 'EN') continue;
      const match = /^VA (\d+)(?: .*?)? ?f(\d+)/.exec(line);
      if (match === null) throw new ToolError(`${this.#address.shown} answers mg with '${line}'`);
      const value = await this.#connection.block(Number(match[1]));
      items.push({ ...item, flags: Number(match[2]), value });
    }
    return items;
  }

  /** The answer to a `get`: values in the order of the keys, without those that are gone. */
  async #readValues(asked: readonly Wanted[]): Promise<CopiedItem[]> {
    const items: CopiedItem[] = [];
    let next = 0;
    for (;;) {
      const line = await this.#connection.line();
      if (line === 'END') return items;
      const match = /^VALUE ([^ ]+) (\d+) (\d+)$/.exec(line);
      if (match === null) throw new ToolError(`${this.#address.shown} answers get with '${line}'`);
      const key = Buffer.from(match[1], 'latin1');
      while (next < asked.length && !asked[next].key.equals(key)) next++;
      if (next === asked.length) {
        throw new ToolError(`${this.#address.shown} sent a key that it was not asked for`);
      }
      const value = await this.#connection.block(Number(match[3]));
      items.push({ ...asked[next], flags: Number(match[2]), value });
      next++;
    }
  }
}

/** A key as the meta commands take it. */
function inLine(key: Buffer): string {
  return needsBase64(key) ? `${key.toString('base64')} b` : key.toString('latin1');
}

async function readTime(connection: Connection, address: Address): Promise<number> {
  let time = nowSeconds();
  for (;;) {
    const line = await connection.line();
    if (line === 'END') return time;
    const match = /^STAT ([^ ]+) (.*)$/.exec(line);
    if (match === null) throw new ToolError(`${address.shown} answers stats with '${line}'`);
    if (match[1] === 'time') time = Number(match[2]);
  }
}
