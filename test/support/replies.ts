// Cuts a stream of text-protocol reply bytes into frames, so that two servers' replies can be
// compared piece by piece and a difference can be shown where it is, not as two walls of bytes.

export interface LineFrame {
  readonly kind: 'line';
  /** The line without its CRLF (latin1), or with whatever odd ending it had. */
  readonly text: string;
}

export interface ValueFrame {
  readonly kind: 'value';
  readonly key: string;
  readonly flags: string;
  /** Present in replies to gets and gats. */
  readonly cas: string | undefined;
  readonly data: Buffer;
}

/** The reply of a meta command. */
export interface MetaFrame {
  readonly kind: 'meta';
  /** Code and flags, without the line end. */
  readonly text: string;
  /** With VA. */
  readonly data: Buffer | undefined;
}

/** Bytes that are no complete line or value; only at the end of a cut-off stream. */
export interface RestFrame {
  readonly kind: 'rest';
  readonly text: string;
}

export type Frame = LineFrame | ValueFrame | MetaFrame | RestFrame;

const VALUE = /^VALUE ([^ ]+) (\d+) (\d+)(?: (\d+))?\r\n$/s;
const META_VALUE = /^VA (\d+)(?: .*)?\r\n$/s;
const META = /^(?:HD|EN|NS|EX|NF|ME|MN)(?: .*)?\r\n$/s;

/** All frames of the bytes, in order. */
export function parseFrames(bytes: Buffer): Frame[] {
  const frames: Frame[] = [];
  let at = 0;
  while (at < bytes.length) {
    const newline = bytes.indexOf(10, at);
    if (newline < 0) {
      frames.push({ kind: 'rest', text: bytes.toString('latin1', at) });
      break;
    }
    const text = bytes.toString('latin1', at, newline + 1);
    const value = VALUE.exec(text);
    const dataAt = newline + 1;
    const size = value?.[3] ?? META_VALUE.exec(text)?.[1];
    const dataEnd = size === undefined ? 0 : dataAt + Number(size);
    const whole = size !== undefined && bytes.toString('latin1', dataEnd, dataEnd + 2) === '\r\n';
    if (whole && value === null) {
      const data = bytes.subarray(dataAt, dataEnd);
      frames.push({ kind: 'meta', text: text.slice(0, -2), data });
      at = dataEnd + 2;
    } else if (whole && value !== null) {
      const [, key = '', flags = '', , cas] = value;
      frames.push({ kind: 'value', key, flags, cas, data: bytes.subarray(dataAt, dataEnd) });
      at = dataEnd + 2;
    } else if (META.test(text)) {
      frames.push({ kind: 'meta', text: text.slice(0, -2), data: undefined });
      at = newline + 1;
    } else {
      frames.push({ kind: 'line', text: text.endsWith('\r\n') ? text.slice(0, -2) : text });
      at = newline + 1;
    }
  }
  return frames;
}

/** A frame as one short readable line. */
export function describeFrame(frame: Frame | undefined): string {
  if (frame === undefined) return '(nothing)';
  if (frame.kind === 'meta' && frame.data !== undefined) {
    return `${frame.text} ${JSON.stringify(abbreviate(frame.data.toString('latin1')))}`;
  }
  if (frame.kind !== 'value') return JSON.stringify(abbreviate(frame.text));
  const head = `VALUE ${abbreviate(frame.key)} ${frame.flags} ${frame.data.length}`;
  const cas = frame.cas === undefined ? '' : ` cas ${frame.cas}`;
  return `${head}${cas} ${JSON.stringify(abbreviate(frame.data.toString('latin1')))}`;
}

/** Long text with its middle left out. */
export function abbreviate(text: string, limit = 80): string {
  if (text.length <= limit) return text;
  return `${text.slice(0, limit - 20)}…(${text.length} bytes)…${text.slice(-12)}`;
}
