/**
 * `lru_crawler metadump` and `mgdump`: one line per living item, made while it is sent. A dump
 * takes one output buffer however many items there are; other connections get their turn after it.
 *
 * Only one runs at a time (orders.ts). One whose reader takes nothing for too long is given up.
 */
import { Decimal64, printSafe } from '../cache/decimal64.ts';
import { isDead } from '../cache/expiry.ts';
import {
  clientFlagsOf,
  isKeyBinary,
  itemBytes,
  keyAt,
  keyBytesOf,
  tenantOf,
} from '../cache/item.ts';
import { releaseCrawl } from '../cache/orders.ts';
import { TableWalk, type Visitor } from '../cache/walk.ts';
import { clockStarted } from '../memory/clock.ts';
import {
  at,
  HEAD_CLOCK,
  ITEM_CAS_HIGH_I32,
  ITEM_CAS_LOW_I32,
  ITEM_EXPTIME_I32,
  ITEM_TIME_I32,
  STATE_FETCHED,
} from '../memory/layout.ts';
import type { Engine } from './engine.ts';
import { OUTPUT_BYTES } from './output.ts';
import { END_LINE, OK_LINE } from './replies.ts';
import { IN_COMMAND, type Session, STEP_NEXT, STEP_YIELD } from './session.ts';
import type { ReplyStream } from './stream.ts';
import { putUriEncoded } from './uri-encode.ts';

/** The longest line: a key of 250 bytes, encoded, and eight numbers. */
const LINE_BYTES_MAX = 1024;
/** Lock rounds per turn: a table of few items is mostly empty buckets. */
const ROUNDS_PER_TURN = 256;
/** A stop waits no longer than this for a reader that takes nothing. */
const STOP_SECONDS = 1;

const EN_LINE = Buffer.from('EN\r\n', 'latin1');
const FIELDS = ['key=', ' exp=', ' la=', ' cas=', ' fetch=', ' cls=', ' size=', ' flags='].map(
  (name) => Buffer.from(name, 'latin1'),
);
const [KEY, EXP, LA, CAS, FETCH, CLS, SIZE, FLAGS] = FIELDS;
const NEVER = Buffer.from('-1', 'latin1');
const YES = Buffer.from('yes', 'latin1');
const NO = Buffer.from('no', 'latin1');
const LINE_FEED = Buffer.from('\n', 'latin1');
const MG = Buffer.from('mg ', 'latin1');
const MG_END = Buffer.from('\r\n', 'latin1');
const MG_BASE64_END = Buffer.from(' b\r\n', 'latin1');

/** What a line says of an item. */
export type DumpKind = 'metadump' | 'mgdump';

/** A dump under way. The actor has claimed the walk (claimCrawl); the end or stop releases it. */
export class Dump implements ReplyStream, Visitor {
  readonly roomMax = Math.floor(OUTPUT_BYTES / LINE_BYTES_MAX);
  private readonly engine: Engine;
  private readonly kind: DumpKind;
  /** Only items of this keyspace are listed. */
  private readonly tenant: number;
  /** Bit id % 32 of word id / 32 for each class to dump; null for all. */
  private readonly classes: Int32Array | null;
  private readonly walk: TableWalk;
  private readonly cas = new Decimal64();
  private begun = false;
  /** Clock second in which the reader last took something. */
  private lastTaken: number;

  constructor(engine: Engine, kind: DumpKind, tenant: number, classes: Int32Array | null) {
    this.engine = engine;
    this.kind = kind;
    this.tenant = tenant;
    this.classes = classes;
    this.walk = new TableWalk(engine.store);
    this.lastTaken = engine.store.memory.i32[HEAD_CLOCK];
  }

  proceed(session: Session): number {
    const { output, store } = this.engine;
    this.lastTaken = store.memory.i32[HEAD_CLOCK];
    if (output.room < LINE_BYTES_MAX) return STEP_YIELD;
    if (!this.begun) output.put(OK_LINE);
    this.begun = true;
    for (let round = 0; !this.walk.isOver; round++) {
      if (round === ROUNDS_PER_TURN || !this.walk.proceed(this)) return STEP_YIELD;
    }
    if (output.room < LINE_BYTES_MAX) return STEP_YIELD;
    output.put(this.kind === 'metadump' ? END_LINE : EN_LINE);
    this.stop();
    session.stream = null;
    session.state = IN_COMMAND;
    return STEP_NEXT;
  }

  stop(): void {
    releaseCrawl(this.engine.store.memory, this.engine.store.actor);
  }

  isStalled(stopping: boolean): boolean {
    const { store, options } = this.engine;
    const limit = stopping ? Math.min(STOP_SECONDS, options.dumpTimeout) : options.dumpTimeout;
    return store.memory.i32[HEAD_CLOCK] - this.lastTaken > limit;
  }

  room(): number {
    return Math.floor(this.engine.output.room / LINE_BYTES_MAX);
  }

  /** Writes the line of an item, if it is one to be dumped. */
  visit(ref: number): void {
    const { memory, lists } = this.engine.store;
    if (tenantOf(memory.i32, ref) !== this.tenant || isDead(memory, ref)) return;
    const id = lists.classOf(ref);
    if (this.classes !== null && (this.classes[id >>> 5] & (1 << (id & 31))) === 0) return;
    if (this.kind === 'metadump') this.putMetadata(ref, id);
    else this.putMetaGet(ref);
  }

  private putMetadata(ref: number, id: number): void {
    const { output, store } = this.engine;
    const { i32, u8 } = store.memory;
    const item = at(ref);
    const started = clockStarted(store.memory);
    const exptime = i32[item + ITEM_EXPTIME_I32];
    output.put(KEY);
    const start = keyAt(i32, ref);
    output.end += putUriEncoded(output.bytes, output.end, u8, start, keyBytesOf(i32, ref));
    output.put(EXP);
    if (exptime === 0) output.put(NEVER);
    else this.putNumber(exptime + started);
    output.put(LA);
    this.putNumber(i32[item + ITEM_TIME_I32] + started);
    output.put(CAS);
    this.cas.set(i32[item + ITEM_CAS_HIGH_I32] >>> 0, i32[item + ITEM_CAS_LOW_I32] >>> 0);
    output.end += this.cas.print(output.bytes, output.end);
    output.put(FETCH);
    output.put((i32[item] & STATE_FETCHED) !== 0 ? YES : NO);
    output.put(CLS);
    this.putNumber(id);
    output.put(SIZE);
    this.putNumber(itemBytes(i32, ref));
    output.put(FLAGS);
    this.putNumber(clientFlagsOf(i32, ref));
    output.put(LINE_FEED);
  }

  /** The command that fetches the item; a key that is no text goes base64-encoded. */
  private putMetaGet(ref: number): void {
    const { output, store } = this.engine;
    const { i32, u8 } = store.memory;
    const start = keyAt(i32, ref);
    const end = start + keyBytesOf(i32, ref);
    let isText = !isKeyBinary(i32, ref);
    for (let i = start; i < end; i++) if (u8[i] <= 0x20 || u8[i] === 0x7f) isText = false;
    output.put(MG);
    if (isText) {
      output.put(u8.subarray(start, end));
      output.put(MG_END);
    } else {
      output.put(Buffer.from(u8.toString('base64', start, end), 'latin1'));
      output.put(MG_BASE64_END);
    }
  }

  private putNumber(value: number): void {
    const { output } = this.engine;
    output.end += printSafe(output.bytes, output.end, value);
  }
}
