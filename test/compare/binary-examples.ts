// The fixed examples of the binary protocol by theme, and how replies are held against the expected
// ones: for every engine that they are tried on, with sockets or without.
import assert from 'node:assert/strict';
import { parseReplies, requestBytes } from '../support/packets.ts';
import type { BinaryCase, Expected, Sent } from './binary-case.ts';
import * as cases from './binary-cases.ts';
import * as odd from './binary-odd-cases.ts';

export const BINARY_THEMES: ReadonlyArray<readonly [string, readonly BinaryCase[]]> = [
  ['storage', cases.STORE_CASES],
  ['retrieval', cases.FETCH_CASES],
  ['numbers', cases.NUMBER_CASES],
  ['administration', odd.ADMIN_CASES],
  ['malformed packets', odd.MALFORMED_CASES],
];

/** The requests' bytes, with the cas ids that earlier replies have bound. */
export function sentBytes(sent: readonly Sent[], bound: ReadonlyMap<string, bigint>): Buffer {
  return Buffer.concat(
    sent.map(({ cas, ...packet }) => {
      const id = typeof cas === 'string' ? bound.get(cas) : cas;
      return requestBytes({ ...packet, cas: id ?? 0n });
    }),
  );
}

/** Checks replies, binding the cas ids that they show first. */
export function matchReplies(
  bytes: Buffer,
  expected: readonly Expected[],
  bound: Map<string, bigint>,
): void {
  const { packets, rest } = parseReplies(bytes);
  assert.equal(rest.toString('latin1'), '');
  const full = expected.map((one) => ({
    magic: 0x81,
    dataType: 0,
    status: 0,
    opaque: 0,
    extras: '',
    key: '',
    value: '',
    ...one,
    cas: one.cas === undefined,
  }));
  assert.deepEqual(
    packets.map((packet) => ({ ...packet, cas: packet.cas === 0n })),
    full,
  );
  for (const [at, { cas }] of expected.entries()) {
    const shown = packets[at]?.cas ?? 0n;
    if (cas === undefined) continue;
    const known = bound.get(cas);
    if (known === undefined) {
      assert.ok(![...bound.values()].includes(shown), `cas id ${shown} is not new`);
      bound.set(cas, shown);
    } else {
      assert.equal(shown, known, `cas id ${cas}`);
    }
  }
}

/** The case with our own last replies where those differ on purpose. */
export function asOurs(one: BinaryCase): BinaryCase {
  const last = one.talk[one.talk.length - 1];
  if (one.ours === undefined || last === undefined) return one;
  const { ours, closes, ...rest } = one;
  const talk = [...one.talk.slice(0, -1), [last[0], ours.replies] as const];
  return ours.closes ? { ...rest, talk, closes: true } : { ...rest, talk };
}
