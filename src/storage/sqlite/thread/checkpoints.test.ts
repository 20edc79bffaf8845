import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Checkpoints } from "./checkpoints.ts";

let directory: string;
let file: string;
let writer: DatabaseSync;
let checkpoints: Checkpoints;

beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), "chat-checkpoints-"));
  file = path.join(directory, "chat.db");
  writer = new DatabaseSync(file, { timeout: 5_000 });
  writer.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; CREATE TABLE words (word TEXT)");
  checkpoints = new Checkpoints(writer);
});
afterEach(async () => {
  writer.close();
  await rm(directory, { recursive: true });
});

const megabyte = 1024 * 1024;

async function logBytes(): Promise<number> {
  return (await stat(`${file}-wal`)).size;
}

/** Writes about so many megabytes, a commit each. */
function write(megabytes: number, afterEach = () => checkpoints.afterCommit()): void {
  const insert = writer.prepare("INSERT INTO words VALUES (?)");
  for (let written = 0; written < megabytes; written += 1) {
    insert.run("x".repeat(megabyte));
    afterEach();
  }
}

describe("F8: the write-ahead log", () => {
  test("does not grow beyond a few megabytes while nobody reads for long", async () => {
    write(100);
    expect(await logBytes()).toBeLessThan(10 * megabyte);
  });

  test("the negative control: grows without end where nobody brings it in", async () => {
    write(100, () => undefined);
    expect(await logBytes()).toBeGreaterThan(100 * megabyte);
  });

  test("that cannot be brought in now, as on a full disk, fails no commit and is brought in a moment later", async () => {
    write(2, () => undefined);
    const { prepare } = writer;
    let refusals = 0;
    const full = Object.assign(new Error("database or disk is full"), { errcode: 13 });
    writer.prepare = (sql) => {
      const statement = prepare.call(writer, sql);
      if (!sql.includes("PASSIVE")) return statement;
      const get = statement.get.bind(statement);
      statement.get = () => {
        refusals += 1;
        if (refusals === 1) throw full;
        return get();
      };
      return statement;
    };
    const refused = new Checkpoints(writer);
    write(10, () => refused.afterCommit());
    expect(refusals).toBe(1);
    await delay(1_100);
    write(1, () => refused.afterCommit());
    expect(refusals).toBe(2);
  });

  test("is emptied soon after a reader that kept it from shrinking is done, and no write waits for that reader", async () => {
    const reader = new DatabaseSync(file, { readOnly: true });
    reader.exec("BEGIN");
    reader.prepare("SELECT count(*) FROM words").get();
    write(80);
    expect(await logBytes()).toBeGreaterThan(64 * megabyte);
    const began = performance.now();
    await delay(1_100);
    checkpoints.afterCommit();
    expect(performance.now() - began).toBeLessThan(3_000);
    reader.exec("ROLLBACK");
    reader.close();
    await delay(1_100);
    write(1);
    expect(await logBytes()).toBeLessThan(10 * megabyte);
  });
});
