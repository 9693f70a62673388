// Records real concurrent histories: several connections send random commands on few keys at the
// same time, every sending and reply stamped with the monotonic clock.
import { randomInt } from 'node:crypto';
import { lineEnd, type ReplyEnd, replyEndOf, WireClient } from '../support/wire.ts';
import type { Operation } from './checker.ts';
import type { Call, Reply } from './model.ts';

export interface RecordOptions {
  readonly port: number;
  readonly clients: number;
  readonly operationsPerClient: number;
  readonly keys: readonly string[];
  /** Every value of the run starts with this many bytes of padding digits. */
  readonly padding: number;
}

/** Numbers that incr by small steps neither shortens nor lengthens, each used once. */
let nextValue = 5_000_000;

function uniqueValue(padding: number): string {
  nextValue += 1000;
  return '7'.repeat(padding) + String(nextValue);
}

/** Runs all clients at once and returns what they saw. */
export async function recordHistory(options: RecordOptions): Promise<Operation[]> {
  const history: Operation[] = [];
  const clients = Array.from({ length: options.clients }, (_, number) =>
    runClient(number, options, history),
  );
  await Promise.all(clients);
  return history;
}

async function runClient(number: number, options: RecordOptions, history: Operation[]) {
  const wire = await WireClient.connect(options.port);
  /** The newest cas id that this client was shown, per key. */
  const ids = new Map<string, string>();
  for (let count = 0; count < options.operationsPerClient; count++) {
    const key = options.keys[randomInt(options.keys.length)] ?? 'k';
    const call = randomCall(ids.get(key), options.padding);
    const meta = randomInt(2) === 0;
    const request = meta ? metaText(key, call) : requestText(key, call);
    const sent = process.hrtime.bigint();
    await wire.send(Buffer.from(request));
    const end = request.startsWith('get') ? replyEndOf(request) : lineEnd;
    const bytes = await wire.reply(meta ? metaEnd : end);
    const received = process.hrtime.bigint();
    const text = bytes.toString('latin1');
    const reply = meta ? parseMeta(text, call) : parseReply(text);
    if ('value' in reply && reply.cas !== undefined) ids.set(key, reply.cas);
    history.push({ client: number, key, call, sent, received, reply });
  }
  wire.destroy();
}

const STORES = ['set', 'set', 'add', 'replace', 'append', 'prepend'] as const;

function randomCall(id: string | undefined, padding: number): Call {
  const dice = randomInt(100);
  if (dice < 30) return { kind: 'get' };
  if (dice < 45) return { kind: 'gets' };
  if (dice < 60) {
    // Small values for append and prepend: their results grow.
    const kind = STORES[randomInt(STORES.length)] ?? 'set';
    const grows = kind === 'append' || kind === 'prepend';
    return { kind, value: uniqueValue(grows ? 0 : padding) };
  }
  if (dice < 75 && id !== undefined) return { kind: 'cas', value: uniqueValue(padding), id };
  if (dice < 87) return { kind: dice % 2 === 0 ? 'incr' : 'decr', delta: BigInt(1 + randomInt(9)) };
  if (dice < 94) return { kind: 'delete' };
  return { kind: 'touch' };
}

function requestText(key: string, call: Call): string {
  if ('delta' in call) return `${call.kind} ${key} ${call.delta}\r\n`;
  if (call.kind === 'touch') return `touch ${key} 0\r\n`;
  if (!('value' in call)) return `${call.kind} ${key}\r\n`;
  const id = call.kind === 'cas' ? ` ${call.id}` : '';
  return `${call.kind} ${key} 0 0 ${call.value.length}${id}\r\n${call.value}\r\n`;
}

const META_MODES = {
  set: '',
  add: ' ME',
  replace: ' MR',
  append: ' MA',
  prepend: ' MP',
  cas: '',
} as const;

/** The same as a meta command. */
function metaText(key: string, call: Call): string {
  if ('delta' in call) {
    return `ma ${key} v D${call.delta}${call.kind === 'decr' ? ' MD' : ''}\r\n`;
  }
  if ('value' in call) {
    const id = call.kind === 'cas' ? ` C${call.id}` : '';
    return `ms ${key} ${call.value.length}${META_MODES[call.kind]}${id}\r\n${call.value}\r\n`;
  }
  if (call.kind === 'delete') return `md ${key}\r\n`;
  if (call.kind === 'touch') return `mg ${key} T0\r\n`;
  return `mg ${key} v${call.kind === 'gets' ? ' c' : ''}\r\n`;
}

/** One line, and a value behind VA. */
const metaEnd: ReplyEnd = (received) => {
  const line = lineEnd(received);
  if (line === -1) return -1;
  const size = /^VA (\d+)/.exec(received.toString('latin1', 0, line))?.[1];
  const end = size === undefined ? line : line + Number(size) + 2;
  return end <= received.length ? end : -1;
};

/** What a code of a meta reply means as a line of the text protocol. */
function textLine(code: string, call: Call): string {
  switch (code) {
    case 'HD':
      if (call.kind === 'delete') return 'DELETED';
      return call.kind === 'touch' ? 'TOUCHED' : 'STORED';
    case 'EN':
      return call.kind === 'touch' ? 'NOT_FOUND' : 'END';
    case 'NS':
      return 'NOT_STORED';
    case 'EX':
      return 'EXISTS';
    case 'NF':
      return 'NOT_FOUND';
    default:
      return code;
  }
}

function parseMeta(text: string, call: Call): Reply {
  const value = /^VA \d+(?: c(\d+))?\r\n(.*)\r\n$/s.exec(text);
  if (value === null) return { line: textLine(text.trimEnd(), call) };
  const [, cas, data = ''] = value;
  return 'delta' in call ? { line: data } : { value: data, cas };
}

function parseReply(text: string): Reply {
  const value = /^VALUE \S+ \d+ \d+(?: (\d+))?\r\n(.*)\r\nEND\r\n$/s.exec(text);
  if (value === null) return { line: text.trimEnd() };
  return { value: value[2] ?? '', cas: value[1] };
}

const FILLERS_AT_A_TIME = 20;

/**
 * Fills memory from another connection until `stopped` says so, to make items get evicted;
 * returns how many items it stored.
 */
export async function keepFilling(
  port: number,
  size: number,
  stopped: () => boolean,
): Promise<number> {
  const wire = await WireClient.connect(port);
  const value = 'f'.repeat(size);
  let count = 0;
  while (!stopped()) {
    const sets = Array.from({ length: FILLERS_AT_A_TIME }, () => {
      count += 1;
      return `set filler${count} 0 0 ${size} noreply\r\n${value}\r\n`;
    });
    await wire.send(Buffer.from(`${sets.join('')}version\r\n`));
    await wire.reply(lineEnd);
  }
  wire.destroy();
  return count;
}
