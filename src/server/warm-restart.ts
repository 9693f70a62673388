/**
 * Warm restart (-e): what the server does with its memory file. It is read once, at the start, and
 * removed before anything is served: what changes from then on is not in it, so it must not be
 * found again after a crash. It is written again when the server has stopped.
 */
import { accessSync, constants, statSync } from 'node:fs';
import { type FileHandle, open, unlink } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { adoptPages, placePages } from '../cache/adopt.ts';
import type { CacheConfig } from '../cache/config.ts';
import { describeCache, differingFlags, imageFits, imagePages } from '../cache/image.ts';
import { Store } from '../cache/store.ts';
import { PAGE_BYTES } from '../memory/classes.ts';
import { HEAD_PAGE_LIMIT, LAYOUT_VERSION } from '../memory/layout.ts';
import type { Memory } from '../memory/memory.ts';
import { reasonOf, StartError } from './errors.ts';
import { logLine } from './log.ts';
import {
  type FileContents,
  MemoryFileError,
  pagesFit,
  readContents,
  readPages,
  writeMemoryFile,
} from './memory-file.ts';

const MAIN_ACTOR = 0;
const MEGABYTE = 1024 * 1024;

/** The memory file of a running server. */
export class WarmRestart {
  readonly #path: string;
  readonly #memory: Memory;
  readonly #cache: CacheConfig;

  /** Throws StartError when there can be no such file. */
  constructor(path: string, memory: Memory, cache: CacheConfig) {
    // A daemon changes its folder.
    this.#path = resolve(path);
    this.#memory = memory;
    this.#cache = cache;
    this.check();
  }

  /**
   * Fills the memory, which no other thread works on yet, from the file; says in one line what came
   * of it. Without a usable file the memory is as before.
   */
  async restore(): Promise<void> {
    const startedAt = performance.now();
    let text: string;
    try {
      const [items, bytes] = await this.#restore();
      const seconds = ((performance.now() - startedAt) / 1000).toFixed(2);
      text = `restored ${items} items, ${(bytes / MEGABYTE).toFixed(1)} MB, in ${seconds} s`;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') text = 'does not exist yet';
      else text = error instanceof MemoryFileError ? error.message : reasonOf(error);
      text += ': starting empty';
    }
    logLine(`memory file ${this.#path} ${text}`);
  }

  /** Writes the memory, which no other thread works on any more. Says what came of it. */
  async save(): Promise<void> {
    const memory = this.#memory;
    const startedAt = performance.now();
    const image = describeCache(new Store(memory, this.#cache, MAIN_ACTOR), Date.now());
    try {
      await writeMemoryFile(this.#path, memory, image, imagePages(memory));
    } catch (error) {
      logLine(`memory file ${this.#path} cannot be written: ${reasonOf(error)}`);
      return;
    }
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(2);
    logLine(`memory file ${this.#path} saved: ${image.items} items in ${seconds} s`);
  }

  /** Throws StartError when this process could not read or write the file. */
  check(): void {
    const path = this.#path;
    try {
      accessSync(dirname(path), constants.W_OK | constants.X_OK);
      const status = statSync(path, { throwIfNoEntry: false });
      if (status !== undefined) {
        if (!status.isFile()) throw new Error('it is not a file');
        accessSync(path, constants.R_OK);
      }
    } catch (error) {
      throw new StartError(`-e ${path} cannot be used: ${reasonOf(error)}`);
    }
  }

  /** Number of items and bytes of pages. */
  async #restore(): Promise<[number, number]> {
    const file = await open(this.#path, 'r');
    try {
      // From here on a crash finds no file, whatever comes of this one.
      await unlink(this.#path);
      const contents = await readContents(file);
      this.#refuseUnfit(contents);
      return await this.#adopt(file, contents);
    } finally {
      await file.close();
    }
  }

  #refuseUnfit({ image, pages }: FileContents): void {
    const memory = this.#memory;
    if (image.layoutVersion !== LAYOUT_VERSION) {
      throw new MemoryFileError('was saved by another version');
    }
    const differing = differingFlags(image, memory);
    if (differing.length > 0) {
      throw new MemoryFileError(`was saved with ${differing.join(', with ')}`);
    }
    const limit = memory.i32[HEAD_PAGE_LIMIT];
    // Classes get their first page beyond the limit; so may those of the file.
    if (pages.length > limit + memory.classLargest || pages.length > memory.layout.pageCountMax) {
      const held = Math.ceil((pages.length * PAGE_BYTES) / MEGABYTE);
      throw new MemoryFileError(`holds ${held} MB, more than -m ${limit}`);
    }
    if (!imageFits(image, memory) || !pagesFit(memory, pages))
      throw new MemoryFileError('is damaged');
  }

  async #adopt(file: FileHandle, { image, pages }: FileContents): Promise<[number, number]> {
    const memory = this.#memory;
    await readPages(file, memory, pages);
    placePages(memory, pages);
    const store = new Store(memory, this.#cache, MAIN_ACTOR);
    const items = adoptPages(store, image, pages, Date.now());
    return [items, pages.reduce((sum, { bytes }) => sum + bytes, 0)];
  }
}
