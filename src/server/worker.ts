/**
 * A serving thread: protocol and transport over the shared memory, fed with sockets by the main
 * thread. It is one piscina task that ends when the main thread says stop.
 */
import type { Server, Socket } from 'node:net';
import { threadId } from 'node:worker_threads';
import { AUTH_TIMEOUTS, count, IDLE_KICKS } from '../cache/counters.ts';
import { Store } from '../cache/store.ts';
import { releaseConnection } from '../memory/connections.ts';
import { attachMemory, type Memory } from '../memory/memory.ts';
import { loadAddon } from '../net/addon.ts';
import type { DatagramTransport } from '../net/datagram-sessions.ts';
import { PumpTransport } from '../net/pump.ts';
import { PumpDatagrams } from '../net/pump-datagrams.ts';
import { SocketTransport } from '../net/socket.ts';
import { ServerState } from '../net/state.ts';
import { TlsHandshakes } from '../net/tls.ts';
import type { Transport, TransportOwner } from '../net/transport.ts';
import { NodeDatagrams } from '../net/udp.ts';
import { listenUnix } from '../net/unix.ts';
import { Engine } from '../protocol/engine.ts';
import type { Session } from '../protocol/session.ts';
import { tlsOptions } from './certificates.ts';
import { reasonOf } from './errors.ts';
import { ServerHost } from './host.ts';
import type { DatagramSocket, FromWorker, ToWorker, WorkerTask } from './messages.ts';
import { askForRefresh } from './refresh.ts';
import { WatchPump } from './watch-pump.ts';

/** Worker i is actor 2 + i of the shared memory: 0 is the main thread, 1 the maintainer. */
export const FIRST_WORKER_ACTOR = 2;

const TOO_MANY = 'ERROR Too many open connections\r\n';
const SECOND_MS = 1000;

/** The task. Resolves after 'stop', when every connection is closed. */
export function serveWorker(task: WorkerTask): Promise<void> {
  const state = new ServerState(task.state);
  // Before anything that can fail: with it the main thread finds this thread after its death.
  state.setThreadId(task.worker, threadId);
  return new Worker(task, state).run();
}

/** What goes through the pump. */
interface Pumped {
  readonly pump: PumpTransport<Session>;
  readonly datagrams: PumpDatagrams<Session>;
}

class Worker {
  readonly #task: WorkerTask;
  /** Serves what node carries: everything without a pump, TLS with one. */
  readonly #sockets: SocketTransport<Session>;
  readonly #pump: PumpTransport<Session> | null;
  readonly #transports: readonly Transport[];
  readonly #datagrams: DatagramTransport;
  readonly #handshakes: TlsHandshakes | null;
  readonly #engine: Engine;
  /** Unix connections that wait for a slot of the connection table, by the id of the question. */
  readonly #asking = new Map<number, Socket>();
  #asked = 0;
  #unix: Server | null = null;

  constructor(task: WorkerTask, state: ServerState) {
    this.#task = task;
    const memory = attachMemory(task.memory);
    const actor = FIRST_WORKER_ACTOR + task.worker;
    const { settings, credentials } = task;
    const host = new ServerHost(memory, state, settings, () =>
      askForRefresh((answer) => this.#tell({ kind: 'refresh', answer })),
    );
    const store = new Store(memory, task.cache, actor);
    const auth =
      credentials === null ? undefined : { tables: credentials, timeout: settings.authTimeout };
    this.#engine = new Engine(store, host, { ...settings, auth });
    const onClose = (slot: number): void => {
      releaseConnection(memory, slot);
      state.addConnections(task.worker, -1);
    };
    const owner = {
      onClose,
      onIdleKick: () => count(memory, actor, IDLE_KICKS, 1),
      onOverdue: () => count(memory, actor, AUTH_TIMEOUTS, 1),
    };
    this.#sockets = new SocketTransport(this.#engine, owner);
    const pumped = this.#makePump(memory, owner);
    this.#pump = pumped?.pump ?? null;
    this.#transports = this.#pump === null ? [this.#sockets] : [this.#pump, this.#sockets];
    this.#datagrams = pumped?.datagrams ?? new NodeDatagrams(this.#engine);
    this.#handshakes = this.#makeHandshakes(state, onClose);
    const watchers = new WatchPump(memory, actor, (slot) => {
      for (const transport of this.#transports) transport.poke(slot);
    });
    this.#engine.onWatcher = () => watchers.start();
  }

  /** The pump that the server was started with, and what it carries; or null. */
  #makePump(memory: Memory, owner: TransportOwner): Pumped | null {
    const { settings, mailbox, listeners } = this.#task;
    if (settings.transport === 'node') return null;
    const addon = loadAddon();
    if (addon === undefined) throw new Error('the native addon cannot be loaded any more');
    const pump = new PumpTransport({
      addon,
      kind: settings.transport,
      mailbox,
      connections: memory.layout.connectionCount,
      slab: memory.u8,
      protocol: this.#engine,
      owner: {
        ...owner,
        originOf: (listener) => listeners[listener].origin,
        // Streams that node carries are served between the slices.
        mayWait: () => this.#sockets.size === 0,
        onDatagram: (slot, input, start, end) => datagrams.onDatagram(slot, input, start, end),
      },
    });
    const datagrams = new PumpDatagrams(addon, pump, this.#engine);
    return { pump, datagrams };
  }

  #makeHandshakes(state: ServerState, onGone: (slot: number) => void): TlsHandshakes | null {
    const { tls, settings, listeners } = this.#task;
    if (tls === null) return null;
    return new TlsHandshakes(tlsOptions(settings), tls, {
      onStream: (stream, slot, listener) => {
        this.#sockets.serveStream(stream, slot, listeners[listener].origin);
      },
      onGone,
      onNewSession: () => state.countTlsSession(),
      onHandshakeError: () => state.countTlsHandshakeError(),
      onProtocolError: () => state.countTlsProtocolError(),
    });
  }

  run(): Promise<void> {
    const { port } = this.#task;
    const timer = setInterval(() => this.#closeLate(), SECOND_MS);
    return new Promise((resolve) => {
      port.on('message', (message: ToWorker) => this.#onMessage(message));
      port.on('close', () => {
        clearInterval(timer);
        resolve();
      });
    });
  }

  /** Closes connections whose time is up. */
  #closeLate(): void {
    const { idleTimeout } = this.#task.settings;
    for (const transport of this.#transports) {
      transport.closeStalled();
      transport.closeOverdue();
      if (idleTimeout > 0) transport.closeIdle(idleTimeout);
    }
  }

  #onMessage(message: ToWorker): void {
    if (message.kind === 'socket') {
      this.#serve(message.socket, message.slot, message.listener);
    } else if (message.kind === 'slot') {
      this.#onSlot(message.id, message.slot);
    } else if (message.kind === 'credentials') {
      this.#engine.auth.load(message.credentials);
    } else if (message.kind === 'listen') {
      this.#listen(message.path);
    } else if (message.kind === 'datagrams') {
      this.#listenForDatagrams(message.sockets);
    } else if (message.kind === 'certificates') {
      this.#handshakes?.renew(message.tls);
    } else {
      this.#stop();
    }
  }

  #serve(socket: Socket, slot: number, listener: number): void {
    const { origin, tls } = this.#task.listeners[listener];
    if (tls === 'off' || this.#handshakes === null) this.#sockets.serve(socket, slot, origin);
    else this.#handshakes.accept(socket, slot, listener, tls);
  }

  async #listenForDatagrams(sockets: readonly DatagramSocket[]): Promise<void> {
    let failure: string | null = null;
    try {
      for (const socket of sockets) {
        const { protocol } = this.#task.listeners[socket.listener].origin;
        await this.#datagrams.listen(socket, { protocol, transport: 'udp' });
      }
    } catch (error) {
      failure = reasonOf(error);
    }
    this.#tell({ kind: 'datagrams', failure });
  }

  async #listen(path: string): Promise<void> {
    const { backlog } = this.#task.settings;
    try {
      this.#unix = await listenUnix({ path, backlog }, (socket) => this.#ask(socket));
      this.#tell({ kind: 'listening' });
    } catch (error) {
      this.#tell({ kind: 'failed', reason: reasonOf(error) });
    }
  }

  #ask(socket: Socket): void {
    const id = this.#asked++;
    this.#asking.set(id, socket);
    this.#tell({ kind: 'claim', id });
  }

  #onSlot(id: number, slot: number): void {
    const socket = this.#asking.get(id) as Socket;
    this.#asking.delete(id);
    if (slot !== -1) {
      const { protocol } = this.#task.settings;
      this.#sockets.serve(socket, slot, { protocol, transport: 'unix' });
      return;
    }
    socket.on('error', () => undefined);
    socket.write(TOO_MANY);
    socket.destroySoon();
  }

  #stop(): void {
    this.#unix?.close();
    this.#datagrams.close();
    // One more turn of the loop, so that requests which have already arrived are read.
    setImmediate(async () => {
      this.#handshakes?.close();
      await Promise.all(this.#transports.map((transport) => transport.drain()));
      this.#pump?.close();
      this.#task.port.close();
    });
  }

  #tell(message: FromWorker): void {
    this.#task.port.postMessage(message);
  }
}
