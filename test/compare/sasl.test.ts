// SASL on our server and on the real memcached: the same packets, the same replies. memcached takes
// its users from a database of Cyrus SASL, which saslpasswd2 writes.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { findMemcached, skipWithoutProgram } from '../support/oracle.ts';
import { HEADER_BYTES, parseReplies, requestBytes } from '../support/packets.ts';
import { writeSaslDatabase } from '../support/sasl-database.ts';
import { memcached, type Server, slabcached, startServer } from '../support/server.ts';
import { WireClient } from '../support/wire.ts';
import { type Answer, SASL_CASES, type SaslCase } from './sasl-cases.ts';

const USERS = ['bob:s3cret', 'ann:p'];

function scratch(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'slabcached-sasl-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

/** Sends a packet and reads its reply; the version's text is left out. */
async function exchange(client: WireClient, request: Buffer): Promise<Answer> {
  await client.send(request);
  const bytes = await client.reply((received) =>
    received.length < HEADER_BYTES || received.length < HEADER_BYTES + received.readUInt32BE(8)
      ? -1
      : HEADER_BYTES + received.readUInt32BE(8),
  );
  const [reply] = parseReplies(bytes).packets;
  assert.ok(reply);
  assert.deepEqual([reply.magic, reply.extras, reply.key, reply.cas], [0x81, '', '', 0n]);
  assert.equal(reply.opcode, request[1]);
  assert.equal(reply.opaque, request.readUInt32BE(12));
  return [reply.status, reply.opcode === 0x0b ? '' : reply.value];
}

/** Walks through a case and through the same case a byte at a time. */
async function check(server: Server, example: SaslCase, theirs: boolean): Promise<void> {
  const talk = example.talk.map(([request, answer], index): readonly [Buffer, Answer] => {
    const late = index - (example.talk.length - (example.theirs?.answers.length ?? 0));
    const other = theirs && late >= 0 ? example.theirs?.answers[late] : undefined;
    return [requestBytes({ ...request, opaque: 0xdeadbeef - index }), other ?? answer];
  });
  const client = await WireClient.connect(server.port);
  for (const [request, answer] of talk) {
    assert.deepEqual(await exchange(client, request), answer, example.name);
  }
  if (example.closes) assert.equal(await client.waitClosed(), 'closed', example.name);
  else assert.equal(client.closed, false, example.name);
  client.destroy();
}

test('our server', async (t) => {
  const users = join(scratch(t), 'users');
  writeFileSync(users, `${USERS.join('\n')}\n`);
  const server = await startServer(slabcached(['-S', '-o', `sasl_pwdb=${users}`, '-t', '1']));
  t.after(() => server.stop());
  for (const example of SASL_CASES) {
    await t.test(example.name, () => check(server, example, false));
  }
});

test('-o sasl_any: who is asked for nothing may say anything', async (t) => {
  const server = await startServer(slabcached(['-o', 'sasl_any', '-t', '1']));
  t.after(() => server.stop());
  const client = await WireClient.connect(server.port);
  t.after(() => client.destroy());
  const get = requestBytes({ opcode: 0x00, key: 'k' });
  const auth = (value: string) => requestBytes({ opcode: 0x21, key: 'PLAIN', value });
  assert.deepEqual(await exchange(client, get), [0x01, 'Not found']);
  assert.deepEqual(await exchange(client, requestBytes({ opcode: 0x20 })), [0x00, 'PLAIN']);
  assert.deepEqual(await exchange(client, auth('\0who\0ever')), [0x00, 'Authenticated']);
  assert.deepEqual(await exchange(client, auth('nonsense')), [0x20, 'Auth failure.']);
  assert.deepEqual(await exchange(client, get), [0x01, 'Not found']);
  const text = await WireClient.connect(server.port);
  t.after(() => text.destroy());
  assert.equal(await text.ask('get k\r\n'), 'END\r\n');
});

const skip = skipWithoutProgram('saslpasswd2', 'sasl2-bin');

test('the real memcached', { skip }, async (t) => {
  const path = findMemcached();
  if (path === undefined) return t.skip('no memcached on this machine');
  const folder = scratch(t);
  writeSaslDatabase(folder, USERS);
  const environment = { SASL_CONF_PATH: folder };
  const server = await startServer({ ...memcached(path, ['-S', '-t', '1']), environment });
  t.after(() => server.stop());
  for (const example of SASL_CASES) {
    await t.test(example.name, () => check(server, example, true));
  }
});
