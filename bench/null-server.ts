// The null server of native/examples: it answers every request with as many bytes as a cache would
// and stores nothing, so it shows what sockets alone cost.

import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ReplyLengths } from './counted-replies.ts';
import { hitLength } from './dialects.ts';
import { dialectOf } from './generator.ts';
import type { Workload } from './messages.ts';
import type { Program } from './servers.ts';

const CRATE = fileURLToPath(new URL('../native', import.meta.url));
const BINARY = join(CRATE, 'target', 'release', 'examples', 'null_server');

/** Builds it if need be; a sentence when there is neither cargo nor an earlier build. */
export function nullProgram(): Program | string {
  const installed = join(homedir(), '.cargo', 'bin', 'cargo');
  const cargo = existsSync(installed) ? installed : 'cargo';
  const args = ['build', '--quiet', '--release', '--example', 'null_server'];
  const built = spawnSync(cargo, args, { cwd: CRATE, encoding: 'utf8' });
  const missing = built.error !== undefined;
  if (missing && !existsSync(BINARY)) return 'the null server is built by cargo, which is not here';
  if (!missing && built.status !== 0) {
    return `the null server cannot be built: ${built.stderr.trim().split('\n')[0]}`;
  }
  return { server: 'null', name: 'null server', version: '(io_uring)', command: [BINARY] };
}

/** What the null server answers to requests of this load; undefined: lengths differ by item. */
export function replyLengths(workload: Workload): ReplyLengths | undefined {
  const [length, ...others] = workload.valueLengths;
  if (others.length > 0) return undefined;
  const dialect = dialectOf(workload);
  return {
    get: workload.keysPerGet * hitLength(dialect, length) + dialect.lineLength,
    set: dialect.storedLength,
  };
}
