// Compares what `stats` and its subcommands answer: the same keys in the same order, and equal
// values except where the table of differences gives a reason.

import * as table from './differences.ts';
import {
  type KeyDifference,
  STAT_KEY_DIFFERENCES,
  type StatRule,
  statRule,
} from './differences.ts';

export type Stat = readonly [key: string, value: string];

/** STAT lines of a reply; throws when the reply is anything else up to END. */
export function parseStats(reply: string): Stat[] {
  const lines = reply.split('\r\n');
  if (lines.pop() !== '' || lines.pop() !== 'END') throw new Error(`no END: ${reply.slice(-80)}`);
  return lines.map((line): Stat => {
    const parts = /^STAT (\S+) (.*)$/s.exec(line);
    if (parts === null) throw new Error(`not a STAT line: ${JSON.stringify(line)}`);
    return [parts[1] ?? '', parts[2] ?? ''];
  });
}

function without(stats: readonly Stat[], subcommand: string, side: KeyDifference['only']): Stat[] {
  const only = STAT_KEY_DIFFERENCES.filter(
    (difference) => difference.subcommand === subcommand && difference.only === side,
  );
  return stats.filter(([key]) => !only.some((difference) => difference.key.test(key)));
}

/** Compares `stats` or `stats settings`; returns the first difference. */
export function compareStats(
  subcommand: '' | 'settings',
  ours: readonly Stat[],
  theirs: readonly Stat[],
): string | undefined {
  const mine = without(ours, subcommand, 'ours');
  const other = without(theirs, subcommand, 'theirs');
  const keys = compareKeys(
    mine.map(([key]) => key),
    other.map(([key]) => key),
  );
  if (keys !== undefined) return `stats ${subcommand}: ${keys}`;
  const rules = subcommand === 'settings' ? table.SETTINGS_STATS : table.GENERAL_STATS;
  const problems = mine.flatMap(([key, value], at) => {
    const problem = compareValue(statRule(rules, key), value, other[at]?.[1] ?? '');
    return problem === undefined ? [] : [`${key}: ${problem}`];
  });
  return problems.length === 0 ? undefined : `stats ${subcommand}: ${problems.join('; ')}`;
}

function compareKeys(ours: readonly string[], theirs: readonly string[]): string | undefined {
  const missing = theirs.filter((key) => !ours.includes(key));
  const extra = ours.filter((key) => !theirs.includes(key));
  if (missing.length > 0 || extra.length > 0) {
    return `keys missing in ours: [${missing.join(' ')}], only in ours: [${extra.join(' ')}]`;
  }
  const at = ours.findIndex((key, index) => key !== theirs[index]);
  return at < 0 ? undefined : `order: ours has ${ours[at]} where theirs has ${theirs[at]}`;
}

function compareValue(rule: StatRule | undefined, ours: string, theirs: string) {
  const shown = `ours ${ours}, theirs ${theirs}`;
  if (rule === undefined) return ours === theirs ? undefined : shown;
  if (rule.compare === 'free') return undefined;
  if (isNumber(ours) !== isNumber(theirs)) return `not of one kind: ${shown}`;
  if (rule.compare === 'kind') return undefined;
  const slack = rule.slack ?? 0;
  const near = Math.abs(Number(ours) - Number(theirs)) <= slack;
  return near ? undefined : `more than ${slack} apart: ${shown}`;
}

function isNumber(text: string): boolean {
  return /^-?\d+(\.\d+)?$/.test(text);
}

interface Classes {
  /** Field names in order, per class (or `` for fields of no class), as one text each. */
  readonly shapes: Set<string>;
  readonly sums: Map<string, number>;
  /** chunk_size and chunks_per_page by class id. */
  readonly geometry: Map<string, string>;
}

function gather(stats: readonly Stat[]): Classes {
  const fields = new Map<string, string[]>();
  const sums = new Map<string, number>();
  const geometry = new Map<string, string>();
  for (const [key, value] of stats) {
    const parts = /^(?:items:)?(\d+):(\w+)$/.exec(key);
    const [id, field] = parts === null ? ['', key] : [parts[1] ?? '', parts[2] ?? ''];
    fields.set(id, [...(fields.get(id) ?? []), field]);
    sums.set(field, (sums.get(field) ?? 0) + Number(value));
    if (field === 'chunk_size' || field === 'chunks_per_page') geometry.set(key, value);
  }
  return { shapes: new Set([...fields.values()].map((names) => names.join(' '))), sums, geometry };
}

/** Compares `stats items` or `stats slabs`, where class ids follow from each server's layout. */
export function compareClasses(
  name: string,
  ours: readonly Stat[],
  theirs: readonly Stat[],
): string | undefined {
  if (ours.length === 0 && theirs.length === 0) return undefined;
  const mine = gather(without(ours, name, 'ours'));
  const other = gather(without(theirs, name, 'theirs'));
  for (const shape of mine.shapes) {
    if (!other.shapes.has(shape) && other.shapes.size > 0) {
      return `stats ${name}: fields [${shape}] instead of [${[...other.shapes].join('] or [')}]`;
    }
  }
  for (const [key, value] of mine.geometry) {
    const their = other.geometry.get(key);
    if (their !== undefined && their !== value) return `stats ${name}: ${key} ${value}, ${their}`;
  }
  for (const [field, sum] of mine.sums) {
    const rule = statRule(table.CLASS_FIELDS, field);
    const problem = compareValue(rule, String(sum), String(other.sums.get(field) ?? 0));
    if (problem !== undefined) return `stats ${name}: ${field} over all classes: ${problem}`;
  }
  return undefined;
}

/** Compares `stats conns`: the fields of a client connection and the texts that are not ports. */
export function compareConns(ours: readonly Stat[], theirs: readonly Stat[]): string | undefined {
  const shape = (stats: readonly Stat[]) => {
    const rows = stats.map(([key, value]) => {
      const field = key.replace(/^\d+:/, '');
      const text = value.replace(/:\d+$/, ':PORT').replace(/^\d+$/, 'SECONDS');
      return field === 'state' ? `${field} ${connState(text)}` : `${field} ${text}`;
    });
    return [...new Set(rows)].sort().join('; ');
  };
  const [mine, other] = [shape(ours), shape(theirs)];
  return mine === other ? undefined : `stats conns:\n  ours   ${mine}\n  theirs ${other}`;
}

/** A connection that is served while others wait is seen in one of these states by chance. */
function connState(text: string): string {
  return /^conn_(read|waiting|parse_cmd|new_cmd|mwrite|closing)$/.test(text) ? 'conn_(busy)' : text;
}

/** Lines as a sorted set, for dumps whose order carries no meaning. */
export function compareLineSets(name: string, ours: string, theirs: string): string | undefined {
  const sorted = (text: string) => text.split('\r\n').sort().join('\n');
  if (sorted(ours) === sorted(theirs)) return undefined;
  const [left, right] = [JSON.stringify(ours), JSON.stringify(theirs)];
  return `${name}, as sets of lines:\n  ours   ${left}\n  theirs ${right}`;
}
