/**
 * `watch`: turns a connection into one that is sent what happens in the server, line by line, and
 * listens to nothing any more. The lines are made elsewhere (log-reader.ts) and wait in the
 * watcher's ring; here they are sent as fast as the client takes them.
 */
import {
  WATCH_CONNEVENTS,
  WATCH_DELETIONS,
  WATCH_EVICTIONS,
  WATCH_FETCHERS,
  WATCH_MUTATIONS,
  WATCH_SILENT,
  WATCH_SYSEVENTS,
} from '../cache/log.ts';
import { addWatcher, hasBytes, removeWatcher, takeBytes } from '../memory/watchers.ts';
import type { Engine } from './engine.ts';
import {
  ERROR_LINE,
  OK_LINE,
  WATCH_FORBIDDEN,
  WATCH_PIPELINED,
  WATCH_TOO_MANY,
} from './replies.ts';
import { IN_STREAM, type Session, STEP_FULL, STEP_STARVED } from './session.ts';
import type { ReplyStream } from './stream.ts';

/** In memcached's order: a beginning of a name stands for the first that has it. */
const STREAMS: readonly (readonly [string, number])[] = [
  ['rawcmds', WATCH_SILENT],
  ['evictions', WATCH_EVICTIONS],
  ['fetchers', WATCH_FETCHERS],
  ['mutations', WATCH_MUTATIONS],
  ['sysevents', WATCH_SYSEVENTS],
  ['connevents', WATCH_CONNEVENTS],
  ['proxyreqs', WATCH_SILENT],
  ['proxyevents', WATCH_SILENT],
  ['proxyuser', WATCH_SILENT],
  ['deletions', WATCH_DELETIONS],
];

export class WatchCommand {
  private readonly engine: Engine;

  constructor(engine: Engine) {
    this.engine = engine;
  }

  /** Executes `watch ...`, whose tokens are cut. */
  execute(session: Session): void {
    const { engine } = this;
    const { tokens, store } = engine;
    if (!engine.options.watchEnabled) return engine.reply(session, WATCH_FORBIDDEN);
    // Nothing can be sent later to whoever sent a datagram.
    if (session.origin.transport === 'udp') return engine.reply(session, ERROR_LINE);
    // What is still unsent are answers to earlier requests.
    if (engine.output.length > 0) return engine.reply(session, WATCH_PIPELINED);
    let flags = tokens.count > 1 ? 0 : WATCH_FETCHERS;
    for (let at = 1; at < tokens.count; at++) {
      const name = tokens.text(at);
      const stream = STREAMS.find(([full]) => full.startsWith(name));
      if (stream === undefined) return engine.reply(session, ERROR_LINE);
      flags |= stream[1];
    }
    const watcher = addWatcher(store.memory, store.actor, session.slot, flags);
    if (watcher === -1) return engine.reply(session, WATCH_TOO_MANY);
    session.noreply = false;
    engine.reply(session, OK_LINE);
    session.stream = new WatchStream(engine, watcher);
    session.state = IN_STREAM;
    engine.onWatcher?.();
  }
}

/** The lines of one watcher. */
class WatchStream implements ReplyStream {
  readonly endless = true;
  private readonly engine: Engine;
  private readonly watcher: number;

  constructor(engine: Engine, watcher: number) {
    this.engine = engine;
    this.watcher = watcher;
  }

  proceed(): number {
    const { engine, watcher } = this;
    const { output, store } = engine;
    // Whatever a watcher says is not heard.
    engine.at = engine.end;
    const { memory } = store;
    output.end += takeBytes(memory, watcher, output.bytes, output.end, output.room);
    return hasBytes(memory, watcher) ? STEP_FULL : STEP_STARVED;
  }

  stop(): void {
    const { store } = this.engine;
    removeWatcher(store.memory, store.actor, this.watcher);
  }
}
