/**
 * TLS of a worker: takes accepted sockets through the handshake and hands the streams that come out
 * of it to the transport, which serves them as it serves any other.
 *
 * The handshakes are those of tls.Server instances that never listen: only they give client
 * certificates and resumption to sockets that were accepted elsewhere. All workers have the same
 * ticket keys, so a client may resume in any of them.
 */
import { constants } from 'node:crypto';
import type { Socket } from 'node:net';
import {
  createServer,
  DEFAULT_CIPHERS,
  type SecureVersion,
  type Server,
  type TLSSocket,
} from 'node:tls';

/**
 * What a listener does about TLS: what -Z and ssl_verify_mode say, or what the prefixes notls, btls
 * and mtls of -l say instead.
 */
export type ListenerTls = 'off' | 'default' | 'no client certificate' | 'client certificate';

/** What is asked of a client. `request` takes one without a certificate, none with a bad one. */
export type ClientCertificate = 'none' | 'request' | 'require';

/** What TLS is made from and a reload replaces. It travels between threads as it is. */
export interface TlsMaterial {
  /** PEM: the certificate and those that lead to its issuer. */
  readonly chain: Uint8Array;
  readonly key: Uint8Array;
  /** PEM: the authorities that may have signed a client's certificate. */
  readonly authorities: Uint8Array | null;
  /** 48 bytes; new with every reload: no session outlives the certificates it began with. */
  readonly ticketKeys: Uint8Array;
}

/** What stays as it is while the server runs. */
export interface TlsOptions {
  /** OpenSSL's cipher list, or null for Node's own. */
  readonly ciphers: string | null;
  readonly minVersion: SecureVersion;
  readonly clientCertificate: ClientCertificate;
  /** Whether clients may resume their sessions. */
  readonly resume: boolean;
  /** What a handshake may take, ms. */
  readonly handshakeLimit: number;
}

/** What is reported to the worker. */
export interface TlsOwner {
  /** The handshake is done. */
  onStream(stream: Socket, slot: number, listener: number): void;
  /** The connection is gone before that. */
  onGone(slot: number): void;
  onNewSession(): void;
  onHandshakeError(): void;
  /** A connection broke the protocol after its handshake. */
  onProtocolError(): void;
}

/** The context that sessions are valid in, as memcached names it. */
const SESSION_CONTEXT = 'memcached';
const TLS13_CIPHERS = DEFAULT_CIPHERS.split(':').filter((name) => name.startsWith('TLS_'));

/** The options that make a context; also what checks them at start. */
export function contextOptions(options: TlsOptions, material: TlsMaterial) {
  const { ciphers, minVersion, resume } = options;
  return {
    cert: Buffer.from(material.chain),
    key: Buffer.from(material.key),
    // Without any, Node would trust every public authority to vouch for clients.
    ca: material.authorities === null ? [] : Buffer.from(material.authorities),
    ...(ciphers === null ? {} : { ciphers: withTls13(ciphers) }),
    minVersion,
    sessionIdContext: SESSION_CONTEXT,
    ticketKeys: Buffer.from(material.ticketKeys),
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION | (resume ? 0 : constants.SSL_OP_NO_TICKET),
  };
}

/** OpenSSL keeps the ciphers of TLS 1.3 apart; Node would turn 1.3 off for a list without them. */
function withTls13(ciphers: string): string {
  if (/(^|:)TLS_/.test(ciphers)) return ciphers;
  return [...TLS13_CIPHERS, ciphers].join(':');
}

/** A connection whose handshake is not done. */
interface Handshake {
  readonly slot: number;
  readonly listener: number;
  readonly socket: Socket;
  /** The stream is served, or the connection is gone. */
  isOver: boolean;
}

/** The handshakes of one worker. */
export class TlsHandshakes {
  readonly #options: TlsOptions;
  readonly #owner: TlsOwner;
  readonly #servers = new Map<ClientCertificate, Server>();
  /** By the ends of their connection: the server hands out another object than it was given. */
  readonly #open = new Map<string, Handshake>();
  #material: TlsMaterial;

  constructor(options: TlsOptions, material: TlsMaterial, owner: TlsOwner) {
    this.#options = options;
    this.#material = material;
    this.#owner = owner;
  }

  /** Takes over an accepted, untouched socket. */
  accept(socket: Socket, slot: number, listener: number, tls: ListenerTls): void {
    socket.on('error', () => undefined);
    // Whoever has hung up already has no address: all of them would have the same ends.
    if (socket.remoteAddress === undefined) {
      this.#owner.onHandshakeError();
      this.#owner.onGone(slot);
      socket.destroy();
      return;
    }
    const ends = endsOf(socket);
    const handshake: Handshake = { slot, listener, socket, isOver: false };
    this.#open.set(ends, handshake);
    socket.setNoDelay(true);
    socket.setKeepAlive(true);
    socket.on('close', () => {
      if (handshake.isOver) return;
      this.#end(ends, handshake);
      this.#owner.onGone(slot);
    });
    this.#serverFor(this.#demand(tls)).emit('connection', socket);
  }

  /** Uses other certificates for all handshakes from now on. */
  renew(material: TlsMaterial): void {
    this.#material = material;
    for (const server of this.#servers.values()) {
      server.setSecureContext(contextOptions(this.#options, material));
    }
  }

  /** Ends what is not through its handshake. */
  close(): void {
    for (const { socket } of this.#open.values()) socket.destroy();
  }

  /** After a reset the same ends may be those of another connection by now. */
  #end(ends: string, handshake: Handshake): void {
    handshake.isOver = true;
    if (this.#open.get(ends) === handshake) this.#open.delete(ends);
  }

  #demand(tls: ListenerTls): ClientCertificate {
    if (tls === 'client certificate') return 'require';
    if (tls === 'no client certificate') return 'none';
    return this.#options.clientCertificate;
  }

  #serverFor(demand: ClientCertificate): Server {
    const existing = this.#servers.get(demand);
    if (existing !== undefined) return existing;
    const server = createServer({
      ...contextOptions(this.#options, this.#material),
      requestCert: demand !== 'none',
      rejectUnauthorized: demand === 'require',
      handshakeTimeout: this.#options.handshakeLimit,
    });
    server.on('secureConnection', (stream) => this.#onSecure(stream, demand));
    server.on('tlsClientError', (_error, stream) => {
      this.#owner.onHandshakeError();
      // After a time-out nobody else does it.
      stream.destroy();
    });
    this.#servers.set(demand, server);
    return server;
  }

  #onSecure(stream: TLSSocket, demand: ClientCertificate): void {
    const ends = endsOf(stream);
    const handshake = this.#open.get(ends);
    const isForged = demand === 'request' && !stream.authorized && hasCertificate(stream);
    if (isForged) this.#owner.onHandshakeError();
    if (handshake === undefined || isForged) {
      stream.on('error', () => undefined);
      stream.destroy();
      return;
    }
    this.#end(ends, handshake);
    if (!stream.isSessionReused()) this.#owner.onNewSession();
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code?.startsWith('ERR_SSL_')) this.#owner.onProtocolError();
    });
    this.#owner.onStream(stream, handshake.slot, handshake.listener);
  }
}

function hasCertificate(stream: TLSSocket): boolean {
  return stream.getPeerX509Certificate() !== undefined;
}

/** Both ends of a connection: what tells it from every other one that is open. */
function endsOf(socket: Socket): string {
  const { remoteAddress, remotePort, localAddress, localPort } = socket;
  return `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`;
}
