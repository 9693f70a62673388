/**
 * Stores items into a running cache. What it has already stays unless it is to be overwritten: it
 * may be newer than what is copied.
 */
import type { Address } from './address.ts';
import { Connection } from './connection.ts';
import { type CopiedItem, nowSeconds, type Sink } from './item.ts';
import { ToolError } from './tool-error.ts';

/** Longer times to live are given as a date: memcached takes larger numbers for one. */
const RELATIVE_MAX_SECONDS = 60 * 60 * 24 * 30;

/** A cache that items are copied to. */
export class Target implements Sink {
  readonly #address: Address;
  readonly #connection: Connection;
  readonly #hasMeta: boolean;
  readonly #overwrite: boolean;
  stored = 0;
  /** Items that the target had already. */
  kept = 0;
  /** Items that ran out of time on the way. */
  expired = 0;
  refused = 0;
  /** Why the first item was refused. */
  firstRefusal = '';

  private constructor(
    address: Address,
    connection: Connection,
    hasMeta: boolean,
    overwrite: boolean,
  ) {
    this.#address = address;
    this.#connection = connection;
    this.#hasMeta = hasMeta;
    this.#overwrite = overwrite;
  }

  static async open(address: Address, overwrite: boolean): Promise<Target> {
    const connection = await Connection.open(address);
    try {
      return new Target(address, connection, await connection.knowsMeta(), overwrite);
    } catch (error) {
      connection.close();
      throw error;
    }
  }

  close(): void {
    this.#connection.close();
  }

  async store(items: readonly CopiedItem[]): Promise<void> {
    const now = nowSeconds();
    const request: (string | Buffer)[] = [];
    let sent = 0;
    for (const item of items) {
      if (item.expiry !== 0 && item.expiry <= now) {
        this.expired++;
      } else if (item.isBinary && !this.#hasMeta) {
        this.#refuse('the target does not know the meta protocol, which binary keys need');
      } else {
        request.push(this.#line(item, now), item.value, '\r\n');
        sent++;
      }
    }
    if (sent === 0) return;
    await this.#connection.send(...request);
    for (let reply = 0; reply < sent; reply++) this.#count(await this.#connection.line());
  }

  #line({ key, isBinary, flags, expiry, value }: CopiedItem, now: number): string {
    const left = expiry - now;
    const exptime = expiry === 0 ? 0 : left > RELATIVE_MAX_SECONDS ? expiry : left;
    if (isBinary) {
      const mode = this.#overwrite ? 'S' : 'E';
      const name = key.toString('base64');
      return `ms ${name} ${value.length} b F${flags} T${exptime} M${mode}\r\n`;
    }
    const command = this.#overwrite ? 'set' : 'add';
    return `${command} ${key.toString('latin1')} ${flags} ${exptime} ${value.length}\r\n`;
  }

  #count(reply: string): void {
    if (reply === 'STORED' || reply === 'HD') this.stored++;
    else if (reply === 'NOT_STORED' || reply === 'NS') this.kept++;
    else if (reply.startsWith('SERVER_ERROR')) this.#refuse(reply);
    else throw new ToolError(`${this.#address.shown} answers a store with '${reply}'`);
  }

  #refuse(reason: string): void {
    this.refused++;
    if (this.firstRefusal === '') this.firstRefusal = reason;
  }
}
