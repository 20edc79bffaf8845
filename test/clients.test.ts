/**
 * The programs of docs/clients.md, run as they stand there against the real service; skipped for a language whose
 * runtime is not installed.
 */
import { execFile, spawnSync } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Service, startService } from "./helpers/service.ts";

const run = promisify(execFile);
const document = path.join(import.meta.dirname, "../docs/clients.md");
const documentedUrl = "http://127.0.0.1:8000";

/** How a program at the root of the repository imports the client. */
const documentedImport = "./client/";
const clientFolder = new URL("../client/", import.meta.url).href;

/** What the demo model says to `Hello! What is your name?` from the user TR. */
const answer = "Hello TR! My name is Demo, and I am no language model, only the built-in stand-in for one.";

const clients = [
  { language: "bash", file: "client.sh", command: "bash", needs: ["curl", "sed"] },
  { language: "python", file: "client.py", command: "python3", needs: [] },
  { language: "javascript", file: "client.mjs", command: process.execPath, needs: [] },
  { language: "typescript", file: "client.ts", command: process.execPath, needs: [] },
  { language: "go", file: "client.go", command: "go", needs: [] },
] as const;

let service: Service;
/** One whose model server is not there. */
let failing: Service;
let directory: string;
let text: string;

beforeAll(async () => {
  service = await startService({});
  failing = await startService({ OPENAI_BASE_URL: "http://127.0.0.1:9/v1", OPENAI_MODEL: "none" });
  directory = await mkdtemp(path.join(tmpdir(), "chat-clients-"));
  text = await readFile(document, "utf8");
});

afterAll(async () => {
  await service.end("SIGTERM");
  await failing.end("SIGTERM");
  await rm(directory, { recursive: true });
});

/** Writes the program of a language as it stands in the document, but for what it connects to and imports, and runs it. */
async function runProgram({ language, file, command }: (typeof clients)[number], baseUrl: string) {
  const program = new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\``, "ms").exec(text)?.[1];
  expect(program).toContain(documentedUrl);
  const written = path.join(directory, file);
  const runnable = program?.replaceAll(documentedUrl, baseUrl).replace(documentedImport, clientFolder);
  await writeFile(written, runnable ?? "");
  const before = { bash: ["-eu"], python: [], javascript: [], typescript: [], go: ["run"] }[language];
  return run(command, [...before, written], { timeout: 25_000 });
}

for (const client of clients) {
  const missing = [client.command, ...client.needs].find((name) => spawnSync(name, ["--version"]).error !== undefined);
  describe.skipIf(missing !== undefined)(`the ${client.language} program of docs/clients.md`, () => {
    test("prints the answer", async () => {
      const { stdout, stderr } = await runProgram(client, service.baseUrl);
      expect(stderr).toBe("");
      if (client.language === "bash") {
        expect(stdout).toContain("event: end\n");
        expect(stdout).toContain("Your name is TR.");
        expect(stdout).toContain('"message_history":[');
      } else {
        expect(stdout).toContain(answer);
      }
    });

    // curl shows every event as it is.
    if (client.language === "bash") return;
    test("says so when there is no whole answer", async () => {
      const { stderr } = await runProgram(client, failing.baseUrl);
      expect(stderr).toContain("The model server could not be reached.");
      expect(stderr).toContain("The answer is failed.");
    });
  });
}
