/**
 * The rules that every file keeps, and that no other tool checks: who may synchronise, who may import
 * whom, how long things are, and that nothing lies around unused.
 */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

const ROOT = join(import.meta.dirname, '..');
const FILE_LINES_MAX = 400;
const FUNCTION_LINES_MAX = 70;
const LINE_COLUMNS_MAX = 100;
const HEAD_LINES_MAX = 30;

/** From the bottom up: a layer imports from itself and from those before it. */
const LAYERS = ['memory', 'cache', 'protocol', 'net', 'server', 'service', 'dashboard'];

interface Source {
  readonly path: string;
  readonly text: string;
  readonly lines: readonly string[];
}

const sources: readonly Source[] = globSync('{src,bench,test}/**/*.ts', { cwd: ROOT })
  .sort()
  .map((path) => {
    const text = readFileSync(join(ROOT, path), 'utf8');
    return { path, text, lines: text.trimEnd().split('\n') };
  });

function inFolder(...folders: string[]): Source[] {
  return sources.filter(({ path }) => folders.some((folder) => path.startsWith(`${folder}/`)));
}

/** Every line of the files that breaks a rule, as path:line. */
function offenders(files: readonly Source[], breaks: (line: string) => boolean): string[] {
  return files.flatMap(({ path, lines }) =>
    lines.flatMap((line, index) => (breaks(line) ? [`${path}:${index + 1}: ${line.trim()}`] : [])),
  );
}

test('there are sources to look at', () => {
  assert.ok(inFolder('src').length > 40);
  assert.ok(inFolder('test').length > 10);
});

test('only memory/atomics.ts uses Atomics; tests may stand outside of it', () => {
  const others = inFolder('src').filter(({ path }) => path !== 'src/memory/atomics.ts');
  assert.deepEqual(
    offenders(others, (line) => /^(?! *(\*|\/\/)).*\bAtomics\.\w/.test(line)),
    [],
  );
});

test('every file opens with a comment', () => {
  const bare = sources.filter(({ lines }) => {
    const first = lines.find((line) => !line.startsWith('#!')) ?? '';
    return !first.startsWith('/**') && !first.startsWith('//');
  });
  assert.deepEqual(
    bare.map(({ path }) => path),
    [],
  );
});

test('the opening comment is short, but for the map of the memory', () => {
  const long = sources.filter(({ path, lines }) => {
    const end = lines[0].startsWith('/**') ? lines.findIndex((line) => line.includes('*/')) : 0;
    return end > HEAD_LINES_MAX && path !== 'src/memory/layout.ts';
  });
  assert.deepEqual(
    long.map(({ path }) => path),
    [],
  );
});

test('nothing is exported as default, and no file only hands on', () => {
  assert.deepEqual(
    offenders(sources, (line) => /^export (default|\*)/.test(line)),
    [],
  );
});

test('lines, functions and files are short', () => {
  assert.deepEqual(
    offenders(sources, (line) => line.length > LINE_COLUMNS_MAX),
    [],
  );
  assert.deepEqual(
    sources.filter(({ lines }) => lines.length > FILE_LINES_MAX).map(({ path }) => path),
    [],
  );
  assert.deepEqual(sources.flatMap(longFunctions), []);
});

/** Functions and methods, from their first line to the brace at the same depth. */
function longFunctions({ path, lines }: Source): string[] {
  const found: string[] = [];
  for (const [index, line] of lines.entries()) {
    const start = /^( {0,4})(?!\s)(?!class\b|export class\b|if\b|for\b|switch\b).*[({]$/.exec(line);
    const opens =
      start !== null &&
      (/\bfunction\b/.test(line) ||
        /=> \{$/.test(line) ||
        /^ {2}(?!(if|for|while|switch|return|const|let)\b)[\w ]+\(.*$/.test(line));
    if (!opens) continue;
    const end = lines.findIndex((other, at) => at > index && other.startsWith(`${start[1]}}`));
    const length = end - index + 1;
    if (length > FUNCTION_LINES_MAX) found.push(`${path}:${index + 1}: ${length} lines`);
  }
  return found;
}

test('the layers that live in shared memory do not copy with TypedArray.prototype.set', () => {
  const layers = inFolder('src/memory', 'src/cache', 'src/protocol');
  // Calls on what is a view of the memory, or taken out of one.
  const copies = (line: string): boolean =>
    /\b(u8|i32|f64|bytes|input|buffer)\.set\(/.test(line) || /subarray\(.*\)\.set\(/.test(line);
  assert.deepEqual(offenders(layers, copies), []);
});

test('a layer imports only from layers below it', () => {
  const wrong: string[] = [];
  for (const { path, text } of inFolder('src')) {
    const layer = LAYERS.indexOf(path.split('/')[1]);
    if (layer === -1) continue;
    for (const [, target] of text.matchAll(/from '\.\.\/(\w+)\//g)) {
      const other = LAYERS.indexOf(target);
      if (other === -1 || other > layer) wrong.push(`${path} imports from ${target}`);
    }
  }
  assert.deepEqual(wrong, []);
});

test('what is exported is used: functions by another file, types and constants by any', () => {
  const unused: string[] = [];
  const declaration = /^export (?:async )?(function|const|class|interface|type) (\w+)/gm;
  for (const { path, text } of inFolder('src')) {
    for (const [, kind, name] of text.matchAll(declaration)) {
      const word = new RegExp(`\\b${name}\\b`, 'g');
      const elsewhere = sources.some((other) => other.path !== path && other.text.match(word));
      const here = (text.match(word)?.length ?? 0) > 1 && kind !== 'function';
      if (!elsewhere && !here) unused.push(`${path}: ${name}`);
    }
  }
  assert.deepEqual(unused, []);
});

test('no file holds a marker of unfinished work, or a switch for the tools around it', () => {
  const marker = new RegExp(
    ['TO', 'FIX', 'HA', 'X'].map((half, n) => half + ['DO', 'ME', 'CK', 'XX'][n]).join('|'),
  );
  const silencer = new RegExp(`@ts-${'(ignore|expect-error|nocheck)'}|biome-${'ignore'}`);
  const left = offenders(sources, (line) => marker.test(line) || silencer.test(line));
  assert.deepEqual(
    left.filter((line) => !line.startsWith('test/tidy.test.ts')),
    [],
  );
});

test('no test is skipped for good or run alone', () => {
  const switched = (line: string): boolean => /\b(test|describe|it)\.(only|skip|todo)\(/.test(line);
  assert.deepEqual(
    offenders(inFolder('test'), switched).filter((line) => !line.startsWith('test/tidy')),
    [],
  );
});
