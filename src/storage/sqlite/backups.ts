/** Backups that are made by themselves: one now and then, of which the newest are kept. */
import { readdir, rm, stat, statfs } from "node:fs/promises";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import type { Log } from "../../log.ts";
import { stamp } from "./copies.ts";
import { makeDirectory } from "./make-directory.ts";

export type BackupPlan = {
  readonly directory: string;
  readonly everyMs: number;
  /** How many are kept. */
  readonly keep: number;
};

export type BackupsOptions = BackupPlan & {
  /** Of the database. */
  readonly path: string;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  readonly log: Log | undefined;
};

/** Milliseconds: until it is first looked whether one is due, which is not to slow a start, and between two looks. */
const pauses = { first: 5_000, between: 60_000 };

/** What is to stay free on the disk of the backups, which may be that of the database. */
const freeBytes = 64 * 1024 * 1024;

const namePattern = /^chat-(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z\.db$/;

export class Backups {
  readonly #options: BackupsOptions;
  #timer: NodeJS.Timeout | undefined;
  #making: Promise<void> | undefined;
  #closed = false;
  #complained = false;

  constructor(options: BackupsOptions) {
    this.#options = options;
    this.#lookIn(pauses.first);
  }

  /** Makes one if the newest is old enough. Never rejects; what fails is in the log, and tried again. */
  async makeIfDue(): Promise<void> {
    const { directory, everyMs, clock, log } = this.#options;
    try {
      await makeDirectory(directory);
      const newest = timeOf((await this.#names()).at(-1));
      if (newest !== undefined && clock() - newest < everyMs) return;
      const name = await this.#make();
      this.#complained = false;
      log?.info({ name }, "A backup was made");
      await this.#removeOldest();
    } catch (error) {
      if (!this.#complained) log?.error({ err: error }, "No backup could be made; it is tried again each minute");
      this.#complained = true;
    }
  }

  /** Resolves when none is being made any more. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#making;
  }

  #lookIn(milliseconds: number): void {
    if (this.#closed) return;
    this.#timer = setTimeout(() => {
      this.#making = this.makeIfDue().finally(() => this.#lookIn(pauses.between));
    }, milliseconds).unref();
  }

  async #make(): Promise<string> {
    const { path, directory, clock } = this.#options;
    const { size } = await stat(path);
    const { blocks, bavail, bsize } = await statfs(directory);
    // Some file systems do not tell.
    if (blocks > 0 && bavail * bsize < size + freeBytes) {
      throw new Error(`${directory} has no space for a backup of ${Math.ceil(size / 1024 / 1024)} MiB`);
    }
    const name = `chat-${stamp(clock())}.db`;
    await backUpInThread(path, join(directory, name));
    return name;
  }

  async #removeOldest(): Promise<void> {
    const { directory, keep } = this.#options;
    const old = (await this.#names()).slice(0, -keep);
    for (const name of old) await rm(join(directory, name), { force: true });
  }

  /** The oldest first. */
  async #names(): Promise<readonly string[]> {
    return (await readdir(this.#options.directory)).filter((name) => namePattern.test(name)).sort();
  }
}

function timeOf(name: string | undefined): number | undefined {
  const parts = namePattern.exec(name ?? "");
  if (parts === null) return undefined;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = parts.slice(1).map(Number);
  return Date.UTC(year, month - 1, day, hour, minute, second);
}

/** Checking a copy takes its time, in which nobody is to wait. */
function backUpInThread(path: string, target: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL("./thread/back-up.ts", import.meta.url), { workerData: { path, target } });
    worker.on("error", reject);
    worker.on("exit", (code) => (code === 0 ? resolve() : reject(new Error("The backup's thread ended early"))));
  });
}
