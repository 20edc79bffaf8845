/** Who is not to be let through for a while, and why. Bounded: where too many are, those that are free soonest go first. */

type Block<Reason> = { readonly reason: Reason; readonly until: number };

const mostBlocked = 10_000;

export class BlockedKeys<Reason> {
  readonly #blocks = new Map<string, Block<Reason>>();

  add(key: string, reason: Reason, seconds: number): void {
    // Kept in the order in which they came; all last about as long.
    this.#blocks.delete(key);
    this.#blocks.set(key, { reason, until: performance.now() + seconds * 1_000 });
    if (this.#blocks.size <= mostBlocked) return;
    for (const oldest of this.#blocks.keys()) {
      this.#blocks.delete(oldest);
      break;
    }
  }

  get(key: string): { readonly reason: Reason; readonly resetSeconds: number } | undefined {
    const block = this.#blocks.get(key);
    if (block === undefined) return undefined;
    const left = block.until - performance.now();
    if (left > 0) return { reason: block.reason, resetSeconds: Math.ceil(left / 1_000) };
    this.#blocks.delete(key);
    return undefined;
  }
}
