/**
 * A number may have any number of digits: whether it is too large is known after the twentieth that
 * counts, and it must not be computed to find out, with the item locked.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeEngine, makeMemory, makeStore, Talk } from '../support/cache.ts';

/** Fails if anything asks for a number of more digits than 2^64 has. */
function withoutLargeBigInts(run: () => void): void {
  const original = globalThis.BigInt;
  const guarded = (value: string): bigint => {
    assert.ok(value.length <= 20, `a number of ${value.length} digits was computed`);
    return original(value);
  };
  globalThis.BigInt = Object.assign(guarded, original, {
    asIntN: original.asIntN,
    asUintN: original.asUintN,
  }) as BigIntConstructor;
  try {
    run();
  } finally {
    globalThis.BigInt = original;
  }
}

function store(talk: Talk, key: string, value: string): void {
  assert.equal(talk.send(`set ${key} 0 0 ${value.length}\r\n${value}\r\n`), 'STORED\r\n');
}

test('a value of half a million digits is no number, and is not computed', () => {
  const talk = new Talk(makeEngine(makeStore(makeMemory())));
  store(talk, 'nines', '9'.repeat(500_000));
  store(talk, 'zeros', `${'0'.repeat(500_000)}41`);
  withoutLargeBigInts(() => {
    assert.match(talk.send('incr nines 1\r\n'), /^CLIENT_ERROR .* non-numeric value\r\n$/);
    assert.equal(talk.send('incr zeros 1\r\n'), '42\r\n');
  });
});

test('an argument of many digits is refused, and one of many zeros is not', () => {
  const talk = new Talk(makeEngine(makeStore(makeMemory())));
  const many = '9'.repeat(1_900);
  const zeros = '0'.repeat(1_900);
  store(talk, 'n', '1');
  withoutLargeBigInts(() => {
    assert.match(talk.send(`incr n ${many}\r\n`), /^CLIENT_ERROR invalid numeric delta/);
    assert.match(talk.send(`touch n ${many}\r\n`), /^CLIENT_ERROR invalid exptime/);
    assert.match(talk.send(`set n ${many} 0 1\r\n`), /^CLIENT_ERROR bad command line format/);
    assert.equal(talk.send(`incr n ${zeros}2\r\n`), '3\r\n');
    assert.equal(talk.send(`touch n ${zeros}\r\n`), 'TOUCHED\r\n');
    assert.equal(talk.send(`incr n ${zeros}18446744073709551615\r\n`), '2\r\n');
  });
});
