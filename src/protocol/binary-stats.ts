/**
 * STAT: each name and value is a packet of its own, and one without either ends them. The key names
 * the group; where it has an argument that is part of the key too (`detail on`).
 */
import type { Stat } from '../cache/stats.ts';
import {
  type BinaryRequest,
  HEADER_BYTES,
  STATUS_AUTH_ERROR,
  STATUS_NOT_FOUND,
} from './binary-header.ts';
import { type BinaryReplies, writeHeader } from './binary-replies.ts';
import type { Engine } from './engine.ts';
import type { Session } from './session.ts';
import type { Statistics } from './statistics.ts';

export class BinaryStats {
  private readonly engine: Engine;
  private readonly request: BinaryRequest;
  private readonly replies: BinaryReplies;
  private readonly statistics: Statistics;

  constructor(
    engine: Engine,
    request: BinaryRequest,
    replies: BinaryReplies,
    statistics: Statistics,
  ) {
    this.engine = engine;
    this.request = request;
    this.replies = replies;
    this.statistics = statistics;
  }

  /** Executes STAT. */
  execute(session: Session): void {
    const { engine, request, statistics } = this;
    const name = engine.input.toString('latin1', request.keyAt, request.keyAt + request.keyBytes);
    // These three go by how the key begins, as in memcached.
    if (name.startsWith('reset')) {
      statistics.reset(session.tenant);
      this.reply(session, [], true);
    } else if (name.startsWith('settings')) {
      this.replyGroup(session, 'settings');
    } else if (name.startsWith('detail') && !statistics.detailAllowed) {
      this.replies.error(session, STATUS_AUTH_ERROR);
    } else if (name.startsWith('detail')) {
      this.detail(session, name.slice('detail'.length));
    } else if (name === 'sizes_enable' || name === 'sizes_disable') {
      // The end is missing, as it is in the text protocol.
      this.reply(session, statistics.trackSizes(name === 'sizes_enable'), false);
    } else {
      this.replyGroup(session, name);
    }
  }

  private replyGroup(session: Session, name: string): void {
    const stats = this.statistics.group(name, session.tenant);
    if (stats === null) this.replies.error(session, STATUS_NOT_FOUND);
    else this.reply(session, stats, true);
  }

  private detail(session: Session, mode: string): void {
    const { statistics } = this;
    if (mode.startsWith(' dump')) {
      this.reply(session, [['detailed', statistics.detailDump()]], true);
    } else if (mode.startsWith(' on') || mode.startsWith(' off')) {
      statistics.setDetail(mode.startsWith(' on'));
      this.reply(session, [], true);
    } else {
      this.replies.error(session, STATUS_NOT_FOUND);
    }
  }

  private reply(session: Session, stats: Iterable<Stat>, ended: boolean): void {
    const packets: Buffer[] = [];
    for (const [name, value] of stats) packets.push(packet(session, name, value));
    if (ended) packets.push(packet(session, '', ''));
    this.engine.replyLong(session, Buffer.concat(packets));
  }
}

function packet(session: Session, name: string, value: string): Buffer {
  const bytes = Buffer.alloc(HEADER_BYTES + name.length + value.length);
  writeHeader(bytes, 0, session, 0, 0, name.length, name.length + value.length);
  bytes.write(name, HEADER_BYTES, 'latin1');
  bytes.write(value, HEADER_BYTES + name.length, 'latin1');
  return bytes;
}
