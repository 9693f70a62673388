// Text authentication on our server and on the real memcached: the same lines, the same replies.
// What current memcached does otherwise than the installed one, and what we add, have both answers.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { findMemcached, skipWithoutMemcached } from '../support/oracle.ts';
import { type Launch, memcached, type Server, slabcached, startServer } from '../support/server.ts';
import { WireClient } from '../support/wire.ts';

const OUT = 'CLIENT_ERROR unauthenticated\r\n';
const FAILURE = 'CLIENT_ERROR authentication failure\r\n';
const BAD_END = 'CLIENT_ERROR bad command line termination\r\n';
const BAD_FORMAT = 'CLIENT_ERROR bad authentication token format\r\n';
const TOO_LONG = 'CLIENT_ERROR auth token too long\r\n';
const STORED = 'STORED\r\n';
/** Enough for any machine; who says nothing until then has nothing to say. */
const ANSWER_MS = 10_000;

/** One request and its reply; 1.6.18 leaves what is pipelined behind it unread. */
type Exchange = readonly [request: string, reply: string];

interface Example {
  readonly talk: readonly Exchange[];
  readonly theirs?: { readonly talk: readonly Exchange[]; readonly reason: string };
}

const LOGIN: Exchange = ['set k 0 0 10\r\nbob s3cret\r\n', STORED];

const EXAMPLES: readonly Example[] = [
  { talk: [['get k\r\n', OUT], ['version\r\n', OUT], ['quit\r\n', OUT], LOGIN] },
  { talk: [['set k\r\n', OUT], ['set k 0 0\r\n', OUT], ['set k 0 0 x\r\n', OUT], LOGIN] },
  { talk: [['set k 0 0 -1\r\n', OUT], ['add k 0 0 10\r\n', OUT], ['bob s3cret\r\n', OUT], LOGIN] },
  { talk: [['SET k 0 0 10\r\n', OUT], ['bob s3cret\r\n', OUT], LOGIN, ['get k\r\n', 'END\r\n']] },
  {
    talk: [
      ['set k 0 0 10\nbob s3cret\r\n', STORED],
      ['get k\n', 'END\r\n'],
    ],
  },
  { talk: [['  set  k  0  0  10  \r\nbob s3cret\r\n', STORED]] },
  { talk: [['set k x y 10 noreply more\r\nbob s3cret\r\n', STORED]] },
  { talk: [['set k 0 0 10\r\nbob wrong!\r\n', FAILURE], ['get k\r\n', OUT], LOGIN] },
  { talk: [['set k 0 0 10\r\nbob s3cret\n\n', BAD_END], LOGIN] },
  { talk: [['set k 0 0 3\r\nbob\r\n', BAD_FORMAT], ['set k 0 0 0\r\n\r\n', BAD_FORMAT], LOGIN] },
  { talk: [['set k 0 0 10\r\nbob\ts3cret\r\n', BAD_FORMAT], LOGIN] },
  {
    talk: [
      ['set k 0 0 7\r\nbob ann\r\n', FAILURE],
      ['set k 0 0 7\r\nann p:p\r\n', STORED],
    ],
  },
  {
    talk: [['set k 0 0 12\r\nbob s3cret x\r\n', FAILURE]],
    theirs: {
      reason: '1.6.18 stops at the second space; later ones take it along',
      talk: [['set k 0 0 12\r\nbob s3cret x\r\n', STORED]],
    },
  },
  {
    talk: [
      ['set bob 0 0 6\r\ns3cret\r\n', STORED],
      ['get bob\r\n', 'END\r\n'],
    ],
    theirs: {
      reason: 'the dialect of hosted services is our addition',
      talk: [
        ['set bob 0 0 6\r\ns3cret\r\n', BAD_FORMAT],
        ['get bob\r\n', OUT],
      ],
    },
  },
  {
    talk: [
      ['set k 0 0 16385\r\n', TOO_LONG],
      ['get k\r\n', OUT],
    ],
    theirs: {
      reason: '1.6.18 waits for any length; 1.6.42 and later refuse it',
      talk: [['set k 0 0 16385\r\n', '']],
    },
  },
];

const skip = skipWithoutMemcached();
const servers: Server[] = [];
let folder = '';

before(async () => {
  if (skip !== false) return;
  folder = mkdtempSync(join(tmpdir(), 'slabcached-auth-'));
  const users = join(folder, 'users');
  writeFileSync(users, 'bob:s3cret\nann:p:p\n');
  const flags = ['-Y', users, '-t', '1'];
  const launches: Launch[] = [slabcached(flags), memcached(findMemcached() ?? '', flags)];
  for (const launch of launches) servers.push(await startServer(launch));
});
after(async () => {
  for (const server of servers) await server.stop();
  if (folder !== '') rmSync(folder, { recursive: true });
});

async function check(server: Server, talk: readonly Exchange[]): Promise<void> {
  const client = await WireClient.connect(server.port);
  for (const [request, reply] of talk) {
    await client.send(Buffer.from(request, 'latin1'));
    await client.waitFor((received) => received.length >= reply.length, ANSWER_MS);
    assert.equal(client.take().toString('latin1'), reply, `${server.name}: ${request}`);
  }
  client.destroy();
}

for (const { talk, theirs } of EXAMPLES) {
  test(JSON.stringify(talk[0]?.[0]), { skip }, async () => {
    const [ours, other] = servers;
    assert.ok(ours && other);
    await check(ours, talk);
    await check(other, theirs?.talk ?? talk);
  });
}
