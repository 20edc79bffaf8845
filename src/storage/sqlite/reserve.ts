/**
 * Room for the ends of running turns: a file beside the database that is deleted when the disk is full (decision 18).
 *
 * It is written with care for the disk and for whoever is served meanwhile: a moment after the start, a piece at a time,
 * and only where as much again stays free, so that it is never the reserve itself that fills the disk.
 */
import { randomBytes } from "node:crypto";
import { lstat, open, rm, statfs, truncate } from "node:fs/promises";
import { dirname } from "node:path";
import { promisify } from "node:util";
import type { Log } from "../../log.ts";
import { realName } from "./lock.ts";

const megabyte = 1024 * 1024;

export type ReserveOptions = {
  /** How large it is. */
  readonly bytes?: number;
  /** Milliseconds until it is made: at first, and after each time that it could not be made. */
  readonly pauses?: ReservePauses;
  readonly log?: Log | undefined;
  /** Called when it was in use and is there again. */
  readonly onRestored?: (() => void) | undefined;
};

export type ReservePauses = {
  readonly first: number;
  /** While it is in use: everybody waits for it. */
  readonly inUse: number;
  /** Where there never was one: nobody waits for it, and most likely it will not fit the next time either. */
  readonly missing: number;
};

/** How much is written at a time. */
const pieceBytes = megabyte;

const defaultBytes = 16 * megabyte;
const defaultPauses: ReservePauses = { first: 1_000, inUse: 5_000, missing: 60_000 };

const random = promisify(randomBytes);

export class Reserve {
  readonly #database: string;
  readonly #bytes: number;
  readonly #pauses: ReservePauses;
  readonly #log: Log | undefined;
  readonly #onRestored: (() => void) | undefined;
  readonly #closing = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  /** The try that is under way; never rejects. */
  #making: Promise<void> | undefined;
  #stopMaking = new AbortController();
  #inUse = false;
  #complained = false;

  /** @param database the path of a file, which need not be there yet; its directory must be */
  constructor(
    database: string,
    { bytes = defaultBytes, pauses = defaultPauses, log, onRestored }: ReserveOptions = {},
  ) {
    this.#database = database;
    this.#bytes = bytes;
    this.#pauses = pauses;
    this.#log = log;
    this.#onRestored = onRestored;
    this.#makeIn(pauses.first);
  }

  /** It was deleted, and cannot be made again yet: what is written now is written into its room. */
  get inUse(): boolean {
    return this.#inUse;
  }

  /**
   * Deletes it; to be called when the disk is full. Where there was none everything stays as it is: then no room was made,
   * and the next write finds out by itself whether it fits. Never rejects.
   */
  async use(): Promise<void> {
    if (this.#inUse) return;
    // One that is half made goes as well: perhaps the disk is full only because of it.
    this.#stopMaking.abort();
    await this.#making;
    try {
      const file = await this.#file();
      if (!(await this.#isWhole(file))) return;
      // Emptied first: that frees its blocks also where somebody else, such as a backup, has it open.
      await truncate(file);
      this.#inUse = true;
      this.#makeIn(this.#pauses.inUse);
      await rm(file);
      this.#log?.error({ bytes: this.#bytes }, "The disk is full: running answers end, and nothing new is taken");
    } catch (error) {
      this.#log?.error({ err: error }, "The disk is full, and its reserve cannot be deleted");
    }
  }

  /**
   * What was made stays for the next start: it has nothing to write then, and it has room to end what this one left, also
   * where the disk is filled between them.
   */
  async close(): Promise<void> {
    this.#closing.abort();
    this.#stopMaking.abort();
    clearTimeout(this.#timer);
    await this.#making;
  }

  #makeIn(milliseconds: number): void {
    clearTimeout(this.#timer);
    if (this.#closing.signal.aborted) return;
    this.#timer = setTimeout(() => {
      this.#making ??= this.#tryToMake().finally(() => {
        this.#making = undefined;
      });
    }, milliseconds).unref();
  }

  async #tryToMake(): Promise<void> {
    this.#stopMaking = new AbortController();
    const { signal } = this.#stopMaking;
    try {
      await this.#make(signal);
      this.#complained = false;
      if (!this.#inUse) return;
      this.#inUse = false;
      this.#log?.info({ bytes: this.#bytes }, "The disk has space again: everything is taken again");
      this.#onRestored?.();
    } catch (error) {
      if (this.#closing.signal.aborted) return;
      // Only a try that was really given up for `use` says nothing: one that failed meanwhile failed by itself.
      if (!this.#complained && !this.#inUse && error !== signal.reason) {
        this.#complained = true;
        const consequence = "without one, answers that meet a full disk end only once there is space";
        this.#log?.warn({ err: error }, `No reserve for a full disk could be made; ${consequence}`);
      }
      this.#makeIn(this.#inUse ? this.#pauses.inUse : this.#pauses.missing);
    }
  }

  async #make(signal: AbortSignal): Promise<void> {
    const file = await this.#file();
    if (await this.#isWhole(file)) return;
    // Also what a process that died left half made, and a link to somebody else's file.
    await rm(file, { force: true });
    await this.#refuseToFill(file);
    try {
      await this.#write(file, signal);
    } catch (error) {
      await rm(file, { force: true });
      throw error;
    }
  }

  async #refuseToFill(file: string): Promise<void> {
    const { blocks, bavail, bsize } = await statfs(dirname(file));
    // Some file systems do not tell.
    if (blocks === 0 || bavail * bsize >= 2 * this.#bytes) return;
    throw new Error(`Less than ${(2 * this.#bytes) / megabyte} MiB of the disk are free`);
  }

  async #write(file: string, signal: AbortSignal): Promise<void> {
    // Not zeros: a file system that compresses would keep next to nothing of them.
    const piece = await random(pieceBytes);
    const handle = await open(file, "wx", 0o600);
    try {
      for (let position = 0; position < this.#bytes; ) {
        signal.throwIfAborted();
        position += (await handle.write(piece, 0, Math.min(piece.length, this.#bytes - position), position))
          .bytesWritten;
      }
    } finally {
      // An open descriptor would hold the blocks also when the file is deleted.
      await handle.close();
    }
  }

  /** Where the database really is: behind a link there may be another disk. */
  async #file(): Promise<string> {
    return `${await realName(this.#database)}.reserve`;
  }

  async #isWhole(file: string): Promise<boolean> {
    const found = await lstat(file).catch(() => undefined);
    return found?.isFile() === true && found.size === this.#bytes;
  }
}
