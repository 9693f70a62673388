/** Random streams of requests, well-formed and not, for the properties of the protocol engine. */
import fc from 'fast-check';

const KEYS = ['a', 'bb', 'key', 'x'.repeat(250), 'y'.repeat(251)];
const NUMBERS = [
  '0',
  '1',
  '5',
  '007',
  '-1',
  '+3',
  '99',
  '4294967296',
  '2147483648',
  'x',
  '',
  '5\tx',
];

const key = fc.constantFrom(...KEYS);
const number = fc.constantFrom(...NUMBERS);
const noreply = fc.constantFrom('', '', '', ' noreply', ' nope');
const lineEnd = fc.constantFrom('\r\n', '\r\n', '\r\n', '\n');
const value = fc.oneof(
  fc.nat(20_000).map((n) => String(n)),
  // Read as commands, as it is after an error, a value must not be a line that is too long.
  fc
    .constantFrom(0, 1, 5, 300, 3000)
    .map((length) => `${'v'.repeat(499)}\n`.repeat(6).slice(0, length)),
  fc.string({ unit: 'binary-ascii', maxLength: 10 }),
);

const storage = fc
  .record({
    command: fc.constantFrom('set', 'add', 'replace', 'append', 'prepend', 'cas'),
    key,
    flags: number,
    exptime: fc.constantFrom('0', '100', '-1', 'x'),
    value,
    wrong: fc.constantFrom(0, 0, 0, 0, -1, 1, 7),
    noreply,
    end: fc.constantFrom('\r\n', '\r\n', '\r\n', '\n', 'xx\n'),
  })
  .map((r) => {
    const length = Math.max(0, r.value.length + r.wrong);
    const cas = r.command === 'cas' ? ' 1' : '';
    const line = `${r.command} ${r.key} ${r.flags} ${r.exptime} ${length}${cas}${r.noreply}\r\n`;
    return `${line}${r.value}${r.end}`;
  });

const retrieval = fc
  .tuple(
    fc.constantFrom('get', 'gets', 'gat 10', 'gats 0', 'gat x', 'get ', 'gat'),
    fc.array(key, { maxLength: 6 }),
    lineEnd,
  )
  .map(([command, keys, end]) => `${command} ${keys.join(' ')}${end}`);

const other = fc
  .tuple(
    fc.oneof(
      fc.tuple(fc.constantFrom('incr', 'decr', 'touch', 'delete'), key, number).map((all) => {
        return all.join(' ');
      }),
      fc.constantFrom(
        'delete a',
        'flush_all',
        'flush_all 10',
        'version',
        'verbosity 1',
        'stats detail dump',
        'stats items x y',
        'stats nonsense',
        'bget a',
        'mystery',
        'get a\0b',
        '',
        '   ',
        'GET / HTTP/1.1',
        'quit',
      ),
    ),
    noreply,
    lineEnd,
  )
  .map((all) => all.join(''));

const noise = fc.string({ unit: 'binary-ascii', maxLength: 40 }).map((text) => `${text}\n`);

/** A stream of requests. Its lines are shorter than 2 KB, where memcached's rules depend on reads. */
export const stream: fc.Arbitrary<string> = fc
  .array(
    fc.oneof(
      { weight: 6, arbitrary: storage },
      { weight: 4, arbitrary: retrieval },
      { weight: 4, arbitrary: other },
      { weight: 1, arbitrary: noise },
    ),
    { maxLength: 25 },
  )
  .map((requests) => requests.join(''));
