/**
 * Reads a dump file, or a dump from stdin, record by record.
 */
import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { crc32 } from 'node:zlib';
import { reasonOf } from '../server/errors.ts';
import {
  BODY_HEAD_BYTES,
  BODY_MAX_BYTES,
  decodeItem,
  HEADER_BYTES,
  headerFault,
  KIND_END,
  KIND_ITEM,
} from './dump-format.ts';
import type { CopiedItem } from './item.ts';
import { ToolError } from './tool-error.ts';

/** A dump being read; says afterwards how far it was whole. */
export class DumpReader {
  readonly #shown: string;
  readonly #stream: Readable;
  readonly #chunks: AsyncIterator<Buffer>;
  #pending: Buffer = Buffer.alloc(0);
  /** Bytes up to the end of the last whole record. */
  wholeBytes = 0;
  /** Items read so far. */
  count = 0;
  /** True when the end of the dump was read; false for one that was interrupted. */
  isComplete = false;

  private constructor(stream: Readable, shown: string) {
    this.#shown = shown;
    this.#stream = stream;
    this.#chunks = stream[Symbol.asyncIterator]();
  }

  /** Opens a dump and checks its header; throws ToolError. */
  static open(path: string): Promise<DumpReader> {
    return DumpReader.#begin(new DumpReader(createReadStream(path), path));
  }

  static fromStdin(): Promise<DumpReader> {
    return DumpReader.#begin(new DumpReader(process.stdin, 'stdin'));
  }

  static async #begin(reader: DumpReader): Promise<DumpReader> {
    try {
      await reader.#readHeader();
      return reader;
    } catch (error) {
      reader.close();
      throw error;
    }
  }

  /** Nothing more will be read: whoever writes to stdin is not waited for. */
  close(): void {
    this.#stream.destroy();
  }

  /** All items; ends early, with isComplete false, where the file does. */
  async *items(): AsyncGenerator<CopiedItem> {
    for (;;) {
      const body = await this.#readBody();
      if (body === undefined) return;
      if (body[0] === KIND_END) {
        if (body.readBigUInt64BE(8) !== BigInt(this.count)) throw this.#damaged();
        this.isComplete = true;
        return;
      }
      const item = body[0] === KIND_ITEM ? decodeItem(body) : undefined;
      if (item === undefined) throw this.#damaged();
      this.wholeBytes += 4 + body.length + 4;
      this.count++;
      yield item;
    }
  }

  async #readHeader(): Promise<void> {
    const fault = headerFault(await this.#take(HEADER_BYTES));
    if (fault !== undefined) throw new ToolError(`${this.#shown} ${fault}`);
    this.wholeBytes = HEADER_BYTES;
  }

  /** The body of the next record; undefined when the file ends before the record does. */
  async #readBody(): Promise<Buffer | undefined> {
    const head = await this.#take(4);
    if (head.length < 4) return undefined;
    const length = head.readUInt32BE(0);
    if (length < BODY_HEAD_BYTES || length > BODY_MAX_BYTES) throw this.#damaged();
    const record = await this.#take(length + 4);
    if (record.length < length + 4) return undefined;
    const body = record.subarray(0, length);
    if (crc32(body) !== record.readUInt32BE(length)) throw this.#damaged();
    return body;
  }

  #damaged(): ToolError {
    return new ToolError(`${this.#shown} is damaged after byte ${this.wholeBytes}`);
  }

  /** The next bytes; fewer at the end of the file. */
  async #take(length: number): Promise<Buffer> {
    const pieces: Buffer[] = [];
    let missing = length;
    while (missing > 0) {
      if (this.#pending.length === 0) {
        const next = await this.#next();
        if (next === undefined) break;
        this.#pending = next;
      }
      const piece = this.#pending.subarray(0, missing);
      pieces.push(piece);
      missing -= piece.length;
      this.#pending = this.#pending.subarray(piece.length);
    }
    return pieces.length === 1 ? pieces[0] : Buffer.concat(pieces);
  }

  async #next(): Promise<Buffer | undefined> {
    try {
      const { done, value } = await this.#chunks.next();
      return done ? undefined : value;
    } catch (error) {
      throw new ToolError(`cannot read ${this.#shown}: ${reasonOf(error)}`);
    }
  }
}
