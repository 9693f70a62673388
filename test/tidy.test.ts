/**
 * Holds the source to its own rules, so that nobody has to: who may synchronise, which layer may
 * use which, how long things may get, and that nothing lies about unused.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const COLUMNS_MAX = 100;
const FUNCTION_LINES_MAX = 70;
const FILE_LINES_MAX = 400;

/** From bottom to top: a layer imports from itself and those before it. */
const LAYERS = ['memory', 'cache', 'protocol', 'net', 'server', 'tools'];

/** Exports of src that nothing there imports, and why they are exported. */
const EXPORTED_FOR: ReadonlyMap<string, string> = new Map([
  ['src/cache/audit.ts#auditCache', 'tests and post-mortems look at the whole memory with it'],
  ['src/cache/maintainer.ts#Maintainer', 'tests run its steps one by one'],
  ['src/memory/atomics.ts#setAtomicsHook', 'tests see, order and abort synchronising accesses'],
  ['src/memory/layout.ts#HEAD_BYTES', 'the map is whole: a test reads every constant of it'],
  ['src/memory/layout.ts#STRIPE_LOCK_I32', 'the map is whole; locks are first in their records'],
  ['src/memory/layout.ts#CLASS_LOCK_I32', 'the map is whole; locks are first in their records'],
  ['src/memory/layout.ts#LISTS_STATS_COUNT', 'the map is whole: a test adds up the record'],
  ['src/memory/lock.ts#checkLockOrder', 'tests switch the check of the lock order on'],
  ['src/memory/lock.ts#locksHeld', 'tests check that every lock was let go'],
  ['src/server/main.ts#main', 'cli.ts loads it when it has seen the version of Node'],
  ['src/server/settings.ts#SETTINGS', 'a test compares the table with the help text'],
  ['src/tools/main.ts#runTool', 'cli.ts loads it when a tool was asked for'],
  ['src/server/worker.ts#serveWorker', 'the pool starts it by name in its threads'],
]);

interface Source {
  /** From the root of the project, with slashes. */
  readonly path: string;
  readonly text: string;
  readonly lines: readonly string[];
}

function sourcesUnder(folder: string, ending = '.ts'): Source[] {
  const entries = readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && entry.name.endsWith(ending))
    .map((entry) => {
      const full = join(entry.parentPath, entry.name);
      const text = readFileSync(full, 'utf8');
      return { path: relative(ROOT, full), text, lines: text.split('\n') };
    });
}

const SRC = sourcesUnder('src');
const BENCH = sourcesUnder('bench');
const TEST = sourcesUnder('test');
const ALL = [...SRC, ...BENCH, ...TEST];
const RUST = ['native/src', 'native/examples'].flatMap((folder) => sourcesUnder(folder, '.rs'));

/** Fails with a list when there are any offenders. */
function expectNone(offenders: readonly string[]): void {
  assert.deepEqual([...offenders], []);
}

/** Every line of the sources that matches, as path:line. */
function matching(sources: readonly Source[], pattern: RegExp): string[] {
  return sources.flatMap(({ path, lines }) =>
    lines.flatMap((line, index) => (pattern.test(line) ? [`${path}:${index + 1}: ${line}`] : [])),
  );
}

test('there is something to look at', () => {
  assert.ok(SRC.length > 40 && BENCH.length > 5 && TEST.length > 40 && RUST.length > 5);
});

test('only the atomics module synchronises', () => {
  const others = SRC.filter(({ path }) => path !== 'src/memory/atomics.ts');
  expectNone(matching(others, /\bAtomics\./).filter((found) => !/: \s*(\/\/|\/?\*)/.test(found)));
});

test('shared memory is not written with set(), which is slow on it', () => {
  const layers = SRC.filter(({ path }) => /^src\/(memory|cache|protocol)\//.test(path));
  expectNone(matching(layers, /\b(u8|i32|f64|bytes|pending|input|storage)\.set\(/));
});

test('every file opens with a comment that says what it is for', () => {
  const offenders = ALL.filter(({ text }) => !/^(#!.*\n)?(\/\*\*|\/\/ \S)/.test(text));
  offenders.push(...RUST.filter(({ text }) => !text.startsWith('//! ')));
  expectNone(offenders.map(({ path }) => path));
});

test('nothing is exported as default, nor passed on from another file', () => {
  expectNone(matching(ALL, /^export (default\b|\*|\{[^}]*\} from|type \{[^}]*\} from)/));
});

test(`lines have at most ${COLUMNS_MAX} columns`, () => {
  expectNone(matching([...ALL, ...RUST], new RegExp(`^.{${COLUMNS_MAX + 1},}$`, 'u')));
});

test(`files have at most ${FILE_LINES_MAX} lines`, () => {
  const offenders = [...ALL, ...RUST].filter(({ lines }) => lines.length - 1 > FILE_LINES_MAX);
  expectNone(offenders.map(({ path, lines }) => `${path}: ${lines.length - 1}`));
});

const OPENS_FUNCTION = /(=> \{|\) \{|\)(: [^=]+) \{|function\*?\b.*\{)$/;
const NO_FUNCTION = /^\s*(\} )?(if|else|for|while|switch|catch|do|with)\b/;
const indentOf = (line: string): number => line.length - line.trimStart().length;

/** The line on which what ends on this one begins: its parameters may fill several. */
function beginning(lines: readonly string[], index: number): number {
  if (!/^\s*\)/.test(lines[index])) return index;
  let start = index - 1;
  while (indentOf(lines[start]) > indentOf(lines[index]) || lines[start] === '') start--;
  return start;
}

/** Functions longer than allowed. Relies on the formatter: what opens and closes is aligned. */
function longFunctions({ path, lines }: Source): string[] {
  return lines.flatMap((line, index) => {
    if (!OPENS_FUNCTION.test(line) || NO_FUNCTION.test(line)) return [];
    const start = beginning(lines, index);
    if (NO_FUNCTION.test(lines[start])) return [];
    const indent = indentOf(line);
    const after = lines.slice(index + 1);
    const length = after.findIndex((next) => next !== '' && indentOf(next) <= indent) + 1;
    const total = index - start + length + 1;
    return total > FUNCTION_LINES_MAX ? [`${path}:${start + 1}: ${total} lines`] : [];
  });
}

test(`functions have at most ${FUNCTION_LINES_MAX} lines`, () => {
  expectNone(ALL.flatMap(longFunctions));
});

test('long functions are found', () => {
  const body = Array.from({ length: FUNCTION_LINES_MAX - 1 }, () => '  a();');
  const plain = ['function f(): void {', ...body, '}'];
  const spread = ['  f(', '    a: number,', '  ): void {', ...body.map((s) => `  ${s}`), '  }'];
  for (const lines of [plain, spread]) {
    assert.equal(longFunctions({ path: 'x', text: '', lines }).length, 1);
  }
  const shorter = [plain[0], ...plain.slice(2)];
  assert.deepEqual(longFunctions({ path: 'x', text: '', lines: shorter }), []);
});

interface Import {
  /** From the root of the project. */
  readonly target: string;
  readonly names: readonly string[];
}

/** The imports of other files of the project; of a whole module, the names that are used of it. */
function importsOf({ path, text }: Source): Import[] {
  const statements = text.matchAll(/^import (?:type )?([^'"]*?) ?(?:from )?'(\.[^']+)';/gms);
  return [...statements].map(([, clause, target]) => ({
    target: join(dirname(path), target),
    names: namesOf(clause, text),
  }));
}

function namesOf(clause: string, text: string): string[] {
  const [, module] = /\* as (\w+)/.exec(clause) ?? [];
  const names =
    module === undefined
      ? clause.matchAll(/(?:type )?(\w+)(?: as \w+)?(?=[,\s}])/g)
      : text.matchAll(new RegExp(`\\b${module}\\.(\\w+)`, 'g'));
  return [...names].map(([, name]) => name);
}

test('a layer imports from itself and from below', () => {
  const offenders = SRC.flatMap((source) => {
    const layer = LAYERS.indexOf(source.path.split('/')[1]);
    if (layer === -1) return [];
    return importsOf(source).flatMap(({ target }) => {
      const [top, folder] = target.split('/');
      const allowed = top === 'src' && LAYERS.indexOf(folder) <= layer && folder !== 'cli.ts';
      return allowed ? [] : [`${source.path} imports ${target}`];
    });
  });
  expectNone(offenders);
});

test('nothing in src needs bench or test, and bench needs no test', () => {
  const from = (sources: readonly Source[], forbidden: RegExp): string[] =>
    sources.flatMap((source) =>
      importsOf(source)
        .filter(({ target }) => forbidden.test(target))
        .map(({ target }) => `${source.path} imports ${target}`),
    );
  expectNone([...from(SRC, /^(bench|test)\//), ...from(BENCH, /^test\//)]);
});

/** What a file exports: values, and types that it does not use itself. */
function exportsOf({ text }: Source): string[] {
  const declared =
    /^export (?:async )?(?:abstract )?(const|let|function\*?|class|interface|type) (\w+)/gm;
  const isType = (kind: string): boolean => kind === 'interface' || kind === 'type';
  const count = (name: string): number => text.match(new RegExp(`\\b${name}\\b`, 'g'))?.length ?? 0;
  return [...text.matchAll(declared)]
    .filter(([, kind, name]) => !isType(kind) || count(name) === 1)
    .map(([, , name]) => name);
}

/** All `file#name` that these sources import. */
function usesOf(sources: readonly Source[]): Set<string> {
  const uses = new Set<string>();
  for (const source of sources) {
    for (const { target, names } of importsOf(source)) {
      for (const name of names) uses.add(`${target}#${name}`);
    }
  }
  return uses;
}

test('what src exports is used by another file of src or bench', () => {
  const used = usesOf([...SRC, ...BENCH]);
  const offenders = SRC.flatMap((source) =>
    exportsOf(source)
      .map((name) => `${source.path}#${name}`)
      .filter((name) => !used.has(name) && !EXPORTED_FOR.has(name)),
  );
  expectNone(offenders);
});

test('what is exported for other reasons exists, and still needs them', () => {
  const used = usesOf([...SRC, ...BENCH]);
  const exported = SRC.flatMap((source) =>
    exportsOf(source).map((name) => `${source.path}#${name}`),
  );
  for (const [name, reason] of EXPORTED_FOR) {
    assert.ok(reason.length > 10, name);
    assert.ok(exported.includes(name), `${name} is not exported`);
    assert.ok(!used.has(name), `${name} is used like any other`);
  }
});

test('no markers of unfinished work are left', () => {
  const marker = new RegExp(`\\b(${['TO', 'FIX', 'X', 'HA'].join('|')})(DO|ME|XX|CK)\\b`);
  expectNone(matching([...ALL, ...RUST], marker));
});

test('no check is silenced, and no test is skipped for good or run alone', () => {
  const silencer = new RegExp(`@ts-(${'ignore|expect-error|nocheck'})|biome-${'ignore'}`);
  expectNone(matching(ALL, silencer));
  expectNone(matching(TEST, new RegExp(`^\\s*(test|describe|it)\\.${'(only|skip|todo)'}\\(`)));
});

test('file names are in kebab-case', () => {
  const kebab = /^[a-z0-9]+(-[a-z0-9]+)*(\.test|\.d)?\.ts$/;
  expectNone(ALL.map(({ path }) => path).filter((path) => !kebab.test(basename(path))));
});

test('no path of one machine is written down', () => {
  const personal = new RegExp(`['"\`\\s(](/(${['home', 'Users', 'work', 'root'].join('|')})/)`);
  expectNone(matching([...ALL, ...RUST], personal));
});
