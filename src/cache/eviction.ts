/**
 * The seam between the store and an eviction policy: what to do on insert, on a hit, and when a
 * place is needed. The store knows no list by name.
 */

/** A policy, as one thread sees it. */
export interface Eviction {
  /** The list that a new item starts in. `exptime` is in clock seconds, 0 for never. */
  listFor(exptime: number): number;

  /** An item was fetched. The caller holds its stripe. */
  onHit(ref: number): void;

  /** An item was renewed without being fetched (a refused add). The caller holds its stripe. */
  onRenew(ref: number): void;

  /**
   * Frees a chunk of the class, if it can, and moves items towards eviction if it cannot yet. The
   * caller holds the class's lock; no stripe need be held. Returns a large item that was unlinked
   * and that the caller must free once it has let go of the class, or 0.
   */
  doMakeRoom(tenant: number, id: number): number;

  /** Background work on the lists of a class; returns the number of items moved or freed. */
  juggle(tenant: number, id: number): number;
}
