/** Checks for every command what noreply silences, and that it never reaches the next command. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { freshTalk, hangUp } from './pieces.ts';

const AFTER = 'VERSION 1.6.45\r\n';
const NUMBER = 'set n 0 0 1\r\n5\r\n';
const VALUE = 'set k 0 0 1\r\na\r\n';

// What is stored first, the command that is not to be answered, and a look at what it did.
const SILENT: ReadonlyArray<
  readonly [before: string, request: string, look: string, seen: string]
> = [
  ['', 'set k 0 0 1 noreply\r\nb\r\n', 'get k', 'VALUE k 0 1\r\nb\r\nEND\r\n'],
  ['', 'add k 0 0 1 noreply\r\nb\r\n', 'get k', 'VALUE k 0 1\r\nb\r\nEND\r\n'],
  [VALUE, 'add k 0 0 1 noreply\r\nb\r\n', 'get k', 'VALUE k 0 1\r\na\r\nEND\r\n'],
  [VALUE, 'replace k 0 0 1 noreply\r\nb\r\n', 'get k', 'VALUE k 0 1\r\nb\r\nEND\r\n'],
  ['', 'replace k 0 0 1 noreply\r\nb\r\n', 'get k', 'END\r\n'],
  [VALUE, 'append k 0 0 1 noreply\r\nb\r\n', 'get k', 'VALUE k 0 2\r\nab\r\nEND\r\n'],
  [VALUE, 'prepend k 0 0 1 noreply\r\nb\r\n', 'get k', 'VALUE k 0 2\r\nba\r\nEND\r\n'],
  [VALUE, 'cas k 0 0 1 1 noreply\r\nb\r\n', 'get k', 'VALUE k 0 1\r\nb\r\nEND\r\n'],
  [VALUE, 'cas k 0 0 1 9 noreply\r\nb\r\n', 'get k', 'VALUE k 0 1\r\na\r\nEND\r\n'],
  ['', 'cas k 0 0 1 9 noreply\r\nb\r\n', 'get k', 'END\r\n'],
  [VALUE, 'set k 0 0 2000000 noreply\r\n<2000000>\r\n', 'get k', 'END\r\n'],
  [VALUE, 'set k 0 0 1 noreply\r\nbx\n', 'get k', 'VALUE k 0 1\r\na\r\nEND\r\n'],
  [NUMBER, 'incr n 2 noreply\r\n', 'get n', 'VALUE n 0 1\r\n7\r\nEND\r\n'],
  [NUMBER, 'decr n 2 noreply\r\n', 'get n', 'VALUE n 0 1\r\n3\r\nEND\r\n'],
  ['', 'incr n 2 noreply\r\n', 'get n', 'END\r\n'],
  [VALUE, 'incr k 2 noreply\r\n', 'get k', 'VALUE k 0 1\r\na\r\nEND\r\n'],
  [NUMBER, 'incr n x noreply\r\n', 'get n', 'VALUE n 0 1\r\n5\r\nEND\r\n'],
  [VALUE, 'delete k noreply\r\n', 'get k', 'END\r\n'],
  ['', 'delete k noreply\r\n', 'get k', 'END\r\n'],
  [VALUE, 'delete k 0 noreply\r\n', 'get k', 'END\r\n'],
  [VALUE, 'touch k -1 noreply\r\n', 'get k', 'END\r\n'],
  ['', 'touch k 0 noreply\r\n', 'get k', 'END\r\n'],
  [VALUE, 'flush_all noreply\r\n', 'get k', 'END\r\n'],
  [VALUE, 'flush_all 0 noreply\r\n', 'get k', 'END\r\n'],
  ['', 'verbosity 0 noreply\r\n', 'get k', 'END\r\n'],
  ['', 'verbosity noreply\r\n', 'get k', 'END\r\n'],
];

for (const [before, request, look, seen] of SILENT) {
  const name = `${before.split('\r\n')[0]} | ${request.split('\r\n')[0]}`;
  test(`${name}: is not answered, what follows is`, () => {
    const talk = freshTalk();
    talk.send(before);
    const filled = request.replace(/<(\d+)>/, (_, length: string) => 'x'.repeat(Number(length)));
    assert.equal(
      talk.send(`${filled}version\r\n${look}\r\nnonsense\r\n`),
      `${AFTER}${seen}ERROR\r\n`,
    );
    hangUp(talk);
  });
}

// Where noreply is not in its place, or no such thing is known, the command answers.
const ANSWERED: ReadonlyArray<readonly [request: string, reply: string]> = [
  ['set k 0 noreply\r\n', 'ERROR\r\n'],
  ['set k 0 0 1 noreply x\r\n', 'ERROR\r\n'],
  ['incr n 1 1 noreply\r\n', 'ERROR\r\n'],
  ['touch noreply\r\n', 'ERROR\r\n'],
  ['version noreply\r\n', AFTER],
  ['nonsense noreply\r\n', 'ERROR\r\n'],
  ['get noreply\r\n', 'END\r\n'],
  ['stats noreply\r\n', 'ERROR\r\n'],
  ['stats reset noreply\r\n', 'RESET\r\n'],
];

for (const [request, reply] of ANSWERED) {
  test(`${request.trim()}: is answered`, () => {
    const talk = freshTalk();
    assert.equal(talk.send(`${request}version\r\n`), `${reply}${AFTER}`);
  });
}
