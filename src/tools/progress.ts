/**
 * Tells the operator how far a copy is: a bar that is redrawn on a terminal, else a line every few
 * seconds, fit for a log.
 */

const REDRAW_MS = 100;
const LINE_EVERY_MS = 5000;
const BAR_COLUMNS = 30;

/** What progress is written to; stderr is one. */
export interface Screen {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

/** The progress of one tool. */
export class Progress {
  readonly #screen: Screen;
  readonly #tool: string;
  readonly #startedMs: number;
  readonly #nowMs: () => number;
  #toldMs: number;
  #isDrawn = false;

  constructor(screen: Screen, tool: string, nowMs = () => performance.now()) {
    this.#screen = screen;
    this.#tool = tool;
    this.#nowMs = nowMs;
    this.#startedMs = nowMs();
    this.#toldMs = this.#startedMs;
  }

  /** `done` of `total` (of what a share can be told: items, or bytes of a file) and what it was. */
  update(done: number, total: number, items: number, bytes: number): void {
    const now = this.#nowMs();
    const every = this.#screen.isTTY === true ? REDRAW_MS : LINE_EVERY_MS;
    if (now - this.#toldMs < every) return;
    this.#toldMs = now;
    const share = total === 0 ? 0 : Math.min(1, done / total);
    const rate = bytes / Math.max(0.001, (now - this.#startedMs) / 1000);
    const percent = `${Math.floor(share * 100)}%`.padStart(4);
    const text = `${percent}, ${items} items, ${megabytes(bytes)}, ${megabytes(rate)}/s`;
    if (this.#screen.isTTY === true) {
      const filled = Math.floor(share * BAR_COLUMNS);
      const bar = '#'.repeat(filled).padEnd(BAR_COLUMNS, '.');
      this.#screen.write(`\r${this.#tool} [${bar}]${text}\x1b[K`);
      this.#isDrawn = true;
    } else {
      this.#screen.write(`slabcached ${this.#tool}: ${text.trimStart()}\n`);
    }
  }

  /** A line of its own, above the bar. */
  say(text: string): void {
    const clear = this.#isDrawn ? '\r\x1b[K' : '';
    this.#isDrawn = false;
    this.#screen.write(`${clear}slabcached ${this.#tool}: ${text}\n`);
  }

  /** Seconds since the start, for the last line. */
  get seconds(): string {
    return ((this.#nowMs() - this.#startedMs) / 1000).toFixed(1);
  }
}

/** A number of bytes for people. */
export function megabytes(bytes: number): string {
  return bytes < 1e6 ? `${(bytes / 1e3).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}
