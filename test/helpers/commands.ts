/** The operator's verbs as real processes. */
import { execFile } from "node:child_process";
import path from "node:path";

export type CommandResult = { readonly code: number; readonly output: string; readonly errors: string };

/** How its `npm run` starts `src/commands/<name>.ts`. */
export function commandArguments(name: string): readonly string[] {
  const source = path.join(import.meta.dirname, "../../src");
  return ["--import", path.join(source, "compile-cache.js"), path.join(source, "commands", `${name}.ts`)];
}

/** Runs `src/commands/<name>.ts`, as its `npm run` does, and resolves whatever becomes of it. */
export function runVerb(
  name: string,
  words: readonly string[],
  environment: Record<string, string>,
): Promise<CommandResult> {
  return new Promise((resolve) => {
    const options = { env: { PATH: process.env["PATH"], ...environment }, cwd: "/", maxBuffer: 64 * 1024 * 1024 };
    execFile(process.execPath, [...commandArguments(name), ...words], options, (error, output, errors) => {
      resolve({ code: error === null ? 0 : Number(error.code), output, errors });
    });
  });
}
