/** P18: a migration that is killed, and backups under load, again and again: nothing is lost, and nothing is half done. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { copyFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, beforeEach, expect, test } from "vitest";
import { backUpDatabase, restoreDatabase } from "../../src/storage/sqlite/copies.ts";
import { openSqliteStorage } from "../../src/storage/sqlite/open.ts";
import { migrate, schemaVersion } from "../../src/storage/sqlite/schema.ts";
import { endWithTests } from "../helpers/left-over.ts";
import { beginTurn, capability, openTestSession, turnEvents } from "../helpers/storage.ts";
import { size } from "./sizes.ts";

const connection = path.join(import.meta.dirname, "../../src/storage/sqlite/connection.ts");
const { started, text, ended } = turnEvents;

let directory: string;
const at = (name: string) => path.join(directory, name);

beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), "chat-upgrades-"));
});
afterEach(() => rm(directory, { recursive: true }));

/** Everything that makes a schema. */
function schemaOf(database: DatabaseSync): unknown {
  return database.prepare("SELECT type, name, sql FROM sqlite_schema ORDER BY type, name").all();
}

function schemaAt(version: number): unknown {
  const database = new DatabaseSync(":memory:");
  migrate(database, version);
  return schemaOf(database);
}

/** A file of the first version, large enough that its migration takes a while. */
function makeOldFile(file: string, sessions: number): void {
  const database = new DatabaseSync(file);
  database.exec("PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL");
  migrate(database, 1);
  database.exec("BEGIN; INSERT INTO principals VALUES ('guest:test', 1)");
  const open = database.prepare(`
    INSERT INTO sessions (session_id, owner, username, created_at, updated_at, newest_turn)
    VALUES (?, 'guest:test', 'TR', 1, ?, 1)
  `);
  const ask = database.prepare(`
    INSERT INTO turns (session, turn, status, epoch, worker, boot, created_at, prompt)
    VALUES (?, 1, 'stopped', 1, 'w', 'b', 1, ?)
  `);
  for (let key = 1; key <= sessions; key += 1) {
    open.run(String(key).padStart(32, "0"), key);
    ask.run(key, `Prompt ${key} ${"x".repeat(300)}`);
  }
  database.exec("COMMIT");
  database.close();
}

/** Opens the file as the service does, in a process of its own that tells when it begins. */
function startMigration(file: string) {
  const script = `
    const { openWriter } = await import(${JSON.stringify(connection)});
    process.stdout.write("begins");
    openWriter(${JSON.stringify(file)}).close();
  `;
  const child = spawn(process.execPath, ["--input-type=module", "--eval", script]);
  endWithTests(child, () => child.kill("SIGKILL"));
  return { child, begins: once(child.stdout, "data"), gone: once(child, "exit") };
}

test("a migration that is killed at any moment leaves the version before a step or after it, and the next start finishes", {
  timeout: 600_000,
}, async () => {
  const sessions = 20_000;
  makeOldFile(at("old.db"), sessions);
  const unkilled = at("unkilled.db");
  await copyFile(at("old.db"), unkilled);
  const first = startMigration(unkilled);
  await first.begins;
  const began = performance.now();
  await first.gone;
  const whole = performance.now() - began;

  const found = new Set<number>();
  // On a busy machine a migration can take longer than the first one did; so the last kills come later and later, until
  // both sides of a step were seen.
  const isDone = (kill: number) => kill >= size.migrationKills && found.size > 1;
  for (let kill = 0; !isDone(kill) && kill < 3 * size.migrationKills; kill += 1) {
    const file = at(`killed-${kill}.db`);
    await copyFile(at("old.db"), file);
    const { child, begins, gone } = startMigration(file);
    await begins;
    await delay((whole * (kill + 1)) / size.migrationKills);
    child.kill("SIGKILL");
    await gone;

    const database = new DatabaseSync(file);
    const version = Number(database.prepare("PRAGMA user_version").get()?.["user_version"]);
    found.add(version);
    expect(schemaOf(database)).toEqual(schemaAt(version));
    expect(database.prepare("PRAGMA integrity_check").get()).toEqual({ integrity_check: "ok" });
    expect(database.prepare("SELECT count(*) AS turns FROM turns").get()).toEqual({ turns: sessions });
    database.close();
    const again = startMigration(file);
    expect(await again.gone).toEqual([0, null]);
    const finished = new DatabaseSync(file);
    expect(finished.prepare("PRAGMA user_version").get()).toEqual({ user_version: schemaVersion });
    expect(schemaOf(finished)).toEqual(schemaAt(schemaVersion));
    finished.close();
    await rm(file);
  }
  // Else no kill met a migration, and nothing was shown.
  expect(found.size).toBeGreaterThan(1);
});

test("each backup that is made under load has every prompt that was acknowledged before it", {
  timeout: 600_000,
}, async () => {
  const file = at("chat.db");
  const onFatal = (error: Error) => {
    throw error;
  };
  const storage = await openSqliteStorage({ path: file, onFatal });
  const acknowledged = new Map<string, string[]>();
  let goesOn = true;
  const talking = Array.from({ length: 20 }, async () => {
    const sessionId = await openTestSession(storage);
    const prompts: string[] = [];
    acknowledged.set(sessionId, prompts);
    while (goesOn) {
      const prompt = `Prompt ${prompts.length}`;
      const { lease } = await beginTurn(storage, sessionId, prompt);
      prompts.push(prompt);
      let head = await storage.turns.append(lease, -1, [started(lease)]);
      for (let piece = 0; piece < 5; piece += 1) head = await storage.turns.append(lease, head, [text("piece ")]);
      await storage.turns.settle(lease, head, [ended], { beginNext: true });
      if (prompts.length > 300) await delay(20);
    }
  });
  for (let round = 0; round < size.backups; round += 1) {
    await delay(50);
    const before = new Map([...acknowledged].map(([id, { length }]) => [id, length]));
    await backUpDatabase(file, at("copy.db"));
    await restoreDatabase(at("copy.db"), at("restored.db"), Date.now());
    const restored = await openSqliteStorage({ path: at("restored.db"), onFatal });
    for (const [sessionId, count] of before) {
      const { pages } = await restored.turns.history(capability, sessionId, {});
      const prompts = (await Array.fromAsync(pages)).flat().map(({ prompt }) => prompt);
      expect(prompts.slice(0, count)).toEqual(acknowledged.get(sessionId)?.slice(0, count));
    }
    await restored.close();
    for (const name of ["copy.db", "restored.db"]) await rm(at(name));
  }
  goesOn = false;
  await Promise.all(talking);
  await storage.close();
});
