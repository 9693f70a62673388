/**
 * How replies travel over UDP: each one in datagrams of its own, every datagram under a header that
 * repeats the request's id and says which part of how many it is (protocol.txt, UDP protocol).
 *
 *     0..1 request id | 2..3 number of the datagram | 4..5 datagrams of this reply | 6..7 zero
 */

export const FRAME_HEADER_BYTES = 8;
/** What one datagram carries below its header: with it 1400 bytes, less than any usual MTU. */
const PAYLOAD_BYTES = 1392;
const FRAMES_MAX = 65_535;

const LINE_FEED = 0x0a;
const BINARY_HEADER_BYTES = 24;
const BINARY_OPCODE_STAT = 0x10;
const END_LINE = 'END\r\n';
/** Lines that come in numbers and end with END. */
const LISTED = /^(STAT|PREFIX|ITEM) /;

/** The id of a request, or -1 for a datagram that is no whole request: it is not answered. */
export function requestId(datagram: Buffer): number {
  if (datagram.length <= FRAME_HEADER_BYTES) return -1;
  if (datagram[4] !== 0 || datagram[5] !== 1) return -1;
  return datagram.readUInt16BE(0);
}

/** The datagrams that carry these replies. What is left of a reply that was cut off is dropped. */
export function framesOf(replies: Buffer, id: number, binary: boolean): Buffer[] {
  const frames: Buffer[] = [];
  let at = 0;
  while (at < replies.length) {
    const end = binary ? binaryEnd(replies, at) : textEnd(replies, at);
    const total = Math.ceil((end - at) / PAYLOAD_BYTES);
    if (end > replies.length || total > FRAMES_MAX) break;
    for (let part = 0; part < total; part++) {
      const start = at + part * PAYLOAD_BYTES;
      frames.push(
        frame(id, part, total, replies.subarray(start, Math.min(start + PAYLOAD_BYTES, end))),
      );
    }
    at = end;
  }
  return frames;
}

/** A header that announces nothing: what memcached sends where there is nothing to say. */
export function emptyFrame(id: number): Buffer {
  return frame(id, 0, 0, Buffer.alloc(0));
}

function frame(id: number, part: number, total: number, payload: Buffer): Buffer {
  const bytes = Buffer.alloc(FRAME_HEADER_BYTES + payload.length);
  bytes.writeUInt16BE(id, 0);
  bytes.writeUInt16BE(part, 2);
  bytes.writeUInt16BE(total, 4);
  payload.copy(bytes, FRAME_HEADER_BYTES);
  return bytes;
}

/** Where the text reply that begins at `at` ends. A value is one, with the END that follows it. */
function textEnd(replies: Buffer, at: number): number {
  let end = lineEnd(replies, at);
  const line = replies.toString('latin1', at, end);
  if (line.startsWith('VALUE ')) {
    end = withEnd(replies, end + Number(line.trimEnd().split(' ')[3]) + 2);
  } else if (line.startsWith('VA ')) {
    end += Number(line.trimEnd().split(' ')[1]) + 2;
  } else if (LISTED.test(line)) {
    while (end < replies.length && LISTED.test(replies.toString('latin1', end, end + 7))) {
      end = lineEnd(replies, end);
    }
    end = withEnd(replies, end);
  }
  return end;
}

function withEnd(replies: Buffer, at: number): number {
  const after = at + END_LINE.length;
  return replies.toString('latin1', at, after) === END_LINE ? after : at;
}

/** After the line feed; beyond the replies if there is none. */
function lineEnd(replies: Buffer, at: number): number {
  const lineFeed = replies.indexOf(LINE_FEED, at);
  return lineFeed === -1 ? replies.length + 1 : lineFeed + 1;
}

/** Where the binary reply that begins at `at` ends. All packets of a STAT are one reply. */
function binaryEnd(replies: Buffer, at: number): number {
  let end = at;
  for (;;) {
    if (end + BINARY_HEADER_BYTES > replies.length) return replies.length + 1;
    const bodyBytes = replies.readUInt32BE(end + 8);
    const goesOn = replies[end + 1] === BINARY_OPCODE_STAT && replies.readUInt16BE(end + 2) > 0;
    end += BINARY_HEADER_BYTES + bodyBytes;
    if (!goesOn) return end;
  }
}
