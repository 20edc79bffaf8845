import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type RedisServer, startRedisServer } from "../../../test/helpers/redis-server.ts";
import { grantValues, scripts } from "./script.ts";

let server: RedisServer;

beforeAll(async () => {
  server = await startRedisServer();
});
afterAll(() => server.close());

describe.each(Object.entries(scripts))("the script %s", (_name, { source, sha }) => {
  test("is taken by the server, and known there by the name that we give it", async () => {
    expect(await server.command("SCRIPT", "LOAD", source)).toBe(sha);
  });

  test("touches no key but those that begin with the one that it is given, and those that are about all sessions", () => {
    for (const [key] of source.matchAll(/redis\.call\('[A-Z]+', '[^']*'/g)) {
      expect(key).toMatch(/'(TIME|INFO|PUBLISH)'/);
    }
  });
});

test("who may read and write is the owner by his whole name, or any guest", () => {
  expect(grantValues({ by: "owner", principal: "key:service" })).toEqual(["exactly", "key:service"]);
  expect(grantValues({ by: "capability" })).toEqual(["prefix", "guest:"]);
});
