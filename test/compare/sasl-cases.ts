// Fixed examples of SASL: what is sent to a server with the users bob:s3cret and ann:p, and the
// exact replies that memcached gives. Every case has a connection of its own.
import { type RequestPacket, words } from '../support/packets.ts';

/** A status and its text; the opcode is that of the request, all else is 0. */
export type Answer = readonly [number, string];

export interface SaslCase {
  readonly name: string;
  readonly talk: ReadonlyArray<readonly [RequestPacket, Answer]>;
  /** The server hangs up after the last answer. */
  readonly closes?: true;
  /** Why our last answer but one is another than memcached's, and what is its and the last. */
  readonly theirs?: { readonly reason: string; readonly answers: readonly Answer[] };
}

const LIST_MECHS: RequestPacket = { opcode: 0x20 };
const GET: RequestPacket = { opcode: 0x00, key: 'k' };
const VERSION: RequestPacket = { opcode: 0x0b };

const IN: Answer = [0x00, 'Authenticated'];
const OUT: Answer = [0x20, 'Auth failure.'];
const MORE: Answer = [0x21, ''];
const MISS: Answer = [0x01, 'Not found'];
const PLAIN: Answer = [0x00, 'PLAIN'];
const INVALID: Answer = [0x04, 'Invalid arguments'];
const UNKNOWN: Answer = [0x81, 'Unknown command'];

function auth(message: string, mechanism = 'PLAIN'): RequestPacket {
  return { opcode: 0x21, key: mechanism, value: message };
}

function step(message: string, mechanism = 'PLAIN'): RequestPacket {
  return { opcode: 0x22, key: mechanism, value: message };
}

const BOB = '\0bob\0s3cret';
const ANN = '\0ann\0p';
const LONG = 'x'.repeat(100_000);

/** Messages that let nobody in. */
const REFUSED: ReadonlyArray<readonly [string, string]> = [
  ['a wrong password', '\0bob\0no'],
  ['a part of the password', '\0bob\0s3cre'],
  ['a password and more', '\0bob\0s3crett'],
  ['no password', '\0bob\0'],
  ['the password of another', '\0ann\0s3cret'],
  ['an unknown user', '\0carl\0s3cret'],
  ['no user', '\0\0s3cret'],
  ['a user with a colon', '\0bob:s3cret\0'],
  ['a password with a colon', '\0ann:p\0more'],
  ['one user acting as another', 'ann\0bob\0s3cret'],
  ['a part of the user as authzid', 'bo\0bob\0s3cret'],
  ['another spelling as authzid', 'BOB\0bob\0s3cret'],
  ['another spelling of the user', '\0Bob\0s3cret'],
  ['no NUL', 'bob s3cret'],
  ['one NUL', 'bob\0s3cret'],
  ['three NULs', '\0bob\0s3cret\0'],
  ['a NUL in the password', '\0bob\0s3cret\0x'],
  ['nothing but a NUL', '\0'],
  ['a long password', `\0bob\0${LONG}`],
];

export const SASL_CASES: readonly SaslCase[] = [
  { name: 'the list of mechanisms', talk: [[LIST_MECHS, PLAIN]] },
  {
    name: 'a list of mechanisms with a key',
    talk: [[{ opcode: 0x20, key: 'x' }, INVALID]],
    closes: true,
  },
  {
    name: 'user and password',
    talk: [
      [auth(BOB), IN],
      [GET, MISS],
    ],
  },
  {
    name: 'a short password',
    talk: [
      [auth(ANN), IN],
      [GET, MISS],
    ],
  },
  {
    name: 'the user as authzid, as libmemcached sends it',
    talk: [
      [auth(`bob${BOB}`), IN],
      [GET, MISS],
    ],
  },
  {
    name: 'the mechanism in small letters',
    talk: [
      [auth(BOB, 'plain'), IN],
      [GET, MISS],
    ],
  },
  ...REFUSED.map(
    ([name, message]): SaslCase => ({
      name,
      talk: [
        [auth(message), OUT],
        [VERSION, [0, '']],
        [GET, OUT],
      ],
      closes: true,
    }),
  ),
  ...REFUSED.map(
    ([name, message]): SaslCase => ({
      name: `${name}, then the right thing`,
      talk: [
        [auth(message), OUT],
        [auth(BOB), IN],
        [GET, MISS],
      ],
    }),
  ),
  {
    name: 'an unknown mechanism',
    talk: [
      [auth(BOB, 'CRAM-MD5'), OUT],
      [GET, OUT],
    ],
    closes: true,
  },
  {
    name: 'a mechanism and a space',
    talk: [
      [auth(BOB, 'PLAIN '), OUT],
      [GET, OUT],
    ],
    closes: true,
  },
  {
    name: 'a mechanism of 32 bytes',
    talk: [
      [auth(BOB, 'P'.repeat(32)), OUT],
      [GET, OUT],
    ],
    closes: true,
  },
  {
    name: 'a mechanism of 33 bytes',
    talk: [
      [auth(BOB, 'P'.repeat(33)), INVALID],
      [GET, OUT],
    ],
    closes: true,
  },
  {
    name: 'a mechanism of 33 bytes, and on',
    talk: [
      [auth(BOB, 'P'.repeat(33)), INVALID],
      [auth(BOB), IN],
      [GET, MISS],
    ],
  },
  { name: 'a mechanism of 251 bytes', talk: [[auth('', 'P'.repeat(251)), INVALID]], closes: true },
  { name: 'no mechanism', talk: [[auth('', ''), INVALID]], closes: true },
  { name: 'extras', talk: [[{ ...auth(''), extras: words(1) }, INVALID]], closes: true },
  {
    name: 'a mechanism that is longer than the packet',
    talk: [[{ ...auth(''), keyLength: 32, bodyLength: 1, key: 'x'.repeat(32) }, UNKNOWN]],
    closes: true,
  },
  {
    name: 'the message in a step',
    talk: [
      [auth(''), MORE],
      [step(BOB), IN],
      [GET, MISS],
    ],
  },
  {
    name: 'a step that names another mechanism',
    talk: [
      [auth(''), MORE],
      [step(BOB, 'X'), IN],
      [GET, MISS],
    ],
  },
  {
    name: 'an invitation only',
    talk: [
      [auth(''), MORE],
      [GET, OUT],
    ],
    closes: true,
  },
  {
    name: 'two invitations',
    talk: [
      [auth(''), MORE],
      [auth(''), MORE],
      [auth(BOB), IN],
      [GET, MISS],
    ],
  },
  {
    name: 'an invitation, then all at once',
    talk: [
      [auth(''), MORE],
      [auth(BOB), IN],
      [GET, MISS],
    ],
  },
  {
    name: 'a bad step, then a good one',
    talk: [
      [auth(''), MORE],
      [step('\0bob\0no'), OUT],
      [step(BOB), IN],
      [GET, MISS],
    ],
  },
  {
    name: 'an empty step',
    talk: [
      [auth(''), MORE],
      [step(''), OUT],
      [GET, OUT],
    ],
    closes: true,
  },
  {
    name: 'a step before AUTH',
    talk: [
      [step(BOB), OUT],
      [GET, OUT],
    ],
    closes: true,
  },
  {
    name: 'a step after all is done',
    talk: [
      [auth(BOB), IN],
      [step(BOB), OUT],
      [GET, OUT],
    ],
    closes: true,
  },
  {
    name: 'a bad AUTH after a good one',
    talk: [
      [auth(BOB), IN],
      [auth('\0bob\0no'), OUT],
      [GET, OUT],
    ],
    closes: true,
  },
  {
    name: 'an invitation after a good AUTH',
    talk: [
      [auth(BOB), IN],
      [auth(''), MORE],
      [GET, OUT],
    ],
    closes: true,
  },
  {
    name: 'VERSION needs no authentication',
    talk: [
      [VERSION, [0, '']],
      [VERSION, [0, '']],
    ],
  },
  {
    name: 'a good AUTH after a good one',
    talk: [
      [auth(BOB), IN],
      [auth(ANN), IN],
      [GET, MISS],
    ],
    theirs: { reason: 'its SASL library takes one success per connection', answers: [OUT, OUT] },
  },
  {
    name: 'the list of mechanisms after a good AUTH',
    talk: [
      [auth(BOB), IN],
      [LIST_MECHS, PLAIN],
      [GET, MISS],
    ],
    theirs: {
      reason: 'it forgets who is there when it is asked for the list',
      answers: [PLAIN, OUT],
    },
  },
];
