// `npm run bench`: slabcached with each of its transports, memcached, and a server that stores
// nothing, under the same loads, in interleaved rounds on the same cores, with the ratios of what
// they did. bench/options.ts tells the flags.

import { writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chart } from './chart.ts';
import { goalsTable } from './goals.ts';
import { replyLengths } from './null-server.ts';
import { type BenchOptions, parseOptions, USAGE, UsageError } from './options.ts';
import { caveats, heading, rowBlock, summary, writeJson } from './report.ts';
import { place, type RowResult, runRow, type Side } from './rounds.ts';
import { describe, type Row } from './rows.ts';
import { findProgram, isOwn, type Program } from './servers.ts';

/** The programs to compare; says which are left out, or fails when they were asked for by name. */
function findPrograms(options: BenchOptions): Program[] {
  const programs: Program[] = [];
  for (const name of options.servers) {
    const found = findProgram(name, options.oursArgs);
    if (typeof found !== 'string') programs.push(found);
    else if (options.serversChosen) throw new UsageError(found);
    else console.log(`${name} is left out: ${found}`);
  }
  return programs;
}

/** Who is compared in a row; empty when the row needs a program that was left out. */
function sidesOf(row: Row, programs: readonly Program[]): Side[] {
  const { threads } = row;
  if (row.opponent === 'one thread') {
    const ours = programs.find(isOwn);
    if (ours === undefined) return [];
    return [
      { program: ours, threads },
      { program: ours, threads: 1 },
    ];
  }
  const nullFits = threads === 1 && replyLengths(row.workload) !== undefined;
  return programs
    .filter((program) => program.server !== 'null' || nullFits)
    .map((program) => ({ program, threads }));
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
  const date = new Date();
  const began = performance.now();
  console.log(heading(programs));
  const results: RowResult[] = [];
  for (const [i, row] of options.rows.entries()) {
    const sides = sidesOf(row, programs);
    const title = `${row.name}: ${describe(row.workload)}`;
    console.log(`\n[${i + 1}/${options.rows.length}] ${title}`);
    if (sides.length === 0) {
      console.log('  left out: none of the servers fits');
      continue;
    }
    const placement = place(Math.max(...sides.map((side) => side.threads)));
    for (const note of caveats(row, placement, programs)) console.log(`  (${note})`);
    const result = await runRow(row, sides, options, progressLine(row, began));
    if (process.stdout.isTTY) process.stdout.write('\r\x1b[K');
    console.log(rowBlock(result));
    results.push(result);
  }
  console.log(`\n${summary(results)}`);
  const goals = goalsTable(results);
  if (goals !== '') console.log(`\n${goals}`);
  const stamp = date.toISOString().slice(0, 19).replaceAll(':', '');
  const file = options.json ?? fileURLToPath(new URL(`results/${stamp}.json`, import.meta.url));
  writeJson(file, date, programs, results);
  const drawing = file.replace(/(\.json)?$/, '.svg');
  writeFileSync(drawing, chart(results, heading(programs).split('\n')[0]));
  const seconds = ((performance.now() - began) / 1000).toFixed(0);
  console.log(`\n${seconds} s, written to ${file} and ${basename(drawing)}`);
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
