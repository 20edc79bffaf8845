import { setTimeout as delay } from "node:timers/promises";
import { expect, it } from "vitest";
import { startTestServer } from "../../test/helpers/http-server.ts";
import { openConnection } from "../../test/helpers/http-socket.ts";

it("C8: a reader that does not take an answer that was written at once is cut off by a reset; one that takes it is not", async () => {
  const test = await startTestServer({ config: { maxDeliveryMs: 2_000 } });
  const { sessionId } = await test.openSession();
  // More than the kernel takes in for a reader: JSON escapes each of these characters with six.
  for (let count = 0; count < 40; count += 1) test.model.say("\u0001".repeat(50_000));
  test.model.finish();
  await (await test.ask(sessionId)).text();
  const headers = { accept: "application/json" };
  const stalled = await openConnection(test.port);
  stalled.socket.pause();
  stalled.send(`GET /chat/${sessionId}/1 HTTP/1.1\r\nHost: localhost\r\nAccept: application/json\r\n\r\n`);
  const read = await (await fetch(`${test.url}/chat/${sessionId}/1`, { headers })).text();
  expect(read.length).toBeGreaterThan(12_000_000);
  await delay(2_200);
  stalled.socket.resume();
  expect(await stalled.closed).toBe("ECONNRESET");
  expect(stalled.received().length).toBeLessThan(read.length);
  await test.close();
});
