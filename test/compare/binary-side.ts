// A connection that speaks the binary protocol to one of two compared servers. A NOOP with an
// unmistakable opaque ends every exchange, so the end of the replies is known.
import { NOOP } from '../support/opcodes.ts';
import { HEADER_BYTES, requestBytes } from '../support/packets.ts';
import { WireClient } from '../support/wire.ts';
import type { Answer } from './compare-replies.ts';

const FENCE_OPAQUE = 0xfe_4c_e0_01;
const FENCE = requestBytes({ opcode: NOOP, opaque: FENCE_OPAQUE });
const FENCE_REPLY = requestBytes({ magic: 0x81, opcode: NOOP, opaque: FENCE_OPAQUE });
const ANSWER_LIMIT_MS = 10_000;

export class BinarySide {
  client: WireClient;
  readonly #port: number;
  readonly #login: Buffer;

  private constructor(client: WireClient, port: number, login: Buffer) {
    this.client = client;
    this.#port = port;
    this.#login = login;
  }

  /** `login`: a packet that every new connection sends, if the server wants one. */
  static async connect(port: number, login: Buffer = Buffer.alloc(0)): Promise<BinarySide> {
    return new BinarySide(await WireClient.connect(port), port, login);
  }

  async reconnect(): Promise<void> {
    this.client.destroy();
    this.client = await WireClient.connect(this.#port);
    // Now it speaks binary, whatever the first bytes of the next exchange are.
    const { end } = await this.exchange(this.#login, []);
    if (end !== 'open') throw new Error(`the connection is ${end} behind the login`);
  }

  /**
   * Sends the bytes, cut at these places, and the fence; the answer is everything before the
   * fence's own answer, or until the server hangs up. What may make it hang up must come in one
   * piece with the fence: bytes that arrive after a close turn it into a reset.
   */
  async exchange(bytes: Buffer, cuts: readonly number[]): Promise<Answer> {
    await this.client.send(Buffer.concat([bytes, FENCE]), cuts);
    const outcome = await this.client.waitFor(endsWithFence, ANSWER_LIMIT_MS);
    const received = this.client.take();
    if (outcome === 'done') {
      return { bytes: received.subarray(0, -HEADER_BYTES), end: 'open' };
    }
    return { bytes: received, end: outcome === 'closed' ? 'closed' : 'stalled' };
  }
}

function endsWithFence(received: Buffer): boolean {
  return received.length >= HEADER_BYTES && received.subarray(-HEADER_BYTES).equals(FENCE_REPLY);
}
