/**
 * Who may come in: user names and passwords, of which only keyed digests are kept. A check costs
 * the same for any name and password of the same lengths: one digest, one look-up by that digest,
 * one comparison in constant time. So nothing about the users can be learned from its duration.
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

const DIGEST = 'sha256';
const DIGEST_BYTES = 32;
const SECRET_BYTES = 32;
/** The part of a digest that it is looked up by. */
const INDEX_BYTES = 16;

/** A line of a credentials file. */
export interface Credential {
  readonly user: Uint8Array;
  readonly password: Uint8Array;
}

/** Credentials as they travel between threads; never changed, only replaced. */
export interface CredentialTable {
  /** The key of the digests: those of another process, or of another load, say nothing. */
  readonly secret: Uint8Array;
  /** One digest of 32 bytes for each user and password. */
  readonly digests: Uint8Array;
}

/** The credentials of a server: null where the protocol's clients cannot authenticate. */
export interface CredentialTables {
  /** For SASL in the binary protocol (-S). */
  readonly sasl: CredentialTable | null;
  /** For the text protocols (-Y). */
  readonly text: CredentialTable | null;
}

/** Makes the table for a list of credentials. */
export function credentialTable(list: readonly Credential[]): CredentialTable {
  const secret = new Uint8Array(randomBytes(SECRET_BYTES));
  const digests = new Uint8Array(list.length * DIGEST_BYTES);
  list.forEach(({ user, password }, index) => {
    digests.set(digestOf(secret, user, password), index * DIGEST_BYTES);
  });
  return { secret, digests };
}

/** A thread's view of a table. */
export class Credentials {
  private readonly secret: Uint8Array;
  private readonly byIndex = new Map<string, Uint8Array>();
  /** Compared with when nothing was found, so that this takes as long. */
  private readonly nobody = new Uint8Array(DIGEST_BYTES);

  constructor(table: CredentialTable) {
    this.secret = table.secret;
    for (let at = 0; at < table.digests.length; at += DIGEST_BYTES) {
      const digest = table.digests.subarray(at, at + DIGEST_BYTES);
      this.byIndex.set(indexOf(digest), digest);
    }
  }

  /** Whether this user has this password. */
  match(user: Uint8Array, password: Uint8Array): boolean {
    const digest = digestOf(this.secret, user, password);
    const found = this.byIndex.get(indexOf(digest));
    const equal = timingSafeEqual(found ?? this.nobody, digest);
    return equal && found !== undefined;
  }
}

function digestOf(secret: Uint8Array, user: Uint8Array, password: Uint8Array): Buffer {
  const hmac = createHmac(DIGEST, secret);
  // The length keeps `ab` with `c` apart from `a` with `bc`.
  const length = Buffer.alloc(4);
  length.writeUInt32BE(user.length);
  return hmac.update(length).update(user).update(password).digest();
}

function indexOf(digest: Uint8Array): string {
  return Buffer.from(digest.buffer, digest.byteOffset, INDEX_BYTES).toString('latin1');
}
