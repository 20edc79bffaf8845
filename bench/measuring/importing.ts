/** How fast the importer of the game reads a dump, and what memory that takes. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { endWithUs } from "../targets/leftovers.ts";
import { onMeasuredCore } from "../targets/pinning.ts";
import { repository, startFlagsElsewhere } from "../targets/processes.ts";
import { memoryOf } from "./process-usage.ts";

export type Import = { readonly milliseconds: number; readonly peakBytes: number };

/** Milliseconds between two looks at its memory. */
const lookMs = 50;

/** The show of the dump, for the game. */
export const importedShow = "bench";

/** @throws Error when the import fails */
export async function importDump(dump: string, knowledgeFile: string, directory: string): Promise<Import> {
  const script = path.join(repository, "src/commands/trivia-import.ts");
  const what = ["--file", dump, "--licence", "CC0", "--show", importedShow, "--title", "Bench", "--limit", "1000000"];
  const [command = "", ...words] = onMeasuredCore([process.execPath, ...startFlagsElsewhere(), script, ...what]);
  const startedAt = performance.now();
  const child = spawn(command, words, {
    cwd: directory,
    env: { PATH: process.env["PATH"], KNOWLEDGE_PATH: knowledgeFile },
    stdio: ["ignore", "ignore", "pipe"],
  });
  const errors: string[] = [];
  child.stderr.on("data", (text: Buffer) => errors.push(String(text)));
  const gone = once(child, "exit");
  const pid = child.pid as number;
  endWithUs(pid, gone);
  let peakBytes = 0;
  const looking = setInterval(() => {
    peakBytes = Math.max(peakBytes, memoryOf(pid));
  }, lookMs);
  const [code] = (await gone) as [number | null];
  clearInterval(looking);
  if (code !== 0) throw new Error(`The import ended with ${code}:\n${errors.join("").slice(-2_000)}`);
  return { milliseconds: performance.now() - startedAt, peakBytes };
}
