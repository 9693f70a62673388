// What is taken for a credentials file, and what is said about one that is not.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { Credentials, type CredentialTable } from '../../src/protocol/credentials.ts';
import { CredentialFiles } from '../../src/server/credential-files.ts';
import { readSettings } from '../../src/server/settings.ts';
import { scratch } from './launch.ts';

function fileWith(t: TestContext, content: string): string {
  const path = join(scratch(t), 'users');
  writeFileSync(path, content, 'latin1');
  return path;
}

function textTable(t: TestContext, content: string): CredentialTable | null {
  return new CredentialFiles(readSettings(['-Y', fileWith(t, content)])).load().text;
}

function saslTable(t: TestContext, content: string): CredentialTable | null {
  const args = ['-S', '-o', `sasl_pwdb=${fileWith(t, content)}`];
  return new CredentialFiles(readSettings(args)).load().sasl;
}

/** Asserts who gets in with a table, and who does not (with a `!` in front). */
function check(table: CredentialTable | null, ...claims: readonly string[]): void {
  assert.ok(table);
  const credentials = new Credentials(table);
  for (const claim of claims) {
    const [user, password] = claim.replace('!', '').split('/');
    const known = credentials.match(Buffer.from(user, 'latin1'), Buffer.from(password, 'latin1'));
    assert.equal(known, !claim.startsWith('!'), claim);
  }
}

test('-Y: a line is a user and a password', (t) => {
  check(textTable(t, 'bob:s3cret\nann:p\n'), 'bob/s3cret', 'ann/p', '!bob/p', '!bob/s3cret\n');
  check(textTable(t, 'bob:s3cret'), 'bob/s3cret', '!bob/s3cre');
  check(textTable(t, 'bob:s3cret\r\nann:p\r\n'), 'bob/s3cret', 'ann/p');
  check(textTable(t, 'bob:a:b c\nbob:new\n'), 'bob/a:b c', '!bob/a', 'bob/new');
  check(textTable(t, 'b\xe9:\xff\xfe\n'), 'b\xe9/\xff\xfe');
});

test('-Y: more than the eight users that memcached takes', (t) => {
  const lines = Array.from({ length: 20 }, (_, index) => `user${index}:pass${index}`);
  check(textTable(t, lines.join('\n')), 'user0/pass0', 'user19/pass19', '!user19/pass18');
});

test('-Y: a line longer than memcached reads is one line', (t) => {
  const long = 'x'.repeat(1000);
  check(textTable(t, `bob:${long}\nann:p\n`), `bob/${long}`, 'ann/p', `!bob/${long.slice(1)}`);
});

test('-S: further fields, lines without a colon, the first line of a user', (t) => {
  const content = '# users\n\nbob:s3cret:more\nnoise\nann:p\r\nbob:second\n';
  check(saslTable(t, content), 'bob/s3cret', 'ann/p', '!bob/s3cret:more', '!bob/second');
  check(saslTable(t, 'bob:s3cret'), 'bob/s3cret');
});

test('a file with a fault is refused as a whole, and the line is named', (t) => {
  for (const [content, fault] of [
    ['', /it has no user$/],
    ['bob:s3cret\n'.repeat(100_000), /it is larger than 1 MB$/],
    ['bob\n', /line 1 is not 'user:password'$/],
    ['bob:s3cret\n\n', /line 2 is not/],
    ['bob:s3cret\nann\n', /line 2 is not/],
    [':s3cret\n', /line 1 is not/],
    ['bob:\n', /line 1 is not/],
    ['bob:s3\0cret\n', /line 1 has a NUL byte$/],
    ['bob:s3cret\nan\0n:p', /line 2 has a NUL byte$/],
    ['\0', /line 1 has a NUL byte$/],
  ] as const) {
    const sentence = new RegExp(`^cannot take the users of -Y from /.*: ${fault.source}`);
    assert.throws(() => textTable(t, content), { name: 'StartError', message: sentence });
  }
  for (const [content, fault] of [
    ['noise\n', /it has no user$/],
    ['bob:s3cret\nann::more\n', /line 2 is not/],
    ['bob:s3cret\0\n', /line 1 has a NUL byte$/],
  ] as const) {
    const sentence = new RegExp(`^cannot take the users of -S from /.*: ${fault.source}`);
    assert.throws(() => saslTable(t, content), { name: 'StartError', message: sentence });
  }
});

test('a file that cannot be read is named with the reason', (t) => {
  const load = (path: string) => new CredentialFiles(readSettings(['-Y', path])).load();
  const none = join(scratch(t), 'none');
  assert.throws(() => load(none), {
    message: `cannot take the users of -Y from ${none}: no such file or directory`,
  });
  assert.throws(() => load('/'), /from \/: it is a folder$/);
});

test('-S takes the file from the environment when it is not named', (t) => {
  const before = process.env.MEMCACHED_SASL_PWDB;
  t.after(() => {
    if (before === undefined) delete process.env.MEMCACHED_SASL_PWDB;
    else process.env.MEMCACHED_SASL_PWDB = before;
  });
  delete process.env.MEMCACHED_SASL_PWDB;
  assert.throws(
    () => new CredentialFiles(readSettings(['-S'])),
    /^StartError: -S needs a file of users/,
  );
  process.env.MEMCACHED_SASL_PWDB = fileWith(t, 'env:variable\n');
  check(new CredentialFiles(readSettings(['-S'])).load().sasl, 'env/variable');
  check(saslTable(t, 'bob:s3cret\n'), 'bob/s3cret', '!env/variable');
});
