/** `npm run keys`, beside a service that runs. */
import { spawn } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { authorized, problemOf, receive, send, textOf } from "./helpers/client.ts";
import { commandArguments } from "./helpers/commands.ts";
import { startRedisServer } from "./helpers/redis-server.ts";
import { type Service, startService } from "./helpers/service.ts";

type Outcome = { readonly code: number | null; readonly output: string; readonly errors: string };

const command = commandArguments("keys");

/** Milliseconds: a dozen processes, one after the other, on a machine that may be busy. */
const patience = 120_000;

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), "chat-keys-"));
});

afterEach(() => rm(directory, { recursive: true }));

async function keys(storageUrl: string, ...words: readonly string[]): Promise<Outcome> {
  const child = spawn(process.execPath, [...command, ...words], {
    cwd: directory,
    env: { PATH: process.env["PATH"], STORAGE_URL: storageUrl },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [output, errors] = await Promise.all([text(child.stdout), text(child.stderr)]);
  if (child.exitCode === null) await new Promise((resolve) => child.once("exit", resolve));
  return { code: child.exitCode, output, errors };
}

async function text(stream: AsyncIterable<Buffer>): Promise<string> {
  return Buffer.concat(await Array.fromAsync(stream)).toString();
}

async function createKey(storageUrl: string, ...options: readonly string[]): Promise<{ secret: string; id: string }> {
  const { code, output, errors } = await keys(storageUrl, "create", "--owner", "web", ...options);
  expect(code).toBe(0);
  return { secret: output.trim(), id: /The key (\w+) /.exec(errors)?.[1] ?? "" };
}

const open = ({ baseUrl }: Service, secret: string) =>
  fetch(`${baseUrl}/?username=TR`, { headers: authorized(secret) });

async function madeUsedRevoked(storageUrl: string): Promise<void> {
  // Made before there is a service, and so before there is a file.
  const early = await createKey(storageUrl);
  const service = await startService({ AUTH: "keys", STORAGE_URL: storageUrl });
  const late = await createKey(storageUrl, "--scopes", "read");
  expect(early.secret).toMatch(/^chatkey_[\w-]{43}$/);
  const opened = (await (await open(service, early.secret)).json()) as { session_id: string };
  const reading = await fetch(`${service.baseUrl}/sessions/${opened.session_id}`, { headers: authorized(late.secret) });
  expect(reading.status).toBe(200);
  expect((await problemOf(await open(service, late.secret)))["code"]).toBe("insufficient_scope");

  const listed = await keys(storageUrl, "list");
  expect(
    listed.output
      .trim()
      .split("\n")
      .map((line) => line.split("\t").slice(0, 3)),
  ).toEqual([
    [early.id, "web", "read,write"],
    [late.id, "web", "read"],
  ]);
  expect(listed.output).not.toContain(early.secret);

  expect((await keys(storageUrl, "revoke", early.id)).output).toContain("revoked");
  expect((await problemOf(await open(service, early.secret)))["code"]).toBe("invalid_credential");
  expect((await keys(storageUrl, "revoke", early.id)).code).toBe(0);
  expect(
    (await fetch(`${service.baseUrl}/sessions/${opened.session_id}`, { headers: authorized(late.secret) })).status,
  ).toBe(200);
  expect(await service.end("SIGTERM")).toBe(0);
}

test("B2, F7: a key is made, used and revoked while the service runs on the same file, at once each", {
  timeout: patience,
}, async () => {
  await madeUsedRevoked(`sqlite:${directory}/data/chat.db`);
  const { mode } = await stat(path.join(directory, "data/chat.db"));
  expect(mode & 0o777).toBe(0o600);
});

test("B2: likewise on the same Redis server", { timeout: patience }, async () => {
  const redis = await startRedisServer();
  await madeUsedRevoked(redis.url);
  await redis.close();
});

test("F7: keys are made and revoked by the dozen while answers run, and neither loses anything", {
  timeout: patience,
}, async () => {
  const storageUrl = `sqlite:${directory}/chat.db`;
  const { secret } = await createKey(storageUrl);
  const service = await startService({ AUTH: "keys", STORAGE_URL: storageUrl, DEMO_WORD_DELAY_MS: "15" });
  const headers = authorized(secret);
  const answers = Array.from({ length: 10 }, async () => {
    const { session_id } = (await (await open(service, secret)).json()) as { session_id: string };
    const events = await Array.fromAsync(
      receive(await send(service.baseUrl, session_id, "Tell me a story.", { headers })),
    );
    const history = await fetch(`${service.baseUrl}/chat_history/${session_id}`, { headers });
    const { message_history } = (await history.json()) as { message_history: { content: string }[] };
    return { end: events.at(-1)?.data["status"], said: textOf(events), kept: message_history[1]?.content };
  });
  const made: string[] = [];
  for (let round = 0; round < 6; round += 1) {
    const pair = await Promise.all([createKey(storageUrl), createKey(storageUrl)]);
    for (const { secret: fresh } of pair) expect((await open(service, fresh)).status).toBe(200);
    const [{ id } = { id: "" }] = pair;
    await keys(storageUrl, "revoke", id);
    made.push(...pair.map((key) => key.id));
  }
  for (const { end, said, kept } of await Promise.all(answers)) {
    expect(end).toBe("completed");
    expect(kept).toBe(said);
  }
  const { output } = await keys(storageUrl, "list");
  for (const id of made) expect(output).toContain(id);
  expect(output.match(/revoked/g)).toHaveLength(6);
  expect(await service.end("SIGTERM")).toBe(0);
});

test("no trace of a key is in any file, only its hash", async () => {
  const storageUrl = `sqlite:${directory}/chat.db`;
  const { secret, id } = await createKey(storageUrl);
  const service = await startService({ AUTH: "keys", STORAGE_URL: storageUrl, LOG_LEVEL: "trace" });
  expect((await open(service, secret)).status).toBe(200);
  const altered = `${secret.slice(0, -2)}xx`;
  expect((await open(service, altered)).status).toBe(401);
  await expect.poll(() => service.log.join()).toContain("A credential was refused");
  await service.end("SIGKILL");
  const files = await readdir(directory);
  const everything = Buffer.concat(await Promise.all(files.map((name) => readFile(path.join(directory, name)))));
  expect(everything.includes(id)).toBe(true);
  const log = service.log.join("\n");
  for (const part of [secret, secret.slice(8, 30), altered]) {
    expect(everything.includes(part)).toBe(false);
    expect(log).not.toContain(part);
  }
});

describe("the command says what is wrong, and changes nothing", () => {
  test.each([
    [["create"], "--owner"],
    [["create", "--owner", " "], "--owner"],
    [["create", "--owner", "web\tread"], "no line breaks, tabs"],
    [["create", "--owner", "web\nother"], "no line breaks, tabs"],
    [["create", "--owner", "web", "--scopes", "admin"], "--scopes"],
    [["create", "--owner", "web", "--scopes", ""], "--scopes"],
    [["create", "--owner", "web", "--expires", "2020-01-01"], "in the future"],
    [["create", "--owner", "web", "--expires", "2099-02-31"], "a day such as"],
    [["create", "--owner", "web", "--expires", "tomorrow"], "a day such as"],
    [["create", "--owner", "web", "extra"], "What is to be done"],
    [["list", "--owner", "web"], "Only `create`"],
    [["revoke"], "What is to be done"],
    [["revoke", "one", "two"], "two is one word too many"],
    [["destroy"], "What is to be done"],
    [["list", "--all"], "--all"],
    [[], "What is to be done"],
  ])("%j", async (words, sentence) => {
    const { code, output, errors } = await keys(`sqlite:${directory}/chat.db`, ...words);
    expect([code, output]).toEqual([64, ""]);
    expect(errors).toContain(sentence);
    expect(errors).toContain("npm run keys -- list");
    expect(await readdir(directory)).toEqual([]);
  });

  test("of a key that is not there, of a storage that keeps nothing or does not answer, of a bad setting", {
    timeout: patience,
  }, async () => {
    const file = `sqlite:${directory}/chat.db`;
    expect(await keys(file, "revoke", "0123456789abcdef")).toMatchObject({ code: 1, output: "" });
    expect((await keys("sqlite::memory:", "list")).errors).toContain("keeps nothing");
    expect((await keys("sqlite:/dev/null/chat.db", "list")).errors).toContain("STORAGE_URL");
    expect(await keys("redis://127.0.0.1:1", "create", "--owner", "web")).toMatchObject({ code: 1, output: "" });
    expect((await keys("nonsense", "list")).code).toBe(78);
  });
});

test("B28: with the port open to others and guests, the log says once what that means and what it costs", async () => {
  const warningsOf = async (environment: Record<string, string>) => {
    const service = await startService({ HOST: "0.0.0.0", ...environment });
    await service.end("SIGTERM");
    return service.log.filter((line) => line.includes("Anybody who reaches this port"));
  };
  const [open, ...more] = await warningsOf({});
  expect(JSON.parse(open ?? "")).toMatchObject({ level: "warn", host: "0.0.0.0" });
  expect(open).not.toContain("in your name");
  expect(more).toEqual([]);
  expect((await warningsOf({ OPENAI_API_KEY: "sk-canary-of-b28" })).join()).toContain("in your name");
  expect(await warningsOf({ HOST: "127.0.0.1" })).toEqual([]);
  expect(await warningsOf({ AUTH: "keys" })).toEqual([]);
});
