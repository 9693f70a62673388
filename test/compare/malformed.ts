// Generators of requests that are wrong in one of the many ways in which a client can be wrong.
// Data blocks stay short here: a long one read as a command line would be cut off by the server at
// a point that depends on how the bytes arrive.
import fc from 'fast-check';
import * as material from './material.ts';
import {
  countsHigh,
  declaredBytes,
  dependsOnTime,
  hasCutLength,
  type Request,
} from './requests.ts';

/** Longer announced data would swallow the rest of the run. */
const LONGEST_DECLARED = 60;

const request = (line: string, data?: Request['data']): Request => ({
  line,
  end: '\r\n',
  keys: [],
  ...(data === undefined ? {} : { data }),
});

const COMMANDS = [
  ...['get', 'gets', 'gat', 'gats', 'set', 'add', 'replace', 'append', 'prepend', 'cas'],
  ...['delete', 'incr', 'decr', 'touch', 'flush_all', 'version', 'verbosity', 'stats'],
];
const JUNK = ['', 'x', 'g', 'ge', 'sets', 'GET', 'noreply', 'no', 'k\0z', '\r', '\t'];

const token = (): fc.Arbitrary<string> =>
  fc.oneof(
    { weight: 3, arbitrary: material.key() },
    { weight: 3, arbitrary: fc.constantFrom(...material.EDGE_NUMBERS) },
    { weight: 2, arbitrary: fc.constantFrom('noreply', 'noreply', material.KEY_TOO_LONG) },
    { weight: 1, arbitrary: fc.constantFrom(...JUNK) },
  );

const spaces = (): fc.Arbitrary<string> =>
  fc.oneof(
    { weight: 6, arbitrary: fc.constant(' ') },
    { weight: 1, arbitrary: fc.constantFrom('  ', '   ', '\t', ' \t ', '') },
  );

/** Data that ends properly, too late, too early, or not at all as the protocol wants. */
const anyData = (): fc.Arbitrary<Request['data']> =>
  fc.option(
    fc
      .tuple(
        fc.constantFrom('', 'a', 'ab', 'abc', 'a\r\nb', '0123456789', 'version\r\nz'),
        fc.constantFrom('\r\n', '\r\n', '\n', '\r', ''),
      )
      .map(([literal, end]) => ({ value: { literal }, end })),
    { nil: undefined },
  );

/** A command with random arguments: wrong counts, wrong numbers, keys where numbers belong. */
const soup = (): fc.Arbitrary<Request> =>
  fc
    .tuple(
      fc.constantFrom('', '', '', ' ', '   '),
      fc.oneof(
        { weight: 6, arbitrary: fc.constantFrom(...COMMANDS) },
        { weight: 1, arbitrary: fc.constantFrom(...JUNK) },
      ),
      fc.array(fc.tuple(spaces(), token()), { maxLength: 7 }),
      fc.constantFrom('', '', '', ' ', '  '),
      anyData(),
    )
    .map(([before, command, rest, after, data]) =>
      request(`${before}${command}${rest.map(([gap, word]) => gap + word).join('')}${after}`, data),
    );

/** A storage command in which one number, or the whole length, is an edge number. */
const oddStore = (): fc.Arbitrary<Request> =>
  fc
    .tuple(
      fc.constantFrom('set', 'add', 'replace', 'append', 'prepend', 'cas'),
      material.key(),
      fc.constantFrom(2, 3, 4, 5),
      fc.constantFrom(...material.EDGE_NUMBERS),
      fc.constantFrom('', ' noreply', ' x', ' noreply x'),
      anyData(),
    )
    .map(([command, key, position, odd, tail, data]) => {
      const size = data === undefined ? '1' : String(material.valueSize(data.value));
      const parts = [command, key, '0', '0', size, ...(command === 'cas' ? ['77'] : [])];
      if (position < parts.length) parts[position] = odd;
      return request(parts.join(' ') + tail, data);
    });

/** The announced length and the data block differ by a few bytes. */
const wrongLength = (): fc.Arbitrary<Request> =>
  fc
    .tuple(
      fc.constantFrom('set', 'add', 'append'),
      material.key(),
      fc.integer({ min: -3, max: 12 }),
      fc.constantFrom('', ' noreply'),
      fc.constantFrom('', 'a', 'abcdef', 'ab\r\ncd'),
    )
    .map(([command, key, extra, quiet, literal]) => {
      const size = Math.max(0, literal.length + extra);
      return request(`${command} ${key} 0 0 ${size}${quiet}`, { value: { literal }, end: '\r\n' });
    });

const oddModify = (): fc.Arbitrary<Request> =>
  fc
    .tuple(
      fc.constantFrom('incr', 'decr', 'touch', 'delete', 'flush_all', 'verbosity', 'gat', 'gats'),
      fc.oneof(material.key(), fc.constant(material.KEY_TOO_LONG)),
      fc.constantFrom(...material.EDGE_NUMBERS),
      fc.constantFrom('', ' noreply', ' x', ' 0', ' noreply noreply'),
    )
    .map(([command, key, odd, tail]) => {
      const keyed = command !== 'flush_all' && command !== 'verbosity';
      if (command.startsWith('gat')) return request(`${command} ${odd} ${key}${tail}`);
      return request(keyed ? `${command} ${key} ${odd}${tail}` : `${command} ${odd}${tail}`);
    });

/** Around the 24 tokens that a line is cut into at a time. */
const manyTokens = (): fc.Arbitrary<Request> =>
  fc
    .tuple(
      fc.constantFrom('get', 'gets', 'gat 0', 'set', 'delete', 'nonsense', 'stats'),
      fc.integer({ min: 20, max: 50 }),
      fc.constantFrom('k', 'n', 'a', 'p:1'),
      fc.constantFrom('', ' ', '  ', ` ${material.KEY_TOO_LONG}`),
    )
    .map(([command, count, key, tail]) => request(`${command}${` ${key}`.repeat(count)}${tail}`));

const badMultiGet = (): fc.Arbitrary<Request> =>
  fc
    .tuple(
      fc.constantFrom('get', 'gets', 'gat 0'),
      fc.array(material.key(), { maxLength: 3 }),
      fc.array(material.key(), { maxLength: 3 }),
    )
    .map(([command, before, after]) =>
      request([command, ...before, material.KEY_TOO_LONG, ...after].join(' ')),
    );

const STATS_LINES = [
  ...['stats cachedump', 'stats cachedump 1', 'stats nothing', 'stats detail on noreply'],
  ...['stats cachedump x 1', 'stats cachedump 1 x', 'stats cachedump 64 1', 'stats cachedump -1 1'],
  ...['stats detail on', 'stats detail off', 'stats reset'],
];

/** Lines about nothing, and stats with wrong arguments (not those that answer as the fence). */
const oddLines = (): fc.Arbitrary<Request> =>
  fc.constantFrom('', ' ', '\r', '\0', ...STATS_LINES).map((line) => request(line));

/** What an HTTP client would say first. */
const http = (): fc.Arbitrary<Request> =>
  fc
    .constantFrom('GET / HTTP/1.1', 'POST /k HTTP/1.0', 'nonsense HTTP/', 'HTTP/1.1')
    .map((line) => request(line));

/** Any malformed request whose data block, if it is taken as one, is short. */
export const malformed = (): fc.Arbitrary<Request> =>
  fc
    .tuple(
      fc.oneof(
        { weight: 4, arbitrary: soup() },
        { weight: 3, arbitrary: oddStore() },
        { weight: 2, arbitrary: wrongLength() },
        { weight: 2, arbitrary: oddModify() },
        { weight: 1, arbitrary: manyTokens() },
        { weight: 1, arbitrary: badMultiGet() },
        { weight: 1, arbitrary: oddLines() },
        { weight: 1, arbitrary: http() },
      ),
      fc.oneof(
        { weight: 5, arbitrary: fc.constant<'\r\n' | '\n'>('\r\n') },
        { weight: 1, arbitrary: fc.constant<'\r\n' | '\n'>('\n') },
      ),
    )
    .map(([made, end]) => ({ ...made, end }))
    .filter(({ line }) => {
      // Before a bare newline this CR is part of the line's end.
      const bare = line.replace(/\r$/, '');
      if (declaredBytes(bare) > LONGEST_DECLARED) return false;
      return !dependsOnTime(bare) && !hasCutLength(bare) && !countsHigh(bare);
    });
