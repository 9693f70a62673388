/**
 * The binary protocol's storage commands: SET, ADD, REPLACE, APPEND and PREPEND. The value follows
 * the key and is received by upload.ts; a cas id other than 0 in the header must be the stored
 * item's, unless items have none (-C).
 */

import { CLASS_SET_CMDS } from '../cache/counters.ts';
import { WATCH_MUTATIONS } from '../cache/log.ts';
import {
  EXISTS,
  MODE_ADD,
  MODE_APPEND,
  MODE_CAS,
  MODE_PREPEND,
  MODE_REPLACE,
  MODE_SET,
  NOT_FOUND,
  STORED,
} from '../cache/update.ts';
import { realtimeUnsigned } from '../memory/clock.ts';
import { HEAD_DETAIL_ENABLED } from '../memory/layout.ts';
import {
  type BinaryRequest,
  OP_ADD,
  OP_APPEND,
  OP_REPLACE,
  OP_SET,
  readInt,
  STATUS_EXISTS,
  STATUS_NO_MEMORY,
  STATUS_NOT_FOUND,
  STATUS_NOT_STORED,
  STATUS_TOO_LARGE,
} from './binary-header.ts';
import type { BinaryReplies } from './binary-replies.ts';
import type { Engine } from './engine.ts';
import type { Session } from './session.ts';
import type { Uploader } from './upload.ts';

const NO_MEMORY_TEXT = Buffer.from('Out of memory allocating item');
const NO_MEMORY_READING_TEXT = Buffer.from('Out of memory during read');

export class BinaryStorage implements Uploader {
  private readonly engine: Engine;
  private readonly request: BinaryRequest;
  private readonly replies: BinaryReplies;

  constructor(engine: Engine, request: BinaryRequest, replies: BinaryReplies) {
    this.engine = engine;
    this.request = request;
    this.replies = replies;
  }

  /** SET, ADD, REPLACE: the extras are flags and an exptime. */
  store(session: Session): void {
    const { engine, request } = this;
    const flags = readInt(engine.input, request.extrasAt);
    const exptime = readInt(engine.input, request.extrasAt + 4) >>> 0;
    // With -C a new item has no place for an id, and is stored as if none were asked for.
    const named = request.casHigh !== 0 || request.casLow !== 0;
    const conditional = named && engine.store.casEnabled;
    let mode = MODE_SET;
    if (conditional) mode = MODE_CAS;
    else if (request.command === OP_ADD) mode = MODE_ADD;
    else if (request.command === OP_REPLACE) mode = MODE_REPLACE;
    this.begin(session, mode, flags, realtimeUnsigned(engine.store.memory, exptime));
  }

  /** APPEND, PREPEND: flags and exptime stay what they are. */
  concatenate(session: Session): void {
    this.begin(session, this.request.command === OP_APPEND ? MODE_APPEND : MODE_PREPEND, 0, 0);
  }

  complete(session: Session): void {
    const { engine, replies } = this;
    engine.store.countClass(session.upload, CLASS_SET_CMDS);
    const { updater } = engine;
    const result = updater.commit(
      session.uploadMode,
      session.upload,
      session.uploadHash,
      session.uploadCasHigh,
      session.uploadCasLow,
    );
    engine.upload.finish(session);
    if (result === STORED) replies.done(session, updater.casHigh, updater.casLow);
    else replies.error(session, statusOf(result, session.uploadMode));
  }

  starved(session: Session, missing: number): void {
    this.replies.errorAfter(session, missing, STATUS_NO_MEMORY, NO_MEMORY_READING_TEXT);
  }

  private begin(session: Session, mode: number, flags: number, exptime: number): void {
    const { engine, request } = this;
    const { store, source } = engine;
    const { keyAt, keyBytes, valueBytes } = request;
    const { tenant } = session;
    if (engine.verbosity > 1) this.log(session);
    const hash = engine.ahead.hashOf(source, keyAt, keyBytes, tenant);
    if (store.memory.i32[HEAD_DETAIL_ENABLED] !== 0) {
      engine.prefixes.recordSet(source, keyAt, keyBytes);
    }
    const { allocator } = store;
    const ref = allocator.allocItem(tenant, source, keyAt, keyBytes, flags, exptime, valueBytes);
    if (ref === 0) {
      const allowed = allocator.sizeAllowed(keyBytes, flags, valueBytes);
      if (store.log.wants(WATCH_MUTATIONS)) {
        store.log.refused(!allowed, mode, source, keyAt, keyBytes);
      }
      // What a set was to replace must not be found any more, even though it failed.
      if (request.command === OP_SET) store.drop(hash, tenant, source, keyAt, keyBytes);
      if (allowed) {
        this.replies.errorAfter(session, valueBytes, STATUS_NO_MEMORY, NO_MEMORY_TEXT);
      } else {
        this.replies.errorAfter(session, valueBytes, STATUS_TOO_LARGE);
      }
      return;
    }
    session.uploadMode = mode;
    session.uploadCasHigh = request.casHigh;
    session.uploadCasLow = request.casLow;
    engine.upload.begin(session, this, ref, hash, false);
  }

  private log(session: Session): void {
    const { engine, request } = this;
    const { valueBytes } = request;
    engine.host.log(2, `<${session.slot} Value len is ${valueBytes}`);
  }
}

/** The status of an update that was refused. */
function statusOf(result: number, mode: number): number {
  if (result === EXISTS) return STATUS_EXISTS;
  if (result === NOT_FOUND) return STATUS_NOT_FOUND;
  if (mode === MODE_ADD) return STATUS_EXISTS;
  return mode === MODE_REPLACE ? STATUS_NOT_FOUND : STATUS_NOT_STORED;
}
