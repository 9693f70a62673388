// The checker itself: histories that one item could have answered are accepted, the classic
// violations are rejected.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeHistory, isLinearizable, type Operation, shortestViolation } from './checker.ts';
import type { Call, Reply } from './model.ts';

/** An operation from `sent` to `received`; a string reply is a line. */
function op(
  sent: number,
  received: number | undefined,
  call: Call,
  reply: string | Reply | undefined,
): Operation {
  return {
    client: 0,
    key: 'k',
    call,
    sent: BigInt(sent),
    received: received === undefined ? undefined : BigInt(received),
    reply: typeof reply === 'string' ? { line: reply } : reply,
  };
}

const set = (value: string): Call => ({ kind: 'set', value });
const add = (value: string): Call => ({ kind: 'add', value });
const get: Call = { kind: 'get' };
const gets: Call = { kind: 'gets' };
const value = (text: string, cas?: string): Reply => ({ value: text, cas });
const strict = { mayVanish: false };
const lossy = { mayVanish: true };

test('an empty history is linearizable', () => {
  assert.ok(isLinearizable([], strict));
});

test('one after the other', () => {
  const history = [
    op(0, 1, get, 'END'),
    op(2, 3, set('a'), 'STORED'),
    op(4, 5, get, value('a')),
    op(6, 7, add('b'), 'NOT_STORED'),
    op(8, 9, { kind: 'append', value: 'c' }, 'STORED'),
    op(10, 11, get, value('ac')),
    op(12, 13, { kind: 'delete' }, 'DELETED'),
    op(14, 15, { kind: 'touch' }, 'NOT_FOUND'),
  ];
  assert.ok(isLinearizable(history, strict));
});

test('a number is read up to the first space, which a shorter number leaves behind', () => {
  const history = [
    op(0, 1, set('10'), 'STORED'),
    op(2, 3, { kind: 'decr', delta: 1n }, '9'),
    op(4, 5, { kind: 'append', value: '77' }, 'STORED'),
    op(6, 7, { kind: 'decr', delta: 1n }, '8'),
  ];
  assert.ok(isLinearizable([...history, op(8, 9, get, value('8   '))], strict));
  assert.ok(!isLinearizable([...history, op(8, 9, get, value('8 77'))], strict));
});

test('overlapping writes may happen in either order', () => {
  const history = [
    op(0, 10, set('a'), 'STORED'),
    op(1, 9, set('b'), 'STORED'),
    op(11, 12, get, value('a')),
  ];
  assert.ok(isLinearizable(history, strict));
  assert.ok(!isLinearizable([...history, op(13, 14, get, value('b'))], strict));
});

test('a stale read', () => {
  const history = [
    op(0, 1, set('a'), 'STORED'),
    op(2, 3, set('b'), 'STORED'),
    op(4, 5, get, value('a')),
  ];
  assert.ok(!isLinearizable(history, strict));
  assert.ok(!isLinearizable(history, lossy));
});

test('a read may overlap the write that it sees', () => {
  const history = [op(0, 10, set('a'), 'STORED'), op(1, 2, get, 'END'), op(3, 4, get, value('a'))];
  assert.ok(isLinearizable(history, strict));
  assert.ok(!isLinearizable([...history, op(5, 6, get, 'END')], strict));
});

test('a lost update', () => {
  const incr: Call = { kind: 'incr', delta: 1n };
  const history = [op(0, 1, set('5'), 'STORED'), op(2, 9, incr, '6'), op(3, 8, incr, '6')];
  assert.ok(!isLinearizable(history, strict));
  const right = [op(0, 1, set('5'), 'STORED'), op(2, 9, incr, '7'), op(3, 8, incr, '6')];
  assert.ok(isLinearizable(right, strict));
});

test('two adds that both succeed', () => {
  const history = [op(0, 9, add('a'), 'STORED'), op(1, 8, add('b'), 'STORED')];
  assert.ok(!isLinearizable(history, strict));
  assert.ok(isLinearizable(history, lossy));
});

test('a cas id that succeeds twice', () => {
  const first: Call = { kind: 'cas', value: 'b', id: '7' };
  const second: Call = { kind: 'cas', value: 'c', id: '7' };
  const history = [
    op(0, 1, set('a'), 'STORED'),
    op(2, 3, gets, value('a', '7')),
    op(4, 9, first, 'STORED'),
    op(5, 8, second, 'STORED'),
  ];
  assert.ok(!isLinearizable(history, strict));
  assert.ok(!isLinearizable(history, lossy));
  const right = [...history.slice(0, 3), op(5, 8, second, 'EXISTS')];
  assert.ok(isLinearizable(right, strict));
});

test('a cas id that changes without a write', () => {
  const history = [
    op(0, 1, set('a'), 'STORED'),
    op(2, 3, gets, value('a', '7')),
    op(4, 5, gets, value('a', '8')),
  ];
  assert.ok(!isLinearizable(history, strict));
});

test('a cas that fails though nobody wrote', () => {
  const history = [
    op(0, 1, set('a'), 'STORED'),
    op(2, 3, gets, value('a', '7')),
    op(4, 5, { kind: 'cas', value: 'b', id: '7' }, 'EXISTS'),
  ];
  assert.ok(!isLinearizable(history, strict));
});

test('an item may vanish only where that is allowed, and stays away', () => {
  const history = [op(0, 1, set('a'), 'STORED'), op(2, 3, get, 'END')];
  assert.ok(!isLinearizable(history, strict));
  assert.ok(isLinearizable(history, lossy));
  const resurrected = [...history, op(4, 5, get, value('a'))];
  assert.ok(!isLinearizable(resurrected, lossy));
});

test('a command without a reply may or may not have happened', () => {
  const history = [op(0, 1, set('a'), 'STORED'), op(2, undefined, set('b'), undefined)];
  assert.ok(isLinearizable([...history, op(3, 4, get, value('a'))], strict));
  assert.ok(isLinearizable([...history, op(3, 4, get, value('b'))], strict));
  const both = [...history, op(3, 4, get, value('b')), op(5, 6, get, value('a'))];
  assert.ok(!isLinearizable(both, strict));
});

test('overlapping writes are decided without trying every order', () => {
  const writes = (count: number) =>
    Array.from({ length: count }, (_, n) => op(n, 1000 + n, set(`v${n}`), 'STORED'));
  assert.ok(isLinearizable([...writes(12), op(2000, 2001, get, value('v7'))], strict));
  // 12! orders, but only 12 * 2^12 configurations.
  assert.ok(!isLinearizable([...writes(12), op(2000, 2001, get, value('none'))], strict));
});

test('the shortest violation ends with the reply that is wrong', () => {
  const history = [
    op(0, 1000, set('a'), 'STORED'),
    op(2000, 3000, get, 'END'),
    op(4000, 5000, get, value('a')),
    op(6000, 7000, set('c'), 'STORED'),
  ];
  const violation = shortestViolation(history, strict);
  assert.equal(violation?.length, 2);
  assert.match(describeHistory(violation ?? []), /client 0 {2}get -> END$/);
  assert.equal(shortestViolation(history.slice(2), { mayVanish: true })?.length, 1);
});
