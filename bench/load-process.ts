// The load process seen from the bench: started on cores of its own and asked one thing at a time.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { LoadReply, LoadRequest } from './messages.ts';
import { pinned } from './servers.ts';

/** Runs load.ts until close(). */
export class LoadProcess {
  readonly #child: ChildProcess;
  readonly #stop = (): void => {
    this.#child.kill('SIGKILL');
  };

  constructor(cores: readonly number[]) {
    const entry = fileURLToPath(new URL('./load.ts', import.meta.url));
    const [command, ...args] = pinned([process.execPath, entry], cores);
    this.#child = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    process.on('exit', this.#stop);
  }

  async ask(request: LoadRequest, limitMs: number): Promise<LoadReply> {
    const limit = AbortSignal.timeout(limitMs);
    const ended = new AbortController();
    const onExit = (): void => ended.abort();
    this.#child.once('exit', onExit);
    this.#child.send(request);
    try {
      const signal = AbortSignal.any([limit, ended.signal]);
      const [reply] = (await once(this.#child, 'message', { signal })) as [LoadReply];
      if (reply.type === 'failed') throw new Error(reply.message);
      return reply;
    } catch (error) {
      if (limit.aborted) throw new Error('no end of the round: replies are missing');
      if (ended.signal.aborted) throw new Error('the load process ended');
      throw error;
    } finally {
      this.#child.off('exit', onExit);
    }
  }

  async close(): Promise<void> {
    process.off('exit', this.#stop);
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await exited;
  }
}
