/** The `stats` command of the text protocol: its subcommands, as lines. */

import { cacheDump, type Stat } from '../cache/stats.ts';
import { CLASS_COUNT_MAX } from '../memory/classes.ts';
import type { Engine } from './engine.ts';
import {
  BAD_COMMAND_LINE,
  BAD_DETAIL,
  BAD_FORMAT,
  BAD_SLAB_ID,
  ERROR_LINE,
  line,
  OK_LINE,
  RESET_LINE,
} from './replies.ts';
import type { Session } from './session.ts';
import type { Statistics } from './statistics.ts';

const NO_DETAIL = line('CLIENT_ERROR stats detail not allowed');
const NO_CACHEDUMP = line('CLIENT_ERROR stats cachedump not allowed');

export class StatsCommand {
  private readonly engine: Engine;
  private readonly statistics: Statistics;

  constructor(engine: Engine, statistics: Statistics) {
    this.engine = engine;
    this.statistics = statistics;
  }

  /** Executes `stats ...`, whose tokens are cut. */
  execute(session: Session): void {
    const { engine, statistics } = this;
    const { tokens } = engine;
    const name = tokens.count === 1 ? '' : tokens.text(1);
    switch (name) {
      case 'reset':
        statistics.reset(session.tenant);
        return engine.reply(session, RESET_LINE);
      case 'detail':
        if (!statistics.detailAllowed) return engine.reply(session, NO_DETAIL);
        return this.detail(session);
      case 'cachedump':
        if (!engine.options.dumpEnabled) return engine.reply(session, NO_CACHEDUMP);
        return this.cachedump(session);
      case 'sizes_enable':
        return this.replyLines(session, linesOf(statistics.trackSizes(true)));
      case 'sizes_disable':
        return this.replyLines(session, linesOf(statistics.trackSizes(false)));
      default: {
        const stats = statistics.group(name, session.tenant);
        if (stats === null) return engine.reply(session, ERROR_LINE);
        return this.replyStats(session, stats);
      }
    }
  }

  private detail(session: Session): void {
    const { engine, statistics } = this;
    const { tokens } = engine;
    const mode = tokens.count > 2 ? tokens.text(2) : '';
    if (mode === 'dump') return this.replyLines(session, statistics.detailDump());
    if (mode !== 'on' && mode !== 'off') return engine.reply(session, BAD_DETAIL);
    statistics.setDetail(mode === 'on');
    return engine.reply(session, OK_LINE);
  }

  private cachedump(session: Session): void {
    const { engine } = this;
    const { tokens, store } = engine;
    if (tokens.count < 4) return engine.reply(session, BAD_COMMAND_LINE);
    if (!tokens.parseUint32(2)) return engine.reply(session, BAD_FORMAT);
    const id = tokens.number >>> 0;
    if (!tokens.parseUint32(3)) return engine.reply(session, BAD_FORMAT);
    if (id >= CLASS_COUNT_MAX) return engine.reply(session, BAD_SLAB_ID);
    const limit = tokens.number >>> 0;
    return this.replyLines(session, cacheDump(store, session.tenant, id, limit));
  }

  private replyStats(session: Session, stats: Iterable<Stat>): void {
    this.replyLines(session, `${linesOf(stats)}END\r\n`);
  }

  private replyLines(session: Session, lines: string): void {
    this.engine.replyLong(session, Buffer.from(lines, 'latin1'));
  }
}

function linesOf(stats: Iterable<Stat>): string {
  let lines = '';
  for (const [name, value] of stats) lines += `STAT ${name} ${value}\r\n`;
  return lines;
}
