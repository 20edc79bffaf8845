/**
 * Where log lines go: standard output, without ever waiting for whoever reads it. What a stuck reader or a full disk does
 * not take is kept up to a limit; beyond it lines are dropped and counted.
 *
 * pino's own destination would keep lines without limit, and while they cannot be written its flush at the exit never
 * returns.
 */
import { writeSync } from "node:fs";

const standardOutput = 1;

/** UTF-16 code units of lines that wait to be written. */
const mostWaiting = 1024 * 1024;

/** Milliseconds until what was not taken is tried again. */
const pause = 100;

/** How long the end of the process waits for its last lines to be taken, in milliseconds. */
const longestClose = 500;

export class LogOutput {
  readonly #onDropped: (lines: number) => void;
  #lines: string[] = [];
  #length = 0;
  /** What the last write left over. */
  #rest: Uint8Array = new Uint8Array();
  #dropped = 0;
  #droppedEver = 0;
  #isScheduled = false;

  /** @param onDropped told how many lines were dropped, once lines are taken again */
  constructor(onDropped: (lines: number) => void) {
    this.#onDropped = onDropped;
    // Looking at it makes a pipe or a socket non-blocking, so that a write takes what it can and returns.
    void process.stdout;
  }

  /** How many lines were dropped since the start. */
  get droppedEver(): number {
    return this.#droppedEver;
  }

  write(line: string): void {
    if (this.#length + line.length > mostWaiting) {
      this.#dropped += 1;
      this.#droppedEver += 1;
      return;
    }
    this.#lines.push(line);
    this.#length += line.length;
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => this.#flush());
  }

  /** Writes what waits, as far as it is taken soon. */
  close(): void {
    const giveUpAt = performance.now() + longestClose;
    while (!this.#writeAll() && performance.now() < giveUpAt) {
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, pause / 10);
    }
  }

  #flush(): void {
    if (!this.#writeAll()) {
      setTimeout(() => this.#flush(), pause).unref();
      return;
    }
    this.#isScheduled = false;
    if (this.#dropped === 0) return;
    const lines = this.#dropped;
    this.#dropped = 0;
    this.#onDropped(lines);
  }

  /** False when something is left over, because nobody takes it or it cannot be written. */
  #writeAll(): boolean {
    if (this.#rest.length === 0) {
      this.#rest = Buffer.from(this.#lines.join(""));
      this.#lines = [];
    }
    try {
      while (this.#rest.length > 0) this.#rest = this.#rest.subarray(writeSync(standardOutput, this.#rest));
    } catch {
      // A full pipe (EAGAIN), a full disk, a reader that is gone; there is nowhere else to say so.
      return false;
    }
    this.#length = this.#lines.reduce((length, line) => length + line.length, 0);
    return this.#lines.length === 0 || this.#writeAll();
  }
}
