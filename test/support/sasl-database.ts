// The users of a real memcached with -S: a database of Cyrus SASL, and the file that names it.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { findProgram } from './oracle.ts';

/** Writes both for `user:password` lines; memcached finds them by SASL_CONF_PATH=folder. */
export function writeSaslDatabase(folder: string, users: readonly string[]): void {
  const database = join(folder, 'sasldb');
  for (const line of users) {
    const [user = '', input] = line.split(':');
    const args = ['-p', '-c', '-f', database, '-u', hostname(), user];
    const { status } = spawnSync(findProgram('saslpasswd2') ?? '', args, { input });
    assert.equal(status, 0);
  }
  const lines = ['mech_list: plain', 'pwcheck_method: auxprop', 'auxprop_plugin: sasldb'];
  writeFileSync(
    join(folder, 'memcached.conf'),
    [...lines, `sasldb_path: ${database}\n`].join('\n'),
  );
}
