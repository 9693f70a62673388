/**
 * The binary protocol: takes packets from the input, checks their headers, and carries out what is
 * not retrieval, storage, arithmetic or statistics.
 *
 * Which reply a malformed packet gets, and whether the connection outlives it, is memcached's
 * (proto_bin.c).
 */

import { DELETE_EXISTS, DELETED, deleteIf } from '../cache/delete.ts';
import { hashKey } from '../cache/hash.ts';
import { KEY_BYTES_MAX } from '../cache/item.ts';
import { realtimeUnsigned } from '../memory/clock.ts';
import { CLOSE_NORMAL } from '../memory/connections.ts';
import {
  CONN_LAST_COMMAND_I32,
  HEAD_CLOCK,
  HEAD_DETAIL_ENABLED,
  HEAD_VERBOSITY,
} from '../memory/layout.ts';
import { BinaryArithmetic } from './binary-arithmetic.ts';
import {
  BinaryRequest,
  BODY_BYTES_MAX,
  HEADER_BYTES,
  OP_ADD,
  OP_APPEND,
  OP_DECREMENT,
  OP_DELETE,
  OP_FLUSH,
  OP_GAT,
  OP_GATK,
  OP_GET,
  OP_GETK,
  OP_INCREMENT,
  OP_NOOP,
  OP_PREPEND,
  OP_QUIT,
  OP_REPLACE,
  OP_SASL_AUTH,
  OP_SASL_LIST_MECHS,
  OP_SASL_STEP,
  OP_SET,
  OP_STAT,
  OP_TOUCH,
  OP_VERBOSITY,
  OP_VERSION,
  REQUEST_MAGIC,
  readInt,
  STATUS_AUTH_ERROR,
  STATUS_EXISTS,
  STATUS_INVALID,
  STATUS_NOT_FOUND,
  STATUS_UNKNOWN_COMMAND,
} from './binary-header.ts';
import { logBytes, printable } from './binary-log.ts';
import { BinaryReplies } from './binary-replies.ts';
import { BinaryRetrieval } from './binary-retrieval.ts';
import { BinaryStats } from './binary-stats.ts';
import { BinaryStorage } from './binary-storage.ts';
import type { Engine } from './engine.ts';
import { VERBOSITY_MAX } from './host.ts';
import { Sasl } from './sasl.ts';
import { type Session, STEP_NEXT, STEP_STARVED } from './session.ts';
import type { Statistics } from './statistics.ts';

export class BinaryCommands {
  private readonly engine: Engine;
  private readonly request = new BinaryRequest();
  private readonly replies: BinaryReplies;
  private readonly retrieval: BinaryRetrieval;
  private readonly storage: BinaryStorage;
  private readonly arithmetic: BinaryArithmetic;
  private readonly stats: BinaryStats;
  private readonly sasl: Sasl;
  private readonly version: Buffer;

  constructor(engine: Engine, statistics: Statistics) {
    const { request } = this;
    this.engine = engine;
    this.replies = new BinaryReplies(engine);
    this.retrieval = new BinaryRetrieval(engine, request, this.replies);
    this.storage = new BinaryStorage(engine, request, this.replies);
    this.arithmetic = new BinaryArithmetic(engine, request, this.replies);
    this.stats = new BinaryStats(engine, request, this.replies, statistics);
    this.sasl = new Sasl(engine, request, this.replies);
    this.version = Buffer.from(engine.host.versionText);
  }

  /** Takes one packet, up to its value, from the input and executes it. Returns a STEP_*. */
  step(session: Session): number {
    const { engine, request } = this;
    const { input, at, end } = engine;
    const { i32 } = engine.store.memory;
    if (end - at < HEADER_BYTES) return STEP_STARVED;
    engine.ahead.lookAtPackets(session.tenant);
    engine.verbosity = i32[HEAD_VERBOSITY];
    if (input[at] !== REQUEST_MAGIC) {
      if (engine.verbosity > 0) {
        engine.host.log(1, `<${session.slot} Invalid magic: ${input[at].toString(16)}`);
      }
      return this.close(session);
    }
    request.read(input, at);
    const bytes = HEADER_BYTES + request.extrasBytes + request.keyBytes;
    const oversized = request.bodyBytes > BODY_BYTES_MAX;
    const needed = oversized ? 0 : bytes + this.sasl.valueNeeded();
    if (end - at < needed) return STEP_STARVED;
    session.binaryOpcode = request.opcode;
    session.binaryOpaque = request.opaque;
    session.binaryQuiet = request.quiet;
    i32[session.slotWord + CONN_LAST_COMMAND_I32] = i32[HEAD_CLOCK];
    if (engine.verbosity > 1) {
      logBytes(engine.host, `<${session.slot}`, 'Read binary protocol data:', input, at);
    }
    if (oversized) {
      this.refuse(session, STATUS_INVALID);
      return this.close(session);
    }
    engine.at = at + bytes;
    this.execute(session);
    return STEP_NEXT;
  }

  /** Executes the request whose extras and key have been taken from the input. */
  private execute(session: Session): void {
    const { request } = this;
    if (request.valueBytes < 0) this.refuse(session, STATUS_UNKNOWN_COMMAND);
    else if (!this.allowed(session)) this.refuse(session, STATUS_AUTH_ERROR);
    else if (request.keyBytes > KEY_BYTES_MAX) this.refuse(session, STATUS_INVALID);
    else if (!this.isWellFormed()) this.refuse(session, STATUS_INVALID);
    else {
      if (this.engine.verbosity > 1 && request.keyBytes > 0) this.logKey(session);
      this.dispatch(session);
    }
  }

  /** Whether the session may do this: until it is authenticated only what leads there. */
  private allowed(session: Session): boolean {
    if (session.authenticated) return true;
    switch (this.request.command) {
      case OP_VERSION:
      case OP_SASL_LIST_MECHS:
      case OP_SASL_AUTH:
      case OP_SASL_STEP:
        return true;
      default:
        return false;
    }
  }

  /** Whether key, extras and value are there where the command needs them, and only there. */
  private isWellFormed(): boolean {
    const { command, keyBytes, extrasBytes, valueBytes } = this.request;
    switch (command) {
      case OP_GET:
      case OP_GETK:
      case OP_DELETE:
        return keyBytes > 0 && extrasBytes === 0 && valueBytes === 0;
      case OP_SET:
      case OP_ADD:
      case OP_REPLACE:
        return keyBytes > 0 && extrasBytes === 8;
      case OP_APPEND:
      case OP_PREPEND:
      case OP_SASL_AUTH:
      case OP_SASL_STEP:
        return keyBytes > 0 && extrasBytes === 0;
      case OP_INCREMENT:
      case OP_DECREMENT:
        return keyBytes > 0 && extrasBytes === 20 && valueBytes === 0;
      case OP_TOUCH:
      case OP_GAT:
      case OP_GATK:
        return keyBytes > 0 && extrasBytes === 4 && valueBytes === 0;
      case OP_STAT:
        return extrasBytes === 0 && valueBytes === 0;
      case OP_FLUSH:
        return keyBytes === 0 && valueBytes === 0 && (extrasBytes === 0 || extrasBytes === 4);
      case OP_VERBOSITY:
        return keyBytes === 0 && valueBytes === 0 && extrasBytes === 4;
      case OP_NOOP:
      case OP_VERSION:
      case OP_QUIT:
      case OP_SASL_LIST_MECHS:
        return this.request.bodyBytes === 0;
      default:
        return true;
    }
  }

  private dispatch(session: Session): void {
    switch (this.request.command) {
      case OP_GET:
      case OP_GETK:
        return this.retrieval.get(session);
      case OP_SET:
      case OP_ADD:
      case OP_REPLACE:
        return this.storage.store(session);
      case OP_APPEND:
      case OP_PREPEND:
        return this.storage.concatenate(session);
      case OP_DELETE:
        return this.delete(session);
      case OP_INCREMENT:
      case OP_DECREMENT:
        return this.arithmetic.delta(session);
      case OP_TOUCH:
      case OP_GAT:
      case OP_GATK:
        return this.retrieval.getAndTouch(session);
      case OP_NOOP:
        return this.replies.done(session, 0, 0);
      case OP_VERSION:
        return this.replies.text(session, this.version);
      case OP_STAT:
        return this.stats.execute(session);
      case OP_FLUSH:
        return this.flush(session);
      case OP_VERBOSITY:
        return this.verbosity(session);
      case OP_QUIT:
        this.replies.done(session, 0, 0);
        session.closing = true;
        session.closeReason = CLOSE_NORMAL;
        return;
      case OP_SASL_LIST_MECHS:
        return this.sasl.listMechanisms(session);
      case OP_SASL_AUTH:
      case OP_SASL_STEP:
        return this.sasl.exchange(session);
      default:
        return this.replies.errorAfter(session, this.request.valueBytes, STATUS_UNKNOWN_COMMAND);
    }
  }

  private delete(session: Session): void {
    const { engine, request, replies } = this;
    const { store, source } = engine;
    const { keyAt, keyBytes, casHigh, casLow } = request;
    const { tenant } = session;
    if (store.memory.i32[HEAD_DETAIL_ENABLED] !== 0) {
      engine.prefixes.recordDelete(source, keyAt, keyBytes);
    }
    const hash = hashKey(source, keyAt, keyBytes, tenant);
    const result = deleteIf(store, hash, tenant, source, keyAt, keyBytes, casHigh, casLow);
    if (result === DELETED) replies.done(session, 0, 0);
    else replies.error(session, result === DELETE_EXISTS ? STATUS_EXISTS : STATUS_NOT_FOUND);
  }

  private flush(session: Session): void {
    const { engine, request, replies } = this;
    const { store } = engine;
    if (!store.config.flushEnabled) {
      replies.error(session, STATUS_AUTH_ERROR);
      return;
    }
    const delayed = request.extrasBytes > 0;
    const exptime = delayed ? readInt(engine.input, request.extrasAt) >>> 0 : 0;
    store.flush(session.tenant, realtimeUnsigned(store.memory, exptime));
    store.countFlush();
    replies.done(session, 0, 0);
  }

  private verbosity(session: Session): void {
    const { engine, request } = this;
    const level = readInt(engine.input, request.extrasAt) >>> 0;
    engine.host.setVerbosity(Math.min(level, VERBOSITY_MAX));
    this.replies.done(session, 0, 0);
  }

  /** An error that ends the connection. */
  private refuse(session: Session, status: number): void {
    const { engine } = this;
    this.replies.error(session, status);
    session.closing = true;
    if (engine.verbosity > 0) {
      const opcode = session.binaryOpcode.toString(16).padStart(2, '0');
      const { slot } = session;
      engine.host.log(1, `Protocol error (opcode ${opcode}), close connection ${slot}`);
    }
  }

  /** Ends the connection; what follows in the input is not looked at. */
  private close(session: Session): number {
    const { engine } = this;
    engine.at = engine.end;
    session.closing = true;
    return STEP_STARVED;
  }

  private logKey(session: Session): void {
    const { engine, request } = this;
    const key = printable(engine.input, request.keyAt, request.keyBytes);
    const opcode = request.opcode.toString(16).padStart(2, '0');
    engine.host.log(2, `<${session.slot} opcode 0x${opcode} key ${key}`);
  }
}
