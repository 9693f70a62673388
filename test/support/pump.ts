// A pump of the addon that a test turns by hand.
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Pump } from '../../src/net/addon.ts';
import { theAddon } from './addon.ts';

/** The words of an entry of events and commands. */
const ENTRY = 4;
const INPUT_BYTES = 4 * 1024 * 1024;
const OUTPUT_BYTES = 64 * 1024;
const COMMANDS = 256;
const LIMIT_MS = 20_000;

/** What a pump reported; `bytes` are those that lie in its input, if it says where. */
export interface PumpEvent {
  readonly connection: number;
  readonly what: number;
  readonly a: number;
  readonly bytes: Buffer;
}

export class TestPump {
  readonly pump: Pump;
  readonly mailbox: number;
  readonly #input = Buffer.alloc(INPUT_BYTES);
  readonly #output = Buffer.alloc(OUTPUT_BYTES);
  readonly #events = new Int32Array(256 * ENTRY);
  readonly #commands = new Int32Array(COMMANDS * ENTRY);
  readonly #carriesBytes: ReadonlySet<number>;
  readonly #found: PumpEvent[] = [];
  #commandCount = 0;
  #outputBytes = 0;

  /** `carriesBytes` are the events whose a and b are a place in the input. */
  constructor(t: TestContext, kind: string, connections: number, carriesBytes: readonly number[]) {
    const addon = theAddon();
    this.#carriesBytes = new Set(carriesBytes);
    this.mailbox = addon.openMailbox();
    const memory = {
      input: this.#input,
      output: this.#output,
      slab: new Uint8Array(8),
      events: this.#events,
      commands: this.#commands,
    };
    this.pump = new addon.Pump(kind, this.mailbox, connections, memory, () => this.#cycle());
    t.after(() => {
      this.pump.close();
      addon.closeMailbox(this.mailbox);
    });
  }

  /** Has this carried out in the next turn; the bytes are those that the command is about. */
  command(connection: number, what: number, bytes: Uint8Array = new Uint8Array(0)): void {
    const isFull = this.#outputBytes + bytes.length > OUTPUT_BYTES;
    if (isFull || this.#commandCount === COMMANDS) this.#cycle();
    this.#output.set(bytes, this.#outputBytes);
    const words = [connection, what, this.#outputBytes, bytes.length];
    this.#commands.set(words, this.#commandCount * ENTRY);
    this.#outputBytes += bytes.length;
    this.#commandCount++;
  }

  /** Takes turns until there are that many events that nobody has taken, and takes them. */
  async take(count: number): Promise<PumpEvent[]> {
    const limit = performance.now() + LIMIT_MS;
    for (;;) {
      this.#cycle();
      if (this.#found.length >= count) return this.#found.splice(0, count);
      if (performance.now() > limit) throw new Error(`${this.#found.length} of ${count} events`);
      await sleep(1);
    }
  }

  #cycle(): void {
    let count = this.pump.cycle(this.#commandCount, false);
    this.#commandCount = 0;
    this.#outputBytes = 0;
    while (count > 0) {
      for (let index = 0; index < count; index++) this.#remember(index * ENTRY);
      count = this.pump.cycle(0, false);
    }
  }

  #remember(at: number): void {
    const [connection, what, a, b] = this.#events.subarray(at, at + ENTRY);
    const bytes = this.#carriesBytes.has(what)
      ? Buffer.from(this.#input.subarray(a, a + b))
      : Buffer.alloc(0);
    this.#found.push({ connection, what, a, bytes });
  }
}
