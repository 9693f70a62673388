// What is published: packed, installed into an empty prefix, it gives a command that serves, with
// the package of its platform's addon and without; and on a Node that is too old it says so.
import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  copyFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  realpathSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Client, scratch, waitFor } from '../server/launch.ts';
import { skipWithoutAddon, theAddon } from '../support/addon.ts';

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

/** Starts the installed command, stores something through it and stops it. */
async function serves(t: TestContext, command: string): Promise<void> {
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
}

/** Packs and installs this package; returns the folder of the installation. */
function install(t: TestContext): string {
  const folder = scratch(t);
  npm(['pack', '--pack-destination', folder], ROOT);
  const [tarball] = readdirSync(folder);
  const version = /^slabcached-(.*)\.tgz$/.exec(tarball)?.[1];
  const prefix = join(folder, 'prefix');
  npm(['install', '--prefix', prefix, '--prefer-offline', join(folder, tarball)], folder);
  assert.equal(output(commandIn(prefix), ['-V']), `slabcached ${version}\n`);
  return prefix;
}

function commandIn(prefix: string): string {
  return realpathSync(join(prefix, 'node_modules', '.bin', 'slabcached'));
}

function output(script: string, args: readonly string[]): string {
  return execFileSync(process.execPath, [script, ...args], { encoding: 'utf8' });
}

/** The kinds of pump that an installed package finds, or 'none' where it has no addon. */
function pumpsOf(prefix: string): string {
  const file = join(prefix, 'node_modules', 'slabcached', 'dist', 'net', 'addon.js');
  const code = `const { loadAddon } = await import(${JSON.stringify(file)});
    console.log(loadAddon()?.pumpKinds().join() ?? 'none');`;
  return execFileSync(process.execPath, ['--input-type=module', '-e', code], {
    encoding: 'utf8',
  }).trim();
}

test('packed and installed, the command serves, without the addon and with it', async (t) => {
  const prefix = install(t);
  assert.match(output(commandIn(prefix), ['warm', '--help']), /--from <address>/);
  assert.equal(pumpsOf(prefix), 'none');
  await serves(t, commandIn(prefix));

  await t.test('with the addon', { skip: skipWithoutAddon() }, async (nested) => {
    const platform = platformPackages(nested).find((folder) => plantAddon(folder));
    assert.ok(platform !== undefined);
    const options = ['--prefix', prefix, '--no-save', '--offline', '--install-links'];
    npm(['install', ...options, platform], prefix);
    assert.equal(pumpsOf(prefix), theAddon().pumpKinds().join());
    await serves(nested, commandIn(prefix));
  });
});

/** Runs the tool of napi-rs on a copy of package.json, which it changes. */
function napi(folder: string, args: readonly string[]): void {
  const tool = join(ROOT, 'node_modules', '@napi-rs', 'cli', 'dist', 'cli.js');
  const { status, stdout, stderr } = spawnSync(process.execPath, [tool, ...args], {
    cwd: folder,
    env: cleanEnvironment(),
    encoding: 'utf8',
  });
  assert.equal(status, 0, stdout + stderr);
}

/** The folders of the packages that bring the addon to each platform, with no addon in them. */
function platformPackages(t: TestContext): string[] {
  const folder = scratch(t);
  copyFileSync(join(ROOT, 'package.json'), join(folder, 'package.json'));
  napi(folder, ['create-npm-dirs']);
  const parent = join(folder, 'npm');
  return readdirSync(parent).map((name) => join(parent, name));
}

/** Puts the addon that was built here into the package, if it is the one for this platform. */
function plantAddon(folder: string): boolean {
  const { main } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const built = join(ROOT, 'native', main);
  if (!existsSync(built)) return false;
  copyFileSync(built, join(folder, main));
  return true;
}

test('a release asks for packages by the names that the loader looks for', (t) => {
  const folders = platformPackages(t);
  const manifests = folders.map((folder) =>
    JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')),
  );
  for (const { name, main, os, cpu, libc } of manifests) {
    const [, platform, processor, abi] = /^slabcached-(\w+)-(\w+)-(\w+)$/.exec(name) ?? [];
    assert.equal(main, `slabcached.${platform}-${processor}-${abi}.node`);
    assert.deepEqual([os, cpu], [[platform], [processor]]);
    assert.deepEqual(libc, [abi === 'gnu' ? 'glibc' : 'musl']);
  }
  const names = manifests.map(({ name }) => name).sort();
  const targets = ['arm64-gnu', 'arm64-musl', 'x64-gnu', 'x64-musl'];
  assert.deepEqual(
    names,
    targets.map((target) => `slabcached-linux-${target}`),
  );

  for (const [i, { main }] of manifests.entries()) writeFileSync(join(folders[i], main), 'built');
  const root = join(folders[0], '..', '..');
  napi(root, ['pre-publish', '--tag-style', 'npm', '--no-gh-release', '--skip-optional-publish']);
  const released = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const entries = names.map((name) => [name, released.version]);
  assert.deepEqual(released.optionalDependencies, Object.fromEntries(entries));
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
