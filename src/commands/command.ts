/** What the operator's verbs share: a process that says what is wrong in a sentence, and leaves with a code that tells. */
import { ConfigError, configErrorExitCode } from "../config.ts";
import { isProblem } from "../protocol/problems.ts";

/** EX_USAGE of sysexits.h */
const usageExitCode = 64;

/** The command was called wrongly; its usage is shown. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/**
 * Runs a verb, or shows its usage for `--help`. What it prints is its result; everything else goes to standard error.
 */
export async function runCommand(usage: string, verb: (words: string[]) => Promise<void>): Promise<void> {
  // Whatever it makes is for this user alone, as it is for the server.
  process.umask(0o077);
  process.stdout.on("error", ignoreClosedPipe);
  const words = process.argv.slice(2);
  if (words.includes("--help") || words.includes("-h")) return print(usage);
  try {
    await verb(words);
  } catch (error) {
    const isUsage = error instanceof UsageError || isArgumentError(error);
    process.stderr.write(`${sentenceOf(error)}\n${isUsage ? `\n${usage}\n` : ""}`);
    process.exitCode = isUsage ? usageExitCode : error instanceof ConfigError ? configErrorExitCode : 1;
  }
}

export function print(...lines: readonly string[]): void {
  process.stdout.write(lines.map((line) => `${line}\n`).join(""));
}

/** Whoever reads the result may have seen enough, as `head` has. */
function ignoreClosedPipe(error: NodeJS.ErrnoException): void {
  if (error.code !== "EPIPE") throw error;
}

function sentenceOf(error: unknown): string {
  if (isProblem(error)) return error.detail;
  return error instanceof Error ? error.message : String(error);
}

/** Of `parseArgs` (https://nodejs.org/api/util.html#utilparseargsconfig). */
function isArgumentError(error: unknown): boolean {
  return error instanceof Error && "code" in error && String(error.code).startsWith("ERR_PARSE_ARGS_");
}
