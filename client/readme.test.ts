/** Every program of README.md, run as it stands there against the real service. */
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Service, startService } from "../test/helpers/service.ts";

const run = promisify(execFile);
const folder = new URL("./", import.meta.url).href;
const text = await readFile(path.join(import.meta.dirname, "README.md"), "utf8");
const programs = [...text.matchAll(/^```typescript\n(?<program>.*?)^```/gms)].map(
  (match) => match.groups?.["program"] ?? "",
);

let service: Service;
let directory: string;

beforeAll(async () => {
  service = await startService({});
  directory = await mkdtemp(path.join(tmpdir(), "chat-readme-"));
});

afterAll(async () => {
  await service.end("SIGTERM");
  await rm(directory, { recursive: true });
});

/** What each program prints, in the order in which they stand there. */
const outputs = [
  /^Hello TR! My name is Demo, and I am no language model, only the built-in stand-in for one\..*\n\[completed\]\n$/s,
  /^Your name is TR\.\n.*\ncompleted Hello TR! undefined\n$/s,
  /^.+\n2\n$/s,
  /^\[ 'My zebra is called Zoë\.' \]\n(assistant .*\n)?user \[ 'zebra', 'Zoë' \]\n$/,
  /^session_not_found 404 Invalid session id: 1234 false\n$/,
];

it.each(programs.map((program, index) => [index + 1, program, outputs[index]] as const))(
  "program %d prints what it should",
  async (number, program, output) => {
    expect(program).toContain("http://127.0.0.1:8000");
    const file = path.join(directory, `${number}.ts`);
    await writeFile(file, program.replaceAll("http://127.0.0.1:8000", service.baseUrl).replace("./client/", folder));
    const { stdout, stderr } = await run(process.execPath, [file], { timeout: 20_000 });
    expect(stderr).toBe("");
    expect(stdout).toMatch(output ?? "no output is expected of this program");
  },
);

it("there is an expectation for each", () => {
  expect(programs).toHaveLength(outputs.length);
});
