/**
 * The keys of a cache, on disk. A listing has to be read as fast as it comes, since the crawler of
 * memcached waits for whoever asked for it, and it may be larger than memory; so it is written to
 * a file without a name, and the keys are taken from there at the pace of the copy.
 */
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { reasonOf } from '../server/errors.ts';
import { ToolError } from './tool-error.ts';

const WRITE_BYTES = 256 * 1024;

/** One line of a listing. */
export interface ListedKey {
  readonly key: Buffer;
  /** Seconds since 1970 by the source's clock; 0 is never, undefined not told. */
  readonly expiry: number | undefined;
  /** Bytes of the item; 0 when not told. */
  readonly bytes: number;
}

type FileHandle = Awaited<ReturnType<typeof open>>;

/** Lines of a listing: first written, then read once. */
export class KeyList {
  readonly #file: FileHandle;
  #lines: string[] = [];
  #waiting = 0;
  count = 0;

  private constructor(file: FileHandle) {
    this.#file = file;
  }

  static async create(): Promise<KeyList> {
    try {
      const folder = await mkdtemp(join(tmpdir(), 'slabcached-keys-'));
      const file = await open(join(folder, 'keys'), 'w+');
      await rm(folder, { recursive: true });
      return new KeyList(file);
    } catch (error) {
      throw new ToolError(`cannot write the list of keys to ${tmpdir()}: ${reasonOf(error)}`);
    }
  }

  async add(line: string): Promise<void> {
    this.#lines.push(line);
    this.#waiting += line.length + 1;
    this.count++;
    if (this.#waiting >= WRITE_BYTES) await this.#flush();
  }

  /** All keys in the order in which they came. */
  async *keys(): AsyncGenerator<ListedKey> {
    await this.#flush();
    const stream = this.#file.createReadStream({ start: 0, encoding: 'latin1', autoClose: false });
    let rest = '';
    for await (const text of stream as AsyncIterable<string>) {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) yield parseListed(line);
    }
  }

  close(): Promise<void> {
    return this.#file.close();
  }

  async #flush(): Promise<void> {
    if (this.#lines.length === 0) return;
    const text = `${this.#lines.join('\n')}\n`;
    this.#lines = [];
    this.#waiting = 0;
    try {
      await this.#file.appendFile(text, 'latin1');
    } catch (error) {
      throw new ToolError(`cannot write the list of keys to ${tmpdir()}: ${reasonOf(error)}`);
    }
  }
}

/**
 * Reads a line of `lru_crawler metadump` (`key=a%20b exp=-1 la=… size=…`) or of `lru_crawler
 * mgdump` (`mg key`, `mg <base64> b`). Throws ToolError for anything else.
 */
function parseListed(line: string): ListedKey {
  const meta = /^key=([^ ]+) exp=(-?\d+)(?: .*\bsize=(\d+))?/.exec(line);
  if (meta !== null) {
    const expiry = Math.max(0, Number(meta[2]));
    return { key: fromPercent(meta[1]), expiry, bytes: Number(meta[3] ?? 0) };
  }
  const mg = /^mg ([^ ]+)( b)?$/.exec(line);
  if (mg === null) throw new ToolError(`the list of keys has a line of no known form: '${line}'`);
  const key = Buffer.from(mg[1], mg[2] === undefined ? 'latin1' : 'base64');
  return { key, expiry: undefined, bytes: 0 };
}

function fromPercent(text: string): Buffer {
  const plain = text.replace(/%([0-9a-fA-F]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return Buffer.from(plain, 'latin1');
}
