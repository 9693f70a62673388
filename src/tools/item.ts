/**
 * An item on its way from one cache to another, and what takes it.
 */

/** What is copied of an item; its cas id is not: the target gives it one of its own. */
export interface CopiedItem {
  readonly key: Buffer;
  /** True when clients name it in base64 (flag b of the meta protocol). */
  readonly isBinary: boolean;
  readonly flags: number;
  /** Seconds since 1970 by this machine's clock; 0 is never. */
  readonly expiry: number;
  readonly value: Buffer;
}

/** Where items go. */
export interface Sink {
  store(items: readonly CopiedItem[]): Promise<void>;
}

/** What an item counts for where bytes are counted. */
export function bytesOf(item: CopiedItem): number {
  return item.key.length + item.value.length;
}

/** True when a key cannot stand in a line of text: spaces and controls would end it. */
export function needsBase64(key: Buffer): boolean {
  return key.some((byte) => byte <= 0x20 || byte === 0x7f);
}

/** The clock of `expiry`: whole seconds since 1970. */
export function nowSeconds(): number {
  return Math.floor(Date.now() / 1000);
}
