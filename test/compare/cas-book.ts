// cas ids are compared by identity: which id a server picks is its own affair, but the same value
// must keep the same id, and two values never share one. The book pairs the ids of both servers.

export class CasBook {
  readonly #ours = new Map<string, string>();
  readonly #theirs = new Map<string, string>();
  readonly #seen = new Map<string, Array<readonly [string, string]>>();

  /** Notes that both servers named a key's value so; returns what is wrong with that, if any. */
  pair(key: string, ours: string, theirs: string): string | undefined {
    const knownTheirs = this.#ours.get(ours);
    const knownOurs = this.#theirs.get(theirs);
    if (knownTheirs === undefined && knownOurs === undefined) {
      this.#ours.set(ours, theirs);
      this.#theirs.set(theirs, ours);
      const list = this.#seen.get(key) ?? [];
      list.push([ours, theirs]);
      this.#seen.set(key, list);
      return undefined;
    }
    if (knownTheirs === theirs && knownOurs === ours) return undefined;
    return (
      `cas ids do not match by identity: ours ${ours} stood for ${knownTheirs ?? 'nothing'}, ` +
      `theirs ${theirs} for ${knownOurs ?? 'nothing'}`
    );
  }

  /** The newest (or the one before it) id pair seen for the key: [ours, theirs]. */
  lookup(key: string, choice: 'last' | 'older'): readonly [string, string] | undefined {
    const list = this.#seen.get(key);
    return list?.[list.length - (choice === 'last' ? 1 : 2)];
  }
}
