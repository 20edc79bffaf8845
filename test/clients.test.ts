/** The programs of docs/clients.md, run as they stand there against the real service. */
import { execFile, spawnSync } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Service, startService } from "./helpers/service.ts";

const run = promisify(execFile);
const document = path.join(import.meta.dirname, "../docs/clients.md");
const documentedUrl = "http://127.0.0.1:8000";

/** What the demo model says to `Hello! What is your name?` from the user TR. */
const answer = "Hello TR! My name is Demo, and I am no language model, only the built-in stand-in for one.";

const clients = [
  { language: "bash", file: "client.sh", command: "bash", needs: ["curl", "sed"] },
  { language: "python", file: "client.py", command: "python3", needs: [] },
  { language: "javascript", file: "client.mjs", command: process.execPath, needs: [] },
  { language: "go", file: "client.go", command: "go", needs: [] },
] as const;

let service: Service;
let directory: string;
let text: string;

beforeAll(async () => {
  service = await startService({});
  directory = await mkdtemp(path.join(tmpdir(), "chat-clients-"));
  text = await readFile(document, "utf8");
});

afterAll(async () => {
  await service.end("SIGTERM");
  await rm(directory, { recursive: true });
});

for (const { language, file, command, needs } of clients) {
  test(`the ${language} program of docs/clients.md prints the answer and the history`, async (context) => {
    const missing = [command, ...needs].find((name) => spawnSync(name, ["--version"]).error !== undefined);
    if (missing !== undefined) return context.skip(`${missing} is not installed here`);
    const program = new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\``, "ms").exec(text)?.[1];
    expect(program).toContain(documentedUrl);
    const written = path.join(directory, file);
    await writeFile(written, program?.replaceAll(documentedUrl, service.baseUrl) ?? "");
    const argumentsOf = { bash: ["-eu", written], python: [written], javascript: [written], go: ["run", written] };
    const { stdout, stderr } = await run(command, argumentsOf[language], { timeout: 25_000 });
    expect(stderr).toBe("");
    if (language === "bash") {
      expect(stdout).toContain("event: end\n");
      expect(stdout).toContain("Your name is TR.");
      expect(stdout).toContain('"message_history":[');
    } else {
      expect(stdout).toContain(answer);
    }
  });
}
