// Fixed examples of administration and of odd lines: how lines are cut into words, and which of
// them end a connection.
import type { Case } from './cases.ts';

const FORMAT = 'CLIENT_ERROR bad command line format\r\n';

const DETAIL_USAGE = 'CLIENT_ERROR usage: stats detail on|off|dump\r\n';

const one = (name: string, request: string, reply: string): Case => ({
  name,
  talk: [[request, reply]],
});

const closing = (name: string, request: string, reply: string): Case => ({
  name,
  talk: [[request, reply]],
  closes: true,
});

export const LINE_CASES: readonly Case[] = [
  one('empty lines', '\r\n\n \r\n\0\r\n', 'ERROR\r\n'.repeat(4)),
  one('unknown commands', 'x\r\nxx\r\nversio\r\nGET k\r\nm\r\nmm\r\n', 'ERROR\r\n'.repeat(6)),
  one('spaces around words', '  get   k  \r\n', 'END\r\n'),
  one('a tab is not a space', 'get\tk\r\n', 'ERROR\r\n'),
  one(
    'a tab in a key',
    'set a\tb 0 0 1\r\na\r\nget a\tb\r\n',
    'STORED\r\nVALUE a\tb 0 1\r\na\r\nEND\r\n',
  ),
  one(
    'only one CR belongs to the line end',
    'set k\r 0 0 1\r\na\r\nget k\r\r\n',
    'STORED\r\nVALUE k\r 0 1\r\na\r\nEND\r\n',
  ),
  one('CR alone is a word', 'get \r\n\r\r\n', 'ERROR\r\nERROR\r\n'),
  one(
    'NUL ends a line early',
    'set k 0 0 1\r\na\r\nget k\0junk\r\n',
    'STORED\r\nVALUE k 0 1\r\na\r\nEND\r\n',
  ),
  one('NUL ends a storage line early', 'set k 0 0 1\0 2 3 4\r\na\r\n', 'STORED\r\n'),
  one(
    'white space that strtol skips',
    'set k \t7 \x0b0 1\t9\r\na\r\nget k\r\n',
    'STORED\r\nVALUE k 7 1\r\na\r\nEND\r\n',
  ),
  one(
    'a CR within a number ends it',
    'set k 5\r 0 1\r\na\r\nget k\r\n',
    'STORED\r\nVALUE k 5 1\r\na\r\nEND\r\n',
  ),
  one('26 words', 'a b c d e f g h i j k l m n o p q r s t u v w x y z\r\n', 'ERROR\r\n'),
  one('HTTP/ as a key', 'get HTTP/1.1\r\n', 'END\r\n'),
  one('HTTP/ behind a one-letter command', 'x y HTTP/1.1\r\n', 'ERROR\r\n'),
  one('a line of 2040 bytes', `get ${'k'.repeat(2034)}\r\n`, FORMAT),
  one('a long get line', `get${' k'.repeat(5000)}\r\n`, 'END\r\n'),
  one(
    '100 spaces before a long get line',
    `${' '.repeat(100)}get${' k'.repeat(5000)}\r\n`,
    'END\r\n',
  ),
];

export const CLOSING_CASES: readonly Case[] = [
  closing('quit', 'quit\r\n', ''),
  closing('quit with words', 'quit now noreply\r\n', ''),
  closing('what came before quit is answered', 'get k\r\nquit\r\n', 'END\r\n'),
  closing('an HTTP request', 'GET / HTTP/1.1\r\n', ''),
  closing('a line without end', 'x'.repeat(2049), ''),
  closing('a set line without end', `set ${'k'.repeat(2045)}`, ''),
  closing('a gat line without end', `gat 0 ${'k '.repeat(1030)}`, ''),
  closing(
    '101 spaces before a get line without end',
    `${' '.repeat(101)}get ${'k '.repeat(1000)}`,
    '',
  ),
];

export const ADMIN_CASES: readonly Case[] = [
  one('version', 'version\r\nversion x y\r\n', 'VERSION <version>\r\nVERSION <version>\r\n'),
  one(
    'verbosity',
    'verbosity 0\r\nverbosity 0 0\r\nverbosity 0 noreply\r\nverbosity noreply\r\n',
    'OK\r\nOK\r\n',
  ),
  one(
    'verbosity with wrong words',
    'verbosity\r\nverbosity x\r\nverbosity -1\r\nverbosity 0 0 0\r\n',
    `ERROR\r\n${FORMAT}${FORMAT}ERROR\r\n`,
  ),
  one(
    'stats subcommands that answer in one line',
    'stats reset\r\nstats reset x\r\nstats nothing\r\nstats noreply\r\n',
    'RESET\r\nRESET\r\nERROR\r\nERROR\r\n',
  ),
  one(
    'stats detail',
    'stats detail on\r\nget p:1 p:2\r\nset p:1 0 0 1\r\na\r\nget p:1 k\r\ndelete p:1\r\n' +
      'stats detail dump\r\nstats detail off\r\nstats reset\r\n',
    'OK\r\nEND\r\nSTORED\r\nVALUE p:1 0 1\r\na\r\nEND\r\nDELETED\r\n' +
      'PREFIX p get 3 hit 1 set 1 del 1\r\nEND\r\nOK\r\nRESET\r\n',
  ),
  one(
    'stats detail with wrong words',
    'stats detail\r\nstats detail x\r\n',
    DETAIL_USAGE.repeat(2),
  ),
  one('stats detail with a further word', 'stats detail off noreply\r\n', 'OK\r\n'),
  one('stats sizes', 'stats sizes\r\n', 'STAT sizes_status disabled\r\nEND\r\n'),
  one(
    'stats cachedump with wrong words',
    'stats cachedump\r\nstats cachedump 1\r\nstats cachedump x 1\r\n' +
      'stats cachedump 64 1\r\nstats cachedump 63 1\r\n',
    'CLIENT_ERROR bad command line\r\nCLIENT_ERROR bad command line\r\n' +
      `${FORMAT}CLIENT_ERROR Illegal slab id\r\nEND\r\n`,
  ),
];
