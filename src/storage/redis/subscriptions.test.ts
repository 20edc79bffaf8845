import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type RedisServer, startRedisServer } from "../../../test/helpers/redis-server.ts";
import { Subscriptions } from "./subscriptions.ts";

let server: RedisServer;
let subscriptions: Subscriptions;

beforeEach(async () => {
  server = await startRedisServer();
  subscriptions = new Subscriptions(server.url);
});
afterEach(async () => {
  subscriptions.close();
  await server.close();
});

function listen(channel: string) {
  const heard: string[] = [];
  const listener = (message: string) => void heard.push(message);
  subscriptions.add(channel, listener);
  return { heard, listener };
}

const untilHeard = (heard: readonly string[], message: string) =>
  expect.poll(() => heard, { timeout: 10_000 }).toContain(message);

const listenersOf = async (channel: string) =>
  Number(((await server.command("PUBSUB", "NUMSUB", channel)) as unknown[])[1]);

describe("subscriptions", () => {
  test("G11: tell whoever listens to look as soon as something said would be heard, and again after a lost connection", async () => {
    const { heard } = listen("chat:a");
    await expect.poll(() => listenersOf("chat:a")).toBe(1);
    await untilHeard(heard, "subscribed");
    await server.command("PUBLISH", "chat:a", "one");
    await untilHeard(heard, "one");
    const before = heard.length;
    await server.command("CLIENT", "KILL", "TYPE", "pubsub");
    await expect.poll(() => heard.length, { timeout: 10_000 }).toBeGreaterThan(before);
    await expect.poll(() => listenersOf("chat:a"), { timeout: 10_000 }).toBe(1);
    await server.command("PUBLISH", "chat:a", "two");
    await untilHeard(heard, "two");
  });

  test("hear what is said after the last listener left and another one came at once", async () => {
    const { heard, listener } = listen("chat:a");
    await expect.poll(() => listenersOf("chat:a"), { timeout: 10_000 }).toBe(1);
    await untilHeard(heard, "subscribed");
    subscriptions.remove("chat:a", listener);
    const second = listen("chat:a");
    await untilHeard(second.heard, "subscribed");
    await server.command("PUBLISH", "chat:a", "said");
    await untilHeard(second.heard, "said");
  });

  test("are given up on the server when nobody listens any more", async () => {
    const { listener } = listen("chat:a");
    const { listener: other } = listen("chat:a");
    await expect.poll(() => listenersOf("chat:a"), { timeout: 10_000 }).toBe(1);
    subscriptions.remove("chat:a", listener);
    await server.command("PING");
    expect(await listenersOf("chat:a")).toBe(1);
    subscriptions.remove("chat:a", other);
    await expect.poll(() => listenersOf("chat:a")).toBe(0);
  });

  test("find out that a silent connection does not work any more", async () => {
    const { heard } = listen("chat:a");
    await untilHeard(heard, "subscribed");
    const before = heard.length;
    server.pause();
    await new Promise((resolve) => setTimeout(resolve, 8_000));
    server.resume();
    await expect.poll(() => heard.length, { timeout: 10_000 }).toBeGreaterThan(before);
  });
});
