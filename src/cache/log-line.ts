/**
 * Log records as the lines that `watch` shows: memcached's formats, field by field, with keys
 * URI-encoded and microseconds without leading zeros.
 */
import {
  RECORD_BYTES_I32,
  RECORD_CLASS_I32,
  RECORD_CONNECTION_I32,
  RECORD_DETAIL_I32,
  RECORD_GID_HIGH_I32,
  RECORD_GID_LOW_I32,
  RECORD_STATUS_I32,
  RECORD_TEXT_AT,
  RECORD_TEXT_LENGTH_I32,
  RECORD_TIME_F64,
  RECORD_TTL_I32,
  RECORD_TYPE_I32,
} from '../memory/log-layout.ts';
import type { Memory } from '../memory/memory.ts';
import {
  RECORD_CLOSED,
  RECORD_DELETION,
  RECORD_EVICTION,
  RECORD_GET,
  RECORD_OPENED,
  RECORD_STORE,
} from './log.ts';

/** By the GET_ statuses of log.ts. */
const GET_STATUSES = ['not_found', 'found', 'flushed', 'expired'];
/** By the results of Updater.commit, then by STORE_TOO_LARGE and STORE_NO_MEMORY of log.ts. */
const STORE_STATUSES = ['stored', 'not_stored', 'exists', 'not_found', 'too_large', 'no_memory'];
/** By the MODE_ constants of update.ts. */
const STORE_COMMANDS = [
  'set',
  'add',
  'replace',
  'append',
  'prepend',
  'cas',
  'cas',
  'append',
  'prepend',
];
/** By DELETED_BY_ of log.ts. */
const DELETE_COMMANDS = ['null', 'delete', 'md'];
/** By CLOSE_ of connections.ts. */
const CLOSE_REASONS = ['error', 'normal', 'idle_timeout', 'shutdown'];

/** The bytes that a key shows as they are; all others are written as %XX. */
const PLAIN = /^[A-Za-z0-9\-._~]*$/;
const ENCODED = Array.from({ length: 256 }, (_, byte) => {
  const text = String.fromCharCode(byte);
  return PLAIN.test(text) ? text : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
});

/** The line for the record at this word, with its line end; its characters are bytes. */
export function logLine(memory: Memory, word: number): string {
  const { i32, f64 } = memory;
  const micros = f64[word / 2 + RECORD_TIME_F64];
  const seconds = Math.floor(micros / 1_000_000);
  const high = i32[word + RECORD_GID_HIGH_I32] >>> 0;
  const low = i32[word + RECORD_GID_LOW_I32] >>> 0;
  const gid = high === 0 ? low : (BigInt(high) << 32n) | BigInt(low);
  return `ts=${seconds}.${micros - seconds * 1_000_000} gid=${gid} ${eventText(memory, word)}\n`;
}

function eventText(memory: Memory, word: number): string {
  const { i32 } = memory;
  const status = i32[word + RECORD_STATUS_I32];
  const detail = i32[word + RECORD_DETAIL_I32];
  const ttl = i32[word + RECORD_TTL_I32];
  const connection = `cfd=${i32[word + RECORD_CONNECTION_I32]}`;
  const id = `clsid=${i32[word + RECORD_CLASS_I32]}`;
  const size = `size=${i32[word + RECORD_BYTES_I32]}`;
  const text = textOf(memory, word);
  switch (i32[word + RECORD_TYPE_I32]) {
    case RECORD_GET:
      return (
        `type=item_get key=${uriEncoded(text)} status=${GET_STATUSES[status]} ` +
        `${id} ${connection} ${size}`
      );
    case RECORD_STORE:
      return (
        `type=item_store key=${uriEncoded(text)} status=${STORE_STATUSES[status]} ` +
        `cmd=${STORE_COMMANDS[detail]} ttl=${ttl >>> 0} ${id} ${connection} ${size}`
      );
    case RECORD_EVICTION:
      return (
        `type=eviction key=${uriEncoded(text)} fetch=${status === 0 ? 'no' : 'yes'} ` +
        `ttl=${ttl} la=${detail} ${id} ${size}`
      );
    case RECORD_DELETION:
      return `type=deleted key=${uriEncoded(text)} cmd=${DELETE_COMMANDS[detail]} ${id} ${size}`;
    case RECORD_OPENED:
      return `type=conn_new ${peerText(text)} ${connection}`;
    case RECORD_CLOSED:
      return `type=conn_close ${peerText(text)} reason=${CLOSE_REASONS[status]} ${connection}`;
    default:
      return (
        `type=slab_move src=${i32[word + RECORD_CLASS_I32]} dst=${detail} ` +
        `state=${status === 1 ? 'ok' : 'fail'}`
      );
  }
}

function textOf(memory: Memory, word: number): string {
  const start = word * 4 + RECORD_TEXT_AT;
  return memory.u8.toString('latin1', start, start + memory.i32[word + RECORD_TEXT_LENGTH_I32]);
}

function uriEncoded(key: string): string {
  if (PLAIN.test(key)) return key;
  let encoded = '';
  for (let i = 0; i < key.length; i++) encoded += ENCODED[key.charCodeAt(i)];
  return encoded;
}

/** From `tcp:1.2.3.4:5`, `tcp6:[::1]:5` or `unix:/path` of the connection table. */
function peerText(peer: string): string {
  const match = /^(tcp|udp)6?:\[?(.*?)\]?:(\d+)$/.exec(peer);
  // As memcached calls an address that it does not have.
  if (match === null) return `rip=unix rport=0 transport=${peer === 'unknown' ? 'tcp' : 'local'}`;
  return `rip=${match[2]} rport=${match[3]} transport=${match[1]}`;
}
