/**
 * When the next commit of a back end begins.
 *
 * Group commit: what is to be written while a commit is under way gathers, and goes together in the next one. At rest
 * the first write waits only for the end of the event loop's turn, so that no first token is held back.
 */
import type { Observer } from "../observer.ts";

/**
 * The longest pause between two commits, in milliseconds. A commit costs nearly the same for one write as for forty, so one
 * of n writes is followed by a pause of n - 1 milliseconds in which more can gather: under load they cost a fraction, and
 * a lone turn never waits.
 */
const longestPause = 10;

export type PacedCommit = {
  /** Whether anything is to be written. */
  isWaiting(): boolean;
  /** Writes what waits, or as much of it as goes together. Gives how many writes that is, before it is done. Never rejects. */
  commit(): { readonly writes: number; readonly done: Promise<void> };
  /** Is told of each commit when it is done. */
  readonly observer?: Pick<Observer, "committed"> | undefined;
};

export class CommitPacer {
  readonly #paced: PacedCommit;
  #committing: Promise<void> | undefined;
  /** A commit follows at the end of this turn of the event loop. */
  #soon = false;
  /** A commit follows at the end of the pause. */
  #pause: NodeJS.Timeout | undefined;
  /** On the clock of `performance.now()`. */
  #pauseEndsAt = 0;

  constructor(paced: PacedCommit) {
    this.#paced = paced;
  }

  /**
   * Something is to be written. The next commit begins when the pause is over, and with all that this turn of the event
   * loop reads from its sockets.
   *
   * @param patient that it may wait for the end of the pause
   */
  request({ patient }: { readonly patient: boolean }): void {
    if (!patient) this.#pauseEndsAt = 0;
    this.#schedule();
  }

  /** Commits without pauses until nothing is left to be written. */
  async finish(): Promise<void> {
    while (this.#paced.isWaiting() || this.#committing !== undefined) {
      this.#commit();
      await this.#committing;
    }
  }

  #schedule(): void {
    if (this.#committing !== undefined || this.#soon) return;
    const left = this.#pauseEndsAt === 0 ? 0 : this.#pauseEndsAt - performance.now();
    if (left > 0) {
      this.#pause ??= setTimeout(() => this.#commit(), left);
    } else {
      this.#soon = true;
      setImmediate(() => this.#commit());
    }
  }

  #commit(): void {
    this.#soon = false;
    clearTimeout(this.#pause);
    this.#pause = undefined;
    if (this.#committing !== undefined || !this.#paced.isWaiting()) return;
    const { writes, done } = this.#paced.commit();
    const begunAt = performance.now();
    if (writes > 0) this.#pauseEndsAt = begunAt + Math.min(writes - 1, longestPause);
    this.#committing = done.finally(() => {
      this.#committing = undefined;
      if (writes > 0) this.#paced.observer?.committed(writes, performance.now() - begunAt);
      if (this.#paced.isWaiting()) this.#schedule();
    });
  }
}
