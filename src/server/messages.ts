/**
 * What the main thread and a worker say to each other over the worker's MessagePort.
 */
import type { Socket } from 'node:net';
import type { MessagePort } from 'node:worker_threads';
import type { CacheConfig } from '../cache/config.ts';
import type { DatagramAddress } from '../net/datagram-sessions.ts';
import type { ListenerTls, TlsMaterial } from '../net/tls.ts';
import type { CredentialTables } from '../protocol/credentials.ts';
import type { Origin } from '../protocol/origin.ts';
import type { Settings } from './setting.ts';

/** What a connection has from its listener. */
export interface ListenerKind {
  readonly origin: Origin;
  readonly tls: ListenerTls;
}

/** A socket for datagrams, and whose kind its sessions are. */
export interface DatagramSocket extends DatagramAddress {
  readonly listener: number;
}

/** What a worker is started with. */
export interface WorkerTask {
  readonly worker: number;
  readonly memory: SharedArrayBuffer;
  readonly state: SharedArrayBuffer;
  readonly cache: CacheConfig;
  readonly settings: Settings;
  /** The table that `listener` of a connection points into. */
  readonly listeners: readonly ListenerKind[];
  /** null without -Z. */
  readonly tls: TlsMaterial | null;
  /** null: nobody has to authenticate. */
  readonly credentials: CredentialTables | null;
  readonly port: MessagePort;
  /** Where a pump finds its connections. */
  readonly mailbox: number;
}

export type ToWorker =
  | {
      readonly kind: 'socket';
      readonly socket: Socket;
      readonly slot: number;
      readonly listener: number;
    }
  /** Own and serve the unix socket. */
  | { readonly kind: 'listen'; readonly path: string }
  /** Answer to 'claim'; slot is -1 for no. */
  | { readonly kind: 'slot'; readonly id: number; readonly slot: number }
  /** Serve these over UDP. */
  | { readonly kind: 'datagrams'; readonly sockets: readonly DatagramSocket[] }
  /** Use these certificates from now on. */
  | { readonly kind: 'certificates'; readonly tls: TlsMaterial }
  /** Authenticate with these from now on. */
  | { readonly kind: 'credentials'; readonly credentials: CredentialTables }
  /** Finish what is under way and end. */
  | { readonly kind: 'stop' };

export type FromWorker =
  | { readonly kind: 'claim'; readonly id: number }
  | { readonly kind: 'listening' }
  | { readonly kind: 'failed'; readonly reason: string }
  /** Answer to 'datagrams'; failure is null if all of them are served. */
  | { readonly kind: 'datagrams'; readonly failure: string | null }
  /** Read the certificates again, and tell the waiting thread here (see refresh.ts). */
  | { readonly kind: 'refresh'; readonly answer: SharedArrayBuffer };
