// What a table of credentials lets in, and what it gives away.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Credentials, credentialTable } from '../../src/protocol/credentials.ts';

const bytes = (text: string) => Buffer.from(text, 'latin1');
const LIST = [
  ['bob', 's3cret'],
  ['ann', 'p:a ss'],
  ['ann', 'second'],
  ['ab', 'c'],
] as const;

function table() {
  return credentialTable(
    LIST.map(([user, password]) => ({ user: bytes(user), password: bytes(password) })),
  );
}

test('a user gets in with a password of theirs and with nothing else', () => {
  // Tables travel between threads.
  const credentials = new Credentials(structuredClone(table()));
  const match = (user: string, password: string) => credentials.match(bytes(user), bytes(password));
  for (const [user, password] of LIST) assert.equal(match(user, password), true, user);
  const wrong = [
    ['bob', 's3cre'],
    ['bob', 's3cret '],
    ['bob', 'S3CRET'],
    ['bob', ''],
    ['', ''],
    ['', 's3cret'],
    ['ann', 's3cret'],
    ['bobs', '3cret'],
    ['a', 'bc'],
    ['nobody', 's3cret'],
  ];
  for (const [user, password] of wrong) assert.equal(match(user, password), false, user);
});

test('an empty table lets nobody in', () => {
  const credentials = new Credentials(credentialTable([]));
  assert.equal(credentials.match(bytes(''), bytes('')), false);
});

test('a table has neither names nor passwords, and no digest twice', () => {
  const [first, second] = [table(), table()];
  const text = Buffer.concat([first.secret, first.digests]).toString('latin1');
  for (const [user, password] of LIST) {
    if (user.length > 2) assert.ok(!text.includes(user));
    if (password.length > 2) assert.ok(!text.includes(password));
  }
  assert.equal(first.digests.length, second.digests.length);
  assert.notDeepEqual(first.digests, second.digests, 'two loads have two secrets');
});
