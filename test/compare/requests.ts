// One request of the text protocol as plain data, how it becomes bytes for either server, and the
// generators of well-formed requests. Malformed ones are in malformed.ts.
import fc from 'fast-check';
import { abbreviate } from '../support/replies.ts';
import { adminLine } from './admin-requests.ts';
import * as material from './material.ts';

/** Which cas id a request names: the newest one seen for the key, an older one, or none of them. */
export type CasChoice = 'last' | 'older' | 'unknown' | 'zero';

export interface Request {
  /** The command line without its end; `<cas>` stands for a cas id that differs per server. */
  readonly line: string;
  readonly end: '\r\n' | '\n';
  /** The data block's bytes with whatever ends them; undefined for commands without one. */
  readonly data?: { readonly value: material.Value; readonly end: string };
  readonly cas?: { readonly key: string; readonly choice: CasChoice };
  /** The keys that the request names, for evicting runs. */
  readonly keys: readonly string[];
}

export const CAS_PLACE = '<cas>';
const UNKNOWN_CAS = '987654321098765';

/** Gives the id by which one server knows a value. */
export type CasLookup = (key: string, choice: 'last' | 'older') => string | undefined;

/** The bytes of the request for one server. */
export function render(request: Request, lookup: CasLookup): Buffer {
  let line = request.line;
  if (request.cas !== undefined) {
    const { key, choice } = request.cas;
    const known = choice === 'last' || choice === 'older' ? lookup(key, choice) : undefined;
    line = line.replace(CAS_PLACE, known ?? (choice === 'zero' ? '0' : UNKNOWN_CAS));
  }
  const data =
    request.data === undefined ? '' : material.valueText(request.data.value) + request.data.end;
  return Buffer.from(line + request.end + data, 'latin1');
}

export function describeRequest(request: Request): string {
  const cas = request.cas === undefined ? '' : ` [cas ${request.cas.choice}]`;
  const line = JSON.stringify(abbreviate(request.line, 160) + request.end);
  if (request.data === undefined) return line + cas;
  const { value, end } = request.data;
  const data =
    'literal' in value ? JSON.stringify(value.literal + end) : `${JSON.stringify(value.fill)}×`;
  const size = 'literal' in value ? '' : `${value.size} + ${JSON.stringify(end)}`;
  return `${line}${cas} + ${data}${size}`;
}

/** True for a line of the meta protocol. */
export function isMeta(line: string): boolean {
  return /^m[gsdaen]$/.test(lineTokens(line)[0] ?? '');
}

const STORAGE = new Set(['set', 'add', 'replace', 'append', 'prepend', 'cas']);
const LARGEST_LENGTH = 2 ** 31 - 1 - 2;

/** The words of a line as the server sees them: cut at spaces, up to the first NUL. */
export function lineTokens(line: string): string[] {
  return (line.split('\0', 1)[0] ?? '').split(' ').filter((token) => token !== '');
}

/** A token as the server reads a signed number: 64 bits, cut to 32; undefined when it refuses. */
export function signedToken(token: string | undefined): number | undefined {
  const digits = /^[\t\n\v\f\r]*([+-]?\d+)(?:[\t\n\v\f\r]|$)/.exec(token ?? '');
  return digits === null ? undefined : Number(BigInt.asIntN(32, BigInt(digits[1] ?? '0')));
}

/**
 * How many data bytes (with CRLF) a line makes the server wait for, when it is taken as a storage
 * command at all: the length is read as 64 bits and cut to 32.
 */
export function declaredBytes(line: string): number {
  const tokens = lineTokens(line);
  const meta = tokens[0] === 'ms';
  if (!meta && (!STORAGE.has(tokens[0] ?? '') || tokens.length < 5 || tokens.length > 7)) return 0;
  const length = signedToken(tokens[meta ? 2 : 4]);
  return length === undefined || length < 0 || length > LARGEST_LENGTH ? 0 : length + 2;
}

/** True for an HTTP request line, at which memcached hangs up. */
export function isHttp(line: string): boolean {
  return line.includes('HTTP/');
}

/** True for lines at which a server hangs up, unless they are swallowed as data. */
export function mayHangUp(line: string): boolean {
  return isHttp(line) || lineTokens(line)[0] === 'quit';
}

const LARGEST_COUNT = 2n ** 62n;

/**
 * True for incr and decr by so much that the result may look negative (AVOIDED in differences.ts).
 */
export function countsHigh(line: string): boolean {
  const [command, , delta = ''] = lineTokens(line);
  if (command === 'ma') {
    return [...line.matchAll(/ [DJ][^ ]*?(\d+)/g)].some(([, n]) => BigInt(n ?? 0) >= LARGEST_COUNT);
  }
  if (command !== 'incr' && command !== 'decr') return false;
  return BigInt(/\d+/.exec(delta)?.[0] ?? '0') >= LARGEST_COUNT;
}

/** True for a storage line whose length memcached 1.6.18 cuts to 32 bits (REPLY_DIFFERENCES). */
export function hasCutLength(line: string): boolean {
  const tokens = lineTokens(line);
  const digits = /\d+/.exec(tokens[tokens[0] === 'ms' ? 2 : 4] ?? '')?.[0] ?? '0';
  return declaredBytes(line) > 0 && BigInt(digits) > LARGEST_LENGTH;
}

/** The first second from which a positive relative exptime is far enough away to be compared. */
const FAR_SECONDS = 100;

/** True for a flag of a meta command with so few seconds that they may pass. */
function endsSoon(flag: string): boolean {
  const seconds = /^[TNR]/.test(flag) ? (signedToken(flag.slice(1)) ?? 0) : 0;
  return seconds > 0 && seconds < FAR_SECONDS;
}

/**
 * True when the outcome of the line depends on when it is carried out: something expires soon, a
 * flush is delayed, or general statistics are asked for.
 */
export function dependsOnTime(line: string): boolean {
  const tokens = lineTokens(line);
  const command = tokens[0] ?? '';
  if (command === 'stats') return tokens.length === 1;
  if (/^m[gsdae]$/.test(command)) return tokens.slice(2).some(endsSoon);
  if (command === 'flush_all') return (signedToken(tokens[1]) ?? 0) > 0;
  const at = STORAGE.has(command) ? 3 : command === 'touch' ? 2 : 1;
  if (at === 1 && command !== 'gat' && command !== 'gats') return false;
  const exptime = signedToken(tokens[at]) ?? 0;
  return exptime > 0 && exptime < FAR_SECONDS;
}

/** How many bytes the server may still want after all bytes of the request were sent. */
export function deficit(request: Request): number {
  const sent =
    request.data === undefined
      ? 0
      : material.valueSize(request.data.value) + request.data.end.length;
  return Math.max(0, declaredBytes(request.line) - sent);
}

const plain = (line: string, keys: readonly string[] = []): Request => ({
  line,
  end: '\r\n',
  keys,
});

const noreply = (): fc.Arbitrary<string> =>
  fc.oneof(
    { weight: 7, arbitrary: fc.constant('') },
    { weight: 1, arbitrary: fc.constant(' noreply') },
  );

const STORE_COMMANDS = ['set', 'set', 'set', 'add', 'replace', 'append', 'prepend', 'cas'];

/** Storage commands whose data block is exactly as long as the line says. */
export const store = (limits: material.SizeLimits | undefined): fc.Arbitrary<Request> =>
  fc
    .tuple(
      fc.constantFrom(...STORE_COMMANDS),
      material.key(),
      material.flags(),
      material.exptime(),
      noreply(),
      fc.constantFrom<CasChoice>('last', 'last', 'older', 'unknown', 'zero'),
    )
    .chain(([command, key, flags, exptime, quiet, choice]) =>
      material.storedValue(limits, key, flags).map((value): Request => {
        // See AVOIDED in differences.ts: their append with flags of its own can read wild memory.
        const given = command === 'append' || command === 'prepend' ? 0 : flags;
        const size = material.valueSize(value);
        const cas = command === 'cas' ? ` ${CAS_PLACE}` : '';
        return {
          line: `${command} ${key} ${given} ${exptime} ${size}${cas}${quiet}`,
          end: '\r\n',
          data: { value, end: '\r\n' },
          keys: [key],
          ...(command === 'cas' ? { cas: { key, choice } } : {}),
        };
      }),
    );

/** Lines over 2048 bytes without a newline in sight are only allowed for get and gets. */
const LINE_LIMIT = 1800;

/** A reply to a multi-key get is kept under about this many bytes. */
const REPLY_LIMIT = 4_000_000;

function mostKeys(limits: material.SizeLimits): number {
  return Math.max(4, Math.min(400, Math.floor(REPLY_LIMIT / limits.itemSizeMax)));
}

/** With so few keys a line stays short even behind the rest of a malformed one. */
const FEW_KEYS = 6;

export const retrieve = (mostKeys: number): fc.Arbitrary<Request> =>
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc
        .tuple(
          fc.constantFrom('get', 'gets'),
          fc.array(material.key(), { minLength: 1, maxLength: 4 }),
        )
        .map(([command, keys]) => plain(`${command} ${keys.join(' ')}`, keys)),
    },
    {
      weight: 1,
      arbitrary: fc
        .tuple(
          fc.constantFrom('get', 'gets'),
          fc.array(material.key(), { minLength: 4, maxLength: mostKeys, size: 'max' }),
        )
        .map(([command, keys]) => plain(`${command} ${keys.join(' ')}`, keys)),
    },
    {
      weight: 2,
      arbitrary: fc
        .tuple(
          fc.constantFrom('gat', 'gats'),
          material.exptime(),
          fc.array(material.key(), { minLength: 1, maxLength: Math.min(30, mostKeys) }),
        )
        .map(([command, exptime, keys]) => gatWithin(command, exptime, keys)),
    },
  );

function gatWithin(command: string, exptime: string, keys: readonly string[]): Request {
  const kept = [...keys];
  const line = () => `${command} ${exptime} ${kept.join(' ')}`;
  while (line().length > LINE_LIMIT) kept.pop();
  return plain(line(), kept);
}

const DELTAS = ['0', '1', '9', '90', '4294967296'];

export const modify = (): fc.Arbitrary<Request> =>
  fc.oneof(
    fc
      .tuple(
        fc.constantFrom('incr', 'decr'),
        fc.oneof(fc.constant('n'), material.key()),
        fc.constantFrom(...DELTAS),
        noreply(),
      )
      .map(([command, key, delta, quiet]) => plain(`${command} ${key} ${delta}${quiet}`, [key])),
    fc
      .tuple(material.key(), fc.constantFrom('', '', ' 0'), noreply())
      .map(([key, zero, quiet]) => plain(`delete ${key}${zero}${quiet}`, [key])),
    fc
      .tuple(material.key(), material.exptime(), noreply())
      .map(([key, exptime, quiet]) => plain(`touch ${key} ${exptime}${quiet}`, [key])),
  );

/** flush_all at once; delayed ones have a test of their own, which waits for them. */
export const flush = (): fc.Arbitrary<Request> =>
  fc
    .tuple(fc.constantFrom('', ' 0', ' -1', ' -100'), noreply())
    .map(([delay, quiet]) => plain(`flush_all${delay}${quiet}`));

export const administer = (): fc.Arbitrary<Request> =>
  fc
    .constantFrom(
      'version',
      'verbosity 0',
      'verbosity 1',
      'verbosity 0 noreply',
      'quit',
      'stats detail on',
      'nonsense',
    )
    .map((line) => plain(line));

/** Any well-formed request; `small` keeps values under 40 bytes and lines short. */
export const wellFormed = (limits: material.SizeLimits, small: boolean): fc.Arbitrary<Request> =>
  fc.oneof(
    { weight: 10, arbitrary: store(small ? undefined : limits) },
    { weight: 8, arbitrary: retrieve(small ? FEW_KEYS : mostKeys(limits)) },
    { weight: 6, arbitrary: modify() },
    { weight: 1, arbitrary: flush() },
    { weight: 1, arbitrary: administer() },
    { weight: 1, arbitrary: adminLine().map((line) => plain(line)) },
  );
