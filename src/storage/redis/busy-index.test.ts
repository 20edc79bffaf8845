import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type RedisServer, startRedisServer } from "../../../test/helpers/redis-server.ts";
import { Connection } from "./connection.ts";
import { busyKey } from "./keys.ts";
import { listOf } from "./rows.ts";
import { scripts } from "./script.ts";

let server: RedisServer;
let connection: Connection;

beforeEach(async () => {
  server = await startRedisServer();
  const ready = Promise.withResolvers<void>();
  connection = new Connection({ url: server.url, name: "test", onReady: ready.resolve });
  await ready.promise;
});
afterEach(async () => {
  connection.close();
  await server.close();
});

async function run(name: "touch-busy" | "take-due" | "forget-idle", ...values: readonly string[]) {
  const [outcome] = await connection.send([{ script: scripts[name], key: busyKey, values }]);
  return outcome;
}

const touch = (milliseconds: number, when: "at the latest" | "not before") =>
  run("touch-busy", String(milliseconds), when === "not before" ? "1" : "0", "s");

async function takeDue(): Promise<{ readonly due: string; readonly ids: readonly unknown[] }> {
  const [due, ids] = listOf((await run("take-due", "100", "5000")) as never);
  return { due: String(due), ids: listOf(ids) };
}

const isKnown = async () => (await server.command("ZSCORE", busyKey, "s")) !== null;

describe("the index of sessions that somebody has to look after", () => {
  test("gives one that is due to one alone, and again when nothing came of that", async () => {
    await touch(0, "at the latest");
    expect((await takeDue()).ids).toEqual(["s"]);
    expect((await takeDue()).ids).toEqual([]);
    expect(await isKnown()).toBe(true);
  });

  test("gives none before its time", async () => {
    await touch(60_000, "at the latest");
    expect((await takeDue()).ids).toEqual([]);
  });

  test("forgets one that is idle", async () => {
    await touch(0, "at the latest");
    const { due } = await takeDue();
    await run("forget-idle", due, "s");
    expect(await isKnown()).toBe(false);
  });

  test("keeps one that got something to do after it was found idle", async () => {
    await touch(0, "at the latest");
    const { due } = await takeDue();
    await touch(60_000, "at the latest");
    await run("forget-idle", due, "s");
    expect(await isKnown()).toBe(true);
  });

  test("has it looked after at the earlier time where two are named, and later while its worker gives signs of life", async () => {
    await touch(60_000, "at the latest");
    await touch(0, "at the latest");
    await touch(60_000, "at the latest");
    expect((await takeDue()).ids).toEqual(["s"]);
    await touch(0, "at the latest");
    await touch(60_000, "not before");
    expect((await takeDue()).ids).toEqual([]);
  });
});
