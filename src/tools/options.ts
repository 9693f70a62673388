/**
 * The command lines of the tools. Anything wrong is one sentence that names the option.
 */
import { type ParseArgsOptionsConfig, parseArgs } from 'node:util';
import { type Address, parseAddress } from './address.ts';
import { ToolError } from './tool-error.ts';

export type Tool = 'dump' | 'load' | 'warm';

/** Bounds that a serving cache does not feel; 0 lifts them. */
const RATE_DEFAULT = 20_000;
const RATE_BYTES_DEFAULT = '50m';

/** What a tool was asked to do. Options that it does not have are undefined, false or 0. */
export interface ToolOptions {
  readonly help: boolean;
  readonly from: Address | undefined;
  readonly to: Address | undefined;
  /** Undefined is stdin or stdout. */
  readonly file: string | undefined;
  readonly resume: boolean;
  readonly overwrite: boolean;
  readonly itemsPerSecond: number;
  readonly bytesPerSecond: number;
}

const SHARED: ParseArgsOptionsConfig = {
  help: { type: 'boolean', short: 'h' },
  rate: { type: 'string' },
  'rate-bytes': { type: 'string' },
};
const FROM: ParseArgsOptionsConfig = { from: { type: 'string' } };
const TO: ParseArgsOptionsConfig = { to: { type: 'string' }, overwrite: { type: 'boolean' } };

const OPTIONS: Readonly<Record<Tool, ParseArgsOptionsConfig>> = {
  dump: { ...SHARED, ...FROM, out: { type: 'string' }, resume: { type: 'boolean' } },
  load: { ...SHARED, ...TO, in: { type: 'string' } },
  warm: { ...SHARED, ...FROM, ...TO },
};

const ABOUT: Readonly<Record<Tool, string>> = {
  dump: 'writes all items of a running cache to a file',
  load: 'stores the items of such a file into a running cache',
  warm: 'copies all items of a running cache to another one',
};

const HELP: readonly (readonly [option: string, text: string])[] = [
  ['--from <address>', 'the cache to read: memcached 1.4.31 or later, or slabcached'],
  ['--to <address>', 'the cache to store to'],
  ['--out <file>', 'file to write; it must not exist (default: stdout)'],
  ['--in <file>', 'file to read (default: stdin)'],
  ['--resume', 'go on with a dump that was interrupted'],
  ['--overwrite', 'replace items that the cache has already (default: they stay)'],
  ['--rate <items>', `items per second at most, 0 for no bound (default: ${RATE_DEFAULT})`],
  ['--rate-bytes <size>', `bytes per second at most (default: ${RATE_BYTES_DEFAULT})`],
  ['-h, --help', 'print this help and exit'],
];

/** What `slabcached <tool> --help` prints. */
export function toolHelp(tool: Tool): string {
  const rows = HELP.filter(([option]) => {
    const [, name] = /--([\w-]+)/.exec(option) ?? [];
    return name !== undefined && name in OPTIONS[tool];
  });
  const lines = rows.map(([option, text]) => `  ${option.padEnd(22)}${text}`);
  const addresses =
    'An address is [tls://][user[:password]@]host[:port] or the path of a unix socket.\n' +
    'A password can be given in SLABCACHED_FROM_PASSWORD or SLABCACHED_TO_PASSWORD instead.\n';
  return `slabcached ${tool} ${ABOUT[tool]}.\n\n${lines.join('\n')}\n\n${addresses}`;
}

/** Reads the arguments after the name of the tool. Throws ToolError. */
export function readToolOptions(tool: Tool, args: readonly string[]): ToolOptions {
  const values = parse(tool, args);
  const help = values.help === true;
  const text = (name: string): string | undefined => {
    const value = values[name];
    if (value === '') throw new ToolError(`--${name} needs a value that is not empty`);
    return typeof value === 'string' ? value : undefined;
  };
  const address = (name: string, variable: string): Address | undefined => {
    const value = text(name);
    if (value !== undefined) return parseAddress(`--${name}`, value, variable);
    if (help || !(name in OPTIONS[tool])) return undefined;
    throw new ToolError(`--${name} is missing: which cache? (slabcached ${tool} --help)`);
  };
  return {
    help,
    from: address('from', 'SLABCACHED_FROM_PASSWORD'),
    to: address('to', 'SLABCACHED_TO_PASSWORD'),
    file: text('out') ?? text('in'),
    resume: values.resume === true,
    overwrite: values.overwrite === true,
    itemsPerSecond: size('--rate', text('rate') ?? String(RATE_DEFAULT), ''),
    bytesPerSecond: size('--rate-bytes', text('rate-bytes') ?? RATE_BYTES_DEFAULT, 'kmg'),
  };
}

function parse(tool: Tool, args: readonly string[]): Readonly<Record<string, unknown>> {
  try {
    return parseArgs({ args: [...args], options: OPTIONS[tool] }).values;
  } catch (error) {
    // Node's first sentence names the option; the others advise programmers.
    const [sentence] = (error as Error).message.split(/[.\n] ?/);
    throw new ToolError(`${sentence[0].toLowerCase()}${sentence.slice(1)}`);
  }
}

/** A whole number, with one of the suffixes allowed. */
function size(given: string, text: string, suffixes: string): number {
  const match = /^(\d{1,12})([a-z]?)$/i.exec(text);
  const suffix = match?.[2].toLowerCase() ?? '';
  if (match === null || !suffixes.includes(suffix)) {
    const form = suffixes === '' ? 'a whole number' : 'a size such as 500k or 50m';
    throw new ToolError(`${given} must be ${form}, not '${text}'`);
  }
  const power = suffix === '' ? 0 : suffixes.indexOf(suffix) + 1;
  return Number(match[1]) * 1024 ** power;
}
