/** The operator's verbs on somebody's data, beside a service that runs and where none does (faults.md, B17). */
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openSqliteStorage } from "../src/storage/sqlite/open.ts";
import { ask, authorized, openSession, receive, send } from "./helpers/client.ts";
import { runVerb } from "./helpers/commands.ts";
import { startRedisServer } from "./helpers/redis-server.ts";
import { type Service, startService } from "./helpers/service.ts";
import { openTestSession } from "./helpers/storage.ts";

/** Processes of their own may take a while to start on a busy machine. */
const patience = { timeout: 120_000 };

let directory: string;
const at = (name: string) => path.join(directory, name);
const closers: (() => Promise<unknown>)[] = [];

beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), "chat-data-"));
});
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
  await rm(directory, { recursive: true });
});

async function start(environment: Record<string, string>): Promise<Service> {
  const service = await startService(environment);
  closers.push(() => service.end("SIGKILL"));
  return service;
}

async function inFile(): Promise<string> {
  return `sqlite:${at("chat.db")}`;
}

async function onRedis(): Promise<string> {
  const server = await startRedisServer();
  closers.push(() => server.close());
  return server.url;
}

async function filesWith(canary: string): Promise<string[]> {
  const names = await readdir(directory);
  const held = await Promise.all(
    names.map(async (name) => ((await readFile(at(name))).includes(canary) ? [name] : [])),
  );
  return held.flat();
}

/** The principal of the one who has that username, by `list`. */
async function principalOf(username: string, environment: Record<string, string>): Promise<string> {
  const { output } = await runVerb("data", ["list"], environment);
  const line = output.split("\n").find((each) => each.split("\t")[1] === JSON.stringify(username));
  return line?.split("\t")[0] ?? "";
}

describe.each([
  ["in a file", inFile],
  ["on a Redis server", onRedis],
])("%s", (_, makeStorage) => {
  test(
    "B17: what somebody has is deleted beside the running service: the answer that runs is stopped, who follows it is told, and nothing is left",
    patience,
    async () => {
      const environment = { STORAGE_URL: await makeStorage() };
      // Slow enough that the answer runs until it is deleted.
      const service = await start({ ...environment, DEMO_WORD_DELAY_MS: "3000" });
      const { baseUrl } = service;
      const alice = await openSession(baseUrl, "Alice");
      const bob = await openSession(baseUrl, "Bob");
      const running = receive(await send(baseUrl, alice.sessionId, "canary-of-alice, and much more. ".repeat(40)));
      await running.next();
      const principal = await principalOf("Alice", environment);
      expect(principal).toMatch(/^guest:[0-9a-f]{64}$/);
      expect(await principalOf("Alice", environment)).toBe(principal);

      const deletion = runVerb("data", ["delete", "--principal", principal], environment);
      const events = await Array.fromAsync(running);
      expect(events.at(-1)).toMatchObject({ type: "error", data: { code: "session_deleted" } });
      expect(await deletion).toEqual({ code: 0, output: "Deleted 1 session.\n", errors: "" });
      expect((await fetch(`${baseUrl}/chat_history/${alice.sessionId}`)).status).toBe(404);
      const listing = await fetch(`${baseUrl}/sessions?username=Alice`, { headers: authorized(alice.token) });
      expect(listing.status).toBe(401);
      expect((await fetch(`${baseUrl}/chat_history/${bob.sessionId}`)).status).toBe(200);
      await expect.poll(() => filesWith("canary-of-alice"), { timeout: 20_000 }).toEqual([]);
      // Nor does anything tell under which name there was spent how much.
      await expect.poll(() => filesWith("Alice"), { timeout: 20_000 }).toEqual([]);
      const left = await runVerb("data", ["export", "--principal", principal, "--out", at("left")], environment);
      expect(left.output).toBe(`${at("left")} has 0 sessions.\n`);
      expect(await readFile(at("left"), "utf8")).toBe("");
      expect(service.log.join("\n")).not.toMatch(/"level":"(error|fatal)"/);
      expect(await service.end("SIGTERM")).toBe(0);
    },
  );

  test("what somebody has is handed over as lines of JSON, and deleted, while the service runs", patience, async () => {
    const environment = { STORAGE_URL: await makeStorage() };
    const service = await start({ ...environment, DEMO_WORD_DELAY_MS: "0" });
    const { baseUrl } = service;
    const { sessionId, token } = await openSession(baseUrl, "Alice");
    for (let turn = 0; turn < 3; turn += 1) await ask(baseUrl, sessionId, `Line\n${turn} \u2028 "x"`);
    const second = await fetch(`${baseUrl}/?username=Alice`, { headers: authorized(token) });
    const { session_id: empty } = (await second.json()) as { session_id: string };
    await openSession(baseUrl, "Bob");
    const games = [await play(baseUrl, { session_id: sessionId }), await play(baseUrl, { username: "Alice" }, token)];
    const { output: listed } = await runVerb("data", ["list"], environment);
    expect(listed).toMatch(/^guest:[0-9a-f]{64}\t"Alice"\t2 sessions\t[^\t]+Z$/m);
    expect(listed).toMatch(/^guest:[0-9a-f]{64}\t"Alice"\t2 games\t[^\t]+Z$/m);

    const made = await runVerb("data", ["export", "--username", "Alice", "--out", at("alice.jsonl")], environment);
    expect(made).toEqual({ code: 0, output: `${at("alice.jsonl")} has 2 sessions and 2 games.\n`, errors: "" });
    expect((await stat(at("alice.jsonl"))).mode & 0o077).toBe(0);
    const lines = (await readFile(at("alice.jsonl"), "utf8")).trimEnd().split("\n");
    const objects = lines.map((line) => JSON.parse(line));
    const exported = objects.filter((each) => "session" in each);
    const spent = await fetch(`${baseUrl}/usage`, { headers: authorized(token) });
    const { usage } = (await spent.json()) as { usage: { turns: number }[] };
    expect(usage).toMatchObject([{ username: "Alice", turns: 3 }]);
    const { principal } = exported[0];
    expect(objects.slice(exported.length)).toEqual([
      ...games.map((game) => ({ principal, game })),
      { principal, usage: { ...usage[0], model: expect.stringMatching(/./) } },
    ]);
    expect(exported.map(({ session }) => session.session_id).toSorted()).toEqual([sessionId, empty].toSorted());
    for (const { session, message_history } of exported) {
      const headers = authorized(token);
      const own = await fetch(`${baseUrl}/sessions/${session.session_id}/export`, { headers });
      expect({ session, message_history }).toEqual(await own.json());
    }
    const again = await runVerb("data", ["export", "--username", "Alice", "--out", at("alice.jsonl")], environment);
    expect(again).toMatchObject({
      code: 1,
      errors: `${at("alice.jsonl")} is there already, and an export overwrites nothing.\n`,
    });
    const nowhere = await runVerb(
      "data",
      ["export", "--username", "Alice", "--out", at("none/alice.jsonl")],
      environment,
    );
    expect(nowhere).toMatchObject({
      code: 1,
      errors: `${at("none/alice.jsonl")} cannot be made: ${at("none")} is no directory that you can write to.\n`,
    });
    await writeFile(at("other.jsonl.partial"), "what another export has written");
    const beside = await runVerb("data", ["export", "--username", "Alice", "--out", at("other.jsonl")], environment);
    expect(beside).toMatchObject({ code: 1, errors: expect.stringContaining("another export is writing it") });
    expect(await readFile(at("other.jsonl.partial"), "utf8")).toBe("what another export has written");

    await runVerb("data", ["delete", "--username", "Alice"], environment);
    await runVerb("data", ["export", "--principal", principal, "--out", at("left.jsonl")], environment);
    expect(await readFile(at("left.jsonl"), "utf8")).toBe("");
    expect((await fetch(`${baseUrl}/trivia/games/${games[1]?.["game_id"]}`)).status).toBe(404);
    expect(await service.end("SIGTERM")).toBe(0);
  });
});

/** Begins a game and answers its first question; gives the game as it is then. */
async function play(baseUrl: string, wish: object, token?: string): Promise<Record<string, unknown>> {
  const post = async (path: string, body: object) => {
    const headers = { "content-type": "application/json", ...(token !== undefined && authorized(token)) };
    const response = await fetch(baseUrl + path, { method: "POST", headers, body: JSON.stringify(body) });
    return (await response.json()) as Record<string, unknown>;
  };
  const { game_id: gameId } = await post("/trivia/games", wish);
  const { game } = await post(`/trivia/games/${gameId}/answers`, { number: 1, answer: "nobody" });
  return game as Record<string, unknown>;
}

describe("without a service", () => {
  const environment = () => ({ STORAGE_URL: `sqlite:${at("chat.db")}` });

  async function fill(): Promise<void> {
    const storage = await openSqliteStorage({
      path: at("chat.db"),
      onFatal: (error) => {
        throw error;
      },
    });
    await openTestSession(storage);
    for (const principal of ["guest:one", "guest:two"]) {
      const sessionId = principal.slice(6).padStart(32, "0");
      await storage.sessions.open({ sessionId, principal, username: "shared", title: null, instructions: null });
    }
    await storage.close();
  }

  test("the command deletes by itself, and leaves a file that holds everything", patience, async () => {
    await fill();
    const result = await runVerb("data", ["delete", "--username", "TR"], environment());
    expect(result).toEqual({ code: 0, output: "Deleted 1 session.\n", errors: "" });
    expect(await readdir(directory)).not.toContain("chat.db-wal");
    expect(await principalOf("TR", environment())).toBe("");
    expect(await principalOf("shared", environment())).toBe("guest:one");
  });

  test("a username that several use is nobody's to hand over or to delete", patience, async () => {
    await fill();
    for (const words of [
      ["delete", "--username", "shared"],
      ["export", "--username", "shared", "--out", at("shared.jsonl")],
    ]) {
      const result = await runVerb("data", words, environment());
      expect(result).toMatchObject({
        code: 1,
        output: "",
        errors: expect.stringMatching(/^2 principals use that username/),
      });
    }
    expect(await readdir(directory)).not.toContain("shared.jsonl");
    const named = ["delete", "--principal", "guest:two", "--username", "shared"];
    expect((await runVerb("data", named, environment())).output).toBe("Deleted 1 session.\n");
  });

  test("what is not said in full says how it is used, and deletes nothing", patience, async () => {
    await fill();
    for (const words of [
      [],
      ["delete"],
      ["export", "--principal", "guest:one"],
      ["list", "--principal", "guest:one"],
      ["delete", "--principal", "guest:one", "more"],
      ["delete", "--everything"],
    ]) {
      const result = await runVerb("data", words, environment());
      expect(result.code).toBe(64);
      expect(result.errors).toContain("npm run data -- export");
      if (words[0] === "export") expect(result.errors).toContain("--out must name the file");
    }
    expect(await principalOf("shared", environment())).toBe("guest:one");
  });

  test("what is not there, or of another version, is named in a sentence", async () => {
    expect(await runVerb("data", ["list"], environment())).toMatchObject({
      code: 1,
      errors: expect.stringMatching(/^There is no .*chat\.db; start the service once/),
    });
    expect((await runVerb("data", ["list"], { STORAGE_URL: "sqlite::memory:" })).errors).toContain("keeps nothing");
  });
});
