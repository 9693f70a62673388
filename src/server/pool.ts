/**
 * The serving threads: a piscina pool in which each thread runs one task for as long as the server
 * lives. A thread that dies is replaced under the same number, after what it held in the shared
 * memory was freed; its connections are lost, all others go on.
 */
import type { Socket } from 'node:net';
import {
  MessageChannel,
  type MessagePort,
  type Transferable,
  type Worker,
} from 'node:worker_threads';
import { Piscina } from 'piscina';
import type { CacheConfig } from '../cache/config.ts';
import { claimDatagrams } from '../memory/connections.ts';
import type { Memory } from '../memory/memory.ts';
import type { Dispatcher } from '../net/dispatcher.ts';
import { endpointText } from '../net/listener.ts';
import type { ServerState } from '../net/state.ts';
import type { TlsMaterial } from '../net/tls.ts';
import { removeStaleSocket } from '../net/unix.ts';
import type { CredentialTables } from '../protocol/credentials.ts';
import { tuneCompiler } from './compiler.ts';
import { reasonOf, StartError } from './errors.ts';
import type { DatagramPlace } from './listeners.ts';
import { logLine } from './log.ts';
import type { FromWorker, ListenerKind, ToWorker, WorkerTask } from './messages.ts';
import { recoverThread } from './recovery.ts';
import { answerRefresh } from './refresh.ts';
import { type Settings, threadsPerUdp } from './setting.ts';
import type { Transport } from './transport.ts';
import { FIRST_WORKER_ACTOR } from './worker.ts';

/**
 * A thread that lives shorter than this, this often in a row, will not get better by restarting.
 */
const CRASH_LOOP_MS = 1000;
const CRASH_LOOP_DEATHS = 5;

/** How long a test waits to end a thread that has not begun. */
const KILL_RETRY_MS = 10;

/** The worker that listens on the unix socket. */
const UNIX_WORKER = 0;

const NOTHING = new Uint8Array(0);

/** What the pool is made from. */
export interface PoolOptions {
  readonly memory: Memory;
  readonly cache: CacheConfig;
  readonly state: ServerState;
  readonly settings: Settings;
  /** A connection asks for other certificates; returns the reason why not, or nothing. */
  readonly onRefresh: () => string;
  /** null: nobody has to authenticate. */
  readonly credentials: CredentialTables | null;
  /** null without -Z. */
  readonly tls: TlsMaterial | null;
  readonly transport: Transport;
  /** Called when a worker cannot be kept alive. */
  readonly onHopeless: (reason: string) => void;
}

/** All workers. Numbers run from 0 to -t minus 1. */
export class WorkerPool {
  readonly #options: PoolOptions;
  readonly #pool: Piscina;
  readonly #ports: MessagePort[] = [];
  /** Where workers get descriptors from; empty if no pump serves. */
  readonly #mailboxes: number[] = [];
  readonly #ended: Promise<void>[] = [];
  readonly #startedAt: number[] = [];
  readonly #quickDeaths: number[] = [];
  /** Living threads by Node's id. */
  readonly #threads = new Map<number, Worker>();
  #credentials: CredentialTables | null;
  #dispatcher: Dispatcher | null = null;
  /** Waits for the first answer to whether the unix socket could be opened. */
  #onUnix: ((failure: string | null) => void) | null = null;
  #unixWanted = false;
  /** The umask to go back to, while that of the unix socket is set. */
  #umask: number | null = null;
  #stopping = false;
  #listeners: readonly ListenerKind[] = [];
  /** What workers do TLS with, those that will replace others too. */
  #tls: TlsMaterial | null;
  #datagrams: readonly DatagramPlace[] = [];
  /** Waits for the workers' first answers to whether they could open their sockets for UDP. */
  #onDatagrams: ((failure: string | null) => void) | null = null;

  constructor(options: PoolOptions) {
    this.#options = options;
    this.#tls = options.tls;
    this.#credentials = options.credentials;
    const { threads } = options.settings;
    tuneCompiler();
    this.#pool = new Piscina({
      minThreads: threads,
      maxThreads: threads,
      idleTimeout: Number.POSITIVE_INFINITY,
      concurrentTasksPerWorker: 1,
      // The tasks live on their event loop, so the thread must not sleep in Atomics.wait.
      atomics: 'disabled',
      recordTiming: false,
    });
    this.#pool.on('workerCreate', () => this.#rememberThreads());
    this.#pool.on('error', (error) => logLine(`a worker failed: ${reasonOf(error)}`));
    this.#rememberThreads();
  }

  /** Starts all workers; they take connections from the dispatcher from now on. */
  start(dispatcher: Dispatcher, listeners: readonly ListenerKind[]): void {
    this.#dispatcher = dispatcher;
    this.#listeners = listeners;
    for (let worker = 0; worker < this.#options.settings.threads; worker++) {
      this.#quickDeaths[worker] = 0;
      this.#submit(worker);
    }
  }

  /** Moves an accepted, untouched socket to a worker. */
  send(worker: number, socket: Socket, slot: number, listener: number): void {
    const message: ToWorker = { kind: 'socket', socket, slot, listener };
    // @types/node does not list net.Socket among the transferable objects yet.
    const transfer = [socket] as unknown as Transferable[];
    this.#ports[worker].postMessage(message, transfer);
  }

  /** Gives an accepted descriptor to a worker. */
  handOver(worker: number, fd: number, slot: number, listener: number): void {
    const { addon } = this.#options.transport;
    // If the worker dies meanwhile, its slots are freed and its descriptors closed.
    if (addon?.handOver(fd, this.#mailboxes[worker], slot, listener)) return;
    addon?.refuse(fd, NOTHING);
  }

  /** Has one worker listen on the unix socket. Rejects with StartError when it cannot. */
  listenUnix(): Promise<void> {
    const { socketPath } = this.#options.settings;
    return new Promise((resolve, reject) => {
      this.#onUnix = (failure) => {
        if (failure === null) resolve();
        else reject(new StartError(`cannot listen on ${socketPath}: ${failure}`));
      };
      this.#tellToListen();
    });
  }

  /** Has all workers use other certificates for the connections that are sent from now on. */
  renew(tls: TlsMaterial): void {
    this.#tls = tls;
    for (const port of this.#ports) this.#tell(port, { kind: 'certificates', tls });
  }

  /** Has the workers serve these over UDP. Rejects with StartError when one cannot. */
  listenForDatagrams(places: readonly DatagramPlace[]): Promise<void> {
    this.#datagrams = places;
    return new Promise((resolve, reject) => {
      let left = this.#ports.length;
      this.#onDatagrams = (failure) => {
        left--;
        if (failure !== null) reject(new StartError(`cannot listen for UDP: ${failure}`));
        else if (left === 0) {
          this.#onDatagrams = null;
          resolve();
        }
      };
      for (let worker = 0; worker < this.#ports.length; worker++) this.#sendDatagrams(worker);
    });
  }

  /**
   * Has all workers authenticate with these from now on, and those that will be started in place
   * of dead ones.
   */
  setCredentials(credentials: CredentialTables): void {
    this.#credentials = credentials;
    for (const port of this.#ports) this.#tell(port, { kind: 'credentials', credentials });
  }

  /** Ends all workers after they sent what is under way. */
  async stop(): Promise<void> {
    this.#stopping = true;
    for (const port of this.#ports) this.#tell(port, { kind: 'stop' });
    await Promise.all(this.#ended);
    await this.#pool.destroy();
  }

  /** Ends all threads at once, for a stop that takes too long. */
  async terminate(): Promise<void> {
    await Promise.all([...this.#threads.values()].map((thread) => thread.terminate()));
  }

  /** Ends a worker's thread, once it has begun; it will be replaced. For tests of that. */
  kill(worker: number): void {
    const thread = this.#threads.get(this.#options.state.threadId(worker));
    if (thread === undefined) setTimeout(() => this.kill(worker), KILL_RETRY_MS).unref();
    else thread.terminate();
  }

  #rememberThreads(): void {
    for (const thread of this.#pool.threads) {
      const id = thread.threadId;
      if (this.#threads.has(id)) continue;
      this.#threads.set(id, thread);
      thread.once('exit', () => this.#threads.delete(id));
    }
  }

  #submit(worker: number): void {
    const { memory, state, cache, settings, transport } = this.#options;
    const mailbox = transport.addon?.openMailbox() ?? 0;
    this.#mailboxes[worker] = mailbox;
    const { port1, port2 } = new MessageChannel();
    this.#ports[worker] = port1;
    this.#startedAt[worker] = performance.now();
    port1.on('message', (message: FromWorker) => this.#onMessage(worker, port1, message));
    const task: WorkerTask = {
      worker,
      memory: memory.buffer,
      state: state.buffer,
      cache,
      settings,
      listeners: this.#listeners,
      tls: this.#tls,
      credentials: this.#credentials,
      port: port2,
      mailbox,
    };
    // The file is named with each task and not for the pool: piscina never starts a thread again
    // after one that failed while the pool's own file was loaded.
    const running: Promise<unknown> = this.#pool.run(task, {
      filename: WORKER_FILE,
      name: 'serveWorker',
      // piscina infers its type from an overload of postMessage that is not the one it calls.
      transferList: [port2] as never,
    });
    this.#ended[worker] = running.then(
      () => this.#onEnd(worker, 'it ended by itself'),
      (error: unknown) => this.#onEnd(worker, reasonOf(error)),
    );
    if (worker === UNIX_WORKER && this.#unixWanted) this.#tellToListen();
    if (this.#datagrams.length > 0) this.#sendDatagrams(worker);
    this.#dispatcher?.restore(worker);
  }

  async #onEnd(worker: number, reason: string): Promise<void> {
    if (this.#stopping) return;
    const { memory, cache, state } = this.#options;
    this.#dispatcher?.suspend(worker);
    this.#ports[worker].close();
    // A task that threw leaves its thread alive; and a dead one holds its locks until it has
    // exited.
    await this.#threads.get(state.threadId(worker))?.terminate();
    this.#options.transport.addon?.closeMailbox(this.#mailboxes[worker]);
    if (!(await recoverThread(memory, cache, FIRST_WORKER_ACTOR + worker))) {
      this.#options.onHopeless(`worker ${worker} died (${reason}) with locks that cannot be freed`);
      return;
    }
    state.clearWorker(worker);
    state.countRestart();
    const lived = performance.now() - this.#startedAt[worker];
    this.#quickDeaths[worker] = lived < CRASH_LOOP_MS ? this.#quickDeaths[worker] + 1 : 0;
    if (this.#quickDeaths[worker] >= CRASH_LOOP_DEATHS) {
      this.#options.onHopeless(`worker ${worker} cannot be kept alive: ${reason}`);
      return;
    }
    if (this.#stopping) return;
    logLine(`worker ${worker} died (${reason}) and is replaced`);
    this.#submit(worker);
  }

  #onMessage(worker: number, port: MessagePort, message: FromWorker): void {
    if (message.kind === 'listening') {
      this.#onUnixAnswer(null);
    } else if (message.kind === 'failed') {
      this.#onUnixAnswer(message.reason);
    } else if (message.kind === 'datagrams') {
      this.#onDatagramsAnswer(message.failure);
    } else if (message.kind === 'refresh') {
      answerRefresh(message.answer, this.#options.onRefresh());
    } else {
      const text = `unix:${this.#options.settings.socketPath}`;
      const { id } = message;
      this.#dispatcher?.claimFor(worker, text, text, {
        alive: () => this.#ports[worker] === port,
        send: (slot) => this.#tell(port, { kind: 'slot', id, slot }),
      });
    }
  }

  #sendDatagrams(worker: number): void {
    const { memory, settings } = this.#options;
    const shared = threadsPerUdp(settings) > 1;
    const sockets = this.#datagrams
      .filter((_, index) => shared || index % settings.threads === worker)
      .map((place) => {
        const text = endpointText(place.host, place.port, 'udp');
        return { ...place, slot: claimDatagrams(memory, worker, text) };
      });
    if (sockets.some(({ slot }) => slot === -1)) {
      this.#onDatagramsAnswer('there are more addresses than the table of connections can hold');
      return;
    }
    this.#tell(this.#ports[worker], { kind: 'datagrams', sockets });
  }

  #onDatagramsAnswer(failure: string | null): void {
    if (this.#onDatagrams !== null) this.#onDatagrams(failure);
    else if (failure !== null) this.#options.onHopeless(`UDP cannot be served again: ${failure}`);
  }

  #tellToListen(): void {
    const { socketPath: path, socketMask } = this.#options.settings;
    this.#unixWanted = true;
    try {
      removeStaleSocket(path);
    } catch (error) {
      this.#onUnixAnswer(reasonOf(error));
      return;
    }
    // The file gets its mode when it is bound, and only the main thread may change the umask.
    if (this.#umask === null) this.#umask = process.umask(~socketMask & 0o777);
    this.#tell(this.#ports[UNIX_WORKER], { kind: 'listen', path });
  }

  #onUnixAnswer(failure: string | null): void {
    if (this.#umask !== null) process.umask(this.#umask);
    this.#umask = null;
    if (this.#onUnix !== null) {
      this.#onUnix(failure);
      this.#onUnix = null;
    } else if (failure !== null) {
      this.#options.onHopeless(`the unix socket cannot be opened again: ${failure}`);
    }
  }

  #tell(port: MessagePort, message: ToWorker): void {
    port.postMessage(message);
  }
}

/** This file's neighbour, `.ts` in the checkout and `.js` when compiled. */
const WORKER_FILE = new URL(`./worker${import.meta.url.slice(-3)}`, import.meta.url).href;
