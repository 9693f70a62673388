/**
 * The `lru_crawler` command: switches and numbers of the crawler, crawls and dumps at a client's
 * wish. Replies are those of memcached's process_lru_crawler_command.
 */
import { claimCrawl, orderCrawl } from '../cache/orders.ts';
import { CLASS_COUNT_MAX } from '../memory/classes.ts';
import { HEAD_CRAWLER_SLEEP, HEAD_CRAWLER_TOCRAWL, HEAD_LRU_CRAWLER } from '../memory/layout.ts';
import { Dump, type DumpKind } from './dump.ts';
import type { Engine } from './engine.ts';
import { BAD_FORMAT, ERROR_LINE, line, OK_LINE } from './replies.ts';
import { IN_STREAM, type Session } from './session.ts';

const SLEEP_MAX_US = 1_000_000;

const DISABLED = line('CLIENT_ERROR lru crawler disabled');
const BUSY = line('BUSY currently processing crawler request');
const BAD_CLASS = line('BADCLASS invalid class id');
const NOT_STARTED = line('NOTSTARTED no items to crawl');
const UNKNOWN_ERROR = line('ERROR an unknown error happened');
const ALREADY_STARTED = line('ERROR failed to start lru crawler thread');
const LONG_SLEEP = line('CLIENT_ERROR sleep must be one second or less');
const NO_DUMP = {
  metadump: line('ERROR metadump not allowed'),
  mgdump: line('ERROR key dump not allowed'),
};

/** What a list of classes names; `none` is a list of commas only. */
type Classes = 'all' | 'hash' | 'none' | 'bad' | Int32Array;

export class LruCrawlerCommand {
  private readonly engine: Engine;

  constructor(engine: Engine) {
    this.engine = engine;
  }

  /** Executes `lru_crawler ...`, whose tokens are cut. */
  execute(session: Session): void {
    const { engine } = this;
    const { tokens } = engine;
    const word = tokens.count > 1 ? tokens.text(1) : '';
    if (tokens.count === 3 && word === 'crawl') this.crawl(session);
    else if (tokens.count === 3 && word === 'metadump') this.dump(session, word);
    else if (tokens.count === 3 && word === 'mgdump') this.dump(session, word);
    else if (tokens.count === 3 && word === 'tocrawl') this.tune(session, HEAD_CRAWLER_TOCRAWL);
    else if (tokens.count === 3 && word === 'sleep') this.tune(session, HEAD_CRAWLER_SLEEP);
    else if (tokens.count === 2 && word === 'enable') this.enable(session);
    else if (tokens.count === 2 && word === 'disable') this.disable(session);
    else engine.reply(session, ERROR_LINE);
  }

  private enable(session: Session): void {
    const { i32 } = this.engine.store.memory;
    const was = i32[HEAD_LRU_CRAWLER];
    i32[HEAD_LRU_CRAWLER] = 1;
    this.engine.reply(session, was === 0 ? OK_LINE : ALREADY_STARTED);
  }

  private disable(session: Session): void {
    this.engine.store.memory.i32[HEAD_LRU_CRAWLER] = 0;
    this.engine.reply(session, OK_LINE);
  }

  private tune(session: Session, word: number): void {
    const { engine } = this;
    const { tokens } = engine;
    if (!tokens.parseUint32(2)) return engine.reply(session, BAD_FORMAT);
    if (word === HEAD_CRAWLER_SLEEP && tokens.number >>> 0 > SLEEP_MAX_US) {
      return engine.reply(session, LONG_SLEEP);
    }
    engine.store.memory.i32[word] = tokens.number;
    return engine.reply(session, OK_LINE);
  }

  private crawl(session: Session): void {
    const { engine } = this;
    const { memory, actor } = engine.store;
    if (memory.i32[HEAD_LRU_CRAWLER] === 0) return engine.reply(session, DISABLED);
    const classes = parseClasses(engine.tokens.text(2));
    if (classes === 'bad') return engine.reply(session, BAD_CLASS);
    if (classes === 'hash') return engine.reply(session, UNKNOWN_ERROR);
    if (classes === 'none') return engine.reply(session, NOT_STARTED);
    const wanted = classes === 'all' ? new Int32Array([-1, -1]) : classes;
    return engine.reply(session, orderCrawl(memory, actor, wanted) ? OK_LINE : BUSY);
  }

  private dump(session: Session, kind: DumpKind): void {
    const { engine } = this;
    const { memory, actor } = engine.store;
    if (memory.i32[HEAD_LRU_CRAWLER] === 0) return engine.reply(session, DISABLED);
    // What is sent for one datagram has an end that is known beforehand.
    if (session.origin.transport === 'udp') return engine.reply(session, ERROR_LINE);
    if (!engine.options.dumpEnabled) return engine.reply(session, NO_DUMP[kind]);
    const classes = parseClasses(engine.tokens.text(2));
    if (classes === 'bad') return engine.reply(session, BAD_CLASS);
    if (classes === 'none') return engine.reply(session, NOT_STARTED);
    if (!claimCrawl(memory, actor)) return engine.reply(session, BUSY);
    // The hash table is walked in any case: no item can move away from under a dump then.
    const wanted = typeof classes === 'string' ? null : classes;
    session.stream = new Dump(engine, kind, session.tenant, wanted);
    session.state = IN_STREAM;
  }
}

/** Reads `all`, `hash` or a list of class ids as memcached does (strtok and safe_strtoul). */
function parseClasses(text: string): Classes {
  if (text === 'all' || text === 'hash') return text;
  const classes = new Int32Array(2);
  let found: Classes = 'none';
  for (const word of text.split(',')) {
    if (word === '') continue;
    if (!/^\+?\d{1,19}$/.test(word)) return 'bad';
    const id = Number(BigInt.asUintN(32, BigInt(word)));
    if (id < 1 || id >= CLASS_COUNT_MAX) return 'bad';
    classes[id >>> 5] |= 1 << (id & 31);
    found = classes;
  }
  return found;
}
