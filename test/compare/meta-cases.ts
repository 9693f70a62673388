// Fixed examples of mg and ms: what is stored and fetched by meta commands, and every error of
// their lines. md, ma, me and mn are in meta-change-cases.ts.
import type { Case } from './cases.ts';

const one = (name: string, request: string, reply: string): Case => ({
  name,
  talk: [[request, reply]],
});

const FORMAT = 'CLIENT_ERROR bad command line format\r\n';
const TOKEN = 'CLIENT_ERROR bad token in command line format\r\n';
const DUPLICATE = 'CLIENT_ERROR duplicate flag\r\n';
const INVALID = 'CLIENT_ERROR invalid flag\r\n';
const KEY_ERROR = 'CLIENT_ERROR error decoding key\r\n';
const MODE_LENGTH = 'CLIENT_ERROR incorrect length for M token\r\n';
const OPAQUE = 'CLIENT_ERROR opaque token too long\r\n';
const TOO_LONG = 'CLIENT_ERROR options flags are too long\r\n';
const CHUNK = 'CLIENT_ERROR bad data chunk\r\n';
const TOO_LARGE = 'SERVER_ERROR object too large for cache\r\n';
const LONG_KEY = 'k'.repeat(251);
const MILLION = 1024 * 1024;
const SET = 'ms k 2\r\nhi\r\n';
const LONGEST_OPAQUE = `O${'o'.repeat(31)}`;
/** Key, and 17 flags that all exist: with the command 19 words. */
const MOST_FLAGS = 'k f c h k l s t u q O L P I T1 R1 N1 J1';

export const META_GET_CASES: readonly Case[] = [
  one('a miss', 'mg k\r\nmg k v\r\nmg k s t c f h l\r\n', 'EN\r\nEN\r\nEN\r\n'),
  one('a miss gives back key and opaque', 'mg k Oq v k\r\nmg k k O\r\n', 'EN Oq kk\r\nEN kk O\r\n'),
  one('a quiet miss', 'mg k v q\r\nmg k q k O1\r\nmn\r\n', 'MN\r\n'),
  one('a hit without flags', `${SET}mg k\r\nmg k q\r\n`, 'HD\r\nHD\r\nHD\r\n'),
  one('a hit with its value', `${SET}mg k v\r\n`, 'HD\r\nVA 2\r\nhi\r\n'),
  one('a quiet hit is said', `${SET}mg k q v\r\nmn\r\n`, 'HD\r\nVA 2\r\nhi\r\nMN\r\n'),
  one('an empty value', 'ms k 0\r\n\r\nmg k v s\r\n', 'HD\r\nVA 0 s0\r\n\r\n'),
  {
    name: 'flags come back in their order',
    talk: [
      [`${SET}mg k k s t f Oab c v\r\n`, 'HD\r\nVA 2 kk s2 t-1 f0 Oab c<a>\r\nhi\r\n'],
      ['mg k v Oab c f t s k\r\n', 'VA 2 Oab c<a> f0 t-1 s2 kk\r\nhi\r\n'],
    ],
  },
  one('flags for proxies mean nothing', `${SET}mg k Lx P s I\r\n`, 'HD\r\nHD s2\r\n'),
  one(
    'a text command stores what mg fetches',
    'set k 7 100 2\r\nhi\r\nmg k s v f t\r\n',
    'STORED\r\nVA 2 s2 f7 t<t100>\r\nhi\r\n',
  ),
  one(
    'h tells whether it was fetched before',
    `${SET}mg k h\r\nmg k h\r\n${SET}mg k h\r\nget k\r\nmg k h\r\n`,
    'HD\r\nHD h0\r\nHD h1\r\nHD\r\nHD h0\r\nVALUE k 0 2\r\nhi\r\nEND\r\nHD h1\r\n',
  ),
  one(
    'u leaves no trace',
    `${SET}mg k u\r\nmg k u h\r\nmg k h\r\n`,
    'HD\r\nHD\r\nHD h0\r\nHD h0\r\n',
  ),
  one('l of a new item', `${SET}mg k l\r\n`, 'HD\r\nHD l<t0>\r\n'),
  one(
    'T touches when it has its turn',
    `${SET}mg k t T100\r\nmg k T200 t\r\nmg k T0 t\r\nmg k T-1\r\nmg k\r\n`,
    'HD\r\nHD t-1\r\nHD t<t200>\r\nHD t-1\r\nHD\r\nEN\r\n',
  ),
  one(
    'N creates, and its creator wins',
    'mg k N100 v t\r\nmg k N200 v t\r\nmg k\r\nget k\r\n',
    'VA 0 t<t100> W\r\n\r\nVA 0 t<t100> Z\r\n\r\nHD Z\r\nVALUE k 0 0\r\n\r\nEND\r\n',
  ),
  one(
    'N has its turn among the flags',
    'mg k t N100 h f s k\r\nmg l N100 t\r\nmg m T200 N100 t\r\nmg n N100 T200 t\r\nmg n h\r\n',
    'HD t-1 h0 f0 s0 kk W\r\nHD t<t100> W\r\nHD t<t100> W\r\nHD t<t200> W\r\nHD h1 Z\r\n',
  ),
  one('a set ends the lease', `mg k N100\r\n${SET}mg k t\r\n`, 'HD W\r\nHD\r\nHD t-1\r\n'),
  one(
    'R wins when less is left than it says',
    'ms k 2 T100\r\nhi\r\nmg k R30\r\nmg k R200\r\nmg k R200\r\nmg k\r\n',
    'HD\r\nHD\r\nHD W\r\nHD Z\r\nHD Z\r\n',
  ),
  one('R of what lives for ever', `${SET}mg k R200\r\nmg k R0\r\nmg k R-1\r\n`, 'HD\r\n'.repeat(4)),
  one('R sees what T set before', `${SET}mg k T50 R200\r\n`, 'HD\r\nHD W\r\n'),
  one('R with N does not win twice', 'mg k N100 R200\r\nmg k N100 R200\r\n', 'HD W\r\nHD Z\r\n'),
  {
    name: 'E gives a created item its cas id',
    talk: [['mg k N100 E12345678901234567890 c\r\nmg k c\r\n', `${INVALID}EN\r\n`]],
    ours: 'HD c12345678901234567890 W\r\nHD c12345678901234567890 Z\r\n',
  },
  one('a flag twice', `${SET}mg k v v\r\nmg k v s v T\r\n`, `HD\r\n${DUPLICATE}${DUPLICATE}`),
  one('no such flag', `mg k S\r\nmg k 1\r\nmg k _\r\nmg k v @\r\n`, INVALID.repeat(4)),
  one('a flag beyond ASCII', 'mg k \x7f\r\nmg k \xff\r\n', DUPLICATE.repeat(2)),
  one('tokens that are no numbers', 'mg k Tx\r\nmg k N1x\r\nmg k R--1\r\n', TOKEN.repeat(3)),
  one('tokens that are not there', 'mg k T\r\nmg k N\r\nmg k R\r\nmg k C\r\n', TOKEN.repeat(4)),
  one(
    'tokens for other commands',
    'mg k F\r\nmg k M\r\nmg k Mxy\r\n',
    FORMAT + MODE_LENGTH.repeat(2),
  ),
  one(
    'the last bad token is named',
    'mg k Tx Fx\r\nmg k Fx Jx\r\n',
    `${TOKEN}CLIENT_ERROR invalid numeric initial value\r\n`,
  ),
  one('q hides no error', 'mg k q T\r\nmg k q zz\r\n', TOKEN + INVALID),
  one('the longest opaque', `mg k ${LONGEST_OPAQUE}\r\n`, `EN ${LONGEST_OPAQUE}\r\n`),
  one(
    'an opaque too long',
    `${SET}mg k ${LONGEST_OPAQUE}o q\r\nmg m ${LONGEST_OPAQUE}o\r\n`,
    `HD\r\n${OPAQUE}${OPAQUE}`,
  ),
  one('a key of 250 bytes', `mg ${'k'.repeat(250)} k\r\n`, `EN k${'k'.repeat(250)}\r\n`),
  one('a key of 251 bytes', `mg ${LONG_KEY} q\r\n`, FORMAT),
  one('19 words', `${SET}mg ${MOST_FLAGS}\r\n`, 'HD\r\nHD f0 c<a> h0 kk l<t0> s2 t-1 O\r\n'),
  {
    ...one('20 words', `mg ${MOST_FLAGS} D1\r\n`, TOO_LONG),
    ours: 'HD f0 c<a> h0 kk l0 s0 t-1 O W\r\n',
  },
  one(
    '21 words and more',
    `mg ${MOST_FLAGS} D1 v\r\nmg k${' v'.repeat(990)}\r\n`,
    TOO_LONG.repeat(2),
  ),
  { ...one('no key', 'mg\r\nms\r\nmd\r\nma\r\n', 'ERROR\r\n'.repeat(4)), ours: FORMAT.repeat(4) },
  one(
    'spaces, bare newlines and NUL',
    `${SET}  mg   k   v  \nmg k\0 v\r\n`,
    'HD\r\nVA 2\r\nhi\r\nHD\r\n',
  ),
  one('no such meta command', 'mx\r\nmx k v\r\nmm HTTP/1.1\r\nmgx k\r\n', 'ERROR\r\n'.repeat(4)),
];

export const META_KEY_CASES: readonly Case[] = [
  one(
    'a key in base64',
    'ms Zm9v 2 b k\r\nhi\r\nmg Zm9v b k v\r\nmg foo k\r\nget foo\r\n',
    'HD kZm9v b\r\nVA 2 kZm9v b\r\nhi\r\nHD kZm9v b\r\nVALUE foo 0 2\r\nhi\r\nEND\r\n',
  ),
  one(
    'a text key stays text',
    `ms foo 2\r\nhi\r\nmg Zm9v b k\r\nmg YmFy b k\r\n`,
    'HD\r\nHD kfoo\r\nEN kYmFy b\r\n',
  ),
  one(
    'a key that could not stand on a line',
    'ms a3kNCiA= 2 b k\r\nhi\r\nmg a3kNCiA= b v k\r\nmd a3kNCiA= b k Oo\r\nmg a3kNCiA= b k\r\n',
    'HD ka3kNCiA= b\r\nVA 2 ka3kNCiA= b\r\nhi\r\nHD ka3kNCiA= b Oo\r\nEN ka3kNCiA= b\r\n',
  ),
  one('one byte, two bytes', 'mg Zg== b k\r\nmg Zm8= b k\r\n', 'EN kZg== b\r\nEN kZm8= b\r\n'),
  one('wrong lengths', 'mg Zm9 b k\r\nmg Zg= b\r\nmg ==== b\r\nmg A=== b\r\n', KEY_ERROR.repeat(4)),
  one(
    'other characters are passed over',
    'mg Zm-9v. b k\r\nmg -- b\r\n',
    `EN kZm9v b\r\n${KEY_ERROR}`,
  ),
  one('nothing counts behind padding', 'mg Zg==Zm9v b k\r\n', 'EN kZg== b\r\n'),
  one(
    'padding in strange places',
    'mg AA=A b k\r\nmg =AAA b k\r\n',
    'EN kAAA= b\r\nEN kAAA= b\r\n',
  ),
  one('the longest key', `mg ${'A'.repeat(248)} b k\r\n`, `EN k${'A'.repeat(248)} b\r\n`),
  one('the length is that before decoding', `mg ${'A'.repeat(252)} b\r\n`, FORMAT),
  {
    ...one(
      'an item created by mg knows that its key is binary',
      'mg Zm9v b k N100\r\nmg Zm9v b k\r\n',
      'HD kfoo W\r\nHD kfoo Z\r\n',
    ),
    ours: 'HD kZm9v b W\r\nHD kZm9v b Z\r\n',
  },
  {
    ...one(
      'an append keeps that the key is binary',
      'ms Zm9v 2 b\r\nhi\r\nms Zm9v 1 b MA\r\n!\r\nmg Zm9v b k v\r\n',
      'HD\r\nHD\r\nVA 3 kfoo\r\nhi!\r\n',
    ),
    ours: 'HD\r\nHD\r\nVA 3 kZm9v b\r\nhi!\r\n',
  },
  one(
    'a set by its text makes the key text',
    'ms Zm9v 2 b\r\nhi\r\nset foo 0 0 1\r\na\r\nmg Zm9v b k\r\n',
    'HD\r\nSTORED\r\nHD kfoo\r\n',
  ),
];

export const META_SET_CASES: readonly Case[] = [
  one(
    'key and opaque come back',
    'ms k 2 Oab k\r\nhi\r\nms k 2 k O\r\nhi\r\n',
    'HD Oab kk\r\nHD kk O\r\n',
  ),
  {
    name: 'the new cas id comes back',
    talk: [
      ['ms k 2 c\r\nhi\r\n', 'HD c<a>\r\n'],
      ['ms k 2 c MA\r\nhi\r\n', 'HD c<b>\r\n'],
      ['mg k c v\r\n', 'VA 4 c<b>\r\nhihi\r\n'],
    ],
  },
  one('what is not stored has the cas id 0', `${SET}ms k 2 ME c k\r\nho\r\n`, 'HD\r\nNS c0 kk\r\n'),
  one('q hides success', 'ms k 2 q c k\r\nhi\r\nmg k v\r\nmn\r\n', 'VA 2\r\nhi\r\nMN\r\n'),
  one(
    'q hides nothing else',
    `${SET}ms k 2 ME q\r\nho\r\nms m 2 MR q Oo\r\nho\r\n`,
    'HD\r\nNS\r\nNS Oo\r\n',
  ),
  one('T and F', 'ms k 2 T100 F5\r\nhi\r\nmg k t f\r\n', 'HD\r\nHD t<t100> f5\r\n'),
  one(
    'a time in the past',
    'ms k 2 T-1\r\nhi\r\nmg k\r\nms k 2 T2592001\r\nhi\r\nmg k\r\n',
    'HD\r\nEN\r\nHD\r\nEN\r\n',
  ),
  one('add', `ms k 1 ME\r\na\r\nms k 1 ME\r\nb\r\nmg k v\r\n`, 'HD\r\nNS\r\nVA 1\r\na\r\n'),
  one(
    'replace',
    `ms k 1 MR\r\na\r\n${SET}ms k 1 MR\r\nb\r\nmg k v\r\n`,
    'NS\r\nHD\r\nHD\r\nVA 1\r\nb\r\n',
  ),
  one(
    'append and prepend',
    `ms k 1 MA\r\na\r\nms k 1 MP\r\na\r\n${SET}` +
      'ms k 1 MA T5 F5\r\n>\r\nms k 1 MP\r\n<\r\nmg k v t f\r\n',
    'NS\r\nNS\r\nHD\r\nHD\r\nHD\r\nVA 4 t-1 f0\r\n<hi>\r\n',
  ),
  one('set by name', 'ms k 1 MS\r\na\r\nmg k v\r\n', 'HD\r\nVA 1\r\na\r\n'),
  {
    ...one(
      'append and prepend with N create',
      'ms k 1 MA N100\r\na\r\nms k 1 MP N9\r\nb\r\nmg k v t\r\n',
      'NS\r\nNS\r\nEN\r\n',
    ),
    ours: 'HD\r\nHD\r\nVA 2 t<t100>\r\nba\r\n',
  },
  one(
    'N with other modes means nothing',
    'ms k 1 MR N100\r\na\r\nms k 1 N100\r\na\r\nmg k t\r\n',
    'NS\r\nHD\r\nHD t-1\r\n',
  ),
  {
    ...one(
      's gives the size',
      `ms k 2 s\r\nhi\r\nms k 3 MA s\r\nabc\r\nms k 1 ME s\r\na\r\n`,
      'HD\r\nHD\r\nNS\r\n',
    ),
    ours: 'HD s2\r\nHD s5\r\nNS s1\r\n',
  },
  {
    name: 'E gives the item a cas id',
    talk: [
      [SET, 'HD\r\n'],
      [
        'ms k 1 E77 c\r\na\r\nms k 1 MA C77 E78 c\r\nb\r\nmg k c v\r\n',
        `${INVALID}${INVALID}VA 2 c<a>\r\nhi\r\n`,
      ],
    ],
    ours: 'HD c77\r\nHD c78\r\nVA 2 c78\r\nab\r\n',
  },
  {
    name: 'a cas that matches',
    talk: [
      [`${SET}mg k c\r\n`, 'HD\r\nHD c<a>\r\n'],
      ['ms k 1 C<a> c\r\na\r\n', 'HD c<b>\r\n'],
      [
        'ms k 1 C<a> c k\r\nb\r\nms k 1 C<b> MR\r\nc\r\nmg k v\r\n',
        'EX c0 kk\r\nHD\r\nVA 1\r\nc\r\n',
      ],
    ],
  },
  one(
    'a cas that does not match',
    `${SET}ms k 1 C99999999 q\r\na\r\nms k 1 C0\r\na\r\nms m 1 C1\r\na\r\nms m 1 C0\r\na\r\n`,
    'HD\r\nEX\r\nEX\r\nNF\r\nNF\r\n',
  ),
  one(
    'add takes no notice of a cas id',
    `ms k 1 ME C5\r\na\r\nms k 1 ME C5\r\na\r\n`,
    'HD\r\nNS\r\n',
  ),
  {
    name: 'append and prepend with a cas id',
    talk: [
      [`${SET}mg k c\r\n`, 'HD\r\nHD c<a>\r\n'],
      [
        'ms k 1 MA C99999999\r\n!\r\nms k 1 MP C<a>\r\n!\r\nms k 1 MA C0\r\n!\r\n',
        'EX\r\nHD\r\nHD\r\n',
      ],
      ['ms m 1 MA C5\r\n!\r\nmg k v\r\n', 'NS\r\nVA 4\r\n!hi!\r\n'],
    ],
  },
  {
    name: 'I stores what is out of date as stale',
    talk: [
      ['ms k 2 T100\r\nhi\r\nmg k c\r\n', 'HD\r\nHD c<a>\r\n'],
      ['ms k 2 T200\r\nho\r\nms k 2 C<a>\r\nhx\r\n', 'HD\r\nEX\r\n'],
      [
        'ms k 2 C<a> I T50\r\nhy\r\nmg k v t\r\nmg k v t\r\n',
        'HD\r\nVA 2 t<t200> X W\r\nhy\r\nVA 2 t<t200> Z X\r\nhy\r\n',
      ],
      [
        'ms k 2 C<a> I\r\nhz\r\nmg k v\r\nget k\r\n',
        'HD\r\nVA 2 Z X\r\nhz\r\nVALUE k 0 2\r\nhz\r\nEND\r\n',
      ],
      ['ms k 2 C18446744073709551615 I\r\nh!\r\nms k 2 C0 I\r\nh!\r\n', 'EX\r\nEX\r\n'],
      [
        'ms k 2 I T90\r\nnn\r\nmg k v t\r\nms m 2 I C1\r\nnn\r\n',
        'HD\r\nVA 2 t<t90>\r\nnn\r\nNF\r\n',
      ],
    ],
  },
  one(
    'a bad length',
    'ms k\r\nms k x\r\nms k -1\r\nms k T5\r\nms k 2147483646\r\nms k 1x\r\n',
    FORMAT.repeat(6),
  ),
  {
    ...one('a length over 32 bits', 'ms k 4294967297\r\na\r\nmg k v\r\n', 'HD\r\nVA 1\r\na\r\n'),
    ours: `${FORMAT}ERROR\r\nEN\r\n`,
  },
  one(
    'errors swallow the value',
    `ms k 2 T\r\nhi\r\nms k 2 S\r\nhi\r\nms k 2 k k\r\nhi\r\nmn\r\n`,
    `${TOKEN}${INVALID}${DUPLICATE}MN\r\n`,
  ),
  one('errors are said in spite of q', 'ms k 2 q T\r\nhi\r\nmn\r\n', `${TOKEN}MN\r\n`),
  one(
    'bad modes',
    'ms k 2 MZ\r\nhi\r\nms k 2 M\r\nhi\r\nms k 2 MSS\r\nhi\r\n',
    `CLIENT_ERROR invalid mode for ms M token\r\n${MODE_LENGTH}${MODE_LENGTH}`,
  ),
  one(
    'an opaque too long',
    `ms k 2 ${LONGEST_OPAQUE}o\r\nhi\r\nms k 2 ${LONGEST_OPAQUE}\r\nhi\r\n`,
    `${OPAQUE}HD ${LONGEST_OPAQUE}\r\n`,
  ),
  one(
    'a bad mode goes before a bad opaque',
    `ms k 2 ${LONGEST_OPAQUE}o MZ\r\nhi\r\n`,
    'CLIENT_ERROR invalid mode for ms M token\r\n',
  ),
  one('a bad key goes before', 'ms k 2 b MZ\r\nhi\r\nmn\r\n', `${KEY_ERROR}MN\r\n`),
  one(
    'tokens without numbers',
    'ms k 2 F\r\nhi\r\nms k 2 C\r\nhi\r\nms k 2 Fx\r\nhi\r\n',
    FORMAT + TOKEN + FORMAT,
  ),
  {
    ...one('a key too long', `ms ${LONG_KEY} 2\r\nhi\r\nmn\r\n`, `${FORMAT}ERROR\r\nMN\r\n`),
    ours: `${FORMAT}MN\r\n`,
  },
  {
    ...one(
      'too many flags',
      `ms k 2${' k'.repeat(18)}\r\nhi\r\nmn\r\n`,
      'CLIENT_ERROR options flags too long\r\nERROR\r\nMN\r\n',
    ),
    ours: `${TOO_LONG}MN\r\n`,
  },
  one('data too long', 'ms k 2 q\r\nhixx\r\n', `${CHUNK}ERROR\r\n`),
  one('data too short', 'ms k 3 q k Oo\r\nhi\r\n\nmg k\r\n', `${CHUNK}EN\r\n`),
  one(
    'what is too large takes the old value along',
    `${SET}ms k ${MILLION} q Oo\r\n${'x'.repeat(MILLION)}\r\nmg k\r\n` +
      `${SET}ms k ${MILLION} MA\r\n${'x'.repeat(MILLION)}\r\nmg k\r\n`,
    `HD\r\n${TOO_LARGE}EN\r\nHD\r\n${TOO_LARGE}EN\r\n`,
  ),
  one(
    'a value in chunks',
    `ms k 900000 k Oo\r\n${'x'.repeat(900_000)}\r\nmg k v s q\r\n`,
    `HD kk Oo\r\nVA 900000 s900000\r\n${'x'.repeat(900_000)}\r\n`,
  ),
];
