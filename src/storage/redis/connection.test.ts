import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { sendRedisCommand } from "../../../test/helpers/redis-commands.ts";
import { type RedisServer, startRedisServer } from "../../../test/helpers/redis-server.ts";
import { isProblem } from "../../protocol/problems.ts";
import { Connection } from "./connection.ts";

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

const pings = (count: number) => connection.send(Array.from({ length: count }, () => ["PING"]));

describe("a connection", () => {
  test("gives what became of each command, in their order", async () => {
    const [number, refused, text, nothing] = await connection.send([
      ["INCR", "chat:a"],
      ["NONSENSE"],
      ["PING"],
      ["GET", "chat:b"],
    ]);
    expect([number, text, nothing]).toEqual([1, "PONG", null]);
    expect(refused).toMatchObject({ code: "storage_error" });
  });

  test("G3: refuses at once what goes beyond a thousand commands that wait for their answers", async () => {
    server.pause();
    const waiting = pings(1_000);
    const before = performance.now();
    expect((await pings(1)).every((outcome) => isProblem(outcome, "storage_unavailable"))).toBe(true);
    // Those that wait are given up after two seconds.
    expect(performance.now() - before).toBeLessThan(1_500);
    server.resume();
    expect(new Set(await waiting)).toEqual(new Set(["PONG"]));
    expect(await pings(1_000)).toHaveLength(1_000);
  });

  test("G3: keeps nothing for later while there is none", async () => {
    await server.kill();
    await expect.poll(() => connection.isReady).toBe(false);
    expect((await connection.send([["INCR", "chat:a"]]))[0]).toMatchObject({ code: "storage_unavailable" });
    await server.restart();
    await expect.poll(() => connection.isReady, { timeout: 10_000 }).toBe(true);
    expect(await connection.send([["GET", "chat:a"]])).toEqual([null]);
  });

  test("gives up a server that does not answer within two seconds, and is there again when that does", async () => {
    server.pause();
    expect((await pings(1))[0]).toMatchObject({ code: "storage_unavailable" });
    server.resume();
    await expect.poll(() => connection.isReady, { timeout: 10_000 }).toBe(true);
    expect(await pings(1)).toEqual(["PONG"]);
  });

  test("G18: tries again for ever where nobody is told that it was refused", async () => {
    await server.command("CONFIG", "SET", "requirepass", "right");
    const other = new Connection({ url: server.url, name: "test" });
    const told: string[] = [];
    const refused = new Connection({ url: server.url, name: "test", onRefused: (sentence) => told.push(sentence) });
    await expect.poll(() => told).toEqual(["It refuses the name or the password."]);
    await sendRedisCommand(server.port, "right", ["CONFIG", "SET", "requirepass", ""]);
    await expect.poll(() => other.isReady, { timeout: 10_000 }).toBe(true);
    expect(refused.isReady).toBe(false);
    other.close();
    refused.close();
  });
});
