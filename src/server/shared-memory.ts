/**
 * The shared memory as the flags want it: in large pages (-L, no_large_pages), kept from being
 * swapped out (-k).
 * Only native code can ask the kernel for that, so it takes the addon, whatever serves connections.
 */
import { readFileSync } from 'node:fs';
import { createMemory, type Memory } from '../memory/memory.ts';
import { type Addon, loadAddon } from '../net/addon.ts';
import { StartError } from './errors.ts';
import { logLine } from './log.ts';
import type { Settings } from './setting.ts';
import { memoryConfig } from './settings.ts';

const MEGABYTE = 1024 * 1024;
const LARGE_PAGES_SWITCH = '/sys/kernel/mm/transparent_hugepage/enabled';

/**
 * Reserves it and initialises it. With the addon the kernel is advised to use large pages, which
 * makes every look-up cheaper (see ARCHITECTURE.md), unless -o no_large_pages forbids it; only -L
 * insists. Throws StartError where the address space is not to be had, or, as in memcached, where
 * -L finds large pages switched off. What -k cannot lock is only warned of.
 */
export function makeSharedMemory(settings: Settings): Memory {
  const { largePages, preallocate, lockMemory, warningsWithoutAddon } = settings;
  const addon = loadAddon();
  if (addon === undefined) {
    for (const warning of warningsWithoutAddon) logLine(`warning: ${warning}`);
    return reserve(settings);
  }
  if (preallocate && !hasLargePages()) throw noLargePages();
  const memory = largePages
    ? reserve(settings, (bytes) => useLargePages(bytes, addon, preallocate))
    : reserve(settings);
  return lockMemory ? locked(memory, addon) : memory;
}

function reserve(settings: Settings, prepare?: (bytes: Uint8Array) => void): Memory {
  try {
    return createMemory(memoryConfig(settings), prepare);
  } catch (error) {
    if (error instanceof RangeError) throw new StartError(error.message);
    throw error;
  }
}

/** The kernel takes the advice to use large pages even where it is not going to follow it. */
function hasLargePages(): boolean {
  try {
    return !readFileSync(LARGE_PAGES_SWITCH, 'utf8').includes('[never]');
  } catch {
    return false;
  }
}

function noLargePages(): StartError {
  return new StartError(`-L: large pages are not available (${LARGE_PAGES_SWITCH})`);
}

function useLargePages(bytes: Uint8Array, addon: Addon, insist: boolean): void {
  try {
    addon.useLargePages(bytes);
  } catch {
    if (insist) throw noLargePages();
  }
}

/** The same memory, locked if that is allowed. */
function locked(memory: Memory, addon: Addon): Memory {
  try {
    addon.lockMemory(memory.u8);
  } catch (error) {
    logLine(`warning: -k: memory is not locked, ${whyNot(memory, error)}`);
  }
  return memory;
}

function whyNot(memory: Memory, error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code !== 'ENOMEM' && code !== 'EPERM') return message;
  const megabytes = Math.ceil(memory.buffer.byteLength / MEGABYTE);
  return (
    `the limit must be ${megabytes} MB or more (ulimit -l): ` +
    'what is reserved counts, see -o memory_max'
  );
}
