/** Copies of the database: made under load, put back, made by themselves, and before the tables change (F14, F5, K9, P18). */
import { mkdir, mkdtemp, open, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Log } from "../src/log.ts";
import { Backups } from "../src/storage/sqlite/backups.ts";
import { backUpDatabase, restoreDatabase } from "../src/storage/sqlite/copies.ts";
import { openSqliteStorage } from "../src/storage/sqlite/open.ts";
import { migrate, schemaVersion } from "../src/storage/sqlite/schema.ts";
import type { Storage } from "../src/storage/storage.ts";
import { ask, openSession, readHistory } from "./helpers/client.ts";
import { runVerb } from "./helpers/commands.ts";
import { startService } from "./helpers/service.ts";
import { beginTurn, capability, openTestSession, silentLog, turnEvents } from "./helpers/storage.ts";

const hour = 60 * 60_000;
const { started, text, ended } = turnEvents;

/** Processes of their own may take a while to start on a busy machine. */
const patience = { timeout: 120_000 };

let directory: string;
let file: string;
const at = (name: string) => path.join(directory, name);

beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), "chat-backups-"));
  file = at("chat.db");
});
afterEach(() => rm(directory, { recursive: true }));

function openStorage(name = file): Promise<Storage> {
  return openSqliteStorage({
    path: name,
    onFatal: (error) => {
      throw error;
    },
  });
}

async function isOpenToOthers(name: string): Promise<boolean> {
  return ((await stat(name)).mode & 0o077) !== 0;
}

async function answer(storage: Storage, sessionId: string, prompt: string): Promise<void> {
  const { lease } = await beginTurn(storage, sessionId, prompt);
  await storage.turns.settle(lease, -1, [started(lease), text("said"), ended], { beginNext: true });
}

async function promptsIn(storage: Storage, sessionId: string): Promise<string[]> {
  const { pages } = await storage.turns.history(capability, sessionId, {});
  return (await Array.fromAsync(pages)).flat().map(({ prompt }) => prompt);
}

describe("F14: a backup", () => {
  test(
    "that is made while prompts come in has each that was acknowledged before, and is put back by the command",
    patience,
    async () => {
      const service = await startService({ STORAGE_URL: `sqlite:${file}`, DEMO_WORD_DELAY_MS: "1" });
      const acknowledged = new Map<string, string[]>();
      let goesOn = true;
      const talking = Array.from({ length: 8 }, async (_, sender) => {
        const { sessionId } = await openSession(service.baseUrl);
        const prompts: string[] = [];
        acknowledged.set(sessionId, prompts);
        for (let count = 0; goesOn; count += 1) {
          const prompt = `Prompt ${count} of ${sender}`;
          await ask(service.baseUrl, sessionId, prompt);
          prompts.push(prompt);
        }
      });
      const fewest = () => Math.min(...[...acknowledged.values()].map(({ length }) => length));
      await expect.poll(() => acknowledged.size === 8 && fewest() > 1, { timeout: 60_000 }).toBe(true);
      const copies: { readonly name: string; readonly before: ReadonlyMap<string, readonly string[]> }[] = [];
      for (let round = 0; round < 2; round += 1) {
        const before = new Map([...acknowledged].map(([id, prompts]) => [id, [...prompts]]));
        const name = at(`backup-${round}.db`);
        const made = await runVerb("backup", [name], { STORAGE_URL: `sqlite:${file}` });
        expect(made).toMatchObject({ code: 0, output: `${name} is a backup of ${file}.\n` });
        copies.push({ name, before });
      }
      goesOn = false;
      await Promise.all(talking);
      expect(await service.end("SIGTERM")).toBe(0);

      for (const { name, before } of copies) {
        expect((await runVerb("restore", [name], { STORAGE_URL: `sqlite:${file}` })).code).toBe(0);
        const restored = await openStorage();
        for (const [sessionId, prompts] of before) {
          expect(await promptsIn(restored, sessionId)).toEqual(expect.arrayContaining([...prompts]));
        }
        await restored.close();
      }
      // Nothing that was replaced is lost.
      const replaced = (await readdir(directory)).filter((name) => /^chat\.db\.replaced-\d{8}T\d{6}Z/.test(name));
      expect(replaced).toHaveLength(copies.length);
    },
  );

  test("K9: is for its owner alone from its first byte on, one file, and overwrites nothing", async () => {
    const storage = await openStorage();
    const sessionId = await openTestSession(storage);
    await answer(storage, sessionId, "x".repeat(1_000_000));
    const previous = process.umask(0);
    try {
      await backUpDatabase(file, at("copy.db"));
    } finally {
      process.umask(previous);
    }
    expect((await readdir(directory)).filter((name) => name.startsWith("copy"))).toEqual(["copy.db"]);
    expect(await isOpenToOthers(at("copy.db"))).toBe(false);
    await expect(backUpDatabase(file, at("copy.db"))).rejects.toThrow(
      /is there already, and a backup overwrites nothing/,
    );
    await expect(backUpDatabase(at("none.db"), at("none-copy.db"))).rejects.toThrow(
      /There is no .*none\.db; start the service once/,
    );
    await expect(backUpDatabase(":memory:", at("none-copy.db"))).rejects.toThrow(/keeps nothing/);
    expect((await readdir(directory)).filter((name) => name.startsWith("none"))).toEqual([]);
    await storage.close();
  });

  test("that is put back takes an answer up which was running, and its followers are told to forget what they saw", async () => {
    const storage = await openStorage();
    const sessionId = await openTestSession(storage);
    const { lease } = await beginTurn(storage, sessionId);
    const head = await storage.turns.append(lease, -1, [started(lease), text("seen")]);
    await backUpDatabase(file, at("copy.db"));
    await storage.turns.append(lease, head, [text(", and more")]);
    await storage.close();
    await restoreDatabase(at("copy.db"), file, Date.now());
    const restored = await openStorage();
    const { lapsed } = await restored.turns.claim();
    expect(lapsed).toMatchObject([{ text: "seen", tailMayBeLost: true }]);
    await restored.close();
  });
});

describe("putting a backup back", () => {
  async function makeBackup(): Promise<string> {
    const storage = await openStorage();
    await answer(storage, await openTestSession(storage), "kept");
    await backUpDatabase(file, at("copy.db"));
    await storage.close();
    return at("copy.db");
  }

  /** All files by their names and sizes. */
  async function files(): Promise<unknown> {
    const names = (await readdir(directory)).filter((name) => !/\.(lock|reserve)$/.test(name));
    return Promise.all(names.map(async (name) => [name, (await stat(at(name))).size]));
  }

  test("is refused while a server uses the file, in a sentence and with nothing changed", async () => {
    const copy = await makeBackup();
    const storage = await openStorage();
    const result = await runVerb("restore", [copy], { STORAGE_URL: `sqlite:${file}` });
    expect(result).toMatchObject({ code: 1, output: "" });
    expect(result.errors).toMatch(/^Another server already uses .*stop it/);
    expect(await readdir(directory)).not.toContain("chat.db.restoring");
    await storage.close();
  });

  test.each([
    ["that is damaged", /is damaged/, async (copy: string) => overwrite(copy, 40_960)],
    [
      "that is no database",
      /is damaged or no database/,
      async (copy: string) => writeFile(copy, "words ".repeat(2_000)),
    ],
    [
      "of another program",
      /belongs to another program/,
      async (copy: string) => execute(copy, "PRAGMA application_id = 7"),
    ],
    [
      "of a newer version",
      new RegExp(`has schema ${schemaVersion + 1} and this version knows ${schemaVersion}`),
      async (copy: string) => execute(copy, `PRAGMA user_version = ${schemaVersion + 1}`),
    ],
    ["that is not there", /There is no .*copy\.db/, async (copy: string) => rm(copy)],
  ])("F5: one %s is refused, and everything is as it was", async (_, reason, spoil) => {
    const copy = await makeBackup();
    await spoil(copy);
    const before = await files();
    await expect(restoreDatabase(copy, file, Date.now())).rejects.toThrow(reason);
    expect(await files()).toEqual(before);
    const storage = await openStorage();
    expect((await storage.sessions.list("guest:test", { username: "TR", limit: 9 })).sessions).toHaveLength(1);
    await storage.close();
  });

  test("F5: a damaged file is moved aside with its log, for this user alone, and the start names the command", async () => {
    const copy = await makeBackup();
    await overwrite(file, 0);
    await expect(openStorage()).rejects.toThrow(/npm run restore -- FILE/);
    await writeFile(`${file}-wal`, "what a crash left");
    const { replaced } = await restoreDatabase(copy, file, Date.UTC(2026, 10, 28, 4, 5, 6));
    expect(replaced).toMatch(/chat\.db\.replaced-20261128T040506Z$/);
    expect(await readdir(directory)).toEqual(
      expect.arrayContaining(["chat.db.replaced-20261128T040506Z", "chat.db.replaced-20261128T040506Z-wal"]),
    );
    expect(await isOpenToOthers(file)).toBe(false);
    const storage = await openStorage();
    expect((await storage.sessions.list("guest:test", { username: "TR", limit: 9 })).sessions).toHaveLength(1);
    await storage.close();
  });

  test("where there was nothing makes the directory and the file", async () => {
    const copy = await makeBackup();
    const result = await runVerb("restore", [copy], { STORAGE_URL: `sqlite:${at("new/chat.db")}` });
    expect(result).toEqual({ code: 0, output: `${at("new/chat.db")} is what ${copy} was.\n`, errors: "" });
    await (await openStorage(at("new/chat.db"))).close();
  });

  test("of which nothing can be made where it is to be says so in a sentence", async () => {
    await (await openStorage()).close();
    for (const directoryOfNone of ["none", "chat.db"]) {
      const target = at(`${directoryOfNone}/copy.db`);
      expect(await runVerb("backup", [target], { STORAGE_URL: `sqlite:${file}` })).toEqual({
        code: 1,
        output: "",
        errors: `${target} cannot be made: ${at(directoryOfNone)} is no directory that you can write to.\n`,
      });
    }
  });

  test.each([
    ["backup", []],
    ["backup", ["one.db", "two.db"]],
    ["restore", []],
  ])("%s %j says how it is used", async (verb, words) => {
    const result = await runVerb(verb, words, { STORAGE_URL: `sqlite:${file}` });
    expect(result.code).toBe(64);
    expect(result.errors).toContain(`npm run ${verb} -- FILE`);
  });
});

describe("backups that are made by themselves", () => {
  let now: number;
  let storage: Storage;

  beforeEach(async () => {
    now = Date.UTC(2026, 10, 28, 4);
    storage = await openStorage();
    await openTestSession(storage);
  });
  afterEach(() => storage.close());

  function plan(facts: { keep: number }, log: Log = silentLog): Backups {
    return new Backups({ directory: at("copies"), everyMs: hour, path: file, clock: () => now, log, ...facts });
  }

  test("come each so many hours, also over restarts, and the newest are kept beside files of others", async () => {
    await mkdir(at("copies"));
    await writeFile(at("copies/notes.txt"), "not ours");
    const backups = plan({ keep: 2 });
    for (const minutes of [0, 59, 2, 60, 61]) {
      now += minutes * 60_000;
      await backups.makeIfDue();
    }
    await backups.close();
    const again = plan({ keep: 2 });
    await again.makeIfDue();
    await again.close();
    expect((await readdir(at("copies"))).sort()).toEqual([
      "chat-20261128T060100Z.db",
      "chat-20261128T070200Z.db",
      "notes.txt",
    ]);
    expect(await isOpenToOthers(at("copies/chat-20261128T070200Z.db"))).toBe(false);
    await restoreDatabase(at("copies/chat-20261128T070200Z.db"), at("restored.db"), now);
  });

  test("that fail are in the log once, leave nothing half made, and come as soon as they can", async () => {
    const complaints: unknown[] = [];
    const log: Log = { ...silentLog, error: (facts) => void complaints.push(facts) };
    await writeFile(at("copies"), "a file in the place of the directory");
    const backups = plan({ keep: 2 }, log);
    await backups.makeIfDue();
    await backups.makeIfDue();
    expect(complaints).toHaveLength(1);
    await rm(at("copies"));
    await backups.makeIfDue();
    expect(await readdir(at("copies"))).toEqual(["chat-20261128T040000Z.db"]);
    await backups.close();
  });

  test("are made by the service where BACKUP_DIR says so", async () => {
    await storage.close();
    const service = await startService({ STORAGE_URL: `sqlite:${file}`, BACKUP_DIR: at("copies") });
    const { sessionId } = await openSession(service.baseUrl);
    await ask(service.baseUrl, sessionId, "Hello");
    const made = async () => (await readdir(at("copies")).catch(() => [])).filter((name) => name.endsWith("Z.db"));
    await expect.poll(made, { timeout: 15_000 }).toHaveLength(1);
    expect(await readHistory(service.baseUrl, sessionId)).toHaveLength(2);
    expect(await service.end("SIGTERM")).toBe(0);
  });
});

describe("P18: a file of an earlier version", () => {
  const earlier = Array.from({ length: schemaVersion - 1 }, (_, index) => index + 1);

  /** As that version left it: with a session, a turn that ended and one that ran. */
  function makeFile(version: number): void {
    const database = new DatabaseSync(file);
    database.exec("PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL");
    migrate(database, version);
    database.exec(`
      INSERT INTO principals (principal, created_at) VALUES ('guest:test', 1), ('guest:gone', 1);
      INSERT INTO sessions (session_id, owner, username, title, created_at, updated_at, newest_turn)
      VALUES ('${"a".repeat(32)}', 'guest:test', 'TR', 'Title', 1, 2, 2);
      INSERT INTO turns (session, turn, status, epoch, worker, boot, answered, created_at, ended_at, prompt)
      VALUES (1, 1, 'completed', 1, 'w', 'b', 1, 1, 2, 'first'), (1, 2, 'running', 1, 'w', 'b', 0, 3, NULL, 'second');
      INSERT INTO events VALUES
      (1, 1, 0, 'turn', '{"session_id":"${"a".repeat(32)}","turn":1,"model":"m"}'),
      (1, 1, 4, 'text', 'said'),
      (1, 1, 5, 'end', '{"status":"completed","finish_reason":null,"usage":null,"model":"m"}');
    `);
    database.close();
  }

  test.each(earlier)("schema %i is opened with all that is in it, and a copy of it is kept", async (version) => {
    makeFile(version);
    const storage = await openStorage();
    const sessionId = "a".repeat(32);
    expect(await storage.sessions.read(capability, sessionId)).toMatchObject({ title: "Title", turns: 2, running: 2 });
    expect(await promptsIn(storage, sessionId)).toEqual(["first", "second"]);
    expect((await storage.turns.read(capability, sessionId, 1)).answer).toBe("said");
    expect((await storage.turns.claim()).lapsed).toMatchObject([{ prompt: "second" }]);
    expect(await storage.sessions.isKnown("guest:gone")).toBe(true);
    await storage.close();

    const copy = new DatabaseSync(`${file}.schema-${version}`, { readOnly: true });
    expect(copy.prepare("PRAGMA user_version").get()).toEqual({ user_version: version });
    expect(copy.prepare("SELECT count(*) AS turns FROM turns").get()).toEqual({ turns: 2 });
    copy.close();
    expect(await isOpenToOthers(`${file}.schema-${version}`)).toBe(false);
  });

  test("leaves no copies of versions before it, and a new file has none", async () => {
    makeFile(2);
    await writeFile(`${file}.schema-1`, "what was deleted since");
    await (await openStorage()).close();
    expect((await readdir(directory)).filter((name) => name.includes("schema"))).toEqual(["chat.db.schema-2"]);
    await (await openStorage(at("new.db"))).close();
    expect((await readdir(directory)).filter((name) => name.startsWith("new.db.schema"))).toEqual([]);
  });

  test("of which no copy can be made is refused in a sentence, and left as it was", async () => {
    makeFile(1);
    await mkdir(`${file}.schema-1`);
    await expect(openStorage()).rejects.toThrow(/older version, and no copy of it could be made/);
    const database = new DatabaseSync(file, { readOnly: true });
    expect(database.prepare("PRAGMA user_version").get()).toEqual({ user_version: 1 });
    database.close();
  });
});

async function overwrite(name: string, position: number): Promise<void> {
  const handle = await open(name, "r+");
  await handle.write("x".repeat(4_096), position);
  await handle.close();
}

function execute(name: string, sql: string): void {
  const database = new DatabaseSync(name);
  database.exec(sql);
  database.close();
}
