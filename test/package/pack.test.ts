// What is published: packed, installed into an empty prefix, it gives a command that serves; and on
// a Node that is too old it says so.
import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, realpathSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Client, scratch, waitFor } from '../server/launch.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Without what `npm test` set for its own scripts, so that npm works on the folder it is told. */
function cleanEnvironment(): NodeJS.ProcessEnv {
  const entries = Object.entries(process.env).filter(([name]) => !name.startsWith('npm_'));
  return Object.fromEntries(entries);
}

function npm(args: readonly string[], cwd: string): void {
  const quiet = ['--no-audit', '--no-fund', '--loglevel=error'];
  const options = { cwd, env: cleanEnvironment(), encoding: 'utf8', stdio: 'pipe' } as const;
  const { status, stdout, stderr } = spawnSync('npm', [...args, ...quiet], options);
  assert.equal(status, 0, `npm ${args[0]}: ${stdout}${stderr}`);
}

test('packed and installed, the command serves', async (t) => {
  const folder = scratch(t);
  npm(['pack', '--pack-destination', folder], ROOT);
  const [tarball] = readdirSync(folder);
  assert.match(tarball, /^slabcached-.*\.tgz$/);
  const prefix = join(folder, 'prefix');
  npm(['install', '--prefix', prefix, '--prefer-offline', join(folder, tarball)], folder);
  const command = realpathSync(join(prefix, 'node_modules', '.bin', 'slabcached'));

  const version = execFileSync(process.execPath, [command, '-V'], { encoding: 'utf8' });
  assert.match(tarball, new RegExp(`^${version.trim().replace(' ', '-')}\\.tgz$`));

  const help = execFileSync(process.execPath, [command, 'warm', '--help'], { encoding: 'utf8' });
  assert.match(help, /--from <address>/);

  const flags = ['-p', '-1', '-l', '127.0.0.1', '-t', '2'];
  const child = spawn(process.execPath, [command, ...flags], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const ended = once(child, 'close');
  t.after(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  let stderr = '';
  child.stderr.on('data', (data: Buffer) => {
    stderr += data;
  });
  assert.equal(await waitFor(() => /port \d+/.test(stderr), ended), true, stderr);
  const client = new Client(t, Number(/port (\d+)/.exec(stderr)?.[1]));
  await client.ask('set a 0 0 3\r\nabc\r\n', 'STORED\r\n');
  assert.equal(await client.ask('get a\r\n', 'END\r\n'), 'VALUE a 0 3\r\nabc\r\nEND\r\n');
  child.kill('SIGTERM');
  assert.deepEqual(await ended, [0, null]);
});

/** Runs the command under a Node that says it is of another version. */
function asNode(version: string): { status: number | null; stdout: string; stderr: string } {
  const versions = `{ ...process.versions, node: ${JSON.stringify(version)} }`;
  const code = `Object.defineProperty(process, 'versions', { value: ${versions} });`;
  const preload = `data:text/javascript,${encodeURIComponent(code)}`;
  const cli = join(ROOT, 'src', 'cli.ts');
  return spawnSync(process.execPath, ['--import', preload, cli, '-V'], { encoding: 'utf8' });
}

test('a Node that lacks what we need is told so in one sentence', () => {
  for (const version of ['18.20.8', '20.20.2', '24.19.1', '25.9.0', '26.5.0']) {
    const { status, stdout, stderr } = asNode(version);
    assert.equal(status, 1, version);
    assert.equal(stdout, '');
    assert.match(stderr, new RegExp(`^slabcached: Node ${version} is not supported[^\\n]*\\n$`));
  }
  for (const version of ['24.20.0', '26.6.0', '27.0.0']) assert.equal(asNode(version).status, 0);
});

const SYSTEM_NODE = '/usr/bin/node';
const systemVersion = existsSync(SYSTEM_NODE)
  ? execFileSync(SYSTEM_NODE, ['-p', 'process.versions.node'], { encoding: 'utf8' }).trim()
  : '';
const isOld = systemVersion !== '' && Number(systemVersion.split('.')[0]) < 24;

test('the compiled command says it on a really old Node too', {
  skip: isOld ? false : 'the system has no old Node',
}, (t) => {
  const folder = scratch(t);
  const tsc = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
  execFileSync(process.execPath, [tsc, '-p', join(ROOT, 'src'), '--outDir', folder]);
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  const { status, stderr } = spawnSync(SYSTEM_NODE, [join(folder, 'cli.js')], {
    encoding: 'utf8',
  });
  assert.match(stderr, new RegExp(`^slabcached: Node ${systemVersion} is not supported`));
  assert.equal(status, 1);
});
