/**
 * The memory file (-e): a cache as a file, written when the server ends and read when it starts.
 *
 *   magic, 16 bytes | format | size of the description | number of pages | checksum of the head |
 *   description, JSON | page table, 20 bytes per page | the carved part of each page
 *
 * Every part has a checksum. The file is written under another name and renamed when it is complete
 * and on disk, so a crash leaves the one before it, or none.
 */
import { type FileHandle, open, rename, unlink } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import type { Image, ImagePage } from '../cache/image.ts';
import { PAGE_BYTES } from '../memory/classes.ts';
import type { Memory } from '../memory/memory.ts';
import { checksumOf } from './checksum.ts';

const MAGIC = Buffer.from('slabcached cache');
/** Goes up when the file, or what a chunk looks like, changes. */
const FORMAT = 1;
const PREFIX_BYTES = 32;
/* In the prefix: 4-byte numbers, little-endian. */
const FORMAT_AT = 16;
const DESCRIPTION_BYTES_AT = 20;
const PAGE_COUNT_AT = 24;
const CHECKSUM_AT = 28;
/* A page's entry in the table: number, class, chunks carved, bytes, checksum. */
const ENTRY_BYTES = 20;

/** Refs reach no further than this many pages. */
const PAGE_NUMBERS = (2 ** 32 * 8) / PAGE_BYTES;

/** Pages read at a time: the next ones are on their way while one is checked. */
const READERS = 4;

/** A memory file that cannot be used; the message says what it is, as in "is damaged". */
export class MemoryFileError extends Error {
  override readonly name = 'MemoryFileError';
}

/** A page in a file. */
interface FilePage extends ImagePage {
  readonly bytes: number;
  readonly checksum: number;
  /** Where in the file its bytes are. */
  readonly position: number;
}

/** What a file holds, but for the bytes of the pages. */
export interface FileContents {
  readonly image: Image;
  readonly pages: readonly FilePage[];
}

/** Writes a cache that no thread works on; `pages` are those of `memory` that are to be kept. */
export async function writeMemoryFile(
  path: string,
  memory: Memory,
  image: Image,
  pages: readonly ImagePage[],
): Promise<void> {
  const temporary = `${path}.tmp`;
  const file = await open(temporary, 'w', 0o600);
  try {
    await writeContents(file, memory, image, pages);
    await file.sync();
  } catch (error) {
    await unlink(temporary);
    throw error;
  } finally {
    await file.close();
  }
  await rename(temporary, path);
}

async function writeContents(
  file: FileHandle,
  memory: Memory,
  image: Image,
  pages: readonly ImagePage[],
): Promise<void> {
  const description = Buffer.from(JSON.stringify(image));
  const table = Buffer.alloc(pages.length * ENTRY_BYTES);
  let position = PREFIX_BYTES + description.length + table.length;
  for (const [index, { page, id, carved }] of pages.entries()) {
    const start = memory.layout.pages + page * PAGE_BYTES;
    const bytes = carved * memory.classSizes[id];
    const checksum = checksumOf(memory.u8.subarray(start, start + bytes));
    for (const [field, value] of [page, id, carved, bytes, checksum].entries()) {
      table.writeUInt32LE(value, index * ENTRY_BYTES + field * 4);
    }
    await writeAll(file, memory.u8, start, bytes, position);
    position += bytes;
  }
  const head = Buffer.concat([
    MAGIC,
    Buffer.alloc(PREFIX_BYTES - MAGIC.length),
    description,
    table,
  ]);
  head.writeUInt32LE(FORMAT, FORMAT_AT);
  head.writeUInt32LE(description.length, DESCRIPTION_BYTES_AT);
  head.writeUInt32LE(pages.length, PAGE_COUNT_AT);
  head.writeUInt32LE(headChecksum(head), CHECKSUM_AT);
  await writeAll(file, head, 0, head.length, 0);
}

function headChecksum(head: Buffer): number {
  return crc32(head.subarray(PREFIX_BYTES), crc32(head.subarray(0, CHECKSUM_AT)));
}

async function writeAll(
  file: FileHandle,
  source: Buffer,
  start: number,
  bytes: number,
  position: number,
): Promise<void> {
  let done = 0;
  while (done < bytes) {
    const { bytesWritten } = await file.write(source, start + done, bytes - done, position + done);
    done += bytesWritten;
  }
}

/** Reads what a file says of itself. Throws MemoryFileError when it is none, or not a whole one. */
export async function readContents(file: FileHandle): Promise<FileContents> {
  const { size } = await file.stat();
  const prefix = Buffer.alloc(Math.min(PREFIX_BYTES, size));
  await readAll(file, prefix, 0, prefix.length, 0);
  const begin = prefix.subarray(0, MAGIC.length);
  if (begin.length === 0 || !begin.equals(MAGIC.subarray(0, begin.length))) {
    throw new MemoryFileError('is none that slabcached has written');
  }
  if (size < PREFIX_BYTES) throw new MemoryFileError('is cut off');
  const format = prefix.readUInt32LE(FORMAT_AT);
  if (format !== FORMAT) throw new MemoryFileError(`has format ${format}, not ${FORMAT}`);
  const descriptionBytes = prefix.readUInt32LE(DESCRIPTION_BYTES_AT);
  const tableBytes = prefix.readUInt32LE(PAGE_COUNT_AT) * ENTRY_BYTES;
  const headBytes = PREFIX_BYTES + descriptionBytes + tableBytes;
  if (size < headBytes) throw new MemoryFileError('is cut off');
  const head = Buffer.alloc(headBytes);
  await readAll(file, head, 0, headBytes, 0);
  if (headChecksum(head) !== head.readUInt32LE(CHECKSUM_AT))
    throw new MemoryFileError('is damaged');
  const text = head.toString('utf8', PREFIX_BYTES, PREFIX_BYTES + descriptionBytes);
  const pages = pagesOf(head.subarray(PREFIX_BYTES + descriptionBytes), headBytes);
  const end = pages.reduce((sum, { bytes }) => sum + bytes, headBytes);
  if (size < end) throw new MemoryFileError('is cut off');
  return { image: JSON.parse(text) as Image, pages };
}

function pagesOf(table: Buffer, start: number): FilePage[] {
  const pages: FilePage[] = [];
  let position = start;
  for (let entry = 0; entry < table.length; entry += ENTRY_BYTES) {
    const [page, id, carved, bytes, checksum] = [0, 4, 8, 12, 16].map((field) =>
      table.readUInt32LE(entry + field),
    );
    pages.push({ page, id, carved, bytes, checksum, position });
    position += bytes;
  }
  return pages;
}

/** Whether the pages can be this memory's: known classes, and no more chunks than a page has. */
export function pagesFit(memory: Memory, pages: readonly FilePage[]): boolean {
  return pages.every(({ page, id, carved, bytes }) => {
    if (page >= PAGE_NUMBERS || id < 1 || id > memory.classLargest) return false;
    const chunk = memory.classSizes[id];
    return carved <= Math.floor(PAGE_BYTES / chunk) && bytes === carved * chunk;
  });
}

/**
 * Reads the pages into the memory, one after the other from its first page on. Throws
 * MemoryFileError when one of them is not as it was written; what was read until then is left.
 */
export async function readPages(
  file: FileHandle,
  memory: Memory,
  pages: readonly FilePage[],
): Promise<void> {
  let next = 0;
  const reader = async (): Promise<void> => {
    while (next < pages.length) {
      const index = next++;
      const { bytes, position, checksum } = pages[index];
      const start = memory.layout.pages + index * PAGE_BYTES;
      await readAll(file, memory.u8, start, bytes, position);
      if (checksumOf(memory.u8.subarray(start, start + bytes)) !== checksum) {
        throw new MemoryFileError('is damaged');
      }
    }
  };
  const readers = Array.from({ length: READERS }, reader);
  await Promise.all(readers).finally(() => Promise.allSettled(readers));
}

async function readAll(
  file: FileHandle,
  target: Buffer,
  start: number,
  bytes: number,
  position: number,
): Promise<void> {
  let done = 0;
  while (done < bytes) {
    const { bytesRead } = await file.read(target, start + done, bytes - done, position + done);
    if (bytesRead === 0) throw new MemoryFileError('is cut off');
    done += bytesRead;
  }
}
