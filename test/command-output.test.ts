/** What all of the operator's verbs do alike. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, test } from "vitest";
import { commandArguments, runVerb } from "./helpers/commands.ts";

test.each(["keys", "data", "backup", "restore", "trivia-import", "trivia-quality"])(
  "%s shows how it is used when it is asked, and does nothing else",
  async (name) => {
    const { code, output, errors } = await runVerb(name, ["--help"], { STORAGE_URL: "none:" });
    expect({ code, errors }).toEqual({ code: 0, errors: "" });
    expect(output).toMatch(new RegExp(`^npm run ${name.replace("-", ":")}`));
  },
);

test("a reader that has seen enough of a list is no failure", async () => {
  const directory = await mkdtemp(path.join(tmpdir(), "chat-commands-"));
  try {
    const environment = { STORAGE_URL: `sqlite:${directory}/chat.db` };
    expect((await runVerb("keys", ["create", "--owner", "web"], environment)).code).toBe(0);
    const child = spawn(process.execPath, [...commandArguments("keys"), "list"], {
      env: { PATH: process.env["PATH"], ...environment },
      stdio: ["ignore", "pipe", "pipe"],
    });
    child.stdout.destroy();
    const [errors, [code]] = await Promise.all([Array.fromAsync(child.stderr), once(child, "exit")]);
    expect({ code, errors: Buffer.concat(errors).toString() }).toEqual({ code: 0, errors: "" });
  } finally {
    await rm(directory, { recursive: true });
  }
});
