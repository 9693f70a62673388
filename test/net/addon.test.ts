// Finding the native addon: a file that is damaged or not ours is passed by in silence, in the main
// thread and in workers, and the one that was built here has to load.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { type Addon, loadAddon } from '../../src/net/addon.ts';
import { scratch } from '../server/launch.ts';
import { skipWithoutAddon, theAddon } from '../support/addon.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const FILES = ['gnu', 'musl'].map((libc) => `slabcached.linux-${process.arch}-${libc}.node`);
const skip = skipWithoutAddon();

/** Machine numbers of ELF headers: SPARC version 9 is none that Node runs on. */
const SPARC_V9 = 43;
const MACHINE_AT = 18;

/** Puts this content where the addon of a package is looked for first. */
function plant(folder: string, content: Uint8Array): void {
  mkdirSync(join(folder, 'native'), { recursive: true });
  for (const file of FILES) writeFileSync(join(folder, 'native', file), content);
}

/** Some addon that is not ours, which a dependency brings along. */
function foreignAddon(): string | undefined {
  const parent = join(ROOT, 'node_modules', '@napi-rs');
  const files = readdirSync(parent, { recursive: true, encoding: 'utf8' });
  return files.map((file) => join(parent, file)).find((file) => /nice\.linux.*\.node$/.test(file));
}

/** The file that was built here. */
function builtFile(): string {
  const names = readdirSync(join(ROOT, 'native')).filter((name) => FILES.includes(name));
  return join(ROOT, 'native', names[0]);
}

test('a package without an addon has none', (t) => {
  assert.equal(loadAddon(scratch(t)), undefined);
});

test('what is no library is passed by', (t) => {
  const folder = scratch(t);
  for (const content of [
    '',
    'no library',
    '\x7fELF',
    'module.exports = { REVISION: 1 };'.repeat(9),
  ]) {
    plant(folder, Buffer.from(content, 'latin1'));
    assert.equal(loadAddon(folder), undefined, content);
  }
});

test('the addon of something else is passed by', {
  skip: foreignAddon() === undefined && 'no dependency brings one for this machine',
}, (t) => {
  const folder = scratch(t);
  plant(folder, readFileSync(foreignAddon() ?? ''));
  assert.equal(loadAddon(folder), undefined);
});

test('a library that was cut off anywhere is passed by', {
  skip: foreignAddon() === undefined && 'no dependency brings one for this machine',
}, (t) => {
  const folder = scratch(t);
  const whole = readFileSync(foreignAddon() ?? '');
  for (const part of [0.001, 0.01, 0.1, 0.3, 0.5, 0.9]) {
    plant(folder, whole.subarray(0, Math.floor(whole.length * part)));
    assert.equal(loadAddon(folder), undefined, String(part));
  }
});

test('the addon for another processor is passed by', { skip }, (t) => {
  const folder = scratch(t);
  const content = readFileSync(builtFile());
  content.writeUInt16LE(SPARC_V9, MACHINE_AT);
  plant(folder, content);
  assert.equal(loadAddon(folder), undefined);
});

/** The loader as another package would have it, of this or another revision. */
async function loadFrom(folder: string, source: string): Promise<Addon | undefined> {
  const copy = join(folder, 'src', 'net', 'addon.ts');
  mkdirSync(dirname(copy), { recursive: true });
  writeFileSync(copy, source);
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  const other = await import(pathToFileURL(copy).href);
  return other.loadAddon();
}

test('an addon of another revision is passed by', { skip }, async (t) => {
  const source = readFileSync(join(ROOT, 'src', 'net', 'addon.ts'), 'utf8');
  const newer = source.replace(/^(const REVISION) = \d+;$/m, '$1 = 999999;');
  assert.notEqual(newer, source);
  for (const [text, found] of [
    [source, true],
    [newer, false],
  ] as const) {
    const folder = scratch(t);
    plant(folder, readFileSync(builtFile()));
    assert.equal((await loadFrom(folder, text)) !== undefined, found);
  }
});

test('a broken file does not hide the package that npm installed', { skip }, (t) => {
  const folder = scratch(t);
  plant(folder, Buffer.from('broken'));
  const file = builtFile();
  const name = /(linux-.*)\.node$/.exec(file)?.[1];
  const installed = join(folder, 'node_modules', `slabcached-${name}`, `slabcached.${name}.node`);
  mkdirSync(dirname(installed), { recursive: true });
  copyFileSync(file, installed);
  assert.notEqual(loadAddon(folder), undefined);
  rmSync(dirname(installed), { recursive: true });
  assert.equal(loadAddon(folder), undefined);
});

test('worker threads load it too, one after the other', { skip }, async () => {
  const { REVISION } = theAddon();
  const url = JSON.stringify(new URL('../../src/net/addon.ts', import.meta.url).href);
  const code = `import(${url}).then(({ loadAddon }) => {
    require('node:worker_threads').parentPort.postMessage(loadAddon()?.REVISION);
  });`;
  for (let i = 0; i < 3; i++) {
    const worker = new Worker(code, { eval: true });
    const [answer] = await once(worker, 'message');
    assert.equal(answer, REVISION);
    await worker.terminate();
  }
});

const DECLARATIONS = join(ROOT, 'native', 'target', 'addon.d.ts');

test('the addon exports what the interface says', {
  skip: skip || (!existsSync(DECLARATIONS) && 'the addon was not built here'),
}, (t) => {
  const folder = scratch(t);
  const source = `import type { Addon } from ${JSON.stringify(join(ROOT, 'src/net/addon.ts'))};
    import type * as built from ${JSON.stringify(DECLARATIONS)};
    export const as = (addon: typeof built): Addon => addon;`;
  writeFileSync(join(folder, 'types.ts'), source);
  const configuration = {
    extends: join(ROOT, 'tsconfig.json'),
    compilerOptions: {
      typeRoots: [join(ROOT, 'node_modules', '@types')],
      rewriteRelativeImportExtensions: false,
      allowImportingTsExtensions: true,
    },
    include: ['types.ts'],
  };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(configuration));
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  const tsc = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
  const { status, stdout } = spawnSync(process.execPath, [tsc, '-p', folder], { encoding: 'utf8' });
  assert.equal(status, 0, stdout);
});
