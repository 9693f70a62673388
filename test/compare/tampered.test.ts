// The comparison of text and meta commands itself is tested: spoiled replies must be found.
import type { Spoil } from '../support/tamper.ts';
import { compareAtRandom, RUN_KINDS } from './runs.ts';
import { closeEvery, type NamedSpoil, testComparison } from './spoiling.ts';

/** Replaces `from` by `to` in every n-th piece of replies that has it. */
function everyNth(n: number, from: RegExp, to: string): Spoil {
  let seen = 0;
  return (reply) => {
    const text = reply.toString('latin1');
    if (!from.test(text)) return reply;
    seen += 1;
    return seen % n === 0 ? Buffer.from(text.replace(from, to), 'latin1') : reply;
  };
}

const SPOILS: readonly NamedSpoil[] = [
  ['one STORED in 1000 becomes NOT_STORED', () => everyNth(1000, /STORED\r\n/, 'NOT_STORED\r\n')],
  ['one value in 300 loses a byte', () => everyNth(300, /(VALUE [^\r]*\r\n.)./s, '$1')],
  ['one cas id in 100 is another one', () => everyNth(100, /(VALUE \S+ \d+ \d+ )\d/, '$19')],
  ['client flags once become 1', () => everyNth(300, /(VALUE \S+ )0 /, '$11 ')],
  ['one ERROR in 500 is a CLIENT_ERROR', () => everyNth(500, /^ERROR\r\n/m, 'CLIENT_ERROR x\r\n')],
  ['one HD in 300 is an NS', () => everyNth(300, /^HD/m, 'NS')],
  ['one opaque in 100 has a letter more', () => everyNth(100, /^(HD|VA .*) (O\S+)/m, '$1 $2x')],
  ['cmd_get is one too high', () => everyNth(1, /(STAT cmd_get )(\d)/, '$11$2')],
  ['one connection in 1000 replies is closed', () => closeEvery(1000)],
];

testComparison(compareAtRandom, RUN_KINDS, SPOILS, 2_000);
