/** The commands of docs/authentication.md, run as they stand there; `npm start` by the tests' own starter. */
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Service, startService } from "./helpers/service.ts";

const run = promisify(execFile);
const repository = path.join(import.meta.dirname, "..");
const documentedUrl = "http://127.0.0.1:8000";

let directory: string;
let service: Service | undefined;

beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), "chat-authentication-"));
  for (const name of ["package.json", "src", "node_modules"]) {
    await symlink(path.join(repository, name), path.join(directory, name));
  }
});

afterEach(async () => {
  await service?.end("SIGTERM");
  await rm(directory, { recursive: true });
});

/** The blocks of commands, and the environment with which each of them starts the service, if it does. */
async function blocks(): Promise<readonly { commands: string; starts: Record<string, string> | undefined }[]> {
  const text = await readFile(path.join(repository, "docs/authentication.md"), "utf8");
  return [...text.matchAll(/^```bash\n(.*?)^```/gms)].map(([, block = ""]) => {
    const start = /^(?<settings>(?:\w+=\S+ )+)npm start\n/m.exec(block);
    const pairs = start?.groups?.["settings"]
      ?.trim()
      .split(" ")
      .map((pair) => pair.split("=", 2) as [string, string]);
    return { commands: block.replace(start?.[0] ?? "", ""), starts: pairs && Object.fromEntries(pairs) };
  });
}

/** Runs a block of the document; gives what it prints. */
async function follow({ commands, starts }: Awaited<ReturnType<typeof blocks>>[number]): Promise<string> {
  const { stdout } = await run(
    "bash",
    ["-euc", commands.replaceAll(documentedUrl, service?.baseUrl ?? documentedUrl)],
    {
      cwd: directory,
      env: {
        PATH: `${path.dirname(process.execPath)}:${process.env["PATH"]}`,
        STORAGE_URL: `sqlite:${directory}/chat.db`,
      },
    },
  );
  if (starts !== undefined) {
    const file = starts["AUTH_JWT_PUBLIC_KEY_FILE"];
    const found = file === undefined ? {} : { AUTH_JWT_PUBLIC_KEY_FILE: path.join(directory, file) };
    service = await startService({ STORAGE_URL: `sqlite:${directory}/chat.db`, ...starts, ...found });
  }
  return stdout;
}

test("the keys of docs/authentication.md are made, used, listed and revoked as it says", {
  timeout: 120_000,
}, async () => {
  const [make, use, manage] = await blocks();
  if (make === undefined || use === undefined || manage === undefined) throw new Error("The document has changed");
  expect(make.starts).toEqual({ AUTH: "keys" });
  expect(await follow(make)).toBe("");
  expect(await follow(use)).toMatch(/"Welcome to the chat service TR!".*"sessions":\[\{"session_id":/s);
  const managed = await follow(manage);
  expect(managed).toMatch(/^chatkey_[\w-]{43}\n(\w{16}\tmy-backend\t.*\n){3}$/);
  expect(managed.trimEnd().split("\n").at(-1)).toContain("revoked");
  expect(await follow(use)).toContain("invalid_credential");
});

test("the access token of docs/authentication.md lets in as it says", async () => {
  const [, , , make, use, ...more] = await blocks();
  if (make === undefined || use === undefined) throw new Error("The document has changed");
  expect(make.starts?.["AUTH"]).toBe("jwt");
  await follow(make);
  expect(await follow(use)).toMatch(/"Welcome to the chat service TR!".*"code":"not_your_user"/s);
  expect(more).toEqual([]);
});
