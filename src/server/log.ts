/**
 * Lines to stderr. Written synchronously, so that they keep their order between threads and the
 * last one before an exit is not lost.
 */
import { writeSync } from 'node:fs';

const STDERR = 2;

/**
 * Writes one line under the server's name. A stderr that is closed or full is no reason to stop.
 */
export function logLine(line: string): void {
  writeRaw(`slabcached: ${line}\n`);
}

/** Writes a line as it is. */
export function writeRaw(text: string): void {
  try {
    writeSync(STDERR, text);
  } catch {
    // Nowhere is left to report it to.
  }
}
