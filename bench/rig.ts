// The cache without its server, for the benches that leave the sockets out: a memory with
// the daemon's default settings, one engine per thread, and requests prepared as bytes.

import type { CacheConfig } from '../src/cache/config.ts';
import { Store } from '../src/cache/store.ts';
import { setTunables } from '../src/cache/switches.ts';
import { startClock } from '../src/memory/clock.ts';
import { claimConnection } from '../src/memory/connections.ts';
import { createMemory, type Memory } from '../src/memory/memory.ts';
import { Engine, FEED_MORE } from '../src/protocol/engine.ts';
import type { Host } from '../src/protocol/host.ts';
import type { Session } from '../src/protocol/session.ts';
import { tuneCompiler } from '../src/server/compiler.ts';
import { cacheConfig, memoryConfig, readSettings } from '../src/server/settings.ts';
import { DIALECTS, type Dialect, hitLength, valueAt } from './dialects.ts';
import type { Items } from './items.ts';
import { WrongReply } from './reply-reader.ts';

// As in the daemon's own threads.
tuneCompiler();

const MEGABYTE = 1024 * 1024;
/** Actors 0 and 1 are the main thread and the maintainer. */
const FIRST_WORKER_ACTOR = 2;
/** Every so many batches the replies are read and checked; of the others only the length is. */
const CHECK_INTERVAL = 256;

/** The daemon's own defaults. */
export const CACHE_CONFIG: CacheConfig = cacheConfig(readSettings([]));

const HOST: Host = {
  versionText: 'bench',
  generalStats: () => [],
  settingsStats: () => [],
  refreshCertificates: () => '',
  setVerbosity: () => {},
  shutdown: () => {},
  log: () => {},
};

/** A memory of `megabytes` for this many workers, its clock running from now. */
export function createCache(megabytes: number, workers: number): Memory {
  const settings = readSettings(['-m', String(megabytes), '-t', String(workers)]);
  const limited = { ...memoryConfig(settings), memoryMax: megabytes * MEGABYTE };
  const memory = createMemory(limited);
  startClock(memory, Date.now());
  setTunables(memory, CACHE_CONFIG);
  return memory;
}

/** Claims the connection that a worker's engine serves. Main thread only. */
export function claimSlot(memory: Memory, worker: number): number {
  return claimConnection(memory, worker, 'bench', 'bench');
}

/** Requests of one read event, and what comes back when all their items are stored. */
export interface Batch {
  readonly bytes: Buffer;
  /** Where they stand in the input that all batches share, as a transport's reads do. */
  readonly input: Buffer;
  readonly at: number;
  readonly requests: readonly number[];
  /** Where the value of each request stands in the replies, -1 for a set. */
  readonly values: readonly number[];
  readonly replyLength: number;
}

/** Cuts a request sequence (see requestSequence) into batches of `depth` requests. */
export function makeBatches(
  items: Items,
  sequence: Int32Array,
  depth: number,
  dialect: Dialect = DIALECTS.classic,
): Batch[] {
  const input = Buffer.allocUnsafeSlow(sequence.length * items.maxSetLength);
  const batches: Batch[] = [];
  let at = 0;
  for (let first = 0; first + depth <= sequence.length; first += depth) {
    const requests = [...sequence.subarray(first, first + depth)];
    let end = at;
    for (const [i, request] of requests.entries()) {
      end =
        request < 0
          ? dialect.writeSet(input, end, ~request, items)
          : dialect.writeGet(input, end, request, beginsLine(dialect, requests, i));
    }
    const places = layOut(items, requests, dialect);
    batches.push({
      bytes: input.subarray(at, end),
      input,
      at,
      requests,
      values: places.values,
      replyLength: places.length,
    });
    at = end;
  }
  return batches;
}

function beginsLine(dialect: Dialect, requests: readonly number[], i: number): boolean {
  return !dialect.joined || i === 0 || requests[i - 1] < 0;
}

/** Where the values stand in the replies to a batch, and the length of all replies. */
function layOut(
  items: Items,
  requests: readonly number[],
  dialect: Dialect,
): { values: number[]; length: number } {
  const values: number[] = [];
  let length = 0;
  for (const [i, request] of requests.entries()) {
    if (request < 0) {
      values.push(-1);
      length += dialect.storedLength;
      continue;
    }
    const size = items.valueLength(request);
    values.push(length + valueAt(dialect, size));
    length += hitLength(dialect, size);
    const next = requests[i + 1];
    if (next === undefined || next < 0 || !dialect.joined) length += dialect.lineLength;
  }
  return { values, length };
}

/** One thread's engine with one session, fed batch after batch. */
export class Rig {
  readonly engine: Engine;
  readonly session: Session;
  readonly #items: Items;
  #untilCheck = CHECK_INTERVAL;
  /** Off for counting allocations: reading the replies allocates, serving them should not. */
  reading = true;

  /** `worker` counts from 0; `slot` is from claimSlot(); `depth` is the largest batch. */
  constructor(memory: Memory, worker: number, slot: number, items: Items, depth: number) {
    const store = new Store(memory, CACHE_CONFIG, FIRST_WORKER_ACTOR + worker);
    this.engine = new Engine(store, HOST, {
      requestsPerEvent: depth + 1,
      verbose: 0,
      dumpEnabled: true,
      dumpTimeout: 1800,
      shutdownEnabled: false,
      testCommands: false,
      watchEnabled: true,
    });
    this.session = this.engine.open(slot);
    this.#items = items;
  }

  /** Serves one batch; throws when the replies are not those of a cache that has every item. */
  serve(batch: Batch): void {
    const { engine } = this;
    const outcome = engine.feed(this.session, batch.input, batch.at, batch.at + batch.bytes.length);
    if (outcome !== FEED_MORE || engine.output.length !== batch.replyLength) {
      throw new Error(
        `outcome ${outcome}, ${engine.output.length} bytes of reply, not ${batch.replyLength}: ` +
          engine.output.view().toString('latin1').slice(0, 200),
      );
    }
    if (this.reading && --this.#untilCheck === 0) {
      this.#untilCheck = CHECK_INTERVAL;
      this.#check(batch);
    }
    engine.output.reset();
  }

  /** Every hit must carry the value of the item that was asked for. */
  #check(batch: Batch): void {
    const view = this.engine.output.view();
    for (const [i, item] of batch.requests.entries()) {
      if (item < 0) continue;
      const at = batch.values[i];
      if (!this.#items.isRight(view, at, this.#items.valueLength(item), item)) {
        const reply = view.toString('latin1', at, at + 80);
        throw new WrongReply(`a value that was not stored under this key: ${reply}`);
      }
    }
  }
}
