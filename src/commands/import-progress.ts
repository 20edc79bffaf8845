/** How far an import is: a bar on a terminal, a line now and then elsewhere. */
import type { WriteStream } from "node:tty";
import type { Progress } from "../retrieval/wiki/import-pages.ts";

const barWidth = 30;

/** Where nobody watches, so many pages lie between two lines. */
const pagesBetweenLines = 100;

export class ImportProgress implements Progress {
  readonly #output: Pick<WriteStream, "write" | "isTTY">;
  #line = "";
  #saidAt = 0;

  constructor(output: Pick<WriteStream, "write" | "isTTY">) {
    this.#output = output;
  }

  pages(seen: number, total: number | undefined, taken: number): void {
    const share = total === undefined ? "" : `${bar(seen / Math.max(total, 1))} `;
    const line = `${share}${seen}${total === undefined ? "" : ` of ${total}`} pages looked at, ${taken} taken`;
    if (this.#output.isTTY) this.#show(line);
    else if (seen - this.#saidAt >= pagesBetweenLines) {
      this.#saidAt = seen;
      this.#output.write(`${line}\n`);
    }
  }

  embedded(passages: number): void {
    if (this.#output.isTTY) this.#show(`${passages} passages embedded`);
  }

  waiting(seconds: number, reason: string): void {
    this.note(`${reason} Waiting for ${seconds} s.`);
  }

  note(sentence: string): void {
    this.end();
    this.#output.write(`${sentence}\n`);
  }

  /** Leaves the bar where it is, so that other lines can follow. */
  end(): void {
    if (this.#line !== "") this.#output.write("\n");
    this.#line = "";
  }

  #show(line: string): void {
    this.#output.write(`\r${line.padEnd(this.#line.length)}`);
    this.#line = line;
  }
}

function bar(share: number): string {
  const full = Math.min(Math.round(share * barWidth), barWidth);
  return `[${"#".repeat(full)}${" ".repeat(barWidth - full)}]`;
}
