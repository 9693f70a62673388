/** The binary protocol's fetches: GET, GETK, GAT, GATK, and TOUCH, which is one without value. */
import { hashKey } from '../cache/hash.ts';
import { clientFlagsOf, valueBytesOf } from '../cache/item.ts';
import { copyBytes } from '../memory/bytes.ts';
import { realtimeUnsigned } from '../memory/clock.ts';
import { at, HEAD_DETAIL_ENABLED, ITEM_CAS_HIGH_I32, ITEM_CAS_LOW_I32 } from '../memory/layout.ts';
import {
  type BinaryRequest,
  OP_GATK,
  OP_GETK,
  OP_TOUCH,
  putInt,
  readInt,
  STATUS_NOT_FOUND,
  STATUS_SUCCESS,
} from './binary-header.ts';
import type { BinaryReplies } from './binary-replies.ts';
import type { Engine } from './engine.ts';
import { IN_SENDING, type Session } from './session.ts';

const FLAGS_BYTES = 4;

export class BinaryRetrieval {
  private readonly engine: Engine;
  private readonly request: BinaryRequest;
  private readonly replies: BinaryReplies;

  constructor(engine: Engine, request: BinaryRequest, replies: BinaryReplies) {
    this.engine = engine;
    this.request = request;
    this.replies = replies;
  }

  /** GET, GETK. */
  get(session: Session): void {
    const { engine, request } = this;
    const { store, source } = engine;
    const { keyAt, keyBytes } = request;
    const hash = engine.ahead.hashOf(source, keyAt, keyBytes, session.tenant);
    this.answer(session, hash, store.get(hash, session.tenant, source, keyAt, keyBytes));
  }

  /** GAT, GATK, TOUCH; the extras are an exptime. */
  getAndTouch(session: Session): void {
    const { engine, request } = this;
    const { store, input, source } = engine;
    const { keyAt, keyBytes } = request;
    const exptime = realtimeUnsigned(store.memory, readInt(input, request.extrasAt) >>> 0);
    const hash = hashKey(source, keyAt, keyBytes, session.tenant);
    const { tenant } = session;
    this.answer(session, hash, store.getAndTouch(hash, tenant, source, keyAt, keyBytes, exptime));
  }

  /** Replies with the item, whose stripe is locked, or with a miss if there is none (0). */
  private answer(session: Session, hash: number, ref: number): void {
    const { engine, request } = this;
    const { command, keyAt, keyBytes } = request;
    const { i32 } = engine.store.memory;
    const withKey = command === OP_GETK || command === OP_GATK;
    if (i32[HEAD_DETAIL_ENABLED] !== 0) {
      // The prefix lock comes after the stripe in the lock order.
      engine.prefixes.recordGet(engine.source, keyAt, keyBytes, ref !== 0);
    }
    if (ref === 0) {
      if (!session.binaryQuiet) this.miss(session, withKey);
      return;
    }
    const bytes = command === OP_TOUCH ? 0 : valueBytesOf(i32, ref);
    const keyLength = withKey ? keyBytes : 0;
    this.replies.putHeader(
      session,
      STATUS_SUCCESS,
      FLAGS_BYTES,
      keyLength,
      FLAGS_BYTES + keyLength + bytes,
      i32[at(ref) + ITEM_CAS_HIGH_I32],
      i32[at(ref) + ITEM_CAS_LOW_I32],
    );
    putInt(engine.output.bytes, engine.output.end, clientFlagsOf(i32, ref));
    engine.output.end += FLAGS_BYTES;
    if (withKey) this.putKey();
    if (command === OP_TOUCH) engine.store.endGet(hash);
    else if (!engine.sender.send(session, hash, ref, bytes, false)) session.state = IN_SENDING;
  }

  /** A miss has a text for its body, or the key where the key was asked for. */
  private miss(session: Session, withKey: boolean): void {
    if (!withKey) {
      this.replies.error(session, STATUS_NOT_FOUND);
      return;
    }
    const { keyBytes } = this.request;
    this.replies.putHeader(session, STATUS_NOT_FOUND, 0, keyBytes, keyBytes, 0, 0);
    this.putKey();
  }

  private putKey(): void {
    const { request } = this;
    const { source, output } = this.engine;
    const { keyAt, keyBytes } = request;
    copyBytes(source, keyAt, output.target, output.end, keyBytes);
    output.end += keyBytes;
  }
}
