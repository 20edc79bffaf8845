import { describe, expect, it } from "vitest";
import { type Clock, everyFrame } from "./frames.ts";

/** A clock that a test turns; a call takes as long as `costMs`. */
function fakeClock(costMs: number) {
  let now = 0;
  let waiting: (() => void) | undefined;
  const clock: Clock = {
    now: () => now,
    onFrame(callback) {
      waiting = callback;
      return () => {
        waiting = undefined;
      };
    },
    afterwards(callback) {
      now += costMs;
      callback();
    },
  };
  return {
    clock,
    frame(ms = 16) {
      now += ms;
      const callback = waiting;
      waiting = undefined;
      callback?.();
    },
  };
}

describe("drawing once a frame", () => {
  it("happens once, however often it was asked for, and not unasked", () => {
    let calls = 0;
    const { clock, frame } = fakeClock(0);
    const frames = everyFrame(() => {
      calls += 1;
    }, clock);
    for (let index = 0; index < 10; index += 1) frames.request();
    frame();
    frame();
    expect(calls).toBe(1);
  });

  it("leaves three quarters of the time to others where it takes long", () => {
    let calls = 0;
    const { clock, frame } = fakeClock(50);
    const frames = everyFrame(() => {
      calls += 1;
    }, clock);
    for (let index = 0; index < 100; index += 1) {
      frames.request();
      frame();
    }
    // 100 frames of 16 ms are 1,600 ms beside the calls; each call earns the rest 150.
    expect(calls).toBeLessThan(12);
    expect(calls).toBeGreaterThan(8);
  });

  it("does not wait for long after one that took very long", () => {
    let calls = 0;
    const { clock, frame } = fakeClock(5_000);
    const frames = everyFrame(() => {
      calls += 1;
    }, clock);
    frames.request();
    frame();
    frames.request();
    frame(300);
    expect(calls).toBe(2);
  });

  it("happens at once when it must, and not at all any more when it was taken back", () => {
    let calls = 0;
    const { clock, frame } = fakeClock(0);
    const frames = everyFrame(() => {
      calls += 1;
    }, clock);
    frames.flush();
    frames.request();
    frames.flush();
    frame();
    expect(calls).toBe(1);
    frames.request();
    frames.cancel();
    frame();
    expect(calls).toBe(1);
  });
});
