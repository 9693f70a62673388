// Fixed examples: requests and the exact replies that memcached gives, checked against both
// servers. What the random runs once found comes here to stay. Odd lines are in odd-cases.ts.
//
// `<a>`, `<b>`… stand for cas ids: the first reply with one binds it, later ones must repeat it.
// Every case starts on a new connection without items.

/** What is sent, and what comes back before anything else is sent. */
export type Exchange = readonly [request: string, reply: string];

export interface Case {
  readonly name: string;
  readonly talk: readonly Exchange[];
  /** The server hangs up after the last exchange. */
  readonly closes?: true;
  /** Our last reply where it differs from memcached 1.6.18's on purpose (REPLY_DIFFERENCES). */
  readonly ours?: string;
}

const one = (name: string, request: string, reply: string): Case => ({
  name,
  talk: [[request, reply]],
});

const FORMAT = 'CLIENT_ERROR bad command line format\r\n';
const NON_NUMERIC = 'CLIENT_ERROR cannot increment or decrement non-numeric value\r\n';
const DELTA = 'CLIENT_ERROR invalid numeric delta argument\r\n';
const EXPTIME = 'CLIENT_ERROR invalid exptime argument\r\n';
const CHUNK = 'CLIENT_ERROR bad data chunk\r\n';
const DELETE_USAGE = 'CLIENT_ERROR bad command line format.  Usage: delete <key> [noreply]\r\n';
const MILLION = 1024 * 1024;
/** The longest value under key k without flags: -I less header, cas, key with NUL, CRLF. */
const LARGEST = MILLION - 48 - 8 - 2 - 2;

export const STORAGE_CASES: readonly Case[] = [
  one('set and get', 'set k 0 0 1\r\na\r\nget k\r\n', 'STORED\r\nVALUE k 0 1\r\na\r\nEND\r\n'),
  one('an empty value', 'set k 0 0 0\r\n\r\nget k\r\n', 'STORED\r\nVALUE k 0 0\r\n\r\nEND\r\n'),
  one(
    'a value with CRLF',
    'set k 0 0 4\r\n\r\n\r\n\r\nget k\r\n',
    'STORED\r\nVALUE k 0 4\r\n\r\n\r\n\r\nEND\r\n',
  ),
  one(
    'bare newlines end lines',
    'set k 0 0 1\nb\r\nget k\n',
    'STORED\r\nVALUE k 0 1\r\nb\r\nEND\r\n',
  ),
  one('a bare newline does not end data', 'set k 0 0 1\r\nb\nget k\r\n', `${CHUNK}ERROR\r\n`),
  one(
    'flags',
    'set k 4294967295 0 1\r\na\r\nget k\r\n',
    'STORED\r\nVALUE k 4294967295 1\r\na\r\nEND\r\n',
  ),
  one(
    'flags over 32 bits are cut',
    'set k 4294967299 0 1\r\na\r\nget k\r\n',
    'STORED\r\nVALUE k 3 1\r\na\r\nEND\r\n',
  ),
  one(
    'flags of 64 bits are cut',
    'set k 18446744073709551615 0 1\r\na\r\nget k\r\n',
    'STORED\r\nVALUE k 4294967295 1\r\na\r\nEND\r\n',
  ),
  one('flags over 64 bits', 'set k 18446744073709551616 0 1\r\na\r\n', `${FORMAT}ERROR\r\n`),
  one('negative flags', 'set k -1 0 1\r\na\r\n', `${FORMAT}ERROR\r\n`),
  one('a plus sign', 'set k +5 +0 +1\r\na\r\nget k\r\n', 'STORED\r\nVALUE k 5 1\r\na\r\nEND\r\n'),
  {
    ...one(
      'a length over 32 bits is cut by memcached 1.6.18',
      'set k 0 0 4294967297\r\na\r\nget k\r\n',
      'STORED\r\nVALUE k 0 1\r\na\r\nEND\r\n',
    ),
    ours: `${FORMAT}ERROR\r\nEND\r\n`,
  },
  one('a negative length', 'set k 0 0 -1\r\n', FORMAT),
  one('the largest length', 'set k 0 0 2147483647\r\n', FORMAT),
  one('a length that leaves no room for CRLF', 'set k 0 0 2147483646\r\n', FORMAT),
  one('a length of 2^31', 'set k 0 0 2147483648\r\n', FORMAT),
  one('a length of 2^63 - 1', 'set k 0 0 9223372036854775807\r\n', FORMAT),
  one('a length of 2^63', 'set k 0 0 9223372036854775808\r\n', FORMAT),
  one('a length that is no number', 'set k 0 0 1x\r\n', FORMAT),
  one('an exptime that is no number', 'set k 0 x 1\r\n', FORMAT),
  one('an exptime in the past', 'set k 0 -1 1\r\na\r\nget k\r\n', 'STORED\r\nEND\r\n'),
  one('an absolute exptime long ago', 'set k 0 2592001 1\r\na\r\nget k\r\n', 'STORED\r\nEND\r\n'),
  one(
    'an exptime of 2^31 wraps into the past',
    'set k 0 2147483648 1\r\na\r\nget k\r\n',
    'STORED\r\nEND\r\n',
  ),
  one(
    'an exptime of 2^32 is 0',
    'set k 0 4294967296 1\r\na\r\nget k\r\n',
    'STORED\r\nVALUE k 0 1\r\na\r\nEND\r\n',
  ),
  one(
    'an exptime of 2^32 - 1 is -1',
    'set k 0 4294967295 1\r\na\r\nget k\r\n',
    'STORED\r\nEND\r\n',
  ),
  one('too few words', 'set k 0 0\r\n', 'ERROR\r\n'),
  one('too many words', 'set k 0 0 1 noreply x\r\na\r\n', 'ERROR\r\nERROR\r\n'),
  one('a last word that is not noreply', 'set k 0 0 1 nope\r\na\r\n', 'STORED\r\n'),
  one('noreply', 'set k 0 0 1 noreply\r\na\r\nget k\r\n', 'VALUE k 0 1\r\na\r\nEND\r\n'),
  one('noreply hides errors of the line', 'set k 0 abc 1 noreply\r\na\r\n', 'ERROR\r\n'),
  one('noreply hides a bad data chunk', 'set k 0 0 1 noreply\r\nabc\r\n', 'ERROR\r\n'),
  one('data too short', 'set k 0 0 3\r\nab\r\nversion\r\n', `${CHUNK}ERROR\r\n`),
  one('data too long', 'set k 0 0 1\r\nabc\r\n', `${CHUNK}ERROR\r\n`),
  one(
    'a bad chunk keeps the old value',
    'set k 0 0 1\r\na\r\nset k 0 0 1\r\nbc\r\nget k\r\n',
    `STORED\r\n${CHUNK}ERROR\r\nVALUE k 0 1\r\na\r\nEND\r\n`,
  ),
  one('a key of 250 bytes', `set ${'k'.repeat(250)} 0 0 1\r\na\r\n`, 'STORED\r\n'),
  one('a key of 251 bytes', `set ${'k'.repeat(251)} 0 0 1\r\na\r\n`, `${FORMAT}ERROR\r\n`),
  one(
    'add',
    'add k 0 0 1\r\na\r\nadd k 0 0 1\r\nb\r\nget k\r\n',
    'STORED\r\nNOT_STORED\r\nVALUE k 0 1\r\na\r\nEND\r\n',
  ),
  one(
    'add to an expired item',
    'set k 0 -1 1\r\na\r\nadd k 0 0 1\r\nb\r\n',
    'STORED\r\nSTORED\r\n',
  ),
  one(
    'replace',
    'replace k 0 0 1\r\na\r\nset k 0 0 1\r\nb\r\nreplace k 7 0 1\r\nc\r\nget k\r\n',
    'NOT_STORED\r\nSTORED\r\nSTORED\r\nVALUE k 7 1\r\nc\r\nEND\r\n',
  ),
  one(
    'append and prepend keep the flags',
    'set k 5 0 1\r\nb\r\nappend k 9 0 1\r\nc\r\nprepend k 9 0 1\r\na\r\nget k\r\n',
    'STORED\r\nSTORED\r\nSTORED\r\nVALUE k 5 3\r\nabc\r\nEND\r\n',
  ),
  one(
    'append keeps the exptime',
    'set k 0 0 1\r\nb\r\nappend k 0 -1 1\r\nc\r\nget k\r\n',
    'STORED\r\nSTORED\r\nVALUE k 0 2\r\nbc\r\nEND\r\n',
  ),
  one(
    'append to nothing',
    'append k 0 0 1\r\nz\r\nprepend k 0 0 1\r\nz\r\n',
    'NOT_STORED\r\nNOT_STORED\r\n',
  ),
  one('the largest value', `set k 0 0 ${LARGEST}\r\n${'x'.repeat(LARGEST)}\r\n`, 'STORED\r\n'),
  one(
    'one byte too many',
    `set k 0 0 ${LARGEST + 1}\r\n${'x'.repeat(LARGEST + 1)}\r\n`,
    'SERVER_ERROR object too large for cache\r\n',
  ),
  one(
    'flags take four bytes of the limit',
    `set k 1 0 ${LARGEST - 3}\r\n${'x'.repeat(LARGEST - 3)}\r\n`,
    'SERVER_ERROR object too large for cache\r\n',
  ),
  one(
    'a set too large removes the old item',
    `set k 0 0 1\r\na\r\nset k 0 0 ${MILLION}\r\n${'x'.repeat(MILLION)}\r\nget k\r\n`,
    'STORED\r\nSERVER_ERROR object too large for cache\r\nEND\r\n',
  ),
  one(
    'an add too large keeps the old item',
    `set k 0 0 1\r\na\r\nadd k 0 0 ${MILLION}\r\n${'x'.repeat(MILLION)}\r\nget k\r\n`,
    'STORED\r\nSERVER_ERROR object too large for cache\r\nVALUE k 0 1\r\na\r\nEND\r\n',
  ),
  one(
    'an append beyond the limit',
    `set k 0 0 ${LARGEST}\r\n${'x'.repeat(LARGEST)}\r\nappend k 0 0 1\r\ny\r\n`,
    'STORED\r\nNOT_STORED\r\n',
  ),
];

export const CAS_CASES: readonly Case[] = [
  {
    name: 'cas',
    talk: [
      ['set k 0 0 1\r\na\r\ngets k\r\n', 'STORED\r\nVALUE k 0 1 <a>\r\na\r\nEND\r\n'],
      ['cas k 3 0 1 <a>\r\nb\r\ngets k\r\n', 'STORED\r\nVALUE k 3 1 <b>\r\nb\r\nEND\r\n'],
      ['cas k 0 0 1 <a>\r\nc\r\ngets k\r\n', 'EXISTS\r\nVALUE k 3 1 <b>\r\nb\r\nEND\r\n'],
      ['delete k\r\ncas k 0 0 1 <b>\r\nd\r\n', 'DELETED\r\nNOT_FOUND\r\n'],
    ],
  },
  {
    name: 'what changes an item changes its cas id, reading and touching do not',
    talk: [
      [
        'set k 0 0 1\r\n5\r\ngets k\r\nget k\r\ntouch k 0\r\ngat 0 k\r\ngets k\r\n',
        'STORED\r\nVALUE k 0 1 <a>\r\n5\r\nEND\r\nVALUE k 0 1\r\n5\r\nEND\r\nTOUCHED\r\n' +
          'VALUE k 0 1\r\n5\r\nEND\r\nVALUE k 0 1 <a>\r\n5\r\nEND\r\n',
      ],
      ['incr k 1\r\ngets k\r\n', '6\r\nVALUE k 0 1 <b>\r\n6\r\nEND\r\n'],
      ['append k 0 0 1\r\n7\r\ngets k\r\n', 'STORED\r\nVALUE k 0 2 <c>\r\n67\r\nEND\r\n'],
      ['set k 0 0 2\r\n67\r\ngets k\r\n', 'STORED\r\nVALUE k 0 2 <d>\r\n67\r\nEND\r\n'],
      ['add k 0 0 1\r\nx\r\ngets k\r\n', 'NOT_STORED\r\nVALUE k 0 2 <d>\r\n67\r\nEND\r\n'],
    ],
  },
  one(
    'cas 0',
    'cas k 0 0 1 0\r\na\r\nset k 0 0 1\r\na\r\ncas k 0 0 1 0\r\nb\r\n',
    'NOT_FOUND\r\nSTORED\r\nEXISTS\r\n',
  ),
  one('a cas id that is no number', 'cas k 0 0 1 x\r\na\r\n', `${FORMAT}ERROR\r\n`),
  one('a negative cas id', 'cas k 0 0 1 -1\r\na\r\n', `${FORMAT}ERROR\r\n`),
  one('cas without an id', 'cas k 0 0 1\r\n', 'ERROR\r\n'),
  one('cas with noreply', 'cas k 0 0 1 9 noreply\r\na\r\n', ''),
];

export const RETRIEVAL_CASES: readonly Case[] = [
  one('a miss', 'get k\r\n', 'END\r\n'),
  one(
    'several keys, some twice',
    'set k 0 0 1\r\na\r\nget k x k\r\n',
    'STORED\r\nVALUE k 0 1\r\na\r\nVALUE k 0 1\r\na\r\nEND\r\n',
  ),
  one(
    'more keys than words fit at a time',
    `set k 0 0 1\r\na\r\nget${' k'.repeat(50)}\r\n`,
    `STORED\r\n${'VALUE k 0 1\r\na\r\n'.repeat(50)}END\r\n`,
  ),
  one(
    'exactly as many words as fit',
    `get${' a'.repeat(22)} \r\nversion x\r\nget${' a'.repeat(23)}  \r\n`,
    'END\r\nVERSION <version>\r\nEND\r\n',
  ),
  one(
    'thousands of keys',
    `set k 0 0 1\r\na\r\nget${' missing'.repeat(4000)} k\r\n`,
    'STORED\r\nVALUE k 0 1\r\na\r\nEND\r\n',
  ),
  one('a key too long', `get ${'k'.repeat(251)}\r\n`, FORMAT),
  {
    name: 'a key too long among others: no values at all',
    talk: [
      ['set k 0 0 1\r\na\r\n', 'STORED\r\n'],
      [`get k ${'k'.repeat(251)} k\r\n`, FORMAT],
    ],
  },
  {
    name: 'a gat before a key too long has happened',
    talk: [
      ['set k 0 0 1\r\na\r\n', 'STORED\r\n'],
      [`gat -1 k ${'k'.repeat(251)} k\r\n`, FORMAT],
      ['get k\r\n', 'END\r\n'],
    ],
  },
  one(
    'noreply is a key',
    'set noreply 0 0 1\r\na\r\nget noreply\r\n',
    'STORED\r\nVALUE noreply 0 1\r\na\r\nEND\r\n',
  ),
  one('get without a key', 'get\r\nget \r\ngets\r\n', 'ERROR\r\nERROR\r\nERROR\r\n'),
  one(
    'gat',
    'set k 0 0 1\r\na\r\ngat 100 k x k\r\ngat -1 k\r\nget k\r\n',
    'STORED\r\nVALUE k 0 1\r\na\r\nVALUE k 0 1\r\na\r\nEND\r\nVALUE k 0 1\r\na\r\nEND\r\nEND\r\n',
  ),
  one('gats', 'set k 0 0 1\r\na\r\ngats 0 k\r\n', 'STORED\r\nVALUE k 0 1 <a>\r\na\r\nEND\r\n'),
  one('gat without a key', 'gat\r\ngat 1\r\n', 'ERROR\r\nEND\r\n'),
  one('gat with a wrong exptime', 'gat x k\r\ngats k\r\n', `${EXPTIME}${EXPTIME}`),
];

export const CHANGE_CASES: readonly Case[] = [
  one(
    'delete',
    'delete k\r\nset k 0 0 1\r\na\r\ndelete k\r\nget k\r\n',
    'NOT_FOUND\r\nSTORED\r\nDELETED\r\nEND\r\n',
  ),
  one(
    'delete with time 0',
    'delete k 0\r\ndelete k 0 noreply\r\ndelete k noreply\r\n',
    'NOT_FOUND\r\n',
  ),
  one(
    'delete with another time',
    'delete k 1\r\ndelete k 0 0\r\ndelete k noreply 0\r\n',
    DELETE_USAGE.repeat(3),
  ),
  one(
    'delete with a time and noreply is wrong in silence',
    'set k 0 0 1\r\na\r\ndelete k 1 noreply\r\nget k\r\n',
    'STORED\r\nVALUE k 0 1\r\na\r\nEND\r\n',
  ),
  one('delete with too many words', 'delete k 0 0 0\r\ndelete\r\n', 'ERROR\r\nERROR\r\n'),
  one('delete with a long key', `delete ${'k'.repeat(251)}\r\n`, FORMAT),
  one(
    'touch',
    'touch k 0\r\nset k 0 0 1\r\na\r\ntouch k 100\r\ntouch k -1\r\nget k\r\n',
    'NOT_FOUND\r\nSTORED\r\nTOUCHED\r\nTOUCHED\r\nEND\r\n',
  ),
  one(
    'touch with wrong words',
    'touch k\r\ntouch k x\r\ntouch k 1 2 3\r\ntouch k 100 x\r\n',
    `ERROR\r\n${EXPTIME}ERROR\r\nNOT_FOUND\r\n`,
  ),
  one('touch with noreply', 'touch k 0 noreply\r\ntouch k x noreply\r\n', ''),
  one(
    'incr and decr',
    'set n 0 0 1\r\n5\r\nincr n 6\r\ndecr n 1\r\nget n\r\n',
    'STORED\r\n11\r\n10\r\nVALUE n 0 2\r\n10\r\nEND\r\n',
  ),
  one(
    'a shorter number is padded',
    'set n 0 0 3\r\n100\r\ndecr n 1\r\nget n\r\ndecr n 1000\r\nget n\r\n',
    'STORED\r\n99\r\nVALUE n 0 3\r\n99 \r\nEND\r\n0\r\nVALUE n 0 3\r\n0  \r\nEND\r\n',
  ),
  one(
    'a longer number keeps the flags',
    'set n 7 0 2\r\n99\r\nincr n 1\r\nget n\r\n',
    'STORED\r\n100\r\nVALUE n 7 3\r\n100\r\nEND\r\n',
  ),
  one(
    'incr wraps at 2^64',
    'set n 0 0 20\r\n18446744073709551615\r\nincr n 2\r\nget n\r\n',
    'STORED\r\n1\r\nVALUE n 0 20\r\n1                   \r\nEND\r\n',
  ),
  one('decr stops at 0', 'set n 0 0 1\r\n5\r\ndecr n 18446744073709551615\r\n', 'STORED\r\n0\r\n'),
  one(
    'a value over 64 bits',
    'set n 0 0 20\r\n18446744073709551616\r\nincr n 1\r\n',
    `STORED\r\n${NON_NUMERIC}`,
  ),
  one(
    'leading zeros',
    'set n 0 0 22\r\n0000000000000000000005\r\nincr n 1\r\nget n\r\n',
    `STORED\r\n6\r\nVALUE n 0 22\r\n6${' '.repeat(21)}\r\nEND\r\n`,
  ),
  ...(['-1', '', 'x', '5x', '0x10'] as const).map((value) =>
    one(
      `incr of ${JSON.stringify(value)}`,
      `set n 0 0 ${value.length}\r\n${value}\r\nincr n 1\r\n`,
      `STORED\r\n${NON_NUMERIC}`,
    ),
  ),
  ...([' 5', '+5', '5 ', '5 x', '5\0', '\t5', '5\ty', '5\r'] as const).map((value) =>
    one(
      `incr of ${JSON.stringify(value)}`,
      `set n 0 0 ${value.length}\r\n${value}\r\nincr n 1\r\nget n\r\n`,
      `STORED\r\n6\r\nVALUE n 0 ${value.length}\r\n${'6'.padEnd(value.length)}\r\nEND\r\n`,
    ),
  ),
  one(
    'incr by what is no number',
    'incr n x\r\nincr n -1\r\nincr n 18446744073709551616\r\nincr n 1x\r\n',
    DELTA.repeat(4),
  ),
  one(
    'incr of nothing',
    'incr n 1\r\ndecr n 1\r\nincr n 1 noreply\r\n',
    'NOT_FOUND\r\nNOT_FOUND\r\n',
  ),
  one(
    'incr with wrong words',
    'incr n\r\nincr\r\nincr n 1 1 1\r\nincr n 1 x\r\n',
    'ERROR\r\nERROR\r\nERROR\r\nNOT_FOUND\r\n',
  ),
  one('incr with a long key comes before its number', `incr ${'k'.repeat(251)} x\r\n`, FORMAT),
  one(
    '500 digits in one chunk',
    `set n 0 0 500\r\n${'0'.repeat(500)}\r\nincr n 1\r\nget n\r\n`,
    `STORED\r\n1\r\nVALUE n 0 500\r\n${'1'.padEnd(500)}\r\nEND\r\n`,
  ),
  one(
    'digits in a chained item are no number',
    `set n 0 0 600000\r\n${'0'.repeat(600_000)}\r\nincr n 1\r\n`,
    `STORED\r\n${NON_NUMERIC}`,
  ),
  one(
    'flush_all',
    'set k 0 0 1\r\na\r\nflush_all\r\nget k\r\nset k 0 0 1\r\nb\r\nget k\r\n',
    'STORED\r\nOK\r\nEND\r\nSTORED\r\nVALUE k 0 1\r\nb\r\nEND\r\n',
  ),
  one(
    'flush_all with a negative delay',
    'set k 0 0 1\r\na\r\nflush_all -10\r\nget k\r\n',
    'STORED\r\nOK\r\nEND\r\n',
  ),
  one(
    'flush_all with noreply',
    'set k 0 0 1\r\na\r\nflush_all 0 noreply\r\nget k\r\nflush_all noreply\r\n',
    'STORED\r\nEND\r\n',
  ),
  one(
    'flush_all with a wrong delay',
    'flush_all x\r\nflush_all noreply 5\r\nflush_all x noreply\r\nflush_all 1 2 3\r\n',
    `${EXPTIME}${EXPTIME}ERROR\r\n`,
  ),
];
