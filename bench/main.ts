// `npm run bench`: slabcached and memcached under the same loads, in interleaved rounds on the same
// cores, with the ratio of what they did. bench/options.ts tells the flags.

import { fileURLToPath } from 'node:url';
import { type BenchOptions, parseOptions, USAGE, UsageError } from './options.ts';
import { caveats, heading, rowBlock, summary, writeJson } from './report.ts';
import { place, type RowResult, runRow, type Side } from './rounds.ts';
import { describe, type Row } from './rows.ts';
import { memcachedProgram, ownProgram, type Program } from './servers.ts';

interface Programs {
  readonly ours: Program | undefined;
  readonly memcached: Program | undefined;
}

function findPrograms(options: BenchOptions): Programs {
  const ours = options.only === 'memcached' ? undefined : ownProgram(options.oursArgs);
  const memcached = options.only === 'ours' ? undefined : memcachedProgram();
  if (options.only !== 'memcached' && ours === undefined) {
    throw new UsageError('slabcached does not start here: try `node src/cli.ts -V`');
  }
  if (options.only === 'memcached' && memcached === undefined) {
    throw new UsageError('memcached is not installed; MEMCACHED=/path/to/memcached may name it');
  }
  return { ours, memcached };
}

/** Who is compared in a row; empty when the row needs a program that was left out. */
function sidesOf(row: Row, { ours, memcached }: Programs): Side[] {
  const { threads } = row;
  if (row.opponent === 'one thread') {
    if (ours === undefined) return [];
    return [
      { program: ours, threads },
      { program: ours, threads: 1 },
    ];
  }
  const programs = [ours, memcached].filter((program) => program !== undefined);
  return programs.map((program) => ({ program, threads }));
}

/** Shows what is going on in one line that is overwritten, or nothing without a terminal. */
function progressLine(row: Row, began: number): (text: string) => void {
  if (!process.stdout.isTTY) return () => {};
  return (text) => {
    const seconds = ((performance.now() - began) / 1000).toFixed(0);
    process.stdout.write(`\r\x1b[K  ${row.name}, ${seconds} s: ${text}`);
  };
}

async function main(): Promise<void> {
  const options = parseOptions(process.argv.slice(2));
  if (options.help) {
    process.stdout.write(USAGE);
    return;
  }
  const programs = findPrograms(options);
  const present = [programs.ours, programs.memcached].filter((program) => program !== undefined);
  const date = new Date();
  const began = performance.now();
  console.log(heading(present));
  if (options.only === 'both' && programs.memcached === undefined) {
    console.log('memcached is not installed: slabcached runs alone, without a comparison');
  }
  const results: RowResult[] = [];
  for (const [i, row] of options.rows.entries()) {
    const sides = sidesOf(row, programs);
    const title = `${row.name}: ${describe(row.workload)}`;
    console.log(`\n[${i + 1}/${options.rows.length}] ${title}`);
    if (sides.length === 0) {
      console.log('  left out: it needs slabcached');
      continue;
    }
    const placement = place(Math.max(...sides.map((side) => side.threads)));
    for (const note of caveats(row, placement, present)) console.log(`  (${note})`);
    const result = await runRow(row, sides, options, progressLine(row, began));
    if (process.stdout.isTTY) process.stdout.write('\r\x1b[K');
    console.log(rowBlock(result));
    results.push(result);
  }
  console.log(`\n${summary(results)}`);
  const stamp = date.toISOString().slice(0, 19).replaceAll(':', '');
  const file = options.json ?? fileURLToPath(new URL(`results/${stamp}.json`, import.meta.url));
  writeJson(file, date, present, results);
  console.log(`\n${((performance.now() - began) / 1000).toFixed(0)} s, written to ${file}`);
}

// A signal must end the servers too: they are stopped in the exit handlers.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(1));
try {
  await main();
} catch (error) {
  const known = error instanceof UsageError;
  console.error(known ? `bench: ${error.message}` : error);
  process.exitCode = known ? 2 : 1;
}
