/** How often something happened in the last while. Costs the same for ten times and ten thousand: it counts by slices. */
export class SlidingCount {
  readonly #sliceMs: number;
  readonly #now: () => number;
  readonly #slices: number[];
  /** The number of the newest slice since the clock's zero. */
  #newest: number;
  #total = 0;

  /**
   * @param windowMs how far back it counts, give or take a slice
   * @param sliceMs the grain, of which the window is a multiple
   * @param now milliseconds on a clock that never goes back
   */
  constructor(windowMs: number, sliceMs: number, now: () => number) {
    this.#sliceMs = sliceMs;
    this.#now = now;
    this.#slices = new Array<number>(windowMs / sliceMs).fill(0);
    this.#newest = this.#currentSlice();
  }

  add(): void {
    this.#forgetOld();
    const index = this.#newest % this.#slices.length;
    this.#slices[index] = (this.#slices[index] ?? 0) + 1;
    this.#total += 1;
  }

  get total(): number {
    this.#forgetOld();
    return this.#total;
  }

  clear(): void {
    this.#slices.fill(0);
    this.#total = 0;
  }

  #currentSlice(): number {
    return Math.floor(this.#now() / this.#sliceMs);
  }

  #forgetOld(): void {
    const current = this.#currentSlice();
    if (current - this.#newest >= this.#slices.length) this.clear();
    else {
      for (let slice = this.#newest + 1; slice <= current; slice += 1) {
        const index = slice % this.#slices.length;
        this.#total -= this.#slices[index] ?? 0;
        this.#slices[index] = 0;
      }
    }
    this.#newest = current;
  }
}
