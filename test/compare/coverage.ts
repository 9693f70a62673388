// Counts every kind of reply that the runs have seen, so that a comparison which never reached a
// certain answer fails instead of looking fine.
import { abbreviate, type Frame } from '../support/replies.ts';

/** Every kind of reply that the random runs must have seen from the real server. */
export const REQUIRED_REPLIES: readonly string[] = [
  'STORED',
  'NOT_STORED',
  'EXISTS',
  'NOT_FOUND',
  'DELETED',
  'TOUCHED',
  'OK',
  'END',
  'VALUE',
  'VALUE with cas',
  'STAT',
  'PREFIX',
  'RESET',
  'VERSION',
  'ERROR',
  'number',
  'closed',
  'CLIENT_ERROR bad command line format',
  'CLIENT_ERROR bad command line format.  Usage: delete <key> [noreply]',
  'CLIENT_ERROR bad command line',
  'CLIENT_ERROR bad data chunk',
  'CLIENT_ERROR cannot increment or decrement non-numeric value',
  'CLIENT_ERROR invalid numeric delta argument',
  'CLIENT_ERROR invalid exptime argument',
  'CLIENT_ERROR Illegal slab id',
  ...['HD', 'VA', 'EN', 'NS', 'EX', 'NF', 'ME', 'MN'],
  ...['HD W', 'VA W', 'HD Z', 'VA Z', 'HD X W', 'VA X W', 'HD Z X', 'VA Z X'],
  'CLIENT_ERROR invalid flag',
  'CLIENT_ERROR duplicate flag',
  'CLIENT_ERROR invalid or duplicate flag',
  'CLIENT_ERROR bad token in command line format',
  'CLIENT_ERROR error decoding key',
  'CLIENT_ERROR incorrect length for M token',
  'CLIENT_ERROR invalid mode for ms M token',
  'CLIENT_ERROR invalid mode for ma M token',
  'CLIENT_ERROR opaque token too long',
  'CLIENT_ERROR flush_all not allowed',
  'CLIENT_ERROR watch commands not allowed',
  'CLIENT_ERROR stats cachedump not allowed',
  'ERROR metadump not allowed',
  'SERVER_ERROR object too large for cache',
  'SERVER_ERROR out of memory storing object',
];

/** Requests that both servers were asked and answered, by the protocol they are written in. */
export interface RequestCounts {
  readonly text: number;
  readonly meta: number;
  readonly binary: number;
}

/** `text 41,022, meta 22,110, binary 53,655`, of those asked since `before`. */
export function describeCounts(counts: RequestCounts, before?: RequestCounts): string {
  return (['text', 'meta', 'binary'] as const)
    .map((name) => `${name} ${(counts[name] - (before?.[name] ?? 0)).toLocaleString('en')}`)
    .join(', ');
}

export class Coverage {
  readonly #counts = new Map<string, number>();
  readonly requests = { text: 0, meta: 0, binary: 0 };
  steps = 0;

  count(frame: Frame): void {
    this.add(kindOf(frame));
  }

  add(kind: string): void {
    this.#counts.set(kind, (this.#counts.get(kind) ?? 0) + 1);
  }

  has(kind: string): boolean {
    return this.#counts.has(kind);
  }

  missing(): string[] {
    return REQUIRED_REPLIES.filter((kind) => !this.#counts.has(kind));
  }

  /** One line per kind, most frequent first. */
  report(): string {
    const rows = [...this.#counts].sort(([, a], [, b]) => b - a);
    const lines = rows.map(([kind, count]) => `${String(count).padStart(9)}  ${kind}`);
    return `${this.steps} steps; replies seen:\n${lines.join('\n')}`;
  }
}

function kindOf(frame: Frame): string {
  if (frame.kind === 'value') return frame.cas === undefined ? 'VALUE' : 'VALUE with cas';
  if (frame.kind === 'meta') return metaKind(frame.text);
  if (frame.kind === 'rest') return 'incomplete reply';
  if (/^\d+$/.test(frame.text)) return 'number';
  const word = /^(STAT|PREFIX|ITEM|VERSION) /.exec(frame.text);
  return word?.[1] ?? JSON.stringify(abbreviate(frame.text)).slice(1, -1);
}

/** Code, and who is to renew the item. */
function metaKind(text: string): string {
  const [code = '', ...flags] = text.split(' ');
  return [code, ...flags.filter((flag) => /^[WXZ]$/.test(flag))].join(' ');
}
