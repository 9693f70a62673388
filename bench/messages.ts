// What the bench and its load process say to each other over the process channel.

import type { ReplyLengths } from './counted-replies.ts';
import type { LoadShape, RoundResult } from './generator.ts';
import type { Distribution } from './random.ts';

/** A load: its shape, the items it works on, and how it picks them. */
export interface Workload extends LoadShape {
  readonly keys: number;
  readonly valueLengths: readonly number[];
  /** Share of sets among the requests, 0..1. */
  readonly setShare: number;
  readonly distribution: Distribution;
  readonly seed: number;
}

/** How the load process moves bytes: `auto` takes the best pump that works here, else node:net. */
export type TransportChoice = 'auto' | 'io_uring' | 'epoll' | 'net';

/** A server under load. */
export interface Target {
  readonly port: number;
  readonly pid: number;
  /** Replies are filler of these lengths, and nothing can be stored: the null server. */
  readonly counted?: ReplyLengths;
}

export interface PrepareRequest {
  readonly type: 'prepare';
  readonly workload: Workload;
  readonly targets: readonly Target[];
  readonly transport: TransportChoice;
}

export interface RoundRequest {
  readonly type: 'round';
  /** Index into the targets. */
  readonly target: number;
  readonly warmupMs: number;
  readonly measureMs: number;
}

export type LoadRequest = PrepareRequest | RoundRequest;

export type LoadReply =
  | { readonly type: 'ready'; readonly transport: string }
  | { readonly type: 'result'; readonly result: RoundResult }
  | { readonly type: 'failed'; readonly message: string };
