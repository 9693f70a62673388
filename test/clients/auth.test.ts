// Client libraries that people use, each walked through its commands by a driver of its own: on a
// plain server, and on one with authentication with the right, a wrong and no password.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { findProgram } from '../support/oracle.ts';
import { type Server, slabcached, startServer } from '../support/server.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const DRIVERS = fileURLToPath(new URL('drivers/', import.meta.url));
/** Where install-memcached.sh puts the Python packages that Debian does not have. */
const PYTHON_PACKAGES = join(ROOT, 'node_modules', '.cache', 'python');
const DRIVER_LIMIT_MS = 60_000;

interface ClientUnderTest {
  readonly name: string;
  readonly program: string;
  readonly driver: string;
  /** Arguments of the program that succeed only if the library can be loaded. */
  readonly probe: readonly string[];
  readonly protocol: 'sasl' | 'text';
  /** What the client says about a wrong password. */
  readonly refusal: RegExp;
  /**
   * It takes a server without SASL for one that refuses it: given a password it needs a server that
   * wants one (-o sasl_any does). So with memcached.
   */
  readonly insists?: true;
}

const PYTHON = '/usr/bin/python3';
const CLIENTS: readonly ClientUnderTest[] = [
  {
    name: 'pylibmc',
    program: PYTHON,
    driver: 'pylibmc-driver.py',
    probe: ['-c', 'import pylibmc'],
    protocol: 'sasl',
    refusal: /AUTHENTICATION FAILURE/,
    insists: true,
  },
  {
    name: 'python-binary-memcached',
    program: PYTHON,
    driver: 'bmemcached-driver.py',
    probe: ['-c', 'import bmemcached'],
    protocol: 'sasl',
    refusal: /Auth failure/,
  },
  {
    name: 'php-memcached',
    program: 'php',
    driver: 'memcached-driver.php',
    probe: ['-r', 'exit(extension_loaded("memcached") ? 0 : 1);'],
    protocol: 'sasl',
    refusal: /AUTHENTICATION FAILURE|SERVER HAS FAILED/,
    insists: true,
  },
  {
    name: 'dalli',
    program: 'ruby',
    driver: 'dalli-driver.rb',
    probe: ['-e', 'require "dalli"; exit(Dalli::VERSION < "5" ? 0 : 1)'],
    protocol: 'sasl',
    refusal: /Error authenticating: 0x20/,
  },
  {
    name: 'memjs',
    program: process.execPath,
    driver: 'memjs-driver.ts',
    probe: ['--version'],
    protocol: 'sasl',
    refusal: /authentication failed/,
  },
  {
    name: 'pymemcache',
    program: PYTHON,
    driver: 'pymemcache-driver.py',
    probe: ['-c', 'import pymemcache'],
    protocol: 'text',
    refusal: /authentication failure/,
  },
  {
    name: 'memcached (npm)',
    program: process.execPath,
    driver: 'memcached-driver.ts',
    probe: ['--version'],
    protocol: 'text',
    refusal: /authentication failure/,
  },
];

const environment = { ...process.env, PYTHONPATH: PYTHON_PACKAGES };

/** False when the client can be run, else the reason to print. */
function skipWithout({ name, program, probe }: ClientUnderTest): string | false {
  const path = program.startsWith('/') ? program : findProgram(program);
  const found =
    path !== undefined &&
    spawnSync(path, probe, { env: environment, stdio: 'ignore' }).status === 0;
  if (found) return false;
  const reason = `SKIPPED: no ${name} for ${program} on this machine`;
  process.stderr.write(`${reason}\n`);
  return reason;
}

interface Outcome {
  readonly code: number | null;
  readonly said: string;
}

/** Runs a program to its end; without blocking this process, so that clients run side by side. */
function run(program: string, args: readonly string[]): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { env: environment, timeout: DRIVER_LIMIT_MS });
    let said = '';
    child.stdout.on('data', (data: Buffer) => {
      said += data;
    });
    child.stderr.on('data', (data: Buffer) => {
      said += data;
    });
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, said }));
  });
}

const folder = mkdtempSync(join(tmpdir(), 'slabcached-clients-'));
let plain: Server;
let open: Server;
let sasl: Server;
let text: Server;

before(async () => {
  const users = join(folder, 'users');
  writeFileSync(users, 'bob:s3cret\n');
  [plain, open, sasl, text] = await Promise.all([
    startServer(slabcached(['-t', '2'])),
    startServer(slabcached(['-t', '2', '-o', 'sasl_any'])),
    startServer(slabcached(['-t', '2', '-S', '-o', `sasl_pwdb=${users}`])),
    startServer(slabcached(['-t', '2', '-Y', users])),
  ]);
});
after(async () => {
  const exits = await Promise.all([plain, open, sasl, text].map((server) => server.stop()));
  rmSync(folder, { recursive: true });
  assert.deepEqual(
    exits.map(({ code }) => code),
    [0, 0, 0, 0],
  );
});

for (const client of CLIENTS) {
  test(client.name, { skip: skipWithout(client) }, async (t) => {
    const drive = (server: Server, ...credentials: readonly string[]) => {
      const driver = join(DRIVERS, client.driver);
      const args = [driver, '127.0.0.1', String(server.port), ...credentials];
      return run(client.program, args);
    };
    const guarded = client.protocol === 'sasl' ? sasl : text;
    await t.test('a plain server', async () => {
      assert.deepEqual(await drive(plain), { code: 0, said: '' });
    });
    await t.test('a plain server, with a password', async () => {
      const { code, said } = await drive(plain, 'bob', 's3cret');
      if (client.insists) assert.match(said, /UNKNOWN READ FAILURE|SERVER HAS FAILED/);
      else assert.deepEqual({ code, said }, { code: 0, said: '' });
    });
    await t.test('a server for any password', async () => {
      assert.deepEqual(await drive(open, 'bob', 'anything'), { code: 0, said: '' });
      assert.deepEqual(await drive(open), { code: 0, said: '' });
    });
    await t.test('the right password', async () => {
      assert.deepEqual(await drive(guarded, 'bob', 's3cret'), { code: 0, said: '' });
    });
    await t.test('a wrong password', async () => {
      const { code, said } = await drive(guarded, 'bob', 'wrong');
      assert.equal(code, 1);
      assert.match(said, client.refusal);
    });
    await t.test('no password', async () => {
      assert.equal((await drive(guarded)).code, 1);
    });
  });
}

const tool = findProgram('memcstat');
const skipTools = tool === undefined ? 'SKIPPED: no libmemcached-tools on this machine' : false;

test('the tools of libmemcached', { skip: skipTools }, async () => {
  const stat = (server: Server, password: string) => {
    const args = [`--servers=127.0.0.1:${server.port}`, '--binary', '-u', 'bob', '-p', password];
    return run(tool ?? '', args);
  };
  assert.match((await stat(sasl, 's3cret')).said, /auth_cmds: \d+/);
  assert.match((await stat(sasl, 'wrong')).said, /AUTHENTICATION FAILURE/);
});
