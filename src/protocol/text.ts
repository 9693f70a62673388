/**
 * The classic text protocol: which command a line is, whether it has the right number of tokens,
 * and the commands that are not retrieval or storage.
 *
 * Replies and their order of checks are memcached's (proto_text.c, protocol.txt), including where
 * `noreply` silences an error and where it does not.
 */

import { Decimal64 } from '../cache/decimal64.ts';
import { DELETED, deleteIf } from '../cache/delete.ts';
import { hashKey } from '../cache/hash.ts';
import { KEY_BYTES_MAX } from '../cache/item.ts';
import {
  DELTA_NO_MEMORY,
  DELTA_NON_NUMERIC,
  DELTA_NOT_FOUND,
  MODE_ADD,
  MODE_APPEND,
  MODE_CAS,
  MODE_PREPEND,
  MODE_REPLACE,
  MODE_SET,
} from '../cache/update.ts';
import { realtime } from '../memory/clock.ts';
import { CLOSE_NORMAL } from '../memory/connections.ts';
import { HEAD_DETAIL_ENABLED } from '../memory/layout.ts';
import { AdminCommands } from './admin.ts';
import type { Engine } from './engine.ts';
import { VERBOSITY_MAX } from './host.ts';
import { LruCrawlerCommand } from './lru-crawler-command.ts';
import { MetaCommands } from './meta.ts';
import {
  BAD_DELETE,
  BAD_DELTA,
  BAD_EXPTIME,
  BAD_FORMAT,
  DELETED_LINE,
  ERROR_LINE,
  FLUSH_FORBIDDEN,
  NO_MEMORY_DELTA,
  NON_NUMERIC,
  NOT_FOUND_LINE,
  OK_LINE,
  TOUCHED_LINE,
} from './replies.ts';
import type { Retrieval } from './retrieval.ts';
import type { Session } from './session.ts';
import type { Statistics } from './statistics.ts';
import { StatsCommand } from './stats.ts';
import type { Storage } from './storage.ts';
import { WatchCommand } from './watch.ts';

const LETTER_G = 0x67;
const LETTER_M = 0x6d;
const LETTER_S = 0x73;

export class TextCommands {
  private readonly engine: Engine;
  private readonly retrieval: Retrieval;
  private readonly storage: Storage;
  private readonly stats: StatsCommand;
  private readonly lruCrawler: LruCrawlerCommand;
  private readonly admin: AdminCommands;
  private readonly meta: MetaCommands;
  private readonly watch: WatchCommand;
  private readonly amount = new Decimal64();
  private readonly versionLine: Buffer;

  constructor(engine: Engine, retrieval: Retrieval, storage: Storage, statistics: Statistics) {
    this.engine = engine;
    this.retrieval = retrieval;
    this.storage = storage;
    this.stats = new StatsCommand(engine, statistics);
    this.admin = new AdminCommands(engine);
    this.lruCrawler = new LruCrawlerCommand(engine);
    this.meta = new MetaCommands(engine);
    this.watch = new WatchCommand(engine);
    this.versionLine = Buffer.from(`VERSION ${engine.host.versionText}\r\n`);
  }

  /**
   * Executes the line at hand if it is one of the few kinds that most lines are, in one pass over
   * its bytes; false, with nothing done, if it is not, or has not come as a whole.
   */
  executeCommon(session: Session): boolean {
    const { engine } = this;
    if (engine.at === engine.end) return false;
    switch (engine.input[engine.at]) {
      case LETTER_G:
        return this.retrieval.serveGet(session);
      case LETTER_S:
        return this.storage.beginSet(session);
      case LETTER_M:
        return this.meta.serveGet(session);
      default:
        return false;
    }
  }

  /** Executes the line input[lineStart, textEnd), whose tokens are cut. */
  execute(session: Session, lineStart: number, textEnd: number): void {
    const { engine } = this;
    const { tokens, input } = engine;
    if (engine.verbosity > 1) {
      engine.host.log(2, `<${session.slot} ${input.toString('latin1', lineStart, textEnd)}`);
    }
    if (tokens.count === 0 || tokens.length(0) < 2) {
      engine.reply(session, ERROR_LINE);
      return;
    }
    const first = input[tokens.starts[0]];
    if (first === LETTER_G) this.executeG(session, textEnd);
    else if (first === LETTER_S) this.executeS(session);
    else if (first === LETTER_M && tokens.length(0) === 2) this.meta.execute(session);
    else this.executeOther(session, textEnd);
  }

  private executeG(session: Session, textEnd: number): void {
    const { engine, retrieval } = this;
    const { tokens } = engine;
    if (tokens.is(0, 'get')) retrieval.start(session, textEnd, false, false);
    else if (tokens.is(0, 'gets')) retrieval.start(session, textEnd, true, false);
    else if (tokens.is(0, 'gat')) retrieval.start(session, textEnd, false, true);
    else if (tokens.is(0, 'gats')) retrieval.start(session, textEnd, true, true);
    else engine.reply(session, ERROR_LINE);
  }

  private executeS(session: Session): void {
    const { tokens } = this.engine;
    if (tokens.is(0, 'set')) this.store(session, MODE_SET, 5);
    else if (tokens.is(0, 'stats')) this.stats.execute(session);
    else if (!this.admin.execute(session)) this.engine.reply(session, ERROR_LINE);
  }

  private executeOther(session: Session, textEnd: number): void {
    const { engine } = this;
    const { tokens } = engine;
    // By comparison of bytes: a string per request would be one too many.
    if (tokens.is(0, 'delete')) this.delete(session);
    else if (tokens.is(0, 'incr')) this.delta(session, true);
    else if (tokens.is(0, 'decr')) this.delta(session, false);
    else if (tokens.is(0, 'touch')) this.touch(session);
    else if (tokens.is(0, 'add')) this.store(session, MODE_ADD, 5);
    else if (tokens.is(0, 'cas')) this.store(session, MODE_CAS, 6);
    else if (tokens.is(0, 'replace')) this.store(session, MODE_REPLACE, 5);
    else if (tokens.is(0, 'append')) this.store(session, MODE_APPEND, 5);
    else if (tokens.is(0, 'prepend')) this.store(session, MODE_PREPEND, 5);
    else this.executeRare(session, textEnd);
  }

  private executeRare(session: Session, textEnd: number): void {
    const { engine } = this;
    switch (engine.tokens.text(0)) {
      case 'bget':
        // A command of memcached's early days that it still answers.
        return this.retrieval.start(session, textEnd, false, false);
      case 'flush_all':
        return this.flushAll(session);
      case 'version':
        return engine.reply(session, this.versionLine);
      case 'refresh_certs':
        return this.refreshCertificates(session);
      case 'lru_crawler':
        return this.lruCrawler.execute(session);
      case 'verbosity':
        return this.verbosity(session);
      case 'watch':
        this.noteNoreply(session);
        return this.watch.execute(session);
      case 'quit':
        session.closing = true;
        session.closeReason = CLOSE_NORMAL;
        return;
      default:
        if (!this.admin.execute(session)) this.unknown(session);
        return;
    }
  }

  private store(session: Session, mode: number, tokenCount: number): void {
    const { count } = this.engine.tokens;
    if (count !== tokenCount && count !== tokenCount + 1) {
      this.engine.reply(session, ERROR_LINE);
      return;
    }
    this.noteNoreply(session);
    this.storage.start(session, mode);
  }

  private delta(session: Session, increment: boolean): void {
    const { engine, amount } = this;
    const { tokens, input, source, updater, output } = engine;
    if (!this.hasTokens(session, 3, 4)) return;
    this.noteNoreply(session);
    if (this.refuseLongKey(session)) return;
    if (!amount.parse(input, tokens.starts[2], tokens.ends[2])) {
      engine.reply(session, BAD_DELTA);
      return;
    }
    const start = tokens.starts[1];
    const length = tokens.length(1);
    const hash = hashKey(source, start, length, session.tenant);
    const { tenant } = session;
    const result = updater.delta(hash, tenant, source, start, length, increment, amount, 0, 0);
    if (result === DELTA_NOT_FOUND) {
      updater.countDeltaMiss(increment);
      engine.reply(session, NOT_FOUND_LINE);
    } else if (result === DELTA_NON_NUMERIC) engine.reply(session, NON_NUMERIC);
    else if (result === DELTA_NO_MEMORY) engine.reply(session, NO_MEMORY_DELTA);
    else if (session.noreply) session.noreply = false;
    else {
      output.end += updater.result.print(output.bytes, output.end);
      output.bytes[output.end++] = 0x0d;
      output.bytes[output.end++] = 0x0a;
    }
  }

  private delete(session: Session): void {
    const { engine } = this;
    const { tokens, source, store } = engine;
    if (!this.hasTokens(session, 2, 4)) return;
    if (tokens.count > 2) {
      // The time that delete once took survives as a literal 0.
      const zero = tokens.is(2, '0');
      const noreply = this.noteNoreply(session);
      const valid = tokens.count === 3 ? zero || noreply : zero && noreply;
      if (!valid) {
        engine.reply(session, BAD_DELETE);
        return;
      }
    }
    if (this.refuseLongKey(session)) return;
    const start = tokens.starts[1];
    const length = tokens.length(1);
    if (store.memory.i32[HEAD_DETAIL_ENABLED] !== 0) {
      engine.prefixes.recordDelete(source, start, length);
    }
    const hash = hashKey(source, start, length, session.tenant);
    const result = deleteIf(store, hash, session.tenant, source, start, length, 0, 0);
    engine.reply(session, result === DELETED ? DELETED_LINE : NOT_FOUND_LINE);
  }

  private touch(session: Session): void {
    const { engine } = this;
    const { tokens, source, store } = engine;
    if (!this.hasTokens(session, 3, 4)) return;
    this.noteNoreply(session);
    if (this.refuseLongKey(session)) return;
    if (!tokens.parseInt32(2)) {
      engine.reply(session, BAD_EXPTIME);
      return;
    }
    const exptime = realtime(store.memory, tokens.number);
    const start = tokens.starts[1];
    const length = tokens.length(1);
    const hash = hashKey(source, start, length, session.tenant);
    const touched = store.touch(hash, session.tenant, source, start, length, exptime);
    engine.reply(session, touched ? TOUCHED_LINE : NOT_FOUND_LINE);
  }

  private flushAll(session: Session): void {
    const { engine } = this;
    const { tokens, store } = engine;
    if (!this.hasTokens(session, 1, 3)) return;
    const noreply = this.noteNoreply(session);
    store.countFlush();
    if (!store.config.flushEnabled) {
      engine.reply(session, FLUSH_FORBIDDEN);
      return;
    }
    let when = 0;
    if (tokens.count !== (noreply ? 2 : 1)) {
      if (!tokens.parseInt32(1)) {
        engine.reply(session, BAD_EXPTIME);
        return;
      }
      if (tokens.number > 0) when = realtime(store.memory, tokens.number);
    }
    store.flush(session.tenant, when);
    engine.reply(session, OK_LINE);
  }

  /** Errors are told even with noreply, as memcached does. */
  private refreshCertificates(session: Session): void {
    const { engine } = this;
    this.noteNoreply(session);
    const reason = engine.host.refreshCertificates();
    if (reason === '') return engine.reply(session, OK_LINE);
    session.noreply = false;
    engine.replyLong(session, Buffer.from(`${reason}\r\n`));
  }

  private verbosity(session: Session): void {
    const { engine } = this;
    const { tokens } = engine;
    if (!this.hasTokens(session, 2, 3)) return;
    this.noteNoreply(session);
    if (!tokens.parseUint32(1)) {
      engine.reply(session, BAD_FORMAT);
      return;
    }
    engine.host.setVerbosity(Math.min(tokens.number >>> 0, VERBOSITY_MAX));
    engine.reply(session, OK_LINE);
  }

  /** What nobody knows is an ERROR; a browser that got lost is not answered at all. */
  private unknown(session: Session): void {
    const { tokens } = this.engine;
    const first = tokens.text(0)[0];
    const family = 'acidt'.includes(first);
    if (!family && tokens.text(tokens.count - 1).startsWith('HTTP/')) session.closing = true;
    else this.engine.reply(session, ERROR_LINE);
  }

  private hasTokens(session: Session, least: number, most: number): boolean {
    const { count } = this.engine.tokens;
    if (count >= least && count <= most) return true;
    this.engine.reply(session, ERROR_LINE);
    return false;
  }

  private refuseLongKey(session: Session): boolean {
    if (this.engine.tokens.length(1) <= KEY_BYTES_MAX) return false;
    this.engine.reply(session, BAD_FORMAT);
    return true;
  }

  /** Notes `noreply` if it is the last token. */
  private noteNoreply(session: Session): boolean {
    const { tokens } = this.engine;
    if (tokens.is(tokens.count - 1, 'noreply')) session.noreply = true;
    return session.noreply;
  }
}
