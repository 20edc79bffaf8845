import { execFileSync } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openConnection } from "../../test/helpers/http-socket.ts";
import { mostConnections, openLoadGauges, readDescriptorLimit } from "./load-gauges.ts";
import type { LoadGauges } from "./overload.ts";

let server: Server;
let gauges: LoadGauges;

beforeEach(() => {
  server = createServer((_, response) => response.end());
  gauges = openLoadGauges(server, 10, () => 0);
});
afterEach(() => {
  gauges.stop();
  server.close();
});

const block = (milliseconds: number) => {
  const until = performance.now() + milliseconds;
  while (performance.now() < until);
};

/** Resolves once the loop was not held up for half a second, which on a busy machine others may do. */
async function quiet(): Promise<void> {
  const look = async () => {
    await delay(500);
    return gauges.takeLoopDelay();
  };
  await expect.poll(look, { timeout: 20_000 }).toBeLessThan(150);
}

describe("load gauges", () => {
  it("H6: tell a loop that is held up from one that is not, and forget what was told", async () => {
    await quiet();
    for (let count = 0; count < 5; count += 1) {
      block(250);
      await delay(1);
    }
    expect(gauges.takeLoopDelay()).toBeGreaterThan(200);
    await quiet();
  });

  it("H7: count descriptors and connections as they come and go", async () => {
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const before = gauges.descriptorShare();
    const opened = Array.from({ length: 50 }, () => openSync("/dev/null", "r"));
    expect((gauges.descriptorShare() - before) * readDescriptorLimit()).toBeCloseTo(50, 0);
    for (const descriptor of opened) closeSync(descriptor);
    expect(gauges.freeConnections()).toBe(10);
    const { port } = server.address() as AddressInfo;
    const connections = await Promise.all([openConnection(port), openConnection(port)]);
    await expect.poll(() => gauges.freeConnections()).toBe(8);
    for (const { socket } of connections) socket.destroy();
    await expect.poll(() => gauges.freeConnections()).toBe(10);
  });

  it("H7: connections may have 80 % of the descriptors, and never more than 20,000", () => {
    expect(mostConnections(256)).toBe(204);
    expect(mostConnections(20_000)).toBe(16_000);
    expect(mostConnections(1_000_000)).toBe(20_000);
    expect(mostConnections(Number.POSITIVE_INFINITY)).toBe(20_000);
    expect(readDescriptorLimit()).toBeGreaterThan(100);
  });

  // The greater the heap, the less it matters that V8 counts the young generation as well.
  it.each([64, 200, 400])("H6: a heap of %d MB is nearly full shortly before it ends the process", (megabytes) => {
    const script = `
      import { oldGenerationShare } from ${JSON.stringify(path.join(import.meta.dirname, "load-gauges.ts"))};
      const hoard = [];
      while (hoard.length < ${megabytes} * 0.9) hoard.push(Array.from({ length: 131_072 }, () => 0.5));
      console.log(oldGenerationShare());
    `;
    const flags = [`--max-old-space-size=${megabytes}`, "--input-type=module", "--eval", script];
    const share = Number(execFileSync(process.execPath, flags, { encoding: "utf8" }));
    expect(share).toBeGreaterThan(0.85);
    expect(share).toBeLessThan(1.1);
  });
});
