/**
 * The running server: builds everything from the settings in the order in which failures are
 * cheapest (memory, ports, identity, threads), and takes it down again.
 */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { CacheConfig } from '../cache/config.ts';
import { setSwitches } from '../cache/switches.ts';
import { PAGE_BYTES } from '../memory/classes.ts';
import { startClock, tickClock } from '../memory/clock.ts';
import { claimListener } from '../memory/connections.ts';
import { HEAD_CLOCK, HEAD_VERBOSITY } from '../memory/layout.ts';
import type { Memory } from '../memory/memory.ts';
import { SocketArrival } from '../net/arrivals.ts';
import { Dispatcher } from '../net/dispatcher.ts';
import { endpointText } from '../net/listener.ts';
import { createServerState, type ServerState } from '../net/state.ts';
import { removeStaleSocket } from '../net/unix.ts';
import { CertificateError, Certificates } from './certificates.ts';
import { CredentialFiles } from './credential-files.ts';
import { isDaemon } from './daemon.ts';
import { reasonOf, StartError } from './errors.ts';
import { removePidFile, writePidFile, writePortFile } from './files.ts';
import { type Entrance, Listeners } from './listeners.ts';
import { logLine, writeRaw } from './log.ts';
import { Maintainer } from './maintainer.ts';
import { WorkerPool } from './pool.ts';
import { become, identityFor } from './privileges.ts';
import { recoverThread } from './recovery.ts';
import type { Settings } from './setting.ts';
import { cacheConfig } from './settings.ts';
import { needsAuth } from './settings-auth.ts';
import { tlsWarnings } from './settings-net.ts';
import { makeSharedMemory } from './shared-memory.ts';
import { inheritedSockets } from './systemd.ts';
import { resolveTransport, type Transport } from './transport.ts';
import { WarmRestart } from './warm-restart.ts';

const TICK_MS = 1000;
/** What a graceful stop may take before the process ends anyway. */
const STOP_LIMIT_MS = 5000;
/** More threads than this bring nothing on any machine we know of; memcached warns there too. */
const MANY_THREADS = 64;

/** A server that serves. */
export class RunningServer {
  readonly #settings: Settings;
  readonly #memory: Memory;
  readonly #cache: CacheConfig;
  readonly #state: ServerState;
  readonly #pool: WorkerPool;
  readonly #dispatcher: Dispatcher;
  readonly #credentials: CredentialFiles;
  readonly #listeners: Listeners;
  readonly #transport: Transport;
  /** null without -Z. */
  readonly #certificates: Certificates | null;
  readonly #warm: WarmRestart | null;
  #maintainer: Maintainer | null = null;
  #tick: NodeJS.Timeout | undefined;

  private constructor(settings: Settings, onHopeless: (reason: string) => void) {
    this.#settings = settings;
    this.#transport = resolveTransport(settings);
    settings.transport = this.#transport.kind;
    if (settings.verbose > 0) logLine(`connections are served by ${settings.transport}`);
    this.#credentials = new CredentialFiles(settings);
    const credentials = needsAuth(settings) ? this.#credentials.load() : null;
    this.#memory = makeSharedMemory(settings);
    settings.memoryMax = this.#memory.config.memoryMax;
    this.#memory.i32[HEAD_VERBOSITY] = settings.verbose;
    if (settings.verbose > 1) printClasses(this.#memory);
    this.#cache = cacheConfig(settings);
    const { memoryFile } = settings;
    this.#warm = memoryFile === '' ? null : new WarmRestart(memoryFile, this.#memory, this.#cache);
    this.#state = createServerState(settings.threads);
    this.#certificates = settings.sslEnabled ? new Certificates(settings) : null;
    const tls = this.#certificates?.load() ?? null;
    this.#pool = new WorkerPool({
      memory: this.#memory,
      cache: this.#cache,
      state: this.#state,
      settings,
      credentials,
      tls,
      onRefresh: () => this.#renewCertificates(),
      transport: this.#transport,
      onHopeless,
    });
    this.#dispatcher = new Dispatcher({
      memory: this.#memory,
      state: this.#state,
      maxConns: settings.maxconns,
      fast: settings.maxconnsFast,
      heldMax: settings.backlog,
    });
    this.#listeners = new Listeners(settings, this.#entrance(), this.#transport.addon);
  }

  /** Resolves when the server listens. Rejects with StartError; nothing is left open then. */
  static async start(
    settings: Settings,
    onHopeless: (reason: string) => void,
  ): Promise<RunningServer> {
    warn(settings);
    checkDescriptors(settings.maxconns);
    const identity = identityFor(settings.user);
    const server = make(() => new RunningServer(settings, onHopeless));
    await server.#listeners.open(inheritedSockets(process.env, process.pid));
    if (identity !== undefined) become(identity);
    server.#warm?.check();
    await server.#startThreads(onHopeless);
    server.#writeFiles();
    return server;
  }

  /** Connections go to the dispatcher, which says to which worker. */
  #entrance(): Entrance {
    const pool = this.#pool;
    return {
      onSocket: (socket, listener) => {
        const give = (worker: number, slot: number) => pool.send(worker, socket, slot, listener);
        this.#dispatcher.accept(new SocketArrival(socket, give));
      },
      onDescriptor: (fd, peer, local, listener) => {
        this.#dispatcher.accept({
          peer,
          local,
          send: (worker, slot) => pool.handOver(worker, fd, slot, listener),
          refuse: (text) => this.#transport.addon?.refuse(fd, Buffer.from(text)),
        });
      },
    };
  }

  /** Accepts nothing more, lets what is under way finish, and ends every thread. */
  async stop(): Promise<void> {
    this.#state.askStop();
    this.#listeners.close();
    this.#dispatcher.close();
    const threads = Promise.all([this.#pool.stop(), this.#maintainer?.stop()]);
    const ended = await Promise.race([threads.then(() => true), wait(STOP_LIMIT_MS)]);
    if (!ended) logLine('warning: some clients did not take their replies and are cut off');
    clearInterval(this.#tick);
    // Also when all ended by themselves: one may have died on the way.
    if (this.#warm !== null && (await this.#settle())) await this.#warm.save();
    this.removeFiles();
  }

  /** Ends threads that are left, and brings the memory in order; false when that cannot be done. */
  async #settle(): Promise<boolean> {
    await Promise.all([this.#pool.terminate(), this.#maintainer?.terminate()]);
    const actors = Array.from({ length: this.#settings.threads + 1 }, (_, index) => index + 1);
    const recovered = await Promise.all(
      actors.map((actor) => recoverThread(this.#memory, this.#cache, actor)),
    );
    return recovered.every((done) => done);
  }

  /** Reads again what can change while the server runs; what cannot be used changes nothing. */
  reload(): void {
    this.#renewCertificates();
    this.#renewCredentials();
  }

  #renewCredentials(): void {
    if (!needsAuth(this.#settings)) return;
    try {
      this.#pool.setCredentials(this.#credentials.load());
      logLine('the credentials have been read again');
    } catch (error) {
      logLine(`${reasonOf(error)}; the credentials stay as they were`);
    }
  }

  /** Takes back what lies in the file system. */
  removeFiles(): void {
    const { pidFile, socketPath } = this.#settings;
    if (pidFile !== '') removePidFile(pidFile);
    if (socketPath === '') return;
    try {
      removeStaleSocket(socketPath);
    } catch (error) {
      logLine(`warning: cannot remove ${socketPath}: ${reasonOf(error)}`);
    }
  }

  /** Ends the thread of a worker, or with -1 of the maintainer, as if it had died. For tests. */
  kill(worker: number): void {
    if (worker === -1) this.#maintainer?.kill();
    else this.#pool.kill(worker);
  }

  /** Returns the reason why the old certificates stay, or nothing. */
  #renewCertificates(): string {
    if (this.#certificates === null) return '';
    try {
      this.#pool.renew(this.#certificates.load());
    } catch (error) {
      if (!(error instanceof CertificateError)) throw error;
      logLine(`the certificates stay as they are: ${error.message}`);
      return error.message;
    }
    this.#state.setCertificatesAt(this.#memory.i32[HEAD_CLOCK]);
    return '';
  }

  async #startThreads(onHopeless: (reason: string) => void): Promise<void> {
    const memory = this.#memory;
    startClock(memory, Date.now());
    setSwitches(memory, this.#cache);
    await this.#warm?.restore();
    const startedAt = performance.now();
    for (const { address } of this.#listeners.opened) {
      claimListener(memory, endpointText(address.address, address.port));
    }
    this.#tick = setInterval(() => tickClock(memory, performance.now() - startedAt), TICK_MS);
    this.#maintainer = new Maintainer({
      memory,
      cache: this.#cache,
      state: this.#state,
      onHopeless,
    });
    this.#state.setCertificatesAt(memory.i32[HEAD_CLOCK]);
    const { addon } = this.#transport;
    const isUnix = this.#settings.socketPath !== '';
    if (isUnix && addon !== null) this.#listeners.openUnix(addon);
    this.#pool.start(this.#dispatcher, this.#listeners.kinds);
    if (isUnix && addon === null) await this.#pool.listenUnix();
    const { datagrams } = this.#listeners;
    if (datagrams.length > 0) await this.#pool.listenForDatagrams(datagrams);
  }

  #writeFiles(): void {
    const portFile = process.env.MEMCACHED_PORT_FILENAME;
    if (portFile !== undefined && portFile !== '' && this.#settings.socketPath === '') {
      writePortFile(portFile, this.#listeners.opened, this.#listeners.datagrams);
    }
    // A daemon changes to the root directory.
    if (isDaemon()) {
      const { pidFile, socketPath } = this.#settings;
      if (pidFile !== '') this.#settings.pidFile = resolve(pidFile);
      if (socketPath !== '') this.#settings.socketPath = resolve(socketPath);
    }
    if (this.#settings.pidFile !== '') writePidFile(this.#settings.pidFile);
  }
}

/** Certificates that cannot be used are the operator's to change. */
function make(build: () => RunningServer): RunningServer {
  try {
    return build();
  } catch (error) {
    if (error instanceof CertificateError) throw new StartError(error.message);
    throw error;
  }
}

/** What memcached prints with -vv, and operators who tune -f and -n read. */
function printClasses(memory: Memory): void {
  for (let id = 1; id <= memory.classLargest; id++) {
    const bytes = memory.classSizes[id];
    const perPage = Math.floor(PAGE_BYTES / bytes);
    const columns = [
      String(id).padStart(3),
      String(bytes).padStart(9),
      String(perPage).padStart(7),
    ];
    writeRaw(`slab class ${columns[0]}: chunk size ${columns[1]} perslab ${columns[2]}\n`);
  }
}

/** Settings that are taken over, but not as far as their names promise. */
function warn(settings: Settings): void {
  if (settings.threads > MANY_THREADS) {
    logLine(`warning: -t ${settings.threads}: more threads than cores only cost time`);
  }
  for (const warning of settings.warnings) logLine(`warning: ${warning}`);
  for (const warning of tlsWarnings(settings)) logLine(`warning: ${warning}`);
  if (!settings.sslEnabled && (settings.sslChainCert !== '' || settings.sslKey !== '')) {
    logLine('warning: -o ssl_chain_cert and ssl_key have no effect without -Z');
  }
}

/** Node raises the soft limit to the hard one at its start, so the hard one is what we have. */
function checkDescriptors(maxconns: number): void {
  let limits: string;
  try {
    limits = readFileSync('/proc/self/limits', 'utf8');
  } catch {
    return;
  }
  const match = /^Max open files\s+\S+\s+(\d+)/m.exec(limits);
  if (match === null || Number(match[1]) >= maxconns) return;
  throw new StartError(
    `-c ${maxconns} is more than the ${match[1]} open files that this process may have (ulimit -n)`,
  );
}

/** False after that time. */
function wait(ms: number): Promise<false> {
  return new Promise((done) => {
    setTimeout(() => done(false), ms).unref();
  });
}
