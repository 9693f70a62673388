/**
 * The commands by which administrators tune a running server: `lru`, `slabs`, `cache_memlimit`,
 * `shutdown`, and for tests `debugtime`. Each changes words of the shared memory that all threads
 * read, or gives the maintainer an order. Replies and their order of checks are memcached's.
 */
import { orderPageMove, POOL_SOURCE } from '../cache/orders.ts';
import { PAGE_BYTES } from '../memory/classes.ts';
import { moveClock, pauseClock } from '../memory/clock.ts';
import { CLOSE_SHUTDOWN } from '../memory/connections.ts';
import {
  CLASS_PAGES_I32,
  HEAD_AUTOMOVE,
  HEAD_AUTOMOVE_RATIO_F64,
  HEAD_AUTOMOVE_WINDOW,
  HEAD_HOT_FACTOR_F64,
  HEAD_HOT_PCT,
  HEAD_LRU_SEGMENTED,
  HEAD_MOVE_RUNNING,
  HEAD_MOVE_SOURCE,
  HEAD_PAGE_POOL_COUNT,
  HEAD_TEMP_TTL,
  HEAD_WARM_FACTOR_F64,
  HEAD_WARM_PCT,
} from '../memory/layout.ts';
import { setPageLimit } from '../memory/pages.ts';
import type { Engine } from './engine.ts';
import { BAD_FORMAT, ERROR_LINE, line, OK_LINE } from './replies.ts';
import type { Session } from './session.ts';

const UPPER_LRU_PCT_MAX = 80;
/** A window of less is no window, one of more would never be full. */
const AUTOMOVE_WINDOW_MIN = 3;
const AUTOMOVE_WINDOW_MAX = 86_400;
const MEMLIMIT_MIN_MB = 8;
/** Above this the number is taken for one of bytes. */
const MEMLIMIT_MAX_MB = 1_000_000_000;

const LARGE_PCTS = line('ERROR hot and warm pcts must not exceed 80');
const BAD_FACTORS = line('ERROR hot/warm age factors must be greater than 0');
const MEMLIMIT_TOO_SMALL = line('MEMLIMIT_TOO_SMALL cannot set maxbytes to less than 8m');
const MEMLIMIT_IN_BYTES = line('MEMLIMIT_ADJUST_FAILED input value is megabytes not bytes');
const MEMLIMIT_FAILED = line('MEMLIMIT_ADJUST_FAILED out of bounds or unable to adjust');
const NO_SHUTDOWN = line('ERROR: shutdown not enabled');
const BAD_SHUTDOWN = line('CLIENT_ERROR invalid shutdown mode');
const NO_REASSIGN = line('CLIENT_ERROR slab reassignment disabled');
const MOVE_BUSY = line('BUSY currently processing reassign request');
const BAD_CLASS = line('BADCLASS invalid src or dst class id');
const NO_SPARE = line('NOSPARE source class has no spare pages');
const SAME_CLASS = line('SAME src and dst class are identical');

export class AdminCommands {
  private readonly engine: Engine;
  /** Class that was last asked for a page that any could give; the next ones come first. */
  private lastSource = 0;

  constructor(engine: Engine) {
    this.engine = engine;
  }

  /** Executes the line, whose tokens are cut, if it is one of these commands; false if not. */
  execute(session: Session): boolean {
    const { engine } = this;
    switch (engine.tokens.text(0)) {
      case 'lru':
        this.lru(session);
        return true;
      case 'slabs':
        engine.reply(session, this.slabs(session));
        return true;
      case 'cache_memlimit':
        this.memlimit(session);
        return true;
      case 'shutdown':
        this.shutdown(session);
        return true;
      case 'debugtime':
        if (!engine.options.testCommands) return false;
        engine.reply(session, this.debugtime());
        return true;
      default:
        return false;
    }
  }

  private lru(session: Session): void {
    const { tokens, store } = this.engine;
    if (tokens.count < 2) return this.engine.reply(session, ERROR_LINE);
    this.noteNoreply(session);
    const word = tokens.text(1);
    const { lruMaintainer } = store.config;
    let reply = ERROR_LINE;
    if (word === 'tune' && tokens.count >= 6) reply = this.lruTune();
    else if (word === 'mode' && tokens.count >= 3 && lruMaintainer) reply = this.lruMode();
    else if (word === 'temp_ttl' && tokens.count >= 3 && lruMaintainer) reply = this.lruTempTtl();
    return this.engine.reply(session, reply);
  }

  private lruTune(): Buffer {
    const { tokens, store } = this.engine;
    const { i32, f64 } = store.memory;
    if (!tokens.parseUint32(2)) return ERROR_LINE;
    const hot = tokens.number >>> 0;
    if (!tokens.parseUint32(3)) return ERROR_LINE;
    const warm = tokens.number >>> 0;
    const hotFactor = parseDecimal(tokens.text(4));
    const warmFactor = parseDecimal(tokens.text(5));
    if (Number.isNaN(hotFactor) || Number.isNaN(warmFactor)) return ERROR_LINE;
    if (hot + warm > UPPER_LRU_PCT_MAX) return LARGE_PCTS;
    if (hotFactor <= 0 || warmFactor <= 0) return BAD_FACTORS;
    i32[HEAD_HOT_PCT] = hot;
    i32[HEAD_WARM_PCT] = warm;
    f64[HEAD_HOT_FACTOR_F64] = hotFactor;
    f64[HEAD_WARM_FACTOR_F64] = warmFactor;
    return OK_LINE;
  }

  private lruMode(): Buffer {
    const { tokens, store } = this.engine;
    if (!tokens.is(2, 'flat') && !tokens.is(2, 'segmented')) return ERROR_LINE;
    store.memory.i32[HEAD_LRU_SEGMENTED] = tokens.is(2, 'segmented') ? 1 : 0;
    return OK_LINE;
  }

  private lruTempTtl(): Buffer {
    const { tokens, store } = this.engine;
    if (!tokens.parseInt32(2)) return ERROR_LINE;
    store.memory.i32[HEAD_TEMP_TTL] = Math.max(tokens.number, -1);
    return OK_LINE;
  }

  private slabs(session: Session): Buffer {
    const { tokens } = this.engine;
    const word = tokens.count > 1 ? tokens.text(1) : '';
    if (word === 'reassign' && tokens.count === 4) return this.reassign();
    if (word === 'automove' && tokens.count >= 3) {
      this.noteNoreply(session);
      return this.automove();
    }
    return ERROR_LINE;
  }

  private reassign(): Buffer {
    const { tokens, store } = this.engine;
    const { memory, actor } = store;
    const { i32, classLargest } = memory;
    if (!store.config.slabReassign) return NO_REASSIGN;
    if (!tokens.parseInt32(2)) return BAD_FORMAT;
    let source = tokens.number;
    if (!tokens.parseInt32(3)) return BAD_FORMAT;
    const destination = tokens.number;
    if (i32[HEAD_MOVE_RUNNING] !== 0 || i32[HEAD_MOVE_SOURCE] !== 0) return MOVE_BUSY;
    if (source === destination) return SAME_CLASS;
    if (source === -1) source = this.anySource(destination);
    if (source < 0 || source > classLargest) return BAD_CLASS;
    if (destination < 0 || destination > classLargest) return BAD_CLASS;
    if (this.pagesOf(source) < 2) return NO_SPARE;
    const from = source === 0 ? POOL_SOURCE : source;
    return orderPageMove(memory, actor, from, destination) ? OK_LINE : MOVE_BUSY;
  }

  /** The next class in turn that could spare a page; -1 if there is none. */
  private anySource(destination: number): number {
    const { classLargest } = this.engine.store.memory;
    for (let tried = 1; tried <= classLargest; tried++) {
      const id = ((this.lastSource + tried - 1) % classLargest) + 1;
      if (id === destination || this.pagesOf(id) < 2) continue;
      this.lastSource = id;
      return id;
    }
    return -1;
  }

  /** Pages of a class, or with 0 of the pool. */
  private pagesOf(id: number): number {
    const { memory, slab } = this.engine.store;
    if (id === 0) return memory.i32[HEAD_PAGE_POOL_COUNT];
    return memory.i32[slab.classWord(id) + CLASS_PAGES_I32];
  }

  private automove(): Buffer {
    const { tokens, store } = this.engine;
    const { i32, f64 } = store.memory;
    if (tokens.is(2, 'ratio')) {
      const ratio = tokens.count < 4 ? Number.NaN : parseDecimal(tokens.text(3));
      if (Number.isNaN(ratio)) return ERROR_LINE;
      f64[HEAD_AUTOMOVE_RATIO_F64] = ratio;
      return OK_LINE;
    }
    if (tokens.is(2, 'window')) {
      if (tokens.count < 4 || !tokens.parseUint32(3)) return BAD_FORMAT;
      const seconds = Math.max(tokens.number >>> 0, AUTOMOVE_WINDOW_MIN);
      i32[HEAD_AUTOMOVE_WINDOW] = Math.min(seconds, AUTOMOVE_WINDOW_MAX);
      return OK_LINE;
    }
    if (!tokens.parseUint32(2)) return BAD_FORMAT;
    if (tokens.number >>> 0 > 2) return ERROR_LINE;
    i32[HEAD_AUTOMOVE] = tokens.number;
    return OK_LINE;
  }

  private memlimit(session: Session): void {
    const { tokens } = this.engine;
    if (tokens.count !== 2 && tokens.count !== 3) return this.engine.reply(session, ERROR_LINE);
    this.noteNoreply(session);
    return this.engine.reply(session, this.setMemlimit());
  }

  private setMemlimit(): Buffer {
    const { tokens, store, host } = this.engine;
    const { memory, actor } = store;
    if (!tokens.parseUint32(1)) return ERROR_LINE;
    const megabytes = tokens.number >>> 0;
    if (megabytes < MEMLIMIT_MIN_MB) return MEMLIMIT_TOO_SMALL;
    if (megabytes > MEMLIMIT_MAX_MB) return MEMLIMIT_IN_BYTES;
    // As in memcached the limit stays as it is where all memory was touched at the start (-L).
    if (memory.config.preallocate || megabytes * PAGE_BYTES > memory.config.memoryMax) {
      return MEMLIMIT_FAILED;
    }
    setPageLimit(memory, actor, megabytes);
    host.log(1, `maxbytes adjusted to ${megabytes}m`);
    return OK_LINE;
  }

  private shutdown(session: Session): void {
    const { engine } = this;
    const { tokens } = engine;
    if (!engine.options.shutdownEnabled) return engine.reply(session, NO_SHUTDOWN);
    const graceful = tokens.count === 2 && tokens.is(1, 'graceful');
    if (tokens.count > 1 && !graceful) return engine.reply(session, BAD_SHUTDOWN);
    session.closing = true;
    session.closeReason = CLOSE_SHUTDOWN;
    return engine.host.shutdown(graceful);
  }

  /** `debugtime p` stops the clock, `r` lets it go on, a number of seconds moves it. */
  private debugtime(): Buffer {
    const { tokens, store } = this.engine;
    if (tokens.is(1, 'p')) pauseClock(store.memory, true);
    else if (tokens.is(1, 'r')) pauseClock(store.memory, false);
    else if (tokens.count > 1 && tokens.parseInt32(1)) moveClock(store.memory, tokens.number);
    else return ERROR_LINE;
    return OK_LINE;
  }

  /** Notes `noreply` if it is the last token. */
  private noteNoreply(session: Session): void {
    const { tokens } = this.engine;
    if (tokens.is(tokens.count - 1, 'noreply')) session.noreply = true;
  }
}

/** A decimal number as strtod reads it, but finite and in decimal only; NaN if it is none. */
function parseDecimal(text: string): number {
  if (!/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text)) return Number.NaN;
  const value = Number(text);
  return Number.isFinite(value) ? value : Number.NaN;
}
