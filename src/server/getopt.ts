/**
 * Splits a command line as GNU getopt_long does, which is how memcached reads its own: `-vv`,
 * `-dv`, `-p11211`, `-p 11211`, `-p -1`, `--port=1`, `--port 1`, unique abbreviations of long
 * options, `--`. node:util's parseArgs and the packages we looked at refuse `-p -1` or do not know
 * abbreviations.
 */
import { SettingsError } from './errors.ts';

/** What getopt needs to know of a flag. */
export interface FlagShape {
  /** One letter, without the dash. */
  readonly short?: string;
  /** Without the dashes. */
  readonly long?: string;
  readonly takesValue: boolean;
}

/** One flag as given, in the order of the command line. `given` is how the operator wrote it. */
export interface GivenFlag<Shape extends FlagShape> {
  readonly flag: Shape;
  readonly given: string;
  readonly value: string;
}

/** Throws SettingsError for an unknown flag, a missing or superfluous value, or an operand. */
export function getopt<Shape extends FlagShape>(
  args: readonly string[],
  flags: readonly Shape[],
): GivenFlag<Shape>[] {
  const found: GivenFlag<Shape>[] = [];
  const rest = [...args];
  for (let arg = rest.shift(); arg !== undefined; arg = rest.shift()) {
    if (arg === '--') {
      if (rest.length > 0) throw new SettingsError(`unexpected argument '${rest[0]}'`);
    } else if (arg.startsWith('--')) {
      found.push(longFlag(arg, rest, flags));
    } else if (arg.startsWith('-') && arg.length > 1) {
      shortFlags(arg, rest, flags, found);
    } else {
      throw new SettingsError(`unexpected argument '${arg}'`);
    }
  }
  return found;
}

function longFlag<Shape extends FlagShape>(
  arg: string,
  rest: string[],
  flags: readonly Shape[],
): GivenFlag<Shape> {
  const equals = arg.indexOf('=');
  const name = arg.slice(2, equals === -1 ? undefined : equals);
  const flag = byLongName(name, flags);
  const given = `--${flag.long}`;
  if (equals !== -1) {
    if (!flag.takesValue) throw new SettingsError(`${given} takes no value`);
    return { flag, given, value: arg.slice(equals + 1) };
  }
  return { flag, given, value: flag.takesValue ? takeValue(given, rest) : '' };
}

function byLongName<Shape extends FlagShape>(name: string, flags: readonly Shape[]): Shape {
  const exact = flags.find((flag) => flag.long === name);
  if (exact !== undefined) return exact;
  const matching = flags.filter((flag) => flag.long?.startsWith(name));
  if (matching.length === 1) return matching[0];
  if (matching.length === 0) throw new SettingsError(`unknown flag '--${name}'`);
  const names = matching.map((flag) => `--${flag.long}`).join(', ');
  throw new SettingsError(`'--${name}' is ambiguous: it could be ${names}`);
}

/** A cluster such as `-dv` or `-vp11211`: the first flag with a value takes what is left of it. */
function shortFlags<Shape extends FlagShape>(
  arg: string,
  rest: string[],
  flags: readonly Shape[],
  found: GivenFlag<Shape>[],
): void {
  for (let at = 1; at < arg.length; at++) {
    const given = `-${arg[at]}`;
    const flag = flags.find((candidate) => candidate.short === arg[at]);
    if (flag === undefined) throw new SettingsError(`unknown flag '${given}'`);
    if (!flag.takesValue) {
      found.push({ flag, given, value: '' });
      continue;
    }
    const attached = arg.slice(at + 1);
    found.push({ flag, given, value: attached === '' ? takeValue(given, rest) : attached });
    return;
  }
}

function takeValue(given: string, rest: string[]): string {
  const value = rest.shift();
  if (value === undefined) throw new SettingsError(`${given} needs a value`);
  return value;
}

/** One entry of `-o`; value is undefined when there is no `=`. */
export interface Suboption {
  readonly name: string;
  readonly value: string | undefined;
}

/** Splits the argument of `-o` as getsubopt does: `a,b=c`. Empty entries are skipped. */
export function suboptions(argument: string): Suboption[] {
  const found: Suboption[] = [];
  for (const entry of argument.split(',')) {
    if (entry === '') continue;
    const equals = entry.indexOf('=');
    found.push(
      equals === -1
        ? { name: entry, value: undefined }
        : { name: entry.slice(0, equals), value: entry.slice(equals + 1) },
    );
  }
  return found;
}
