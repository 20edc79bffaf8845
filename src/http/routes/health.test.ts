import { setTimeout as delay } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import { startTestServer, type TestServer } from "../../../test/helpers/http-server.ts";

let test: TestServer;

afterEach(() => test.close());

async function get(path: string): Promise<{ status: number; body: Record<string, unknown> }> {
  const response = await fetch(test.url + path);
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

/** A storage that works until it is told not to, and counts how often it is asked. */
async function start(options: { isDemo?: boolean } = {}) {
  const state = { checks: 0, failing: false, hanging: false };
  test = await startTestServer({
    ...options,
    storage: (real) => ({
      ...real,
      async check() {
        state.checks += 1;
        if (state.hanging) await new Promise(() => undefined);
        if (state.failing) throw new Error("SQLITE_IOERR");
        await real.check();
      },
    }),
  });
  return state;
}

describe("/healthz", () => {
  it("H11: answers without asking the storage", async () => {
    const state = await start();
    state.failing = true;
    expect(await get("/healthz")).toEqual({ status: 200, body: { status: "ok" } });
    expect(state.checks).toBe(0);
  });
});

describe("/readyz", () => {
  it("names each dependency, and says which model answers", async () => {
    await start();
    expect(await get("/readyz")).toEqual({
      status: 200,
      body: {
        status: "ready",
        load: { status: "ok", reasons: [] },
        dependencies: {
          storage: { status: "ok", kind: "sqlite", durability: "memory" },
          model: { status: "configured", name: "scripted", demo: false },
          identity: { mode: "guest" },
        },
      },
    });
  });

  it("says when the demo model answers", async () => {
    await start({ isDemo: true });
    expect((await get("/readyz")).body).toMatchObject({ dependencies: { model: { demo: true } } });
  });

  it("H11: asks the storage once a second at most, however often it is asked itself", async () => {
    const state = await start();
    await Promise.all(Array.from({ length: 20 }, () => get("/readyz")));
    expect(state.checks).toBe(1);
    await delay(1_050);
    await get("/readyz");
    expect(state.checks).toBe(2);
  });

  it("F3: is 503 while the storage fails, without the words of a driver, and recovers", async () => {
    const state = await start();
    state.failing = true;
    const { status, body } = await get("/readyz");
    expect(status).toBe(503);
    expect(body).toMatchObject({ code: "storage_unavailable", dependencies: { storage: { status: "failing" } } });
    expect(JSON.stringify(body)).not.toContain("SQLITE");
    state.failing = false;
    await delay(1_050);
    expect((await get("/readyz")).status).toBe(200);
  });

  it("F6: is 503 after 2 s when the storage does not answer at all, and waits for no more than that", async () => {
    const state = await start();
    state.hanging = true;
    const asked = performance.now();
    const { status, body } = await get("/readyz");
    expect({ status, code: body["code"] }).toEqual({ status: 503, code: "storage_unavailable" });
    expect(performance.now() - asked).toBeGreaterThan(1_900);
    expect(performance.now() - asked).toBeLessThan(5_000);
  });

  it("H2: is 503 from the signal to end on, while turns are still taken", async () => {
    await start();
    test.server.announceEnd();
    expect(await get("/readyz")).toMatchObject({ status: 503, body: { code: "draining" } });
    const { sessionId } = await test.openSession();
    const response = await test.ask(sessionId);
    expect(response.status).toBe(200);
    await response.body?.cancel();
  });

  it("H2: is 503 while the service drains", async () => {
    await start();
    await test.drain();
    expect(await get("/readyz")).toMatchObject({ status: 503, body: { code: "draining" } });
  });
});
