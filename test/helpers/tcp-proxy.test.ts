/** A proxy that did not do what it is told would make every test that uses it prove nothing. */
import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { openConnection } from "./http-socket.ts";
import { seededRandom } from "./seeded-random.ts";
import { randomPlan, startTcpProxy, type TcpProxy } from "./tcp-proxy.ts";

let server: Server;
/** How the last connection to the server ended. */
let ended: Promise<string>;
let accepted: Socket;
let proxy: TcpProxy;

/** Sends 10,000 digits for each line that it receives. */
beforeAll(async () => {
  server = createServer({ allowHalfOpen: true }, (socket) => {
    accepted = socket;
    ended = new Promise((resolve) => {
      socket.on("error", () => resolve("reset"));
      socket.on("end", () => resolve("end"));
    });
    socket.on("data", () => socket.write("0123456789".repeat(1_000)));
    socket.on("end", () => socket.end());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
});

afterAll(() => void server.close());

beforeEach(async () => {
  proxy = await startTcpProxy((server.address() as AddressInfo).port);
});

afterEach(async () => {
  await proxy.close();
  expect(proxy.openCount).toBe(0);
});

async function ask() {
  const connection = await openConnection(proxy.port);
  connection.send("more\n");
  return connection;
}

/** The error code with which a connection ends; it may come before or after the connection stands. */
function failureOf(asking: ReturnType<typeof ask>): Promise<string | undefined> {
  return asking.then(
    (connection) => connection.closed,
    (error: NodeJS.ErrnoException) => error.code,
  );
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await delay(5);
}

describe("the proxy", () => {
  it("forwards both ways, and passes on a proper end", async () => {
    const connection = await ask();
    await until(() => connection.received().length === 10_000);
    connection.socket.end();
    expect(await ended).toBe("end");
    expect(await connection.closed).toBeUndefined();
    await until(() => proxy.openCount === 0);
    expect(proxy.connectionCount).toBe(1);
    expect(proxy.sentBytes).toBe(10_000);
  });

  it("passes on a reset, from either side", async () => {
    const first = await ask();
    await until(() => first.received() !== "");
    accepted.resetAndDestroy();
    expect(await first.closed).toBe("ECONNRESET");
    const second = await ask();
    await until(() => second.received() !== "");
    second.socket.resetAndDestroy();
    expect(await ended).toBe("reset");
  });

  it.each([
    ["end", undefined],
    ["reset", "ECONNRESET"],
  ] as const)("cuts every connection by %s when it is told to", async (kind, error) => {
    const connection = await ask();
    await until(() => connection.received().length === 10_000);
    expect(proxy.cut(kind)).toBe(1);
    expect(await connection.closed).toBe(error);
    expect(await ended).toBe("reset");
  });

  it.each([1, 4_321, 10_000])("cuts after exactly %d bytes, and only the connection that is meant", async (bytes) => {
    proxy.plan((index) => (index === 1 ? { cutAfterBytes: bytes } : {}));
    const [first, second] = [await ask(), await ask()];
    expect(await second.closed).toBeUndefined();
    expect(second.received()).toBe("0123456789".repeat(1_000).slice(0, bytes));
    await until(() => first.received().length === 10_000);
    expect(first.socket.destroyed).toBe(false);
  });

  it("cuts at once after 0 bytes, and by a reset never shows more than was planned", async () => {
    proxy.plan((index) => ({ cutAfterBytes: index * 500, cutKind: "reset" }));
    expect(["ECONNRESET", "EPIPE"]).toContain(await failureOf(ask()));
    const second = await ask();
    expect(await second.closed).toBe("ECONNRESET");
    expect(second.received().length).toBeLessThanOrEqual(500);
  });

  it("stalls after so many bytes: nobody is told, nothing goes either way", async () => {
    proxy.plan(() => ({ stallAfterBytes: 100 }));
    const connection = await ask();
    await until(() => connection.received().length === 100);
    connection.send("more\n");
    await delay(100);
    expect(connection.received().length).toBe(100);
    expect(connection.socket.destroyed).toBe(false);
    expect(accepted.destroyed).toBe(false);
    expect(accepted.bytesRead).toBe("more\n".length);
  });

  it("stalls all connections until they may go on, and loses nothing", async () => {
    const connection = await ask();
    await until(() => connection.received().length === 10_000);
    proxy.stall();
    connection.send("more\n");
    const later = await ask();
    await delay(100);
    expect([connection.received().length, later.received().length]).toEqual([10_000, 0]);
    proxy.resume();
    await until(() => connection.received().length === 20_000 && later.received().length === 10_000);
  });

  it("holds back, and lets through no more than so many bytes a second", async () => {
    proxy.plan((index) => (index === 0 ? { delayMs: 150 } : { bytesPerSecond: 40_000 }));
    let began = performance.now();
    const late = await ask();
    await until(() => late.received().length === 10_000);
    expect(performance.now() - began).toBeGreaterThan(290);
    began = performance.now();
    const slow = await ask();
    await until(() => slow.received().length === 10_000);
    expect(performance.now() - began).toBeGreaterThan(200);
  });

  it("refuses, and takes connections again", async () => {
    proxy.refuse(true);
    expect(["ECONNRESET", "EPIPE"]).toContain(await failureOf(ask()));
    proxy.refuse(false);
    const taken = await ask();
    await until(() => taken.received().length === 10_000);
  });
});

describe("seeded randomness", () => {
  it("gives the same plans for the same seed, others for another", () => {
    const plans = (seed: number) => {
      const random = seededRandom(seed);
      return Array.from({ length: 50 }, () => randomPlan(random, { withinBytes: 5_000, stalls: true }));
    };
    expect(plans(7)).toEqual(plans(7));
    expect(plans(7)).not.toEqual(plans(8));
    const places = plans(7).flatMap(({ cutAfterBytes }) => cutAfterBytes ?? []);
    expect(Math.max(...places)).toBeLessThanOrEqual(5_000);
    expect(new Set(places).size).toBeGreaterThan(20);
  });
});
