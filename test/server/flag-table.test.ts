/**
 * docs/flags.md has every flag and option: those of our own settings table, and those that the real
 * memcached prints; and what it says of each is so.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { Setting } from '../../src/server/setting.ts';
import { readSettings, SETTINGS } from '../../src/server/settings.ts';
import { findMemcached, skipWithoutMemcached } from '../support/oracle.ts';

const STATES = ['same', 'differs', 'warns', 'refused', 'ours'];

interface Row {
  /** A flag's letter, or the name of an option. */
  readonly name: string;
  readonly long: string | undefined;
  readonly state: string;
  readonly here: string;
}

/** The rows of both tables of the page. */
function rows(): Row[] {
  const page = readFileSync(new URL('../../docs/flags.md', import.meta.url), 'utf8');
  const lines = page.split('\n').filter((line) => line.startsWith('| `'));
  return lines.map((line) => {
    const [names, state, here] = line
      .slice(1, -1)
      .split('|')
      .map((cell) => cell.trim());
    const [, name] = /^`-?(\w+)`/.exec(names) ?? [];
    const [, long] = /`--([\w-]+)/.exec(names) ?? [];
    return { name, long, state, here };
  });
}

const ROWS = rows();
const find = (name: string): Row | undefined => ROWS.find((row) => row.name === name);
const nameOf = ({ short, extended }: Setting): string | undefined => short ?? extended;
const served = new Set(['o', ...SETTINGS.flatMap((row) => nameOf(row) ?? [])]);

test('every row has a state, a name of its own, and reasons where they are due', () => {
  assert.ok(ROWS.length > 100, String(ROWS.length));
  for (const { name, state, here } of ROWS) {
    assert.ok(STATES.includes(state), `${name}: '${state}'`);
    if (!['same', 'not served yet'].includes(state)) {
      assert.ok(here.length > 10, `${name}: why does it differ?`);
    }
  }
  assert.equal(new Set(ROWS.map(({ name }) => name)).size, ROWS.length);
});

test('what the server takes is on the page, and not as something to come', () => {
  for (const setting of SETTINGS) {
    const name = nameOf(setting);
    if (name === undefined) continue;
    const row = find(name);
    assert.ok(row !== undefined, `docs/flags.md has no row for ${name}`);
    assert.notEqual(row.state, 'not served yet', `${name} is served: say how in docs/flags.md`);
    assert.equal(row.long, setting.long, `the long name of ${name}`);
  }
});

test('what the page says is served is', () => {
  for (const { name, state } of ROWS) {
    if (state === 'not served yet') assert.ok(!served.has(name), name);
    else if (state !== 'refused') assert.ok(served.has(name), `${name} is not in the table`);
  }
});

test('what warns at the start is not passed off as the same, and the other way round', () => {
  for (const setting of SETTINGS) {
    const name = nameOf(setting);
    if (name === undefined) continue;
    const state = find(name)?.state ?? '';
    const { warning, warningWithoutAddon } = setting;
    const warns =
      warning !== undefined ||
      warningWithoutAddon !== undefined ||
      /\bwarns\b/.test(setting.help?.join(' ') ?? '');
    if (warns) assert.ok(['warns', 'differs'].includes(state), `${name} warns: '${state}'`);
    else assert.notEqual(state, 'warns', `${name} says nothing at the start`);
  }
});

test('what the page says is refused is, by name', () => {
  for (const { name, state } of ROWS) {
    if (state !== 'refused') continue;
    const args = name.length === 1 ? [`-${name}`, '1'] : ['-o', `${name}=1`];
    assert.throws(
      () => readSettings(args),
      (error: Error) => error.name === 'SettingsError' && error.message.includes(name),
      name,
    );
  }
});

test('what memcached prints is on the page', { skip: skipWithoutMemcached() }, () => {
  const { stdout } = spawnSync(findMemcached() ?? '', ['-h'], { encoding: 'utf8' });
  const flags = [...stdout.matchAll(/^-(\w)[, ]/gm)].map(([, name]) => name);
  const options = [...stdout.matchAll(/^ {3}- (\w+):/gm)].map(([, name]) => name);
  assert.ok(flags.length > 30 && options.length > 40, stdout);
  for (const name of [...flags, ...options]) {
    assert.ok(find(name) !== undefined, `docs/flags.md has no row for ${name}`);
  }
  for (const [, name, long] of stdout.matchAll(/^-(\w),? +--([\w-]+)/gm)) {
    const known = long.replaceAll('_', '-');
    assert.equal(find(name)?.long, known, `the long name of ${name}`);
  }
});
