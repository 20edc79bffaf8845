/**
 * Deletions that the operator asks for beside a running server. They are the server's to do, as it has running turns in
 * memory: whoever deleted their rows under it would leave it writing, and its followers waiting.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { Log } from "../../log.ts";
import { deleteAllOf } from "../owner-store.ts";
import type { Storage, Whose } from "../storage.ts";
import { openBeside } from "./connection.ts";
import type { Database } from "./database.ts";

/** Milliseconds between two looks: of the server for what is wanted, and of a command for what became of it. */
const pause = 1_000;

export type WantedDeletionsOptions = {
  readonly database: Pick<Database, "read" | "write">;
  readonly storage: Pick<Storage, "owners" | "sessions">;
  readonly clock: () => number;
  readonly log: Log | undefined;
};

/** The server's side. */
export class WantedDeletions {
  readonly #options: WantedDeletionsOptions;
  #timer: NodeJS.Timeout | undefined;
  #working: Promise<void> | undefined;
  #closed = false;

  constructor(options: WantedDeletionsOptions) {
    this.#options = options;
    this.#lookSoon();
  }

  /** Resolves when none is under way any more; the next opening goes on with what is left. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#working;
  }

  #lookSoon(): void {
    if (this.#closed) return;
    this.#timer = setTimeout(() => {
      this.#working = this.#look().finally(() => this.#lookSoon());
    }, pause).unref();
  }

  async #look(): Promise<void> {
    const { database, storage, clock, log } = this.#options;
    try {
      for (const { id, whose } of await database.read("wantedDeletions", {})) {
        const sessions = await deleteAllOf(storage, whose);
        await database.write("finishDeletion", { id, sessions, now: clock() });
        log?.info({ sessions }, "Sessions were deleted as the operator wanted");
      }
    } catch (error) {
      log?.warn({ err: error }, "Sessions could not be deleted as the operator wanted; it is tried again");
    }
  }
}

/**
 * The command's side: leaves word of what is wanted, and waits until the server has done it. Gives how many sessions that
 * were; undefined where the server went away before it began.
 *
 * @param isServed whether there still is a server
 * @throws Error with a sentence for the operator when the file cannot be used
 */
export async function haveDeleted(
  path: string,
  { principal = null, username = null }: { [Name in keyof Whose]?: string | null | undefined },
  isServed: () => Promise<boolean>,
): Promise<number | undefined> {
  const database = openBeside(path);
  if (database === undefined) throw new Error(`${path} is in use by a server of an older version; restart that first.`);
  try {
    const { id } = database
      .prepare("INSERT INTO wanted_deletions (principal, username) VALUES (?, ?) RETURNING id")
      .get(principal, username) as { id: number };
    const find = database.prepare("SELECT sessions FROM wanted_deletions WHERE id = ? AND done_at IS NOT NULL");
    for (let look = 0; ; look += 1) {
      const done = find.get(id) as { sessions: number } | undefined;
      if (done !== undefined) {
        database.prepare("DELETE FROM wanted_deletions WHERE id = ?").run(id);
        return done.sessions;
      }
      // Seldom, as a server that starts meanwhile would find the file in use.
      if (look % 8 === 7 && !(await isServed())) {
        // Later it would take what came after it as well.
        database.prepare("DELETE FROM wanted_deletions WHERE id = ?").run(id);
        return undefined;
      }
      await delay(pause / 4);
    }
  } finally {
    database.close();
  }
}
