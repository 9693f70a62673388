// Generators of meta requests, right and wrong, over the same keys as the text ones. What memcached
// 1.6.18 does not know or gets wrong is left out (REPLY_DIFFERENCES and AVOIDED in differences.ts).
import fc from 'fast-check';
import * as material from './material.ts';
import {
  CAS_PLACE,
  type CasChoice,
  countsHigh,
  declaredBytes,
  dependsOnTime,
  hasCutLength,
  type Request,
} from './requests.ts';

/** A key as it stands on a line: as it is, or in base64 with flag b. */
interface LineKey {
  readonly key: string;
  readonly word: string;
  readonly flags: readonly string[];
}

const base64 = (key: string): string => Buffer.from(key, 'latin1').toString('base64');

const lineKey = (): fc.Arbitrary<LineKey> =>
  fc
    .tuple(material.key(), fc.integer({ min: 0, max: 5 }))
    .map(([key, dice]) =>
      dice === 0 && key.length < 180
        ? { key, word: base64(key), flags: ['b'] }
        : { key, word: key, flags: [] },
    );

/** Opaques, the longest that there may be among them. */
const opaque = (): fc.Arbitrary<string> =>
  fc.constantFrom('O', 'O1', 'Oabc', 'Ok', `O${'o'.repeat(31)}`);

const exptime = (letter: string): fc.Arbitrary<string> =>
  material.exptime().map((seconds) => letter + seconds);

/** Far from all exptimes of material.ts, so that who wins is not up to the clock. */
const recache = (): fc.Arbitrary<string> => fc.constantFrom('R0', 'R500', 'R50000', 'R-1');

/** Some of these flags, each at most once, in any order. */
const some = (flags: readonly fc.Arbitrary<string>[], most: number): fc.Arbitrary<string[]> =>
  fc
    .shuffledSubarray([...flags.keys()], { maxLength: Math.min(most, flags.length) })
    .chain((chosen) => fc.tuple(...chosen.map((at) => flags[at] ?? fc.constant('k'))));

const plain = (letters: string): Array<fc.Arbitrary<string>> =>
  [...letters].map((letter) => fc.constant(letter));

/** Rarely: whether the client knows the item is up to what was seen of it. */
const choice = (): fc.Arbitrary<CasChoice | undefined> =>
  fc.constantFrom<CasChoice | undefined>(
    ...([undefined, undefined, undefined, undefined] as const),
    ...(['last', 'last', 'older', 'unknown', 'zero'] as const),
  );

function request(
  command: string,
  key: LineKey,
  flags: readonly string[],
  cas?: CasChoice,
  data?: material.Value,
): Request {
  const size = data === undefined ? [] : [String(material.valueSize(data))];
  const compare = cas === undefined ? [] : [`C${CAS_PLACE}`];
  // A cas id is only of use with the key that it belongs to.
  const named = flags.includes('c') && !flags.includes('k') ? ['k'] : [];
  const words = [command, key.word, ...size, ...key.flags, ...flags, ...compare, ...named];
  return {
    line: words.join(' '),
    end: '\r\n',
    keys: [key.key],
    ...(data === undefined ? {} : { data: { value: data, end: '\r\n' } }),
    ...(cas === undefined ? {} : { cas: { key: key.key, choice: cas } }),
  };
}

const get = (): fc.Arbitrary<Request> =>
  fc
    .tuple(
      lineKey(),
      some([...plain('kstcfhlvvquIP'), opaque(), exptime('T'), exptime('N')], 6),
      fc.option(recache(), { freq: 4, nil: undefined }),
    )
    .map(([key, flags, again]) => {
      const once = [...new Set(flags)];
      return request('mg', key, again === undefined ? once : [...once, again]);
    });

const MODES = ['', '', '', '', 'MS', 'ME', 'MA', 'MP', 'MR'];

const set = (limits: material.SizeLimits | undefined): fc.Arbitrary<Request> =>
  fc
    .tuple(
      lineKey(),
      fc.constantFrom(...MODES),
      material.flags(),
      some([...plain('kcqI'), opaque(), exptime('T')], 4),
      choice(),
    )
    .chain(([key, mode, clientFlags, flags, cas]) => {
      // As for append with flags: see AVOIDED in differences.ts.
      const joins = mode === 'MA' || mode === 'MP';
      const given = joins || clientFlags === 0 ? [] : [`F${clientFlags}`];
      const all = [...flags, ...given, ...(mode === '' ? [] : [mode])];
      return material
        .storedValue(limits, key.key, clientFlags)
        .map((value) => request('ms', key, all, cas, value));
    });

const remove = (): fc.Arbitrary<Request> =>
  fc
    .tuple(lineKey(), some([...plain('kqIII'), opaque(), exptime('T')], 4), choice())
    .map(([key, flags, cas]) => request('md', key, [...new Set(flags)], cas));

const count = (): fc.Arbitrary<Request> =>
  fc
    .tuple(
      fc.oneof(fc.constant<LineKey>({ key: 'n', word: 'n', flags: [] }), lineKey()),
      some([...plain('kctv'), opaque(), fc.constantFrom('D0', 'D9', 'D90', 'D4294967296')], 4),
      fc.constantFrom('', '', 'MI', 'M+', 'MD', 'M-'),
      fc.oneof(
        fc.constant<string[]>([]),
        fc.constant(['q']),
        exptime('N').map((time) => [time]),
        exptime('N').map((time) => ['J41', time]),
      ),
      choice(),
    )
    .map(([key, flags, mode, more, cas]) =>
      request('ma', key, [...flags, ...more, ...(mode === '' ? [] : [mode])], cas),
    );

const look = (): fc.Arbitrary<Request> =>
  fc.oneof(
    lineKey().map((key) => request('me', key, [])),
    fc.constant<Request>({ line: 'mn', end: '\r\n', keys: [] }),
  );

/** Any well-formed meta request; with limits values of all sizes. */
export const meta = (limits: material.SizeLimits | undefined): fc.Arbitrary<Request> =>
  fc.oneof(
    { weight: 8, arbitrary: get() },
    { weight: 7, arbitrary: set(limits) },
    { weight: 3, arbitrary: remove() },
    { weight: 4, arbitrary: count() },
    { weight: 1, arbitrary: look() },
  );

const ODD_FLAGS = [
  ...['k', 'v', 't', 'q', 's', 'b', 'I', 'O', 'OO', 'T', 'N', 'R', 'F', 'C', 'D', 'J', 'M', 'MX'],
  ...['Tx', 'Fx', 'Cx', 'Dx', 'Jx', 'MEE', 'ME', 'MA', 'MI', 'T-1', 'N0', 'S', 'Z', '1', '-', '_'],
  ...['\x7f', '\xff', '`', '{', '@', '', `O${'o'.repeat(40)}`, 'noreply'],
];
const NUMBERED = ['T', 'N', 'R', 'F', 'C', 'D', 'J'];
/** Words of a line up to which memcached 1.6.18 takes them. */
const WORDS_MAX = 18;
/** ma forgets what it has done when it finds a bad opaque, and mg too. */
const LONG_OPAQUE = / O[^ ]{32,}/;
/** Flags of the newest memcached, and combinations that the oracle gets wrong. */
const NOT_COMPARED: readonly RegExp[] = [
  / [Ex]/,
  /^ *ms .* s/,
  /^ *ms .* N.* M[AP]|^ *ms .* M[AP].* N/,
  /^ *ms .* F.* M[AP]|^ *ms .* M[AP].* F/,
  /^ *ma .* T/,
  /^ *ma .* N.* q|^ *ma .* q.* N/,
];

/** A meta command with random words behind it. */
const soup = (): fc.Arbitrary<Request> =>
  fc
    .tuple(
      fc.constantFrom('mg', 'mg', 'ms', 'ms', 'md', 'ma', 'me', 'mn', 'mx', 'mgs', 'm'),
      fc.oneof(material.key(), fc.constantFrom('Zm9v', 'Zm9', 'Zg==', '====', 'A-A-A-A')),
      fc.constantFrom('1', '0', '2', '3', 'x', '-1', 'k', '2147483646', '5\t', '+2'),
      fc.array(
        fc.oneof(
          { weight: 4, arbitrary: fc.constantFrom(...ODD_FLAGS) },
          {
            weight: 1,
            arbitrary: fc
              .tuple(fc.constantFrom(...NUMBERED), fc.constantFrom(...material.EDGE_NUMBERS))
              .map(([letter, number]) => letter + number),
          },
        ),
        { maxLength: 6 },
      ),
      fc.constantFrom('', '', ' ', '\0', ' q', ' k Oz'),
      fc.constantFrom('', 'a', 'ab', 'abc'),
      fc.constantFrom('\r\n', '\r\n', '\r\n', '\n', 'x\r\n'),
    )
    .map(([command, key, size, flags, tail, literal, end]): Request => {
      const words = command === 'ms' ? [command, key, size, ...flags] : [command, key, ...flags];
      const data = command === 'ms' ? { data: { value: { literal }, end } } : {};
      return { line: words.join(' ') + tail, end: '\r\n', keys: [], ...data };
    });

/** Any malformed meta request that both servers answer alike. */
export const malformedMeta = (): fc.Arbitrary<Request> =>
  soup().filter(({ line }) => {
    if (NOT_COMPARED.some((pattern) => pattern.test(line))) return false;
    if (LONG_OPAQUE.test(line) && /^ *m[ag]/.test(line)) return false;
    if (line.split(' ').length > WORDS_MAX || declaredBytes(line) > 60) return false;
    return !dependsOnTime(line) && !hasCutLength(line) && !countsHigh(line);
  });
