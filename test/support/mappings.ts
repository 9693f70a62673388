// The memory of a process as the kernel sees it: its largest writable mapping, which in a server is
// the shared memory of the cache.
import { readFileSync } from 'node:fs';

const KILOBYTE = 1024;

export interface Mapping {
  readonly bytes: number;
  /** Of which that much is there, and that much locked, bytes. */
  readonly resident: number;
  readonly locked: number;
  /** Two letters each, as in proc(5): `hg` large pages are asked for, `lo` locked. */
  readonly flags: readonly string[];
}

/** Throws where there is no /proc/<pid>/smaps. */
export function largestMapping(pid: number | undefined): Mapping {
  const text = readFileSync(`/proc/${pid}/smaps`, 'utf8');
  const parts = text.split(/^(?=[0-9a-f]+-[0-9a-f]+ )/m);
  const writable = parts.filter((part) => /^\S+ rw/.test(part)).map(mappingOf);
  return writable.reduce((a, b) => (a.bytes > b.bytes ? a : b));
}

function mappingOf(text: string): Mapping {
  const size = (name: string): number =>
    Number(new RegExp(`^${name}: +(\\d+) kB`, 'm').exec(text)?.[1]) * KILOBYTE;
  const flags = /^VmFlags: (.*)$/m.exec(text)?.[1].trim().split(' ') ?? [];
  return { bytes: size('Size'), resident: size('Rss'), locked: size('Locked'), flags };
}
