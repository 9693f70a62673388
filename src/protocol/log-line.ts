/**
 * Log records as the lines that `watch` shows: memcached's formats, field by field, with keys
 * URI-encoded and microseconds without leading zeros.
 */

import {
  RECORD_CLOSED,
  RECORD_DELETION,
  RECORD_EVICTION,
  RECORD_GET,
  RECORD_OPENED,
  RECORD_STORE,
} from '../cache/log.ts';
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
import { putUriEncoded } from './uri-encode.ts';

/** By the RECORD_ types of log.ts. */
const TYPES = [
  '',
  'item_get',
  'item_store',
  'eviction',
  'deleted',
  'conn_new',
  'conn_close',
  'slab_move',
];
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

/** No line is longer: a key of 250 bytes, all of them encoded, and its fields. */
export const LOG_LINE_BYTES_MAX = 1024;

/**
 * Writes the line for the record at this word to the start of `target`, which has room for
 * LOG_LINE_BYTES_MAX; returns its length, line end included.
 */
export function putLogLine(memory: Memory, word: number, target: Buffer): number {
  const { i32, u8 } = memory;
  let length = target.write(prefixText(memory, word), 'latin1');
  if (hasKey(i32[word + RECORD_TYPE_I32])) {
    const start = word * 4 + RECORD_TEXT_AT;
    length += target.write(' key=', length, 'latin1');
    length += putUriEncoded(target, length, u8, start, i32[word + RECORD_TEXT_LENGTH_I32]);
  }
  return length + target.write(` ${fieldsText(memory, word)}\n`, length, 'latin1');
}

/** Time, number and type. */
function prefixText(memory: Memory, word: number): string {
  const { i32, f64 } = memory;
  const micros = f64[word / 2 + RECORD_TIME_F64];
  const seconds = Math.floor(micros / 1_000_000);
  const high = i32[word + RECORD_GID_HIGH_I32] >>> 0;
  const low = i32[word + RECORD_GID_LOW_I32] >>> 0;
  const gid = high === 0 ? low : (BigInt(high) << 32n) | BigInt(low);
  const type = TYPES[i32[word + RECORD_TYPE_I32]];
  return `ts=${seconds}.${micros - seconds * 1_000_000} gid=${gid} type=${type}`;
}

function hasKey(type: number): boolean {
  return type <= RECORD_DELETION;
}

/** What follows the key, or the type. */
function fieldsText(memory: Memory, word: number): string {
  const { i32 } = memory;
  const status = i32[word + RECORD_STATUS_I32];
  const detail = i32[word + RECORD_DETAIL_I32];
  const ttl = i32[word + RECORD_TTL_I32];
  const connection = `cfd=${i32[word + RECORD_CONNECTION_I32]}`;
  const id = `clsid=${i32[word + RECORD_CLASS_I32]}`;
  const size = `size=${i32[word + RECORD_BYTES_I32]}`;
  switch (i32[word + RECORD_TYPE_I32]) {
    case RECORD_GET:
      return `status=${GET_STATUSES[status]} ${id} ${connection} ${size}`;
    case RECORD_STORE:
      return (
        `status=${STORE_STATUSES[status]} cmd=${STORE_COMMANDS[detail]} ttl=${ttl >>> 0} ` +
        `${id} ${connection} ${size}`
      );
    case RECORD_EVICTION:
      return `fetch=${status === 0 ? 'no' : 'yes'} ttl=${ttl} la=${detail} ${id} ${size}`;
    case RECORD_DELETION:
      return `cmd=${DELETE_COMMANDS[detail]} ${id} ${size}`;
    case RECORD_OPENED:
      return `${peerText(memory, word)} ${connection}`;
    case RECORD_CLOSED:
      return `${peerText(memory, word)} reason=${CLOSE_REASONS[status]} ${connection}`;
    default:
      return (
        `src=${i32[word + RECORD_CLASS_I32]} dst=${detail} ` +
        `state=${status === 1 ? 'ok' : 'fail'}`
      );
  }
}

/** From `tcp:1.2.3.4:5`, `tcp6:[::1]:5` or `unix:/path` of the connection table. */
function peerText(memory: Memory, word: number): string {
  const start = word * 4 + RECORD_TEXT_AT;
  const end = start + memory.i32[word + RECORD_TEXT_LENGTH_I32];
  const peer = memory.u8.toString('latin1', start, end);
  const match = /^(tcp|udp)6?:\[?(.*?)\]?:(\d+)$/.exec(peer);
  // As memcached calls an address that it does not have.
  if (match === null) return `rip=unix rport=0 transport=${peer === 'unknown' ? 'tcp' : 'local'}`;
  return `rip=${match[2]} rport=${match[3]} transport=${match[1]}`;
}
