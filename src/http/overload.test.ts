import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { startTestServer, type TestServer } from "../../test/helpers/http-server.ts";
import { silentLog } from "../../test/helpers/storage.ts";
import { isProblem } from "../protocol/problems.ts";
import { type LoadGauges, Overload } from "./overload.ts";

/** Gauges at rest, until a test sets them. */
function restingGauges() {
  const state = { loopDelay: 0, heap: 0.3, descriptors: 0.1, connections: 10_000, backlog: 0 };
  const gauges: LoadGauges = {
    takeLoopDelay: () => state.loopDelay,
    heapShare: () => state.heap,
    descriptorShare: () => state.descriptors,
    freeConnections: () => state.connections,
    storageBacklog: () => state.backlog,
    stop: () => undefined,
  };
  return { state, gauges };
}

describe("Overload", () => {
  let overload: Overload;
  let state: ReturnType<typeof restingGauges>["state"];
  const lines: string[] = [];

  beforeEach(() => {
    vi.useFakeTimers();
    lines.length = 0;
    const resting = restingGauges();
    state = resting.state;
    const log = { ...silentLog, warn: (_: object, text: string) => void lines.push(text) };
    overload = new Overload(resting.gauges, 20_000, { log });
  });
  afterEach(() => {
    overload.stop();
    vi.useRealTimers();
  });

  const refuses = (check: () => void): boolean => {
    try {
      check();
      return false;
    } catch (error) {
      expect(isProblem(error, "overloaded")).toBe(true);
      return true;
    }
  };
  const refusesWork = () => refuses(() => overload.refuseWork());
  const refusesStreams = () => refuses(() => overload.refuseStream());

  it.each([
    ["H6", "loopDelay", 200, 201, 5_000, "event_loop"],
    ["H6", "heap", 0.85, 0.86, 1_000, "memory"],
    ["H7", "descriptors", 0.9, 0.91, 1_000, "descriptors"],
    ["H7", "connections", 100, 99, 0, "descriptors"],
    ["F6", "backlog", 2_000, 2_001, 0, "storage"],
  ] as const)(
    "%s: %s of %d is borne, %d is not, and work is taken again once it is over",
    (_row, gauge, borne, over, within, reason) => {
      state[gauge] = borne;
      vi.advanceTimersByTime(10_000);
      expect(overload.reasons).toEqual([]);
      expect(refusesWork()).toBe(false);
      state[gauge] = over;
      vi.advanceTimersByTime(within);
      expect(overload.reasons).toEqual([reason]);
      expect(refusesWork()).toBe(true);
      state[gauge] = borne;
      vi.advanceTimersByTime(within);
      expect(refusesWork()).toBe(false);
    },
  );

  it("H6: a loop that was late for four seconds is no overload, and one that was on time for four is not yet over it", () => {
    const late = (seconds: number, isLate: boolean) => {
      state.loopDelay = isLate ? 1_000 : 0;
      vi.advanceTimersByTime(seconds * 1_000);
    };
    for (let burst = 0; burst < 3; burst += 1) {
      late(4, true);
      expect(refusesWork()).toBe(false);
      late(1, false);
    }
    late(5, true);
    for (let pause = 0; pause < 3; pause += 1) {
      expect(refusesWork()).toBe(true);
      late(4, false);
      expect(refusesWork()).toBe(true);
      late(1, true);
    }
    late(5, false);
    expect(refusesWork()).toBe(false);
  });

  it("H7: streams are refused where connections or descriptors run out, and only there", () => {
    Object.assign(state, { loopDelay: 1_000, heap: 0.99, backlog: 60_000 });
    vi.advanceTimersByTime(10_000);
    expect(refusesWork()).toBe(true);
    expect(refusesStreams()).toBe(false);
    state.connections = 99;
    expect(refusesStreams()).toBe(true);
    state.connections = 1_000;
    state.descriptors = 0.95;
    vi.advanceTimersByTime(1_000);
    expect(refusesStreams()).toBe(true);
  });

  it("H7: where there may be few connections, half of them may be streams", () => {
    const { gauges, state: few } = restingGauges();
    const small = new Overload(gauges, 40, { log: silentLog });
    few.connections = 20;
    expect(refuses(() => small.refuseStream())).toBe(false);
    few.connections = 19;
    expect(refuses(() => small.refuseStream())).toBe(true);
    small.stop();
  });

  it("H6: says when to come back, at another time to each", () => {
    state.backlog = 5_000;
    const times = Array.from({ length: 50 }, () => {
      try {
        overload.refuseWork();
      } catch (error) {
        return isProblem(error) ? error.retryAfterSeconds : undefined;
      }
      return undefined;
    });
    expect(Math.min(...times.map(Number))).toBeGreaterThanOrEqual(3);
    expect(Math.max(...times.map(Number))).toBeLessThanOrEqual(8);
    expect(new Set(times).size).toBeGreaterThan(10);
  });

  it("H6: is logged when it begins, not at every look", () => {
    state.heap = 0.9;
    vi.advanceTimersByTime(60_000);
    expect(lines).toEqual(["Overloaded: new turns are refused; those that run go on"]);
  });
});

describe("while the service is overloaded", () => {
  let test: TestServer;
  let state: ReturnType<typeof restingGauges>["state"];
  let sessionId: string;

  beforeEach(async () => {
    const resting = restingGauges();
    state = resting.state;
    test = await startTestServer({ gauges: resting.gauges });
    ({ sessionId } = await test.openSession());
  });
  afterEach(() => test.close());

  const status = async (path: string, init: RequestInit = {}) => {
    const response = await fetch(test.url + path, init);
    await response.body?.cancel();
    return response.status;
  };

  it("H6: prompts and sessions are refused with 503 and Retry-After before anything is read or stored", async () => {
    state.backlog = 5_000;
    const json = { "content-type": "application/json" };
    const requests: [string, RequestInit][] = [
      [`/chat/${sessionId}`, { method: "PUT", headers: json, body: '{"payload":"Hello!"}' }],
      // Not even whether it could be read.
      [`/chat/${sessionId}`, { method: "PUT", body: "no JSON" }],
      ["/?username=TR", {}],
      ["/sessions", { method: "POST", headers: json, body: '{"username":"TR"}' }],
    ];
    for (const [path, init] of requests) {
      const response = await fetch(test.url + path, init);
      expect(response.status, path).toBe(503);
      expect(await response.json()).toMatchObject({ code: "overloaded", retryable: true });
      expect(Number(response.headers.get("retry-after"))).toBeGreaterThan(0);
    }
    state.backlog = 0;
    expect(await (await fetch(`${test.url}/sessions/${sessionId}`)).json()).toMatchObject({ turns: 0 });
  });

  it("H6: following, stopping, history, health and documents go on, and /readyz says why it is ready all the same", async () => {
    await (await test.ask(sessionId)).body?.cancel();
    state.backlog = 5_000;
    expect(await status(`/chat/${sessionId}`)).toBe(200);
    expect(await status(`/chat/${sessionId}/1`, { headers: { accept: "application/json" } })).toBe(200);
    expect(await status(`/chat_history/${sessionId}`)).toBe(200);
    expect(await status(`/sessions/${sessionId}`)).toBe(200);
    expect(await status("/healthz")).toBe(200);
    expect(await status("/?username=TR", { method: "HEAD" })).toBe(200);
    const ready = await fetch(`${test.url}/readyz`);
    expect(ready.status).toBe(200);
    expect(await ready.json()).toMatchObject({ load: { status: "overloaded", reasons: ["storage"] } });
    expect(await status(`/chat/${sessionId}`, { method: "DELETE" })).toBe(200);
  });

  it("H7: while connections run out, a stream is refused as well; stopping, history and health go on", async () => {
    await (await test.ask(sessionId)).body?.cancel();
    state.connections = 5;
    for (const path of [`/chat/${sessionId}`, `/chat/${sessionId}/1`]) {
      const refused = await fetch(test.url + path);
      expect(refused.status).toBe(503);
      expect(await refused.json()).toMatchObject({ code: "overloaded" });
    }
    expect(await status(`/chat_history/${sessionId}`)).toBe(200);
    expect(await status("/healthz")).toBe(200);
    expect(await status(`/chat/${sessionId}`, { method: "DELETE" })).toBe(200);
  });
});
