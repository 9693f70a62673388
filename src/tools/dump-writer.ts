/**
 * Writes a dump file, or a dump to stdout.
 */
import { createWriteStream } from 'node:fs';
import { truncate } from 'node:fs/promises';
import type { Writable } from 'node:stream';
import { reasonOf } from '../server/errors.ts';
import { encodeEnd, encodeHeader, encodeItem } from './dump-format.ts';
import type { CopiedItem, Sink } from './item.ts';
import { ToolError } from './tool-error.ts';

/** Items go in, in the order of the file. */
export class DumpWriter implements Sink {
  readonly #stream: Writable;
  readonly #shown: string;
  #count: number;

  private constructor(stream: Writable, shown: string, count: number) {
    this.#stream = stream;
    this.#shown = shown;
    this.#count = count;
    // The callback of a write reports it; without a listener it would end the process.
    stream.on('error', () => undefined);
  }

  /** A new file; throws ToolError when there is one of that name. */
  static async create(path: string): Promise<DumpWriter> {
    const writer = new DumpWriter(createWriteStream(path, { flags: 'wx' }), path, 0);
    await writer.#write([encodeHeader(Date.now())]);
    return writer;
  }

  static async toStdout(): Promise<DumpWriter> {
    const writer = new DumpWriter(process.stdout, 'stdout', 0);
    await writer.#write([encodeHeader(Date.now())]);
    return writer;
  }

  /** Goes on with a file of which `bytes` with `count` items are whole. */
  static async append(path: string, bytes: number, count: number): Promise<DumpWriter> {
    try {
      await truncate(path, bytes);
    } catch (error) {
      throw new ToolError(`cannot write ${path}: ${reasonOf(error)}`);
    }
    return new DumpWriter(createWriteStream(path, { flags: 'a' }), path, count);
  }

  get count(): number {
    return this.#count;
  }

  async store(items: readonly CopiedItem[]): Promise<void> {
    await this.#write(items.flatMap(encodeItem));
    this.#count += items.length;
  }

  /** Writes the end: from now on the dump counts as complete. */
  async finish(): Promise<void> {
    await this.#write([encodeEnd(this.#count)]);
    if (this.#stream === process.stdout) return;
    await new Promise<void>((resolve) => {
      this.#stream.end(() => resolve());
    });
  }

  #write(pieces: readonly Buffer[]): Promise<void> {
    if (pieces.length === 0) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const done = (error?: Error | null): void => {
        if (error) reject(new ToolError(`cannot write ${this.#shown}: ${reasonOf(error)}`));
        else resolve();
      };
      this.#stream.cork();
      for (const piece of pieces.slice(0, -1)) this.#stream.write(piece);
      this.#stream.write(pieces[pieces.length - 1], done);
      this.#stream.uncork();
    });
  }
}
