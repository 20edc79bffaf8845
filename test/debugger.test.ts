import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "vitest";
import { startService } from "./helpers/service.ts";

test("K7: SIGUSR1 opens no debugger", async () => {
  const service = await startService({});
  service.process.kill("SIGUSR1");
  // The debugger would say at once, and without a line break of JSON, that it listens.
  for (let look = 0; look < 10; look += 1) {
    await delay(50);
    expect((await fetch(`${service.baseUrl}/healthz`)).status).toBe(200);
  }
  await service.end("SIGTERM");
  expect(service.log.filter((line) => !line.startsWith("{"))).toEqual([]);
});
