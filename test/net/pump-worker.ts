// A thread with a pump that answers everything with what it got, until it is terminated.
import { parentPort, workerData } from 'node:worker_threads';
import { theAddon } from '../support/addon.ts';

const EVENT_DATA = 0;
const COMMAND_SEND = 0;
const ENTRY = 4;

const { kind, mailbox } = workerData as { readonly kind: string; readonly mailbox: number };
const events = new Int32Array(256 * ENTRY);
const commands = new Int32Array(256 * ENTRY);
const input = new Uint8Array(4 * 1024 * 1024);
const output = new Uint8Array(64 * 1024);
const memory = { input, output, slab: new Uint8Array(8), events, commands };
const pump = new (theAddon().Pump)(kind, mailbox, 256, memory, () => {
  let made = 0;
  for (;;) {
    const count = pump.cycle(made, true);
    if (count === 0) return;
    made = 0;
    let used = 0;
    for (let at = 0; at < count * ENTRY; at += ENTRY) {
      const [connection, what, a, b] = events.subarray(at, at + ENTRY);
      if (what !== EVENT_DATA || used + b > output.length) continue;
      output.set(input.subarray(a, a + b), used);
      commands.set([connection, COMMAND_SEND, used, b], made++ * ENTRY);
      used += b;
    }
  }
});
parentPort?.postMessage('ready');
