// What the pump transport does when things come that no kernel can be made to bring: a pump made
// by the test reports them, and the test looks at the commands.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Addon, PumpMemory } from '../../src/net/addon.ts';
import * as words from '../../src/net/exchange.ts';
import { PumpTransport } from '../../src/net/pump.ts';
import { FEED_MORE } from '../../src/protocol/engine.ts';
import { OUTPUT_BYTES } from '../../src/protocol/output.ts';
import { LetterProtocol, type LetterSession, Told } from './letters.ts';

const CONNECTIONS = 1500;
/** Connections whose full buffers are more than the arena holds. */
const MANY = 200;
const SEND_SLAB = 1;
const VALUE_BYTES = 50_000;

/** 'R' is answered with a reference to a value, between two letters. */
class ReferringLetters extends LetterProtocol {
  override feed(session: LetterSession, input: Uint8Array, start: number, end: number): number {
    if (input[start] !== 'R'.charCodeAt(0)) return super.feed(session, input, start, end);
    const { output } = this;
    output.bytes[output.end++] = '<'.charCodeAt(0);
    output.pieces.words.set([1000, 3, VALUE_BYTES]);
    output.pieces.count = 1;
    output.closeBehindReference(1);
    output.bytes[output.end++] = '>'.charCodeAt(0);
    return FEED_MORE;
  }
}

type Entry = readonly [connection: number, what: number, a: number, b: number];

/** A transport over a pump that reports, cycle by cycle, what the test says. */
class Rig {
  readonly protocol = new ReferringLetters();
  readonly told = new Told();
  /** The commands of each cycle that had any. */
  commands: Entry[][] = [];
  /** What each of them sent from the arena. */
  sent: string[] = [];
  readonly transport: PumpTransport<LetterSession>;
  #memory!: PumpMemory;
  #onReady!: () => void;
  #cycles: Entry[][] = [];
  #inputAt = 0;
  #quiet = 0;

  constructor() {
    const rig = this;
    class FakePump {
      readonly kind = 'fake';
      constructor(_kind: string, _box: number, _n: number, memory: PumpMemory, ready: () => void) {
        rig.#memory = memory;
        rig.#onReady = ready;
      }
      cycle(count: number): number {
        return rig.#cycle(count);
      }
      slice(): void {
        rig.#onReady();
      }
      adopt(): void {}
      adoptDatagrams(): void {}
      close(): void {}
    }
    this.transport = new PumpTransport({
      addon: { Pump: FakePump } as unknown as Addon,
      ...{ kind: 'fake', mailbox: 0, connections: CONNECTIONS },
      ...{ slab: new Uint8Array(8), protocol: this.protocol, owner: this.told.owner },
    });
  }

  /** Has something happen that nobody is told of: each list is what one cycle reports. */
  happens(...cycles: Entry[][]): void {
    this.commands = [];
    this.sent = [];
    this.#cycles = cycles;
    this.#quiet = 0;
  }

  /** The same, and has the pump ready. */
  ready(...cycles: Entry[][]): void {
    this.happens(...cycles);
    // A slice may end at any time; after two cycles of nothing there is nothing left.
    while (this.#quiet < 2) this.#onReady();
  }

  /** Connections with the ids below `count`. */
  open(count: number): void {
    for (let slot = 0; slot < count; slot++) this.ready([[slot, words.EVENT_OPEN, 0, 0]]);
  }

  /** The event that this has come. */
  data(connection: number, text: string): Entry {
    const { input } = this.#memory;
    if (this.#inputAt + text.length > input.length) this.#inputAt = 0;
    const at = this.#inputAt;
    Buffer.from(text).copy(input, at);
    this.#inputAt += text.length;
    return [connection, words.EVENT_DATA, at, text.length];
  }

  #cycle(count: number): number {
    const { commands, output, events } = this.#memory;
    const made: Entry[] = [];
    for (let word = 0; word < count * words.ENTRY_WORDS; word += words.ENTRY_WORDS) {
      const [connection, what, a, b] = commands.subarray(word, word + words.ENTRY_WORDS);
      made.push([connection, what, a, b]);
      if (what === words.COMMAND_SEND) {
        this.sent.push(Buffer.from(output.buffer, output.byteOffset + a, b).toString('latin1'));
      }
    }
    if (made.length > 0) this.commands.push(made);
    const reported = this.#cycles.shift();
    this.#quiet = count > 0 || reported !== undefined ? 0 : this.#quiet + 1;
    if (reported === undefined) return 0;
    events.set(reported.flat());
    return reported.length;
  }
}

test('a reference leaves between its neighbours, and its session is told in the next cycle', () => {
  const rig = new Rig();
  rig.open(1);
  rig.ready([rig.data(0, 'R')]);
  assert.equal(rig.commands.length, 1);
  const [before, value, behind] = rig.commands[0];
  assert.equal(before[1], words.COMMAND_SEND);
  assert.deepEqual(value, [0, SEND_SLAB + (3 << 8), 1000, VALUE_BYTES]);
  assert.equal(behind[1], words.COMMAND_SEND);
  assert.deepEqual(rig.sent, ['<', '>']);
  assert.equal(rig.protocol.sessions[0].sent, 1);
});

test('while a reference is blocked its session is not told and not served', () => {
  const rig = new Rig();
  rig.open(1);
  const [session] = rig.protocol.sessions;
  // Also when what comes in stands in front.
  rig.ready([rig.data(0, 'R')], [rig.data(0, 'a'), [0, words.EVENT_BLOCKED, 0, 0]]);
  assert.equal(session.sent, 0);
  assert.equal(session.held.toString(), 'a');
  rig.ready([rig.data(0, 'b')]);
  assert.equal(session.sent, 0);
  assert.deepEqual(rig.sent, []);
  rig.ready([[0, words.EVENT_SENT, 0, 0]]);
  assert.equal(session.sent, 1);
  assert.deepEqual(rig.sent, ['ab']);
});

test('a connection that is blocked and sent within one cycle goes on', () => {
  const rig = new Rig();
  rig.open(1);
  rig.ready(
    [rig.data(0, 'R')],
    [
      [0, words.EVENT_BLOCKED, 0, 0],
      [0, words.EVENT_SENT, 0, 0],
    ],
  );
  assert.equal(rig.protocol.sessions[0].sent, 1);
  rig.ready([rig.data(0, 'a')]);
  assert.deepEqual(rig.sent, ['a']);
});

test('when the arena is full the rest of the turn waits for the next', () => {
  const rig = new Rig();
  rig.open(MANY);
  rig.ready(Array.from({ length: MANY }, (_, slot) => rig.data(slot, 'B')));
  assert.ok(rig.commands.length > 1, 'all of it fits');
  assert.equal(rig.sent.length, MANY);
  assert.ok(rig.sent.every((reply) => reply === 'B'.repeat(OUTPUT_BYTES)));
  const connections = rig.commands.flat().map(([connection]) => connection);
  assert.deepEqual(
    connections,
    [...connections].sort((a, b) => a - b),
  );
});

test('when the arena is full again and again everybody has as many turns', () => {
  const rig = new Rig();
  rig.open(MANY);
  const turns = 5;
  rig.ready(Array.from({ length: MANY }, (_, slot) => rig.data(slot, 'B'.repeat(turns))));
  const served = new Int32Array(MANY);
  for (const [connection] of rig.commands.flat()) {
    served[connection]++;
    // One of those that came first may be a turn ahead of those for which there was no room.
    if (Math.max(...served) < turns) continue;
    assert.ok(Math.min(...served) >= turns - 2, `${Math.min(...served)} of ${turns}`);
  }
  assert.ok(served.every((count) => count === turns));
});

test('what is blocked is not read when too much is held, until it was served', () => {
  const rig = new Rig();
  rig.open(1);
  rig.ready([rig.data(0, 'a')], [[0, words.EVENT_BLOCKED, 0, 0]]);
  const piece = 'a'.repeat(30_000);
  rig.ready([rig.data(0, piece)], [rig.data(0, piece)]);
  assert.deepEqual(rig.commands, []);
  rig.ready([rig.data(0, piece)], [rig.data(0, piece)]);
  assert.deepEqual(rig.commands, [[[0, words.COMMAND_PAUSE, 0, 0]]]);
  rig.ready([[0, words.EVENT_SENT, 0, 0]]);
  assert.equal(rig.sent.join('').length, 4 * piece.length);
  assert.deepEqual(rig.commands.flat().at(-1), [0, words.COMMAND_RESUME, 0, 0]);
});

test('a broken connection is destroyed, whatever it was in the middle of', () => {
  const rig = new Rig();
  rig.open(3);
  const blocked: Entry = [1, words.EVENT_BLOCKED, 0, 0];
  rig.ready([rig.data(1, 'R'), rig.data(2, 'yy')], [blocked]);
  const broken = [0, 1, 2].map((slot): Entry => [slot, words.EVENT_BROKEN, 0, 104]);
  rig.ready(broken);
  const destroyed = rig.commands.flat().filter(([, what]) => what === words.COMMAND_DESTROY);
  assert.deepEqual(
    destroyed.map(([connection]) => connection),
    [0, 1, 2],
  );
  rig.ready([0, 1, 2].map((slot): Entry => [slot, words.EVENT_CLOSED, 0, 0]));
  assert.deepEqual(rig.told.closedSlots, [0, 1, 2]);
  assert.ok(rig.protocol.sessions.every(({ closed }) => closed === 1));
});

test('a slot that is closed and opened again in one cycle has a new session', () => {
  const rig = new Rig();
  rig.open(1);
  rig.ready(
    [rig.data(0, 'yyy')],
    [
      [0, words.EVENT_BROKEN, 0, 104],
      [0, words.EVENT_CLOSED, 0, 0],
      [0, words.EVENT_OPEN, 0, 0],
      rig.data(0, 'a'),
    ],
  );
  assert.equal(rig.protocol.sessions.length, 2);
  assert.equal(rig.sent.at(-1), 'a');
});

test('more connections are closed at once than a cycle has commands', () => {
  const rig = new Rig();
  rig.open(CONNECTIONS);
  rig.transport.closeIdle(-1);
  const closed = rig.commands.flat().filter(([, what]) => what === words.COMMAND_DESTROY);
  assert.equal(closed.length, CONNECTIONS);
});

test('what has come before a stop is answered, from who has just connected, too', async () => {
  const rig = new Rig();
  rig.open(1);
  rig.happens([[1, words.EVENT_OPEN, 0, 0]], [rig.data(1, 'ab')], [rig.data(0, 'c')]);
  const drained = rig.transport.drain();
  assert.deepEqual(rig.sent, ['ab', 'c']);
  assert.deepEqual(rig.commands.at(-1), [
    [0, words.COMMAND_CLOSE, 0, 0],
    [1, words.COMMAND_CLOSE, 0, 0],
  ]);
  rig.ready([0, 1].map((slot): Entry => [slot, words.EVENT_CLOSED, 0, 0]));
  await drained;
  assert.deepEqual(rig.told.closedSlots, [0, 1]);
});

test('what the pump was not woken for is found by the clock', () => {
  const rig = new Rig();
  rig.open(1);
  rig.happens([rig.data(0, 'a')]);
  rig.transport.closeStalled();
  assert.deepEqual(rig.sent, ['a']);
});
