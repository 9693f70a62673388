/**
 * INCREMENT and DECREMENT of the binary protocol: the extras are the amount, the number to begin
 * with when there is none yet, and its exptime; the exptime 0xffffffff forbids to begin.
 */
import { Decimal64 } from '../cache/decimal64.ts';
import { hashKey } from '../cache/hash.ts';
import {
  DELTA_EXISTS,
  DELTA_NO_MEMORY,
  DELTA_NON_NUMERIC,
  DELTA_NOT_FOUND,
  MODE_ADD,
  STORED,
} from '../cache/update.ts';
import { realtimeUnsigned } from '../memory/clock.ts';
import {
  type BinaryRequest,
  OP_INCREMENT,
  putInt,
  readInt,
  STATUS_EXISTS,
  STATUS_NO_MEMORY,
  STATUS_NON_NUMERIC,
  STATUS_NOT_FOUND,
  STATUS_NOT_STORED,
  STATUS_SUCCESS,
} from './binary-header.ts';
import type { BinaryReplies } from './binary-replies.ts';
import type { Engine } from './engine.ts';
import type { Session } from './session.ts';

const NO_BEGINNING = 0xffff_ffff;
const NUMBER_BYTES = 8;
const DIGITS_MAX = 20;

const NO_MEMORY_TEXT = Buffer.from('Out of memory incrementing value');
const NO_MEMORY_BEGINNING_TEXT = Buffer.from('Out of memory allocating new item');

export class BinaryArithmetic {
  private readonly engine: Engine;
  private readonly request: BinaryRequest;
  private readonly replies: BinaryReplies;
  private readonly amount = new Decimal64();
  private readonly digits = Buffer.alloc(DIGITS_MAX);

  constructor(engine: Engine, request: BinaryRequest, replies: BinaryReplies) {
    this.engine = engine;
    this.request = request;
    this.replies = replies;
  }

  /** INCREMENT, DECREMENT. */
  delta(session: Session): void {
    const { engine, request, replies, amount } = this;
    const { input, updater } = engine;
    const { keyAt, keyBytes, casHigh, casLow } = request;
    const { tenant } = session;
    const increment = request.command === OP_INCREMENT;
    this.readNumber(request.extrasAt);
    const hash = hashKey(input, keyAt, keyBytes, tenant);
    const result = updater.delta(
      hash,
      tenant,
      input,
      keyAt,
      keyBytes,
      increment,
      amount,
      casHigh,
      casLow,
    );
    if (result === DELTA_NOT_FOUND) this.begin(session, hash, increment);
    else if (result === DELTA_EXISTS) replies.error(session, STATUS_EXISTS);
    else if (result === DELTA_NON_NUMERIC) replies.error(session, STATUS_NON_NUMERIC);
    else if (result === DELTA_NO_MEMORY) replies.error(session, STATUS_NO_MEMORY, NO_MEMORY_TEXT);
    else this.answer(session, updater.result);
  }

  /** Stores the number to begin with, if the request allows it. */
  private begin(session: Session, hash: number, increment: boolean): void {
    const { engine, request, replies, amount, digits } = this;
    const { store, input, updater } = engine;
    const exptime = readInt(input, request.extrasAt + 2 * NUMBER_BYTES) >>> 0;
    if (exptime === NO_BEGINNING) {
      updater.countDeltaMiss(increment);
      replies.error(session, STATUS_NOT_FOUND);
      return;
    }
    this.readNumber(request.extrasAt + NUMBER_BYTES);
    const length = amount.print(digits, 0);
    const ref = store.allocator.allocItem(
      session.tenant,
      input,
      request.keyAt,
      request.keyBytes,
      0,
      realtimeUnsigned(store.memory, exptime),
      length,
    );
    if (ref === 0) {
      replies.error(session, STATUS_NO_MEMORY, NO_MEMORY_BEGINNING_TEXT);
      return;
    }
    session.writer.begin(ref);
    session.writer.write(digits, 0, length);
    if (updater.commit(MODE_ADD, ref, hash, 0, 0) === STORED) this.answer(session, amount);
    else replies.error(session, STATUS_NOT_STORED);
  }

  private answer(session: Session, number: Decimal64): void {
    if (session.binaryQuiet) return;
    const { output, updater } = this.engine;
    const { casHigh, casLow } = updater;
    this.replies.putHeader(session, STATUS_SUCCESS, 0, 0, NUMBER_BYTES, casHigh, casLow);
    putInt(output.bytes, output.length, number.high);
    putInt(output.bytes, output.length + 4, number.low);
    output.length += NUMBER_BYTES;
  }

  private readNumber(at: number): void {
    const { input } = this.engine;
    this.amount.set(readInt(input, at) >>> 0, readInt(input, at + 4) >>> 0);
  }
}
