// Short comparison runs, one per flag of memcached that changes replies: each protocol that the
// flag leaves on, on one keyspace. The flags that log in need files, which are written first.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AUTH } from '../support/opcodes.ts';
import { findProgram } from '../support/oracle.ts';
import { requestBytes } from '../support/packets.ts';
import { writeSaslDatabase } from '../support/sasl-database.ts';
import { BINARY_USUAL } from './binary-runs.ts';
import type { RunKind } from './runs.ts';
import type { Fence } from './session.ts';

export interface FlagKind extends RunKind {
  readonly protocols: 'text' | 'binary' | 'mixed';
}

const USER = 'bob';
const PASSWORD = 's3cret';
const NO_MAINTAINER = ['-o', 'no_lru_maintainer,no_lru_crawler'];
/** Of all runs; these are many. */
const SHARE = 0.009;

/** For servers that may refuse `stats detail`, which is the usual one. */
const FENCE_WITHOUT_DETAIL: Fence = {
  request: Buffer.from('md fence k Ofence\r\n'),
  reply: Buffer.from('NF kfence Ofence\r\n'),
};

function short(flags: string, more: Partial<FlagKind> = {}): FlagKind {
  return {
    ...BINARY_USUAL,
    theirFlags: [],
    name: flags,
    flags: ['-m', '64', '-t', '2', ...NO_MAINTAINER, ...flags.split(' ')],
    protocols: 'mixed',
    share: SHARE,
    ...more,
  };
}

const sizes = (itemSizeMax: number, ...chunkSizes: readonly number[]): Partial<FlagKind> => ({
  limits: { itemSizeMax, slabChunkMax: Math.min(itemSizeMax / 2, 512 * 1024), chunkSizes },
});

const PLAIN_KINDS: readonly FlagKind[] = [
  short('-C -F'),
  short('-F'),
  short('-X -o lru_crawler', {
    lines: ['stats cachedump 1 1', 'stats cachedump', 'lru_crawler metadump all'],
    without: /stats +detail|STAT "?detail/,
    manners: { fence: FENCE_WITHOUT_DETAIL },
    share: 2 * SHARE,
  }),
  short('-W', { lines: ['watch', 'watch evictions', 'watch fetchers mutations'] }),
  short('-D 1'),
  short('-D p'),
  short('-o no_modern'),
  short('-o no_hashexpand,no_slab_reassign,slab_automove=0'),
  short('-I 2m -n 100 -f 2', sizes(2 * 1024 * 1024, 152, 304, 592, 4736)),
  short('-I 128k -n 16 -f 1.07 -o slab_chunk_max=65536', sizes(128 * 1024, 64, 72, 96, 1184)),
  short('-L -R 1 -c 100 -b 16'),
  short('-C -F -D _ -I 4k -o slab_chunk_max=2048', sizes(4096, 96, 304, 2048)),
  short('-B ascii', { protocols: 'text' }),
  short('-B binary', { protocols: 'binary' }),
];

/** All kinds; `folder` is for the files of those who must log in, and outlives the runs. */
export function flagKinds(folder: string): FlagKind[] {
  const users = join(folder, 'users');
  writeFileSync(users, `${USER}:${PASSWORD}\n`);
  const words = `${USER} ${PASSWORD}`;
  const textLogin = Buffer.from(`set k 0 0 ${words.length}\r\n${words}\r\n`);
  const value = `\0${USER}\0${PASSWORD}`;
  const binaryLogin = requestBytes({ opcode: AUTH, key: 'PLAIN', value });
  return [
    ...PLAIN_KINDS,
    short(`-Y ${users}`, { name: '-Y, logged in', protocols: 'text', manners: { textLogin } }),
    short('-S', {
      name: '-S, logged in',
      protocols: 'binary',
      ourFlags: ['-o', `sasl_pwdb=${users}`],
      theirEnvironment: { SASL_CONF_PATH: saslFolder(folder) },
      manners: { binaryLogin },
      without: /LIST_MECHS|(AUTH|STEP) .*\n *\S/,
      skip: findProgram('saslpasswd2') === undefined ? 'no saslpasswd2 (sasl2-bin)' : undefined,
    }),
  ];
}

function saslFolder(folder: string): string {
  if (findProgram('saslpasswd2') !== undefined) {
    writeSaslDatabase(folder, [`${USER}:${PASSWORD}`]);
  }
  return folder;
}
