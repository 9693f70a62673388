// Fixed examples of md, ma, me and mn. mg and ms are in meta-cases.ts.
import type { Case } from './cases.ts';

const one = (name: string, request: string, reply: string): Case => ({
  name,
  talk: [[request, reply]],
});

const FORMAT = 'CLIENT_ERROR bad command line format\r\n';
const TOKEN = 'CLIENT_ERROR bad token in command line format\r\n';
const FLAGS = 'CLIENT_ERROR invalid or duplicate flag\r\n';
const INVALID = 'CLIENT_ERROR invalid flag\r\n';
const OPAQUE = 'CLIENT_ERROR opaque token too long\r\n';
const BAD_MODE = 'CLIENT_ERROR invalid mode for ma M token\r\n';
const TOO_LONG = 'CLIENT_ERROR options flags are too long\r\n';
const OLD_TOO_LONG = 'CLIENT_ERROR options flags too long\r\n';
const NON_NUMERIC = 'CLIENT_ERROR cannot increment or decrement non-numeric value\r\n';
const LONG_KEY = 'k'.repeat(251);
const LONG_OPAQUE = `O${'o'.repeat(32)}`;
const SET = 'ms k 2\r\nhi\r\n';
const FIVE = 'ms n 1\r\n5\r\n';

export const META_DELETE_CASES: readonly Case[] = [
  one('delete', `md k\r\n${SET}md k\r\nmg k\r\n`, 'NF\r\nHD\r\nHD\r\nEN\r\n'),
  one(
    'key and opaque come back',
    `md k Oa k\r\n${SET}md k k Oa\r\n`,
    'NF Oa kk\r\nHD\r\nHD kk Oa\r\n',
  ),
  one('q hides success only', `${SET}md k q k\r\nmd k q k\r\nmn\r\n`, 'HD\r\nNF kk\r\nMN\r\n'),
  {
    name: 'with a cas id',
    talk: [
      [`${SET}mg k c\r\n`, 'HD\r\nHD c<a>\r\n'],
      [
        'md k C99999999 q k\r\nmd k C0\r\nmd k C<a>\r\nmd k C<a>\r\n',
        'EX kk\r\nEX\r\nHD\r\nNF\r\n',
      ],
    ],
  },
  {
    name: 'I marks as stale, for one client to renew',
    talk: [
      [`${SET}mg k c\r\n`, 'HD\r\nHD c<a>\r\n'],
      ['md k I T100\r\nmg k c t v\r\n', 'HD\r\nVA 2 c<b> t<t100> X W\r\nhi\r\n'],
      ['mg k t v\r\nget k\r\n', 'VA 2 t<t100> Z X\r\nhi\r\nVALUE k 0 2\r\nhi\r\nEND\r\n'],
      ['md k I\r\nmg k t\r\nmg k\r\n', 'HD\r\nHD t<t100> X W\r\nHD Z X\r\n'],
      ['ms k 2 C<b>\r\nho\r\nms k 2\r\nho\r\nmg k v\r\n', 'EX\r\nHD\r\nVA 2\r\nho\r\n'],
      ['md m I\r\nmd k I q\r\nmd k I C1\r\nmn\r\n', 'NF\r\nEX\r\nMN\r\n'],
    ],
  },
  one(
    'append renews a stale item',
    `${SET}md k I\r\nms k 1 MA\r\n!\r\nmg k v\r\n`,
    'HD\r\nHD\r\nHD\r\nVA 3\r\nhi!\r\n',
  ),
  one(
    'touch does not',
    `${SET}md k I\r\ntouch k 100\r\nmg k\r\n`,
    'HD\r\nHD\r\nTOUCHED\r\nHD X W\r\n',
  ),
  one(
    'incr in place does not',
    `${FIVE}md n I\r\nincr n 1\r\nmg n v\r\n`,
    'HD\r\nHD\r\n6\r\nVA 1 X W\r\n6\r\n',
  ),
  one(
    'incr to a longer number does',
    `${FIVE}md n I\r\nincr n 9\r\nmg n v\r\n`,
    'HD\r\nHD\r\n14\r\nVA 2\r\n14\r\n',
  ),
  {
    name: 'x leaves an empty item, with its cas id',
    talk: [
      ['ms k 2 F5 T100\r\nhi\r\nmg k c\r\n', 'HD\r\nHD c<a>\r\n'],
      ['md k x\r\nmg k v f t c\r\nmd m x\r\n', `${FLAGS}VA 2 f5 t<t100> c<a>\r\nhi\r\n${FLAGS}`],
    ],
    ours: 'HD\r\nVA 0 f0 t-1 c<a>\r\n\r\nNF\r\n',
  },
  {
    ...one(
      'x with I, T, F, E and C leaves a tombstone',
      `${SET}md k x I T100 F7 E55\r\nmg k v t f c\r\nmd k x C54\r\nmd k x C55 E9\r\nmg k c\r\n`,
      `HD\r\n${FLAGS}VA 2 t-1 f0 c<a>\r\nhi\r\n${FLAGS}${FLAGS}HD c<a>\r\n`,
    ),
    ours: 'HD\r\nHD\r\nVA 0 t<t100> f7 c55 X W\r\n\r\nEX\r\nHD\r\nHD c9\r\n',
  },
  {
    ...one('I with E', `${SET}md k I E7\r\nmg k c\r\n`, `HD\r\n${FLAGS}HD c<a>\r\n`),
    ours: 'HD\r\nHD\r\nHD c7 X W\r\n',
  },
  {
    ...one('bad flags are named', 'md k T\r\nmd k S\r\nmd k C\r\nmd k q q\r\n', FLAGS.repeat(4)),
    ours: `${TOKEN}${INVALID}${TOKEN}CLIENT_ERROR duplicate flag\r\n`,
  },
  one('an opaque too long', `${SET}md k q ${LONG_OPAQUE}\r\nmg k\r\n`, `HD\r\n${OPAQUE}HD\r\n`),
  one('a key too long', `md ${LONG_KEY}\r\n`, FORMAT),
  { ...one('too many flags', `md k${' k'.repeat(19)}\r\n`, OLD_TOO_LONG), ours: TOO_LONG },
];

export const META_ARITHMETIC_CASES: readonly Case[] = [
  one(
    'increment by one',
    `${FIVE}ma n\r\nma n v\r\nget n\r\n`,
    'HD\r\nHD\r\nVA 1\r\n7\r\nVALUE n 0 1\r\n7\r\nEND\r\n',
  ),
  one(
    'D',
    `${FIVE}ma n D95 v\r\nma n v D18446744073709551615\r\n`,
    'HD\r\nVA 3\r\n100\r\nVA 2\r\n99\r\n',
  ),
  one(
    'modes up',
    `${FIVE}ma n MI v\r\nma n M+ v\r\nma n v\r\n`,
    'HD\r\nVA 1\r\n6\r\nVA 1\r\n7\r\nVA 1\r\n8\r\n',
  ),
  one('modes down', `${FIVE}ma n MD v\r\nma n M- D9 v\r\n`, 'HD\r\nVA 1\r\n4\r\nVA 1\r\n0\r\n'),
  one(
    'a shorter number is padded',
    `ms n 2\r\n10\r\nma n MD v s\r\nmg n v\r\n`,
    'HD\r\nVA 1\r\n9\r\nVA 2\r\n9 \r\n',
  ),
  one('a miss', 'ma n\r\nma n k Oo q v\r\nma n MD\r\n', 'NF\r\nNF kn Oo\r\nNF\r\n'),
  one('q hides success', `${FIVE}ma n q v\r\nma n q\r\nma n v\r\n`, 'HD\r\nVA 1\r\n8\r\n'),
  {
    name: 'flags come back in their order',
    talk: [
      [`${FIVE}ma n k c t Oo v\r\n`, 'HD\r\nVA 1 kn c<a> t-1 Oo\r\n6\r\n'],
      ['ma n Oo t c k\r\nmg n c\r\n', 'HD Oo t-1 c<b> kn\r\nHD c<b>\r\n'],
    ],
  },
  {
    name: 'with a cas id',
    talk: [
      [`${FIVE}mg n c\r\n`, 'HD\r\nHD c<a>\r\n'],
      ['ma n C99999999 k q\r\nma n C0 v\r\nma n C<a>\r\n', 'EX kn\r\nVA 1\r\n6\r\nEX\r\n'],
      ['mg n c\r\n', 'HD c<b>\r\n'],
      ['ma n C<b> v\r\n', 'VA 1\r\n7\r\n'],
    ],
  },
  one(
    'N creates',
    'ma n N100 v\r\nma n N9 v t\r\nma m N0 J13 v t\r\n' +
      'ma o t N100\r\nma o t\r\nma p N100 T200 t\r\n',
    'VA 1\r\n0\r\nVA 1 t<t100>\r\n1\r\nVA 2 t-1\r\n13\r\nHD t-1\r\nHD t<t100>\r\nHD t<t200>\r\n',
  ),
  one(
    'the largest initial value',
    'ma n N0 J18446744073709551615 v\r\nma n v\r\n',
    'VA 20\r\n18446744073709551615\r\nVA 1\r\n0\r\n',
  ),
  {
    ...one('q hides a creation', 'ma n N0 q v\r\nma n v\r\n', 'VA 1\r\n0\r\nVA 1\r\n1\r\n'),
    ours: 'VA 1\r\n1\r\n',
  },
  one(
    'T touches when it has its turn',
    `${FIVE}ma n t T100\r\nma n T200 t\r\nma n T-1\r\nma n\r\n`,
    'HD\r\nHD t-1\r\nHD t<t200>\r\nHD\r\nNF\r\n',
  ),
  {
    ...one(
      'T touches a longer number too',
      'ms n 1\r\n9\r\nma n T100 v\r\nmg n t v\r\n',
      'HD\r\nVA 2\r\n10\r\nVA 2 t-1\r\n10\r\n',
    ),
    ours: 'HD\r\nVA 2\r\n10\r\nVA 2 t<t100>\r\n10\r\n',
  },
  {
    name: 'E gives the number a cas id',
    talk: [
      [
        `${FIVE}ma n E7 c\r\nma n E8 D9 c v\r\nma m N0 E9 c\r\nmg n c\r\n`,
        `HD\r\n${FLAGS.repeat(3)}HD c<a>\r\n`,
      ],
    ],
    ours: 'HD\r\nHD c7\r\nVA 2 c8\r\n15\r\nHD c9\r\nHD c8\r\n',
  },
  one(
    'no number',
    `${SET}ma k\r\nms e 0\r\n\r\nma e q N0\r\nma k C99999999\r\n`,
    `HD\r\n${NON_NUMERIC}HD\r\n${NON_NUMERIC}EX\r\n`,
  ),
  one(
    'a large value is no number, whatever its cas id',
    `ms k 600000\r\n${'1'.repeat(600_000)}\r\nma k C1\r\n`,
    `HD\r\n${NON_NUMERIC}`,
  ),
  one(
    'a binary key',
    'ma Zm9v b k\r\nma Zm9v b k N0\r\nma foo k\r\n',
    'NF kZm9v b\r\nHD kZm9v b\r\nHD kfoo\r\n',
  ),
  one(
    'bad flags',
    'ma n D\r\nma n J\r\nma n S\r\nma n T\r\nma n q q\r\nma n D-1\r\nma n MII\r\nma n M\r\n',
    FLAGS.repeat(8),
  ),
  one('bad modes', 'ma n MA\r\nma n M1 q\r\n', BAD_MODE.repeat(2)),
  one('an opaque too long', `ma n ${LONG_OPAQUE}\r\n`, OPAQUE),
  {
    ...one(
      'an opaque too long changes nothing',
      `${FIVE}ma n ${LONG_OPAQUE}\r\nma n v\r\n`,
      `HD\r\n${OPAQUE}VA 1\r\n7\r\n`,
    ),
    ours: `HD\r\n${OPAQUE}VA 1\r\n6\r\n`,
  },
  one('a key too long', `ma ${LONG_KEY}\r\n`, FORMAT),
  { ...one('too many flags', `ma n${' k'.repeat(19)}\r\n`, OLD_TOO_LONG), ours: TOO_LONG },
];

export const META_LOOK_CASES: readonly Case[] = [
  one('mn', 'mn\r\nmn x y\r\n mn\n', 'MN\r\n'.repeat(3)),
  one('me of nothing', 'me k\r\nme Zm9v b\r\nme k x\r\n', 'EN\r\n'.repeat(3)),
  one('me with a bad key', `me\r\nme ${LONG_KEY}\r\nme Zm9 b\r\n`, FORMAT.repeat(3)),
  one(
    'me of an item',
    `${SET}me k\r\nget k\r\nme k\r\n`,
    'HD\r\nME k exp=-1 la=<t0> cas=<a> fetch=no cls=<number> size=<number>\r\n' +
      'VALUE k 0 2\r\nhi\r\nEND\r\n' +
      'ME k exp=-1 la=<t0> cas=<a> fetch=yes cls=<number> size=<number>\r\n',
  ),
  one(
    'me of a binary key',
    'ms Zm9v 2 b\r\nhi\r\nme Zm9v b\r\n',
    'HD\r\nME Zm9v exp=-1 la=<t0> cas=<a> fetch=no cls=<number> size=<number>\r\n',
  ),
  {
    ...one(
      'me of an item that ends',
      'ms k 2 T100\r\nhi\r\nme k\r\n',
      'HD\r\nME k exp=-<t100> la=<t0> cas=<a> fetch=no cls=<number> size=<number>\r\n',
    ),
    ours: 'HD\r\nME k exp=<t100> la=<t0> cas=<a> fetch=no cls=<number> size=<number>\r\n',
  },
];
