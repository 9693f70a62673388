// Building the native addon where that cannot be done: one line says why, no file of older sources
// stays behind, and a Rust that rustup installed is found before a distribution's old one.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { basename, delimiter, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { scratch } from '../server/launch.ts';
import { findProgram } from '../support/oracle.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const TOOLS = ['cc', 'dirname', 'find', 'head', 'ld', 'mkdir', 'rm', 'sed', 'sh', 'sort', 'uname'];
const OTHER_SYSTEM = process.platform !== 'linux' && 'the addon is for Linux';
const WANTED = /^rust-version = "(.*)"$/m.exec(
  readFileSync(join(ROOT, 'native', 'Cargo.toml'), 'utf8'),
)?.[1];

/** A checkout with nothing built, and a PATH with no more than what the script needs. */
interface Checkout {
  readonly folder: string;
  readonly addon: string;
  readonly environment: NodeJS.ProcessEnv;
}

function checkout(t: TestContext): Checkout {
  const folder = scratch(t);
  const isSource = (path: string): boolean => !/^target$|\.node$/.test(basename(path));
  cpSync(join(ROOT, 'native'), join(folder, 'native'), { recursive: true, filter: isSource });
  cpSync(join(ROOT, 'package.json'), join(folder, 'package.json'));
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  const bin = join(folder, 'bin');
  mkdirSync(bin);
  for (const tool of TOOLS) {
    const program = findProgram(tool);
    if (program !== undefined) symlinkSync(program, join(bin, tool));
  }
  const file = `slabcached.linux-${process.arch}-gnu.node`;
  const environment = { PATH: bin, HOME: join(folder, 'home') };
  return { folder, addon: join(folder, 'native', file), environment };
}

/** What is no addon, but stands where one was built: long ago, or just now. */
function plantAddon({ addon }: Checkout, isNew: boolean): void {
  writeFileSync(addon, '');
  const seconds = Date.now() / 1000 + (isNew ? 60 : -1e8);
  utimesSync(addon, seconds, seconds);
}

/** A cargo and a rustc that say to be of this version. */
function plantRust(folder: string, version: string): void {
  mkdirSync(folder, { recursive: true });
  for (const name of ['cargo', 'rustc']) {
    const path = join(folder, name);
    writeFileSync(path, `#!/bin/sh\necho "${name} ${version} (0123456789 2020-02-02)"\n`);
    chmodSync(path, 0o755);
  }
}

function sh(
  { folder, environment }: Checkout,
  args: readonly string[],
): Promise<{ status: number; output: string }> {
  return new Promise((resolve) => {
    const options = { cwd: folder, env: environment };
    execFile('/bin/sh', args, options, (error, stdout, stderr) => {
      resolve({ status: error === null ? 0 : Number(error.code), output: stdout + stderr });
    });
  });
}

test('without a Rust', { skip: OTHER_SYSTEM }, async (t) => {
  const place = checkout(t);
  plantAddon(place, false);
  const { status, output } = await sh(place, ['native/build.sh']);
  const reason = `it needs Rust ${WANTED} or newer, and there is none`;
  assert.equal(output, `The native addon is not built: ${reason}.\n`);
  assert.equal(status, 1);
  assert.equal(existsSync(place.addon), false);
});

test('with a Rust that is too old', { skip: OTHER_SYSTEM }, async (t) => {
  const place = checkout(t);
  plantAddon(place, false);
  plantRust(join(place.folder, 'bin'), '1.63.0');
  const { status, output } = await sh(place, ['native/build.sh']);
  const reason = `it needs Rust ${WANTED} or newer, and there is 1.63`;
  assert.equal(output, `The native addon is not built: ${reason}.\n`);
  assert.equal(status, 1);
  assert.equal(existsSync(place.addon), false);
});

test('what is newer than its sources is not built again', { skip: OTHER_SYSTEM }, async (t) => {
  const place = checkout(t);
  plantAddon(place, true);
  assert.deepEqual(await sh(place, ['native/build.sh']), { status: 0, output: '' });
  assert.equal(existsSync(place.addon), true);
});

test('the Rust that is taken', async (t) => {
  const none = 'none';
  for (const [system, home, taken] of [
    ['1.63.0', '1.95.0', '1.95'],
    ['1.95.0', '1.63.0', '1.95'],
    ['1.100.0', none, '1.100'],
    [none, '2.0.1', '2.0'],
    [none, `${WANTED}.0`, WANTED],
    ['1.9.0', '1.63.0', none],
    [none, '1.87.0', none],
  ]) {
    const place = checkout(t);
    if (system !== none) plantRust(join(place.folder, 'bin'), String(system));
    if (home !== none) plantRust(join(place.folder, 'home', '.cargo', 'bin'), String(home));
    const script = '. native/rust.sh; [ -n "$why_not" ] || echo "$found of $(rustc)"';
    const { output } = await sh(place, ['-c', script]);
    const found = /^(\d+\.\d+) of rustc \1\.\d+ /.exec(output)?.[1] ?? none;
    assert.equal(found, taken, `${system} and ${home}: ${output}`);
  }
});

/** Where the cargo of this machine is, if it has one that is new enough. */
async function realRust(place: Checkout): Promise<string | undefined> {
  const environment = { PATH: process.env.PATH, HOME: homedir() };
  const script = '. native/rust.sh; [ -n "$why_not" ] || echo "$PATH"';
  const { output } = await sh({ ...place, environment }, ['-c', script]);
  return output.trim() === '' ? undefined : output.trim();
}

test('where the crates cannot be fetched', { skip: OTHER_SYSTEM }, async (t) => {
  const place = checkout(t);
  const path = await realRust(place);
  if (path === undefined) return t.skip('no Rust on this machine');
  plantAddon(place, false);
  const rustup = process.env.RUSTUP_HOME ?? join(homedir(), '.rustup');
  const environment = {
    ...place.environment,
    PATH: [path, place.environment.PATH].join(delimiter),
    RUSTUP_HOME: rustup,
    CARGO_NET_OFFLINE: 'true',
  };
  const { status, output } = await sh({ ...place, environment }, ['native/build.sh']);
  assert.match(
    output,
    /\nThe native addon is not built: [^\n]+ \(native\/target\/build\.log\)\.\n$/,
  );
  assert.equal(output.split('\n').length, 3);
  assert.equal(status, 1);
  assert.equal(existsSync(place.addon), false);
});
