import { describe, expect, test } from "vitest";
import { LeaseLost } from "../storage.ts";
import { LiveTurns } from "./live-turns.ts";

const key = (epoch: number) => ({ epoch });

describe("the turns of this process", () => {
  test("are forgotten when the last lease and the last follower let go", () => {
    const turns = new LiveTurns();
    turns.acquire("s", 1).hold(key(1), "guest:a", []);
    turns.acquire("s", 1);
    turns.settled("s", 1);
    expect(turns.size).toBe(1);
    turns.release("s", 1);
    expect(turns.size).toBe(0);
  });

  test("are lost only in the epoch that was lost, and only once", () => {
    const turns = new LiveTurns();
    const signal = turns.acquire("s", 1).hold(key(2), "guest:a", []);
    turns.leaseLost("s", 1, 1);
    expect(signal.aborted).toBe(false);
    turns.leaseLost("s", 1, 2);
    turns.leaseLost("s", 1, 2);
    expect(signal.reason).toBeInstanceOf(LeaseLost);
    expect(() => turns.held("s", 1, 2)).toThrow(LeaseLost);
    expect(turns.size).toBe(0);
  });

  test("run again when they are taken over after an end that the server lost, though somebody still reads that", () => {
    const turns = new LiveTurns();
    const live = turns.acquire("s", 1);
    live.hold(key(1), "guest:a", []);
    turns.acquire("s", 1);
    turns.settled("s", 1);
    expect(live.settled).toBe(true);
    turns.acquire("s", 1).hold(key(2), "guest:a", []);
    expect(live.settled).toBe(false);
    expect(turns.runsIn("s")).toBe(true);
  });
});
