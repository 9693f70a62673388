// The cheap transport: the addon's pump, one call for all sends and receives of a loop turn. It
// costs half of what node:net does, which is what lets one core of load keep one core of server
// busy.

import type { Addon, Pump } from '../src/net/addon.ts';
import {
  COMMAND_SEND,
  ENTRIES,
  ENTRY_WORDS,
  EVENT_BROKEN,
  EVENT_DATA,
  EVENT_END,
} from '../src/net/exchange.ts';
import type { Transport, TransportHandler } from './transport.ts';

const INPUT_BYTES = 4 * 1024 * 1024;

/** Connections over a pump on this thread's loop. */
export class PumpTransport implements Transport {
  readonly name: string;
  readonly #addon: Addon;
  readonly #input = new Uint8Array(INPUT_BYTES);
  readonly #events = new Int32Array(ENTRIES * ENTRY_WORDS);
  readonly #mailbox: number;
  #pump: Pump | undefined;
  #commands = new Int32Array(0);
  /** Commands written since the last cycle, in words. */
  #written = 0;
  #output = new Uint8Array(0);
  readonly #outputs: Uint8Array[] = [];
  #outputSize = 0;
  /** Which connections have a send among the commands. */
  #sending = new Uint8Array(0);
  #handler: TransportHandler | undefined;
  #running = false;
  #polling = false;
  #finish: ((failure: unknown) => void) | undefined;

  constructor(addon: Addon, kind: string) {
    this.#addon = addon;
    this.#mailbox = addon.openMailbox();
    this.name = kind;
  }

  async connect(
    port: number,
    count: number,
    outputSize: number,
    handler: TransportHandler,
  ): Promise<void> {
    this.#handler = handler;
    this.#outputSize = outputSize;
    this.#output = new Uint8Array(count * outputSize);
    this.#commands = new Int32Array(count * ENTRY_WORDS);
    this.#sending = new Uint8Array(count);
    const memory = {
      input: this.#input,
      output: this.#output,
      slab: new Uint8Array(8),
      events: this.#events,
      commands: this.#commands,
    };
    const onReady = (): void => this.#turns();
    const pump = new this.#addon.Pump(this.name, this.#mailbox, count, memory, onReady);
    this.#pump = pump;
    for (let i = 0; i < count; i++) {
      this.#outputs.push(this.#output.subarray(i * outputSize, (i + 1) * outputSize));
      pump.adopt(this.#addon.connectTcp('127.0.0.1', port), i);
    }
  }

  output(connection: number): Uint8Array {
    return this.#outputs[connection];
  }

  send(connection: number, length: number): void {
    const at = this.#written;
    this.#commands[at] = connection;
    this.#commands[at + 1] = COMMAND_SEND;
    this.#commands[at + 2] = connection * this.#outputSize;
    this.#commands[at + 3] = length;
    this.#written = at + ENTRY_WORDS;
    this.#sending[connection] = 1;
  }

  sending(connection: number): boolean {
    return this.#sending[connection] !== 0;
  }

  async run(polling: boolean): Promise<void> {
    this.#running = true;
    this.#polling = polling;
    const ended = new Promise<unknown>((resolve) => {
      this.#finish = resolve;
    });
    if (polling) this.#poll();
    else this.#turns();
    const failure = await ended;
    if (failure !== undefined) throw failure;
  }

  stop(): void {
    this.#running = false;
    this.#finish?.(undefined);
  }

  close(): void {
    this.#pump?.close();
    this.#addon.closeMailbox(this.#mailbox);
  }

  readonly #poll = (): void => {
    if (!this.#running) return;
    try {
      this.#handler!.poll();
    } catch (error) {
      this.#fail(error);
      return;
    }
    this.#turn(false);
    setImmediate(this.#poll);
  };

  /** Turns until there is nothing more to do within this slice of the loop. */
  #turns(): void {
    while (this.#turn(!this.#polling) > 0);
  }

  /** Sends what is queued, takes what has arrived; returns the number of events. */
  #turn(mayWait: boolean): number {
    const commands = this.#written / ENTRY_WORDS;
    this.#written = 0;
    this.#sending.fill(0);
    const count = this.#pump!.cycle(commands, mayWait && this.#running);
    try {
      this.#take(count);
    } catch (error) {
      this.#fail(error);
    }
    return count;
  }

  #take(count: number): void {
    const events = this.#events;
    for (let at = 0; at < count * ENTRY_WORDS; at += ENTRY_WORDS) {
      const what = events[at + 1];
      if (what === EVENT_DATA) {
        const start = events[at + 2];
        this.#handler!.received(events[at], this.#input, start, start + events[at + 3]);
      } else if (what === EVENT_END) {
        throw new Error('the server closed a connection');
      } else if (what === EVENT_BROKEN) {
        throw new Error(`a connection failed (error ${events[at + 3]})`);
      }
    }
  }

  #fail(error: unknown): void {
    this.#running = false;
    this.#finish?.(error);
  }
}
