/**
 * What the main thread and a worker say to each other over the worker's MessagePort.
 */
import type { Socket } from 'node:net';
import type { MessagePort } from 'node:worker_threads';
import type { CacheConfig } from '../cache/config.ts';
import type { CredentialTables } from '../protocol/credentials.ts';
import type { Settings } from './setting.ts';

/** What a worker is started with. */
export interface WorkerTask {
  readonly worker: number;
  readonly memory: SharedArrayBuffer;
  readonly state: SharedArrayBuffer;
  readonly cache: CacheConfig;
  readonly settings: Settings;
  /** null: nobody has to authenticate. */
  readonly credentials: CredentialTables | null;
  readonly port: MessagePort;
}

export type ToWorker =
  | { readonly kind: 'socket'; readonly socket: Socket; readonly slot: number }
  /** Own and serve the unix socket. */
  | { readonly kind: 'listen'; readonly path: string }
  /** Answer to 'claim'; slot is -1 for no. */
  | { readonly kind: 'slot'; readonly id: number; readonly slot: number }
  /** Authenticate with these from now on. */
  | { readonly kind: 'credentials'; readonly credentials: CredentialTables }
  /** Finish what is under way and end. */
  | { readonly kind: 'stop' };

export type FromWorker =
  | { readonly kind: 'claim'; readonly id: number }
  | { readonly kind: 'listening' }
  | { readonly kind: 'failed'; readonly reason: string };
