/** Filled databases, made when the first scenario asks for them. */
import path from "node:path";
import { makeDirectory } from "../targets/leftovers.ts";
import { pinThisProcess, unpinThisProcess } from "../targets/pinning.ts";
import { fillDatabase } from "./fill.ts";

/** Messages of the long sessions that every filled database has; a turn has two. */
export const dialogueSizes = [10, 1_000, 10_000] as const;

export type FilledDatabase = {
  readonly file: string;
  /** The id of a session for each of `dialogueSizes`. */
  readonly sessionIds: readonly string[];
  /** Of the guest whose sessions they all are. */
  readonly token: string;
};

export class Databases {
  readonly #filled = new Map<number, Promise<FilledDatabase>>();

  /** @param sessions how many sessions it has besides the long ones */
  with(sessions: number): Promise<FilledDatabase> {
    const filled = this.#filled.get(sessions) ?? this.#fill(sessions);
    this.#filled.set(sessions, filled);
    return filled;
  }

  async #fill(sessions: number): Promise<FilledDatabase> {
    const directory = await makeDirectory();
    const file = path.join(directory, "filled.db");
    const turns = dialogueSizes.map((messages) => messages / 2);
    unpinThisProcess();
    try {
      return { file, ...(await fillDatabase(file, sessions, turns)) };
    } finally {
      pinThisProcess();
    }
  }
}
