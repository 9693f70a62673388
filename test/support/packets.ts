// Packets of the binary protocol, built from and cut into their fields. Written independently of
// src: what tests send and expect is laid out here once more, from the protocol's description.

/** What to send; every length can be given wrongly. */
export interface RequestPacket {
  readonly opcode: number;
  readonly magic?: number;
  /** Bytes as latin1 text. */
  readonly key?: string;
  readonly extras?: Buffer;
  readonly value?: string;
  readonly opaque?: number;
  readonly cas?: bigint;
  readonly keyLength?: number;
  readonly extrasLength?: number;
  readonly bodyLength?: number;
  /** Header bytes 6 and 7, and 5, which no server looks at. */
  readonly vbucket?: number;
  readonly dataType?: number;
}

export interface ReplyPacket {
  readonly magic: number;
  readonly opcode: number;
  readonly dataType: number;
  readonly status: number;
  readonly opaque: number;
  readonly cas: bigint;
  readonly extras: string;
  readonly key: string;
  /** What is behind extras and key, as latin1 text. */
  readonly value: string;
}

export const HEADER_BYTES = 24;

export function requestBytes(packet: RequestPacket): Buffer {
  const key = Buffer.from(packet.key ?? '', 'latin1');
  const extras = packet.extras ?? Buffer.alloc(0);
  const value = Buffer.from(packet.value ?? '', 'latin1');
  const header = Buffer.alloc(HEADER_BYTES);
  header[0] = packet.magic ?? 0x80;
  header[1] = packet.opcode;
  header.writeUInt16BE(packet.keyLength ?? key.length, 2);
  header[4] = packet.extrasLength ?? extras.length;
  header[5] = packet.dataType ?? 0;
  header.writeUInt16BE(packet.vbucket ?? 0, 6);
  header.writeUInt32BE(packet.bodyLength ?? extras.length + key.length + value.length, 8);
  header.writeUInt32BE(packet.opaque ?? 0, 12);
  header.writeBigUInt64BE(packet.cas ?? 0n, 16);
  return Buffer.concat([header, extras, key, value]);
}

/** All complete packets of the bytes; `rest` is what does not make one. */
export function parseReplies(bytes: Buffer): { packets: ReplyPacket[]; rest: Buffer } {
  const packets: ReplyPacket[] = [];
  let at = 0;
  while (bytes.length - at >= HEADER_BYTES) {
    const end = at + HEADER_BYTES + bytes.readUInt32BE(at + 8);
    if (end > bytes.length) break;
    const keyAt = at + HEADER_BYTES + (bytes[at + 4] ?? 0);
    const valueAt = keyAt + bytes.readUInt16BE(at + 2);
    packets.push({
      magic: bytes[at] ?? 0,
      opcode: bytes[at + 1] ?? 0,
      dataType: bytes[at + 5] ?? 0,
      status: bytes.readUInt16BE(at + 6),
      opaque: bytes.readUInt32BE(at + 12),
      cas: bytes.readBigUInt64BE(at + 16),
      extras: bytes.toString('latin1', at + HEADER_BYTES, keyAt),
      key: bytes.toString('latin1', keyAt, valueAt),
      value: bytes.toString('latin1', valueAt, end),
    });
    at = end;
  }
  return { packets, rest: bytes.subarray(at) };
}

/** Unsigned numbers of 4 bytes each. */
export function words(...numbers: readonly number[]): Buffer {
  const bytes = Buffer.alloc(4 * numbers.length);
  for (const [at, number] of numbers.entries()) bytes.writeUInt32BE(number, 4 * at);
  return bytes;
}

/** The extras of INCREMENT and DECREMENT. */
export function deltaExtras(amount: bigint, initial: bigint, exptime: number): Buffer {
  const bytes = Buffer.alloc(20);
  bytes.writeBigUInt64BE(amount, 0);
  bytes.writeBigUInt64BE(initial, 8);
  bytes.writeUInt32BE(exptime, 16);
  return bytes;
}

/** The body of a reply to INCREMENT or DECREMENT. */
export function numberText(number: bigint): string {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(number);
  return bytes.toString('latin1');
}
