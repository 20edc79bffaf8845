import { describe, expect, it } from "vitest";
import { ImportProgress } from "./import-progress.ts";

function written(isTTY: boolean, use: (progress: ImportProgress) => void): string {
  const pieces: string[] = [];
  const write = (piece: string) => pieces.push(piece) > 0;
  use(new ImportProgress({ isTTY, write } as ConstructorParameters<typeof ImportProgress>[0]));
  return pieces.join("");
}

describe("progress", () => {
  it("is a bar on a terminal, drawn anew in its place, with sentences below it", () => {
    const shown = written(true, (progress) => {
      progress.pages(50, 200, 40);
      progress.pages(200, 200, 150);
      progress.waiting(7, "The wiki's databases are behind.");
      progress.embedded(64);
      progress.end();
    });
    expect(shown).toBe(
      `\r[########${" ".repeat(22)}] 50 of 200 pages looked at, 40 taken` +
        `\r[${"#".repeat(30)}] 200 of 200 pages looked at, 150 taken` +
        "\nThe wiki's databases are behind. Waiting for 7 s.\n\r64 passages embedded\n",
    );
  });

  it("covers what a longer line left", () => {
    const shown = written(true, (progress) => {
      progress.pages(1_000, undefined, 1_000);
      progress.embedded(1);
    });
    expect(shown).toBe(`\r1000 pages looked at, 1000 taken\r1 passages embedded${" ".repeat(13)}`);
  });

  it("is a line every hundred pages where nobody watches", () => {
    const shown = written(false, (progress) => {
      for (let seen = 20; seen <= 240; seen += 20) progress.pages(seen, 240, seen);
      progress.embedded(64);
      progress.end();
    });
    expect(shown.match(/\d+ of 240/g)).toEqual(["100 of 240", "200 of 240"]);
  });
});
