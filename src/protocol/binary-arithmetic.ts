/**
 * INCREMENT and DECREMENT of the binary protocol: the extras are the amount, the number to begin
 * with when there is none yet, and its exptime; the exptime 0xffffffff forbids to begin.
 */
import { Decimal64 } from '../cache/decimal64.ts';
import { hashKey } from '../cache/hash.ts';
import { MetaStore } from '../cache/meta.ts';
import { DELTA_EXISTS, DELTA_NON_NUMERIC, DELTA_NOT_FOUND, DELTA_OK } from '../cache/update.ts';
import { realtimeUnsigned } from '../memory/clock.ts';
import { at, ITEM_CAS_HIGH_I32, ITEM_CAS_LOW_I32 } from '../memory/layout.ts';
import {
  type BinaryRequest,
  OP_INCREMENT,
  putInt,
  readInt,
  STATUS_EXISTS,
  STATUS_NO_MEMORY,
  STATUS_NON_NUMERIC,
  STATUS_NOT_FOUND,
  STATUS_SUCCESS,
} from './binary-header.ts';
import type { BinaryReplies } from './binary-replies.ts';
import type { Engine } from './engine.ts';
import type { Session } from './session.ts';

const EXPTIME_NO_BEGINNING = 0xffff_ffff;
const NUMBER_BYTES = 8;

/** Beside the DELTA_ results: there is no memory for the number to begin with. */
const NO_BEGINNING_MADE = -1;

const NO_MEMORY_TEXT = Buffer.from('Out of memory incrementing value');
const NO_MEMORY_BEGINNING_TEXT = Buffer.from('Out of memory allocating new item');

export class BinaryArithmetic {
  private readonly engine: Engine;
  private readonly request: BinaryRequest;
  private readonly replies: BinaryReplies;
  private readonly amount = new Decimal64();
  private readonly initial = new Decimal64();
  private readonly meta: MetaStore;

  constructor(engine: Engine, request: BinaryRequest, replies: BinaryReplies) {
    this.engine = engine;
    this.request = request;
    this.replies = replies;
    this.meta = new MetaStore(engine.store);
  }

  /** INCREMENT, DECREMENT. */
  delta(session: Session): void {
    const { engine, request, meta, amount, initial } = this;
    const { source, updater } = engine;
    const { keyAt, keyBytes, casHigh, casLow } = request;
    const { tenant } = session;
    const increment = request.command === OP_INCREMENT;
    this.readNumber(amount, request.extrasAt);
    const hash = hashKey(source, keyAt, keyBytes, tenant);
    let result = DELTA_OK;
    let number = updater.result;
    let { changed } = updater;
    // From here to release nobody else finds the key missing, or begins it.
    const ref = meta.find(hash, tenant, source, keyAt, keyBytes);
    if (ref !== 0) {
      result = updater.doDelta(hash, ref, increment, amount, casHigh, casLow);
      changed = updater.changed;
    } else if (this.mayBegin()) {
      number = initial;
      changed = this.doBegin(hash, tenant);
      if (changed === 0) result = NO_BEGINNING_MADE;
    } else {
      result = DELTA_NOT_FOUND;
    }
    if (result === DELTA_OK) this.answer(session, number, changed);
    meta.release(hash);
    if (result !== DELTA_OK) this.refuse(session, result, increment);
  }

  /** Whether the request has a number to begin with. */
  private mayBegin(): boolean {
    return this.exptime() !== EXPTIME_NO_BEGINNING;
  }

  private exptime(): number {
    const { engine, request } = this;
    return readInt(engine.input, request.extrasAt + 2 * NUMBER_BYTES) >>> 0;
  }

  /** Stores the number to begin with; returns its item, or 0 when there is no memory for it. */
  private doBegin(hash: number, tenant: number): number {
    const { engine, request, meta, initial } = this;
    const { keyAt, keyBytes, extrasAt } = request;
    const exptime = realtimeUnsigned(engine.store.memory, this.exptime());
    this.readNumber(initial, extrasAt + NUMBER_BYTES);
    return meta.doVivify(
      hash,
      tenant,
      engine.source,
      keyAt,
      keyBytes,
      false,
      exptime,
      initial,
      null,
    );
  }

  private refuse(session: Session, result: number, increment: boolean): void {
    const { engine, replies } = this;
    if (result === DELTA_NOT_FOUND) {
      engine.updater.countDeltaMiss(increment);
      replies.error(session, STATUS_NOT_FOUND);
    } else if (result === DELTA_EXISTS) {
      replies.error(session, STATUS_EXISTS);
    } else if (result === DELTA_NON_NUMERIC) {
      replies.error(session, STATUS_NON_NUMERIC);
    } else {
      const beginning = result === NO_BEGINNING_MADE;
      const text = beginning ? NO_MEMORY_BEGINNING_TEXT : NO_MEMORY_TEXT;
      replies.error(session, STATUS_NO_MEMORY, text);
    }
  }

  /** The number, and the cas id of the item that holds it, whose stripe is held. */
  private answer(session: Session, number: Decimal64, ref: number): void {
    if (session.binaryQuiet) return;
    const { output, store } = this.engine;
    const { i32 } = store.memory;
    const casHigh = i32[at(ref) + ITEM_CAS_HIGH_I32];
    const casLow = i32[at(ref) + ITEM_CAS_LOW_I32];
    this.replies.putHeader(session, STATUS_SUCCESS, 0, 0, NUMBER_BYTES, casHigh, casLow);
    putInt(output.bytes, output.end, number.high);
    putInt(output.bytes, output.end + 4, number.low);
    output.end += NUMBER_BYTES;
  }

  private readNumber(number: Decimal64, start: number): void {
    const { input } = this.engine;
    number.set(readInt(input, start) >>> 0, readInt(input, start + 4) >>> 0);
  }
}
