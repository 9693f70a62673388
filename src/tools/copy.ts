/**
 * The three tools: dump, load and warm. Each reads items, keeps to a pace, and hands them on.
 */
import { stat } from 'node:fs/promises';
import type { Address } from './address.ts';
import { DumpReader } from './dump-reader.ts';
import { DumpWriter } from './dump-writer.ts';
import { bytesOf, type CopiedItem, type Sink } from './item.ts';
import type { ListedKey } from './key-list.ts';
import type { ToolOptions } from './options.ts';
import { Pace } from './pace.ts';
import { megabytes, type Progress } from './progress.ts';
import { Source } from './source.ts';
import { Target } from './target.ts';
import { ToolError } from './tool-error.ts';

/** Everything was copied. */
const DONE = 0;
/** The tool went to its end, but not everything was copied. */
const INCOMPLETE = 2;

/** Items of a file are stored in groups of at most so many bytes. */
const GROUP_BYTES = 1024 * 1024;

interface Copied {
  items: number;
  bytes: number;
  /** Keys that were listed, but whose items had gone when they were asked for. */
  gone: number;
}

/** Writes all items of a cache to a file; returns the exit code. */
export async function dump(options: ToolOptions, progress: Progress): Promise<number> {
  const { file, resume } = options;
  if (file === undefined && (resume || process.stdout.isTTY)) {
    throw new ToolError('--out is missing: to which file?');
  }
  const source = await Source.open(options.from as Address);
  try {
    const known = new Set<string>();
    const writer = await openWriter(file, resume, known);
    if (writer === undefined) {
      progress.say(`${file} is complete already`);
      return DONE;
    }
    const copied = await copyAll(source, known, writer, options, progress);
    await writer.finish();
    const before = known.size === 0 ? '' : ` to ${known.size} from before`;
    progress.say(`${summary(copied, progress)} written${before}${gone(copied)}`);
    return DONE;
  } finally {
    source.close();
  }
}

/** Fills `known` with the keys that an unfinished file has; undefined when it is finished. */
async function openWriter(
  file: string | undefined,
  resume: boolean,
  known: Set<string>,
): Promise<DumpWriter | undefined> {
  if (file === undefined) return DumpWriter.toStdout();
  if (!resume) return DumpWriter.create(file);
  const reader = await DumpReader.open(file);
  for await (const { key } of reader.items()) known.add(key.toString('latin1'));
  if (reader.isComplete) return undefined;
  return DumpWriter.append(file, reader.wholeBytes, reader.count);
}

/** Stores the items of a file into a cache; returns the exit code. */
export async function load(options: ToolOptions, progress: Progress): Promise<number> {
  const { file } = options;
  if (file === undefined && process.stdin.isTTY) {
    throw new ToolError('--in is missing: from which file?');
  }
  const reader = file === undefined ? await DumpReader.fromStdin() : await DumpReader.open(file);
  try {
    const total = file === undefined ? 0 : (await stat(file)).size;
    const target = await Target.open(options.to as Address, options.overwrite);
    try {
      return await loadInto(target, reader, total, options, progress);
    } finally {
      target.close();
    }
  } finally {
    reader.close();
  }
}

async function loadInto(
  target: Target,
  reader: DumpReader,
  total: number,
  options: ToolOptions,
  progress: Progress,
): Promise<number> {
  const pace = new Pace(options.itemsPerSecond, options.bytesPerSecond);
  const copied: Copied = { items: 0, bytes: 0, gone: 0 };
  let group: CopiedItem[] = [];
  let groupBytes = 0;
  for await (const item of reader.items()) {
    group.push(item);
    groupBytes += bytesOf(item);
    if (group.length < pace.itemsPerRound && groupBytes < GROUP_BYTES) continue;
    await hand(group, target, pace, copied);
    progress.update(reader.wholeBytes, total, copied.items, copied.bytes);
    group = [];
    groupBytes = 0;
  }
  await hand(group, target, pace, copied);
  progress.say(`${summary(copied, progress)} read${outcome(target)}`);
  if (!reader.isComplete) progress.say('the dump had been interrupted: there may be more items');
  return refusals(target, progress) === DONE && reader.isComplete ? DONE : INCOMPLETE;
}

/** Copies all items of a cache to another; returns the exit code. */
export async function warm(options: ToolOptions, progress: Progress): Promise<number> {
  const source = await Source.open(options.from as Address);
  try {
    const target = await Target.open(options.to as Address, options.overwrite);
    try {
      const copied = await copyAll(source, new Set(), target, options, progress);
      progress.say(`${summary(copied, progress)} read${gone(copied)}${outcome(target)}`);
      return refusals(target, progress);
    } finally {
      target.close();
    }
  } finally {
    source.close();
  }
}

/** Lists the source, and hands over all items but those of the keys known already. */
async function copyAll(
  source: Source,
  known: ReadonlySet<string>,
  sink: Sink,
  options: ToolOptions,
  progress: Progress,
): Promise<Copied> {
  let told = false;
  const list = await source.list(() => {
    if (!told) progress.say('the crawler of the source is busy: waiting for it');
    told = true;
  });
  try {
    const pace = new Pace(options.itemsPerSecond, options.bytesPerSecond);
    const copied: Copied = { items: 0, bytes: 0, gone: 0 };
    let round: ListedKey[] = [];
    let seen = 0;
    const fetchRound = async (): Promise<void> => {
      const items = await source.fetch(round);
      copied.gone += round.length - items.length;
      await hand(items, sink, pace, copied);
      progress.update(seen, list.count, copied.items, copied.bytes);
      round = [];
    };
    for await (const listed of list.keys()) {
      seen++;
      if (known.has(listed.key.toString('latin1'))) continue;
      round.push(listed);
      if (round.length >= pace.itemsPerRound) await fetchRound();
    }
    await fetchRound();
    return copied;
  } finally {
    await list.close();
  }
}

async function hand(
  items: readonly CopiedItem[],
  sink: Sink,
  pace: Pace,
  copied: Copied,
): Promise<void> {
  if (items.length === 0) return;
  await sink.store(items);
  const bytes = items.reduce((sum, item) => sum + bytesOf(item), 0);
  copied.items += items.length;
  copied.bytes += bytes;
  await pace.spend(items.length, bytes);
}

function summary({ items, bytes }: Copied, progress: Progress): string {
  return `${items} items (${megabytes(bytes)}) in ${progress.seconds} s`;
}

function gone(copied: Copied): string {
  return copied.gone === 0 ? '' : `, ${copied.gone} were gone when asked for`;
}

function outcome({ stored, kept, expired }: Target): string {
  const parts = [`, ${stored} stored`];
  if (kept > 0) parts.push(`${kept} were there already`);
  if (expired > 0) parts.push(`${expired} had expired`);
  return parts.join(', ');
}

function refusals({ refused, firstRefusal }: Target, progress: Progress): number {
  if (refused === 0) return DONE;
  progress.say(`${refused} items were refused, the first with: ${firstRefusal}`);
  return INCOMPLETE;
}
