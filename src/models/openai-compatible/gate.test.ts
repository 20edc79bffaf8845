import { beforeEach, describe, expect, it } from "vitest";
import { Gate } from "./gate.ts";

describe("Gate", () => {
  let now: number;
  let gate: Gate;
  let logged: { readonly fields: object; readonly message: string }[];

  beforeEach(() => {
    now = 0;
    logged = [];
    const note = (fields: object, message: string) => void logged.push({ fields, message });
    gate = new Gate({ server: "http://127.0.0.1:1", log: { info: note, warn: note }, now: () => now });
  });

  function fail(model: string, times: number): void {
    for (let time = 0; time < times; time += 1) gate.enter(model).end("failed");
  }

  it("has a breaker for each model: one that fails leaves the others alone", () => {
    fail("a", 5);
    expect(() => gate.enter("a")).toThrow("upstream_unavailable");
    expect(gate.condition("a")).toBe("open");
    gate.enter("b").end("succeeded");
    expect(gate.condition("b")).toBe("configured");
  });

  it("D40: says when asking again can help, in whole seconds, and why not now to the log", () => {
    fail("a", 5);
    now = 2_500;
    expect(refusalOf("a")).toMatchObject({
      code: "upstream_unavailable",
      retryAfterSeconds: 8,
      model: "a",
      cause: { message: "circuit breaker open" },
    });
    now = 10_000;
    expect(gate.condition("a")).toBe("degraded");
    gate.enter("a");
    expect(refusalOf("a")).toMatchObject({ retryAfterSeconds: 2, cause: { message: "circuit breaker half-open" } });
  });

  it("tells the log when it opens and when it closes", () => {
    fail("a", 5);
    now = 10_000;
    gate.enter("a").end("succeeded");
    expect(logged.map(({ fields }) => fields)).toEqual(Array(2).fill({ model: "a", server: "http://127.0.0.1:1" }));
    expect(logged[0]?.message).toContain("keeps failing");
    expect(logged[1]?.message).toContain("answers again");
  });

  it("D3: holds every model for 30 seconds after the key was refused, says so, and logs it once", () => {
    for (let time = 0; time < 5; time += 1) gate.refuseKey();
    expect(logged).toHaveLength(1);
    expect(refusalOf("any")).toMatchObject({ code: "upstream_unavailable", retryAfterSeconds: 30 });
    expect(refusalOf("any").detail).toContain("key");
    expect(gate.condition("any")).toBe("open");
    now = 30_000;
    gate.enter("any").end("succeeded");
  });

  it("gives a place back that was not used, or was for another model", () => {
    fail("a", 5);
    now = 10_000;
    const admission = gate.admit(() => "a");
    expect(() => gate.admit(() => "a")).toThrow("upstream_unavailable");
    admission.release();
    const taken = gate.admit(() => "a");
    expect(taken.take("b")).toBeUndefined();
    const used = gate.admit(() => "a");
    const permit = used.take("a");
    used.release();
    expect(() => gate.admit(() => "a")).toThrow("upstream_unavailable");
    permit?.end("succeeded");
    expect(gate.condition("a")).toBe("configured");
  });

  function refusalOf(model: string) {
    try {
      gate.enter(model);
    } catch (error) {
      return error as { detail: string };
    }
    throw new Error("It was let through");
  }
});
