/** Sessions whose deletion can still be taken back: kept for all tabs, and for a browser that dies meanwhile. */
import type { TextStorage } from "./text-storage.ts";

const storedAs = "deleting";

export class PendingDeletions {
  readonly #storage: TextStorage;

  constructor(storage: TextStorage) {
    this.#storage = storage;
  }

  /** Ids of sessions, oldest deletion first. */
  list(): readonly string[] {
    return (this.#storage.read(storedAs) ?? "").split(" ").filter((word) => /^[0-9a-f]{32}$/.test(word));
  }

  /** False where a tab has taken the deletion back, or done it. */
  has(sessionId: string): boolean {
    return this.list().includes(sessionId);
  }

  add(sessionId: string): void {
    this.#storage.write(storedAs, [...this.list().filter((id) => id !== sessionId), sessionId].join(" "));
  }

  remove(sessionId: string): void {
    this.#storage.write(
      storedAs,
      this.list()
        .filter((id) => id !== sessionId)
        .join(" "),
    );
  }
}
