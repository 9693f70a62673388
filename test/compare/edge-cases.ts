// Fixed examples of numbers, orders and words at the edges of what memcached accepts.
import type { Case } from './cases.ts';

const one = (name: string, request: string, reply: string): Case => ({
  name,
  talk: [[request, reply]],
});

const FORMAT = 'CLIENT_ERROR bad command line format\r\n';
const STORED = 'STORED\r\n';
const SET = 'set k 0 0 1\r\na\r\n';
const FOUND = 'VALUE k 0 1\r\na\r\nEND\r\n';

export const EDGE_CASES: readonly Case[] = [
  one('an exptime of 2^63', 'set k 0 9223372036854775808 1\r\n', FORMAT),
  one(
    'an exptime of -2^63 is 0',
    `set k 0 -9223372036854775808 1\r\na\r\nget k\r\n`,
    STORED + FOUND,
  ),
  one('an exptime of -0', 'set k 0 -0 1\r\na\r\nget k\r\n', STORED + FOUND),
  one('an exptime of 30 days', 'set k 0 2592000 1\r\na\r\nget k\r\n', STORED + FOUND),
  one('an absolute exptime to come', 'set k 0 2147483647 1\r\na\r\nget k\r\n', STORED + FOUND),
  one('gat with 2^32 - 1', `${SET}gat 4294967295 k\r\nget k\r\n`, `${STORED}${FOUND}END\r\n`),
  one(
    'touch with 2^63',
    `${SET}touch k 9223372036854775808\r\nget k\r\n`,
    `${STORED}CLIENT_ERROR invalid exptime argument\r\n${FOUND}`,
  ),
  one(
    'flags with their highest bit',
    'set k 2147483648 0 1\r\na\r\nget k\r\n',
    `${STORED}VALUE k 2147483648 1\r\na\r\nEND\r\n`,
  ),
  one('a length with a sign and zeros', 'set k 0 0 +0001\r\na\r\nget k\r\n', STORED + FOUND),
  one('a number as last word is ignored', 'set k 0 0 1 2\r\na\r\nget k\r\n', STORED + FOUND),
  one('a wrong length goes before a wrong end', 'set k 0 0 x noreply x\r\n', 'ERROR\r\n'),
  one('cas with a wrong length and a wrong id', 'cas k 0 0 -1 x\r\n', FORMAT),
  one('cas with an id of 2^64', 'cas k 0 0 1 18446744073709551616\r\n', FORMAT),
  one('cas with an id of 2^64 - 1', 'cas k 0 0 1 18446744073709551615\r\na\r\n', 'NOT_FOUND\r\n'),
  one(
    'a delta with white space and a sign',
    'set n 0 0 1\r\n5\r\nincr n \t+2\r\nincr n 1\tx\r\n',
    `${STORED}7\r\n8\r\n`,
  ),
  one(
    'decr below the highest bit',
    'set n 0 0 20\r\n18446744073709551615\r\ndecr n 9223372036854775808\r\nget n\r\n',
    `${STORED}9223372036854775807\r\nVALUE n 0 20\r\n9223372036854775807 \r\nEND\r\n`,
  ),
  one(
    'incr by 0 of what is padded',
    'set n 0 0 3\r\n7  \r\nincr n 0\r\nget n\r\n',
    `${STORED}7\r\nVALUE n 0 3\r\n7  \r\nEND\r\n`,
  ),
  one(
    'incr from 2^64 - 1 by 2^64 - 1',
    'set n 0 0 20\r\n18446744073709551615\r\nincr n 18446744073709551615\r\n',
    `${STORED}18446744073709551614\r\n`,
  ),
  one('flush_all with two delays takes the first', 'flush_all -1 2\r\n', 'OK\r\n'),
  one('flush_all with noreply twice', 'flush_all noreply noreply\r\nget k\r\n', 'END\r\n'),
  one('delete with noreply twice', `${SET}delete k noreply noreply\r\nget k\r\n`, STORED + FOUND),
  one(
    'sizes switched on and off',
    'stats sizes_enable\r\nstats sizes_disable\r\n',
    'STAT sizes_status enabled\r\nSTAT sizes_status disabled\r\n',
  ),
  one('cachedump with a wrong limit', 'stats cachedump 1 x\r\n', FORMAT),
  one('stats items with a further word', 'stats nothing items\r\n', 'ERROR\r\n'),
  one(
    'a NUL in the middle of a list of keys',
    `${SET}get x\0 k\r\nget x k\0k k\r\n`,
    `${STORED}END\r\n${FOUND}`,
  ),
  one(
    'a NUL behind more words than are cut at once',
    `${SET}get${' x'.repeat(30)} k\0 k\r\n`,
    STORED + FOUND,
  ),
  one('a key of spaces only', 'get    \r\nset     0 0 1\r\n', 'ERROR\r\nERROR\r\n'),
  one(
    'bare newlines and CRLF in turn',
    `${SET}get k\nget k\r\nversion\n`,
    `${STORED}${FOUND}${FOUND}VERSION <version>\r\n`,
  ),
  one('bget is get', `${SET}bget k x\r\nbget\r\n`, `${STORED}${FOUND}ERROR\r\n`),
  { name: 'nothing is answered after quit', talk: [['quit\r\nversion\r\n', '']], closes: true },
  {
    name: 'quit in the middle of a stream',
    talk: [[`${SET}quit\r\n${SET}get k\r\n`, STORED]],
    closes: true,
  },
];
